"""The bucket in which the newest report is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from landkeeper.aws.failures import CALL_ERRORS, failure_of
from landkeeper.org import AccountId, Failure

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KEY = "report.html"
_NOT_FOUND = "404"


class ReportBucket:
    """One object: the page, with what it says of itself as metadata."""

    def __init__(self, client: S3Client, name: str, owner: AccountId | None) -> None:
        """`client` is S3's, in the bucket's region; links take one that signs them with version 4.

        Nothing is read from or written to a bucket of another account than `owner`, if there is one.
        """
        self._client = client
        self._name = name
        self._expected: dict[str, Any] = {} if owner is None else {"ExpectedBucketOwner": owner}

    def read_metadata(self) -> Mapping[str, str] | Failure | None:
        """What the report says of itself; None where there is no report."""
        try:
            answer = self._client.head_object(Bucket=self._name, Key=KEY, **self._expected)
        except CALL_ERRORS as error:
            failure = failure_of(error)
            # A HEAD is answered without a body, so its status is all there is; that there is no such bucket shows when
            # it is written to (Amazon S3 API Reference, "HeadObject").
            return None if failure.code == _NOT_FOUND else failure
        return answer["Metadata"]

    def write_report(self, page: bytes, metadata: Mapping[str, str]) -> Failure | None:
        """Replace the report; the old one stays until all of the new one is there."""
        try:
            self._client.put_object(
                Bucket=self._name, Key=KEY, Body=page, ContentType="text/html; charset=utf-8",
                CacheControl="no-cache", Metadata=metadata, **self._expected,
            )  # fmt: skip
        except CALL_ERRORS as error:
            return failure_of(error)
        return None

    def presign(self, seconds: int) -> str:
        """Return a link to the report for whoever has it, as long as it lasts, and the credentials it is made with.

        A browser sends no header with it, so it cannot name the bucket's owner: read the metadata first.
        """
        return self._client.generate_presigned_url(
            "get_object", Params={"Bucket": self._name, "Key": KEY}, ExpiresIn=seconds
        )

"""The bucket in which the newest report is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from landkeeper.aws.failures import CALL_ERRORS, failure_of
from landkeeper.org import Failure

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KEY = "report.html"
_NOT_FOUND = "404"


class ReportBucket:
    """One object: the page, with what it says of itself as metadata."""

    def __init__(self, client: S3Client, name: str) -> None:
        """`client` is S3's, in the bucket's region; links take one that signs them with version 4."""
        self._client = client
        self._name = name

    def read_metadata(self) -> Mapping[str, str] | Failure | None:
        """What the report says of itself; None where there is no report."""
        try:
            answer = self._client.head_object(Bucket=self._name, Key=KEY)
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
                CacheControl="no-cache", Metadata=metadata,
            )  # fmt: skip
        except CALL_ERRORS as error:
            return failure_of(error)
        return None

    def presign(self, seconds: int) -> str:
        """A link to the report for whoever has it, as long as it lasts, and the credentials that it is made with."""
        return self._client.generate_presigned_url(
            "get_object", Params={"Bucket": self._name, "Key": KEY}, ExpiresIn=seconds
        )

"""Log files in S3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from landkeeper.aws.failures import CALL_ERRORS, failure_of
from landkeeper.broom.cloudtrail.keys import LogObject
from landkeeper.org import Failure, FailureReason

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class LogObjects:
    """Reads and lists objects of any bucket that the credentials at hand may read. Safe to use from several threads."""

    def __init__(self, client: S3Client, *, limit_bytes: int, requester_pays: bool = False) -> None:
        """`client` is S3's. Nothing larger than the limit is read. With `requester_pays` the bill may come here."""
        self._client = client
        self._limit_bytes = limit_bytes
        self._payer: Any = {"RequestPayer": "requester"} if requester_pays else {}

    def read_object(self, found: LogObject) -> bytes | Failure:
        """The content of an object; a Failure where S3 refuses, or it is above the limit."""
        try:
            answer = self._client.get_object(Bucket=found.bucket, Key=found.key, **self._payer)
            with closing(answer["Body"]) as body:
                return self._refuse(answer["ContentLength"]) or body.read()
        except CALL_ERRORS as error:
            return failure_of(error)

    def list_objects(self, bucket: str, prefix: str) -> Iterator[LogObject | Failure]:
        """Every object whose key begins with the prefix; a Failure, and then no more, where S3 refuses."""
        try:
            for page in self._pages(bucket, prefix):
                yield from (LogObject(bucket, entry["Key"]) for entry in page.get("Contents", ()))
        except CALL_ERRORS as error:
            yield failure_of(error)

    def _pages(self, bucket: str, prefix: str, **more: Any) -> Iterator[Any]:
        pages = self._client.get_paginator("list_objects_v2")
        return iter(pages.paginate(Bucket=bucket, Prefix=prefix, **more, **self._payer))

    def _refuse(self, size: int) -> Failure | None:
        if size <= self._limit_bytes:
            return None
        return Failure(FailureReason.OTHER, "TooLarge", f"larger than the limit of {self._limit_bytes} bytes")

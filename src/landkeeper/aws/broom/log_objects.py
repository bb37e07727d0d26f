"""Log files in S3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from landkeeper.aws.failures import CALL_ERRORS, failure_of
from landkeeper.broom.feeds import LogObject
from landkeeper.org import Failure, FailureReason

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class LogObjects:
    """Reads and lists objects of any bucket that the credentials at hand may read."""

    def __init__(self, client: S3Client, *, limit_bytes: int) -> None:
        """`client` is S3's. Nothing that is larger than the limit is read."""
        self._client = client
        self._limit_bytes = limit_bytes

    def read_object(self, found: LogObject) -> bytes | Failure:
        """The content of an object; a Failure where S3 refuses, or it is above the limit."""
        try:
            answer = self._client.get_object(Bucket=found.bucket, Key=found.key)
            with closing(answer["Body"]) as body:
                if answer["ContentLength"] > self._limit_bytes:
                    return Failure(
                        FailureReason.OTHER, "TooLarge", f"larger than the limit of {self._limit_bytes} bytes"
                    )
                return body.read()
        except CALL_ERRORS as error:
            return failure_of(error)

    def list_objects(self, bucket: str, prefix: str) -> Iterator[LogObject | Failure]:
        """Every object whose key begins with the prefix; a Failure, and then no more, where S3 refuses."""
        try:
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                yield from (LogObject(bucket, each["Key"]) for each in page.get("Contents", ()))
        except CALL_ERRORS as error:
            yield failure_of(error)

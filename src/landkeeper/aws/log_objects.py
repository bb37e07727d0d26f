"""Log files in S3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from landkeeper.aws.failures import failure_of
from landkeeper.broom.feeds import LogObject
from landkeeper.org import Failure

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class LogObjects:
    """Reads and lists objects of any bucket that the credentials at hand may read."""

    def __init__(self, client: S3Client) -> None:
        """`client` is S3's."""
        self._client = client

    def read_object(self, found: LogObject) -> bytes | Failure:
        """The content of an object."""
        try:
            return self._client.get_object(Bucket=found.bucket, Key=found.key)["Body"].read()
        except (ClientError, BotoCoreError) as error:
            return failure_of(error)

    def list_objects(self, bucket: str, prefix: str) -> Iterator[LogObject | Failure]:
        """Every object whose key begins with the prefix; a Failure, and then no more, where S3 refuses."""
        try:
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                yield from (LogObject(bucket, each["Key"]) for each in page.get("Contents", ()))
        except (ClientError, BotoCoreError) as error:
            yield failure_of(error)

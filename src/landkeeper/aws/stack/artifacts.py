"""The bucket that a stack's function package and policy are uploaded to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from landkeeper.aws.failures import failure_of
from landkeeper.org import AccountId, FailureReason, Region

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# S3's oldest region: a bucket there must be made without naming it (S3 API Reference, "CreateBucket").
_UNNAMED_REGION = "us-east-1"


class ArtifactBucket:
    """A private bucket of the deploying account, made when it is not there."""

    def __init__(self, s3: S3Client, account: AccountId, region: Region) -> None:
        """The bucket is named after the account and the region."""
        self._s3 = s3
        self._region = region
        self._account = account
        self.bucket = f"landkeeper-artifacts-{account}-{region}"

    def put(self, key: str, body: bytes) -> None:
        """Put an object, unless it is there already."""
        self._make()
        if not self._holds(key):
            self._s3.put_object(Bucket=self.bucket, Key=key, Body=body, ExpectedBucketOwner=self._account)

    def url(self, key: str) -> str:
        """Where CloudFormation finds an object of the bucket."""
        return f"{self._s3.meta.endpoint_url}/{self.bucket}/{key}"

    def read(self, key: str) -> bytes | None:
        """The object, or None where there is none."""
        try:
            return self._s3.get_object(Bucket=self.bucket, Key=key, ExpectedBucketOwner=self._account)["Body"].read()
        except ClientError as error:
            if failure_of(error).reason is FailureReason.NOT_FOUND:
                return None
            raise

    def empty(self, prefix: str) -> int:
        """Delete every object whose key begins with the prefix, and answer how many those were."""
        return empty_bucket(self._s3, self.bucket, prefix)

    def _make(self) -> None:
        try:
            self._s3.head_bucket(Bucket=self.bucket, ExpectedBucketOwner=self._account)
        except ClientError as error:
            if failure_of(error).code != "404":
                raise
        else:
            return
        if self._region == _UNNAMED_REGION:
            self._s3.create_bucket(Bucket=self.bucket)
        else:
            self._s3.create_bucket(
                Bucket=self.bucket,
                CreateBucketConfiguration={"LocationConstraint": self._region},  # type: ignore[typeddict-item]
            )
        self._s3.put_public_access_block(
            Bucket=self.bucket,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
        )

    def _holds(self, key: str) -> bool:
        try:
            self._s3.head_object(Bucket=self.bucket, Key=key, ExpectedBucketOwner=self._account)
        except ClientError as error:
            if failure_of(error).code == "404" or failure_of(error).reason is FailureReason.NOT_FOUND:
                return False
            raise
        return True


def empty_bucket(s3: S3Client, bucket: str, prefix: str = "") -> int:
    """Delete every object, in every version, whose key begins with the prefix; answer how many those were."""
    count = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        found = [
            {"Key": each["Key"], "VersionId": each["VersionId"]}
            for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
        ]
        if found:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True})  # type: ignore[typeddict-item]
            count += len(found)
    return count

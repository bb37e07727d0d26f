"""The bucket that a stack's function package and policy are uploaded to.

Whoever can write into it could put code into the functions, or another policy. So the bucket's own policy lets nobody
write but the deployer, and what lies there counts as there only if S3's checksum of it is that of the content.
Source: Amazon S3 User Guide, "Checking object integrity in Amazon S3".
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from landkeeper.aws.failures import failure_of
from landkeeper.org import AccountId, FailureReason, Region

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# S3's oldest region: a bucket there must be made without naming it (S3 API Reference, "CreateBucket").
_UNNAMED_REGION = "us-east-1"
_NO_POLICY = "NoSuchBucketPolicy"
_WRITING = (
    "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject", "s3:ReplicateDelete", "s3:ReplicateObject",
)  # fmt: skip


class ArtifactBucket:
    """A private bucket of the deploying account, made when it is not there."""

    def __init__(self, s3: S3Client, account: AccountId, region: Region, deployer: str) -> None:
        """Name the bucket after the account and the region. `deployer` is the ARN of the credentials at hand."""
        self._s3 = s3
        self._region = region
        self._account = account
        self._deployer = deployer
        self._is_ready = False
        self.bucket = f"landkeeper-artifacts-{account}-{region}"

    def put(self, key: str, body: bytes) -> None:
        """Put an object, unless that very content is there already."""
        self._prepare()
        if not self.holds(key, body):
            self._s3.put_object(
                Bucket=self.bucket, Key=key, Body=body, ChecksumSHA256=_checksum(body),
                ExpectedBucketOwner=self._account,
            )  # fmt: skip

    def holds(self, key: str, body: bytes) -> bool:
        """Whether that very content is there, by the checksum that S3 has made of it."""
        try:
            answer = self._s3.head_object(
                Bucket=self.bucket, Key=key, ChecksumMode="ENABLED", ExpectedBucketOwner=self._account
            )
        except ClientError as error:
            if failure_of(error).code == "404" or failure_of(error).reason is FailureReason.NOT_FOUND:
                return False
            raise
        return answer.get("ChecksumSHA256") == _checksum(body)

    def url(self, key: str) -> str:
        """Where CloudFormation finds an object of the bucket."""
        return f"{self._s3.meta.endpoint_url}/{self.bucket}/{key}"

    def empty(self, prefix: str) -> int:
        """Delete every object whose key begins with the prefix, and answer how many those were."""
        self._let_only_the_deployer_write()
        return empty_bucket(self._s3, self.bucket, self._account, prefix)

    def _prepare(self) -> None:
        if not self._is_ready:
            self._make()
            self._let_only_the_deployer_write()
            self._is_ready = True

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
            ExpectedBucketOwner=self._account,
        )

    def _let_only_the_deployer_write(self) -> None:
        policy = bucket_policy(
            self.bucket, self._deployer, encrypted=str(self._s3.meta.endpoint_url).startswith("https:")
        )
        if self._read_policy() != policy:
            self._s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy), ExpectedBucketOwner=self._account)

    def _read_policy(self) -> Any:
        try:
            answer = self._s3.get_bucket_policy(Bucket=self.bucket, ExpectedBucketOwner=self._account)
        except ClientError as error:
            if failure_of(error).code == _NO_POLICY:
                return None
            raise
        return json.loads(answer["Policy"])


def bucket_policy(bucket: str, deployer: str, *, encrypted: bool) -> dict[str, Any]:
    """Return the policy by which nobody writes into the bucket but the deployer, whatever else they may do.

    Who may change the bucket's policy, as the next deployer does, can change that. `encrypted` refuses calls without
    TLS. In policies a role's session goes by the ARN of the role, with its path (IAM User Guide, "AWS global condition
    context keys", `aws:PrincipalArn`); the session's ARN is without the path, and names are unique in an account.
    """
    partition, account = deployer.split(":")[1], deployer.split(":")[4]
    resource = f"arn:{partition}:s3:::{bucket}"
    writers = [deployer]
    if deployer.split(":")[5].startswith("assumed-role/"):
        name = deployer.split("/")[1]
        writers = [f"arn:{partition}:iam::{account}:role/{path}{name}" for path in ("", "*/")]
    statements: list[dict[str, Any]] = [
        {
            "Sid": "NobodyButTheDeployerWrites",
            "Effect": "Deny",
            "Principal": "*",
            "Action": list(_WRITING),
            "Resource": f"{resource}/*",
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": writers}},
        }
    ]
    if encrypted:
        statements.append(
            {
                "Sid": "EncryptedOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [resource, f"{resource}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        )
    return {"Version": "2012-10-17", "Statement": statements}


def _checksum(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def empty_bucket(s3: S3Client, bucket: str, owner: AccountId, prefix: str = "") -> int:
    """Delete every object, in every version, whose key begins with the prefix; answer how many those were.

    Nothing is deleted from a bucket of another account than `owner`.
    """
    count = 0
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix, ExpectedBucketOwner=owner)
    for page in pages:
        found = [
            {"Key": version["Key"], "VersionId": version["VersionId"]}
            for version in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
        ]
        if found:
            deletion: Any = {"Objects": found, "Quiet": True}
            s3.delete_objects(Bucket=bucket, Delete=deletion, ExpectedBucketOwner=owner)
            count += len(found)
    return count

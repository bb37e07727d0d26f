"""Deletes what holds data, once somebody has named it."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError, WaiterError

from landkeeper.aws.failures import CALL_ERRORS, failure_of
from landkeeper.aws.sessions import AccountSessions
from landkeeper.aws.stack.artifacts import ArtifactBucket, empty_bucket
from landkeeper.aws.stack.bucket_notifications import BucketNotifications
from landkeeper.aws.stack.environment import find_table_keys
from landkeeper.operate.destroy import DataKind, Datum
from landkeeper.operate.preflight import TABLE_KEYS
from landkeeper.org import AccountId, Failure, FailureReason


class LeftData:
    """Tables, buckets and trails of the account and region of the credentials at hand."""

    def __init__(self, sessions: AccountSessions) -> None:
        self._sessions = sessions
        self._files = ArtifactBucket(
            sessions.home("s3"), sessions.home_account(), sessions.region, sessions.home_principal()
        )

    def find_left(self, stack_name: str, name: str) -> Datum | None:
        """What an earlier stack left behind under this name: a table with keys like ours, its buckets, its trail."""
        place = f"{self._sessions.home_account()}-{self._sessions.region}"
        buckets = {f"{stack_name}-trail-{place}": DataKind.BUCKET, f"{stack_name}-report-{place}": DataKind.REPORTS}
        if name in buckets:
            return Datum(buckets[name], name)
        if find_table_keys(self._sessions, name) in set(TABLE_KEYS.values()):
            return Datum(DataKind.TABLE, name)
        trail = self.find_trail(stack_name)
        return trail if isinstance(trail, Datum) and trail.name == name else None

    def find_trail(self, stack_name: str) -> Datum | Failure | None:
        """Return the trail that has the stack's name and writes to its bucket, the management account's included.

        A Failure where CloudTrail does not say.
        """
        try:
            trail = self._find_trail(stack_name)
        except CALL_ERRORS as error:
            return failure_of(error)
        if trail is None:
            return None
        is_own = trail["TrailARN"].split(":")[4] == self._sessions.home_account()
        return Datum(DataKind.TRAIL if is_own else DataKind.ORGANIZATION_TRAIL, stack_name)

    def find_files(self, stack_name: str) -> Datum | None:
        """The packages and policies that deploying the stack has uploaded; None where there are none."""
        try:
            held = self._sessions.home("s3").list_objects_v2(
                Bucket=self._files.bucket,
                Prefix=f"{stack_name}/",
                MaxKeys=1,
                ExpectedBucketOwner=self._sessions.home_account(),
            )
        except CALL_ERRORS:
            return None
        return Datum(DataKind.FILES, self._files.bucket) if held.get("KeyCount") else None

    def delete(self, datum: Datum, stack_name: str) -> Failure | None:
        """Delete it, a table's deletion protection and a bucket's content first; the failure where AWS refuses."""
        try:
            self._delete(datum, stack_name)
        except WaiterError as error:
            return Failure(FailureReason.TIMED_OUT, message=str(error))
        except CALL_ERRORS as error:
            return failure_of(error)
        return None

    def _delete(self, datum: Datum, stack_name: str) -> None:
        match datum.kind:
            case DataKind.TABLE:
                _delete_table(self._sessions.home("dynamodb"), datum.name)
            case DataKind.BUCKET | DataKind.REPORTS:
                _delete_bucket(self._sessions.home("s3"), datum.name, self._sessions.home_account())
            case DataKind.TRAIL | DataKind.ORGANIZATION_TRAIL:
                trail = self._find_trail(datum.name)
                # The management account's trail is not found by its name here; an own one is, whatever it writes to.
                arn = trail["TrailARN"] if trail is not None else datum.name
                self._sessions.home("cloudtrail").delete_trail(Name=arn)
            case DataKind.FILES:
                self._files.empty(f"{stack_name}/")

    def forget_topic(self, bucket: str) -> bool:
        """Take the notification that deploying added out of an existing bucket; whether there was one."""
        return BucketNotifications(self._sessions.home("s3")).forget_topic(bucket)

    def _find_trail(self, stack_name: str) -> dict[str, Any] | None:
        """The trail as CloudTrail describes it, by its whole ARN.

        Asked by name, CloudTrail answers nothing about the trail that a delegated administrator has made: it belongs to
        the management account. Another stack of the same name in another account writes to another bucket. Source:
        CloudTrail API Reference, "DescribeTrails".
        """
        place = f"{self._sessions.home_account()}-{self._sessions.region}"
        trails: list[dict[str, Any]] = [
            dict(trail) for trail in self._sessions.home("cloudtrail").describe_trails()["trailList"]
        ]
        return next(
            (
                trail
                for trail in trails
                if trail["TrailARN"].endswith(f":trail/{stack_name}")
                and trail.get("HomeRegion") == self._sessions.region
                and trail.get("S3BucketName") == f"{stack_name}-trail-{place}"
            ),
            None,
        )


def _delete_bucket(s3: Any, name: str, owner: AccountId) -> None:
    """Empty and delete a bucket, again if an object has arrived in between: CloudTrail delivers for minutes after its
    trail is deleted."""
    for last in (False, False, False, False, True):
        empty_bucket(s3, name, owner)
        try:
            s3.delete_bucket(Bucket=name, ExpectedBucketOwner=owner)
        except ClientError as error:
            if last or error.response["Error"]["Code"] != "BucketNotEmpty":
                raise
        else:
            return


def _delete_table(dynamodb: Any, name: str) -> None:
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 60})
    dynamodb.delete_table(TableName=name)
    dynamodb.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 60})

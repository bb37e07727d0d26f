"""The way of a log file as the services describe it: trails, the bucket, topics, queues, and the newest file itself.

Each read answers a fact of the doctor's, or the `Failure` that AWS gave instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from landkeeper.aws.stack.parts import reading
from landkeeper.operate.doctor.facts import (
    BucketNotifications,
    Document,
    LogFilesSeen,
    Notification,
    Queue,
    Subscription,
    Topic,
    Trail,
)
from landkeeper.org import Failure, Region

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

_PENDING = "PendingConfirmation"
_ACCOUNTS_LOOKED_INTO = 10
_FRESH = timedelta(hours=1)
"""A file that is no older ends the search for a newer one."""


@reading
def read_trails(cloudtrail: Any, bucket: str, elsewhere: Callable[[Region], Any]) -> Sequence[Trail]:
    """The trails that write into the bucket, those of other regions and of the organization included.

    `elsewhere` gives the client of a region: a trail answers for its status at home. Source: CloudTrail API Reference,
    "DescribeTrails", "GetTrailStatus".
    """
    told = cloudtrail.describe_trails(includeShadowTrails=True)["trailList"]
    return tuple(
        _trail_of(one, elsewhere(Region(one["HomeRegion"]))) for one in told if one.get("S3BucketName") == bucket
    )


def _trail_of(told: dict[str, Any], client: Any) -> Trail:
    arn = told["TrailARN"]
    status = _read_status(client, arn)
    known: dict[str, Any] = {} if isinstance(status, Failure) else status
    return Trail(
        name=told["Name"],
        arn=arn,
        home_region=Region(told["HomeRegion"]),
        is_multi_region=told.get("IsMultiRegionTrail", False),
        is_organization=told.get("IsOrganizationTrail", False),
        is_logging=status if isinstance(status, Failure) else bool(status["IsLogging"]),
        stopped_at=known.get("StopLoggingTime"),
        delivered_at=known.get("LatestDeliveryTime"),
        delivery_error=known.get("LatestDeliveryError") or "",
        has_management_writes=_has_management_writes(client, arn),
        topic_arn=told.get("SnsTopicARN") or "",
    )


@reading
def _read_status(client: Any, arn: str) -> dict[str, Any]:
    return dict(client.get_trail_status(Name=arn))


@reading
def _has_management_writes(client: Any, arn: str) -> bool:
    told = client.get_event_selectors(TrailName=arn)
    plain = told.get("EventSelectors") or []
    advanced = told.get("AdvancedEventSelectors") or []
    if not plain and not advanced:
        return True
    return any(_is_plain(one) for one in plain) or any(_is_advanced(one) for one in advanced)


def _is_plain(selector: dict[str, Any]) -> bool:
    return bool(selector.get("IncludeManagementEvents", True)) and selector.get("ReadWriteType", "All") != "ReadOnly"


def _is_advanced(selector: dict[str, Any]) -> bool:
    fields = {one["Field"]: one for one in selector.get("FieldSelectors", [])}
    category = fields.get("eventCategory", {}).get("Equals", [])
    return "Management" in category and "true" not in fields.get("readOnly", {}).get("Equals", [])


@reading
def read_notifications(s3: S3Client, bucket: str) -> BucketNotifications:
    """The bucket's notification configuration."""
    told: dict[str, Any] = dict(s3.get_bucket_notification_configuration(Bucket=bucket))
    kinds = (
        ("TopicConfigurations", "TopicArn"),
        ("QueueConfigurations", "QueueArn"),
        ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
    )
    entries = (_entry_of(one, one[arn]) for kind, arn in kinds for one in told.get(kind, ()))
    return BucketNotifications(tuple(entries), "EventBridgeConfiguration" in told)


def _entry_of(told: dict[str, Any], destination: str) -> Notification:
    rules = told.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    # S3 answers `Prefix` to those who wrote `prefix`.
    filters = {one["Name"].lower(): one["Value"] for one in rules}
    return Notification(destination, tuple(told["Events"]), filters.get("prefix", ""), filters.get("suffix", ""))


@reading
def read_topic(sns: SNSClient, arn: str) -> Topic:
    """The topic's policy and subscriptions."""
    told = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
    listed = [one for page in pages for one in page["Subscriptions"]]
    waiting = {one["SubscriptionArn"] for one in listed if one["SubscriptionArn"] == _PENDING}
    if int(told.get("SubscriptionsPending", 0)) and not waiting:
        waiting = {one["SubscriptionArn"] for one in listed if _is_pending(sns, one["SubscriptionArn"])}
    subscriptions = (
        Subscription(one["Protocol"], one.get("Endpoint", ""), is_confirmed=one["SubscriptionArn"] not in waiting)
        for one in listed
    )
    return Topic(arn, _parsed(told.get("Policy", "")), tuple(subscriptions))


def _is_pending(sns: SNSClient, subscription: str) -> bool:
    told = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    return told.get("PendingConfirmation") == "true"


@reading
def read_queue(sqs: SQSClient, url: str) -> Queue:
    """The queue's policy, and how many messages it holds."""
    told: dict[str, str] = dict(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])  # type: ignore[arg-type]
    messages = sum(int(told.get(f"ApproximateNumberOfMessages{kind}", 0)) for kind in ("", "Delayed", "NotVisible"))
    return Queue(told["QueueArn"], url, _parsed(told.get("Policy", "")), messages)


def _parsed(policy: str) -> Document:
    document: Document = json.loads(policy) if policy else {}
    return document


@reading
def read_log_files(s3: S3Client, bucket: str, prefix: str, first: tuple[str, Region], now: datetime) -> LogFilesSeen:
    """The newest log file of today and yesterday, in the folders of some accounts.

    `prefix` ends in `AWSLogs/`; `first` is the account and region in which there is most likely something. The search
    ends with the first file that is younger than an hour. Source: CloudTrail User Guide, "Finding your CloudTrail log
    files".
    """
    newest_key, newest_at, looked_at = "", None, 0
    for looked_at, account in enumerate(_accounts(s3, bucket, prefix, first[0])[:_ACCOUNTS_LOOKED_INTO], 1):
        for folder in _regions(s3, bucket, f"{account}CloudTrail/", first[1]):
            for day in (now, now - timedelta(days=1)):
                for one in _objects(s3, bucket, f"{folder}{day.astimezone(UTC):%Y/%m/%d}/"):
                    if newest_at is None or one["LastModified"] > newest_at:
                        newest_key, newest_at = one["Key"], one["LastModified"]
                if newest_at is not None and now - newest_at < _FRESH:
                    return LogFilesSeen(newest_key, newest_at, looked_at)
    return LogFilesSeen(newest_key, newest_at, looked_at)


def _accounts(s3: S3Client, bucket: str, prefix: str, first: str) -> list[str]:
    """The accounts' folders; those of an organization's trail lie in a folder with its id."""
    found: list[str] = []
    for folder in _folders(s3, bucket, prefix):
        name = folder.rstrip("/").rpartition("/")[2]
        found += _folders(s3, bucket, folder) if name.startswith("o-") else [folder]
    return sorted(found, key=lambda one: one.rstrip("/").rpartition("/")[2] != first)


def _regions(s3: S3Client, bucket: str, folder: str, first: Region) -> list[str]:
    return sorted(_folders(s3, bucket, folder), key=lambda one: one.rstrip("/").rpartition("/")[2] != first)


def _folders(s3: S3Client, bucket: str, prefix: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
    return [one["Prefix"] for page in pages for one in page.get("CommonPrefixes", ())]


def _objects(s3: S3Client, bucket: str, prefix: str) -> Iterator[Any]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from page.get("Contents", ())

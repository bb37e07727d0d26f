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
    trails = cloudtrail.describe_trails(includeShadowTrails=True)["trailList"]
    return tuple(
        _trail_of(trail, elsewhere(Region(trail["HomeRegion"])))
        for trail in trails
        if trail.get("S3BucketName") == bucket
    )


def _trail_of(trail: dict[str, Any], client: Any) -> Trail:
    arn = trail["TrailARN"]
    status = _read_status(client, arn)
    known: dict[str, Any] = {} if isinstance(status, Failure) else status
    return Trail(
        name=trail["Name"],
        arn=arn,
        home_region=Region(trail["HomeRegion"]),
        is_multi_region=trail.get("IsMultiRegionTrail", False),
        is_organization=trail.get("IsOrganizationTrail", False),
        is_logging=status if isinstance(status, Failure) else bool(status["IsLogging"]),
        stopped_at=known.get("StopLoggingTime"),
        delivered_at=known.get("LatestDeliveryTime"),
        delivery_error=known.get("LatestDeliveryError") or "",
        has_management_writes=_has_management_writes(client, arn),
        topic_arn=trail.get("SnsTopicARN") or "",
    )


@reading
def _read_status(client: Any, arn: str) -> dict[str, Any]:
    return dict(client.get_trail_status(Name=arn))


@reading
def _has_management_writes(client: Any, arn: str) -> bool:
    selectors = client.get_event_selectors(TrailName=arn)
    plain = selectors.get("EventSelectors") or []
    advanced = selectors.get("AdvancedEventSelectors") or []
    if not plain and not advanced:
        return True
    return any(_is_plain(selector) for selector in plain) or any(_is_advanced(selector) for selector in advanced)


def _is_plain(selector: dict[str, Any]) -> bool:
    return bool(selector.get("IncludeManagementEvents", True)) and selector.get("ReadWriteType", "All") != "ReadOnly"


def _is_advanced(selector: dict[str, Any]) -> bool:
    fields = {field["Field"]: field for field in selector.get("FieldSelectors", [])}
    category = fields.get("eventCategory", {}).get("Equals", [])
    return "Management" in category and "true" not in fields.get("readOnly", {}).get("Equals", [])


@reading
def read_notifications(s3: S3Client, bucket: str) -> BucketNotifications:
    """The bucket's notification configuration."""
    configuration: dict[str, Any] = dict(s3.get_bucket_notification_configuration(Bucket=bucket))
    kinds = (
        ("TopicConfigurations", "TopicArn"),
        ("QueueConfigurations", "QueueArn"),
        ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
    )
    entries = (_entry_of(entry, entry[arn]) for kind, arn in kinds for entry in configuration.get(kind, ()))
    return BucketNotifications(tuple(entries), "EventBridgeConfiguration" in configuration)


def _entry_of(entry: dict[str, Any], destination: str) -> Notification:
    rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    # S3 answers `Prefix` to those who wrote `prefix`.
    filters = {rule["Name"].lower(): rule["Value"] for rule in rules}
    return Notification(destination, tuple(entry["Events"]), filters.get("prefix", ""), filters.get("suffix", ""))


@reading
def read_topic(sns: SNSClient, arn: str) -> Topic:
    """The topic's policy and subscriptions."""
    attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
    listed = [subscription for page in pages for subscription in page["Subscriptions"]]
    waiting = {
        subscription["SubscriptionArn"] for subscription in listed if subscription["SubscriptionArn"] == _PENDING
    }
    if int(attributes.get("SubscriptionsPending", 0)) and not waiting:
        waiting = {
            subscription["SubscriptionArn"]
            for subscription in listed
            if _is_pending(sns, subscription["SubscriptionArn"])
        }
    subscriptions = (
        Subscription(
            subscription["Protocol"],
            subscription.get("Endpoint", ""),
            is_confirmed=subscription["SubscriptionArn"] not in waiting,
        )
        for subscription in listed
    )
    return Topic(arn, _parsed(attributes.get("Policy", "")), tuple(subscriptions))


def _is_pending(sns: SNSClient, subscription: str) -> bool:
    attributes = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    return attributes.get("PendingConfirmation") == "true"


@reading
def read_queue(sqs: SQSClient, url: str) -> Queue:
    """The queue's policy, and how many messages it holds."""
    attributes: dict[str, str] = dict(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])  # type: ignore[arg-type]
    messages = sum(
        int(attributes.get(f"ApproximateNumberOfMessages{kind}", 0)) for kind in ("", "Delayed", "NotVisible")
    )
    return Queue(attributes["QueueArn"], url, _parsed(attributes.get("Policy", "")), messages)


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
                for log_file in _objects(s3, bucket, f"{folder}{day.astimezone(UTC):%Y/%m/%d}/"):
                    if newest_at is None or log_file["LastModified"] > newest_at:
                        newest_key, newest_at = log_file["Key"], log_file["LastModified"]
                if newest_at is not None and now - newest_at < _FRESH:
                    return LogFilesSeen(newest_key, newest_at, looked_at)
    return LogFilesSeen(newest_key, newest_at, looked_at)


def _accounts(s3: S3Client, bucket: str, prefix: str, first: str) -> list[str]:
    """The accounts' folders; those of an organization's trail lie in a folder with its id."""
    found: list[str] = []
    for folder in _folders(s3, bucket, prefix):
        name = folder.rstrip("/").rpartition("/")[2]
        found += _folders(s3, bucket, folder) if name.startswith("o-") else [folder]
    return sorted(found, key=lambda path: path.rstrip("/").rpartition("/")[2] != first)


def _regions(s3: S3Client, bucket: str, folder: str, first: Region) -> list[str]:
    return sorted(_folders(s3, bucket, folder), key=lambda path: path.rstrip("/").rpartition("/")[2] != first)


def _folders(s3: S3Client, bucket: str, prefix: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
    return [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", ())]


def _objects(s3: S3Client, bucket: str, prefix: str) -> Iterator[Any]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from page.get("Contents", ())

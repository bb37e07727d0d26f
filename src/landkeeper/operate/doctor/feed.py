"""The way of a log file: the trail, its bucket's notification, the topic, the queue, and the function at its end.

Source: AWS CloudTrail User Guide, "Creating a trail for an organization"; Amazon S3 User Guide, "Configuring event
notifications using object key name filtering"; Amazon SNS Developer Guide, "Fanout to Amazon SQS queues".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from landkeeper.operate.doctor.facts import (
    BucketNotifications,
    LogFilesSeen,
    Notification,
    Queue,
    Rule,
    Topic,
    Trail,
    Trials,
)
from landkeeper.operate.doctor.lines import Line, lasting, ok, unchecked, wrong
from landkeeper.operate.doctor.resource_policy import Request, allows
from landkeeper.org import Failure, FailureReason, counted

SUFFIX = ".json.gz"
OLDEST_LOG_FILE = timedelta(days=1)
_MAY_NOT = frozenset({FailureReason.MISSING_PERMISSION, FailureReason.ROLE_NOT_ASSUMABLE, FailureReason.SCP_DENY})
_CREATED = ("s3:ObjectCreated:*", "s3:ObjectCreated:Put", "s3:ObjectCreated:CompleteMultipartUpload")


@dataclass(frozen=True, slots=True)
class Feed:
    """What the stack says of the way that log files take."""

    bucket: str
    prefix: str
    """What keys begin with, `AWSLogs/` included."""
    account: str
    """The account of the bucket."""
    topic_arn: str
    """The topic that tells of log files; empty where EventBridge does."""
    queue_arn: str
    region: str
    organization: str = ""
    makes_trail: bool = False
    """Whether the stack makes the trail itself."""
    wants_organization: bool = False
    """Whether the trail is to cover every account of the organization."""

    @property
    def bucket_arn(self) -> str:
        """The bucket's ARN, in the partition of the queue."""
        return f"arn:{self.queue_arn.split(':')[1]}:s3:::{self.bucket}"


def judge_trail(trails: Sequence[Trail] | Failure, feed: Feed, now: datetime) -> list[Line]:
    """Whether a trail that writes into the bucket logs, in every region and, where that is wanted, every account."""
    if isinstance(trails, Failure):
        return [unchecked("trail", trails)]
    if not trails:
        return [_no_trail(feed)]
    judged = [(trail, list(_faults_of(trail, feed))) for trail in trails]
    for trail, faults in judged:
        if not faults:
            return [ok("trail", _described(trail, now))]
    return [fault for _, faults in judged for fault in faults]


def _no_trail(feed: Feed) -> Line:
    found = f"no trail visible to this account writes to the bucket {feed.bucket}"
    if feed.makes_trail:
        return wrong("trail", found, "run `landkeeper deploy` again: the stack's trail does not exist")
    return unchecked("trail", found, mend="check the trail in its own account: aws cloudtrail describe-trails")


def _faults_of(trail: Trail, feed: Feed) -> Iterator[Line]:
    name, where = f"the trail {trail.name}", f"--name {trail.arn} --region {trail.home_region}"
    if isinstance(trail.is_logging, Failure):
        yield unchecked("trail", f"whether {name} is logging could not be read: {trail.is_logging}")
    elif not trail.is_logging:
        since = f" since {trail.stopped_at:%Y-%m-%d %H:%M} UTC" if trail.stopped_at else ""
        yield wrong("trail", f"{name} is stopped{since}", f"aws cloudtrail start-logging {where}")
    if not trail.is_multi_region:
        found = f"{name} is not multi-region: launches outside {trail.home_region} are not logged"
        yield wrong("trail", found, f"aws cloudtrail update-trail {where} --is-multi-region-trail")
    if feed.wants_organization and not trail.is_organization:
        found = f"{name} covers only its own account, but the stack is for the organization {feed.organization}"
        yield wrong("trail", found, f"aws cloudtrail update-trail {where} --is-organization-trail")
    if trail.has_management_writes is False:
        mend = f"""aws cloudtrail put-event-selectors --trail-name {trail.arn} --region {trail.home_region} \
--event-selectors '[{{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true}}]'"""
        yield wrong("trail", f"{name} does not log write management events such as launches", mend)
    if trail.delivery_error:
        mend = (
            f"allow CloudTrail to write: check the policy of the bucket {feed.bucket}, and of its KMS key if it has one"
        )
        yield wrong("trail", f"the last delivery of {name} failed: {trail.delivery_error}", mend)


def _described(trail: Trail, now: datetime) -> str:
    scope = "of the organization" if trail.is_organization else "of its account"
    delivered = f", newest file delivered {lasting(now - trail.delivered_at)} ago" if trail.delivered_at else ""
    return f"{trail.name} {scope} logs in every region{delivered}"


def judge_notification(
    found: BucketNotifications | Failure, rules: Sequence[Rule] | Failure, trails: Sequence[Trail] | Failure, feed: Feed
) -> Line:
    """Whether the bucket, or CloudTrail itself, tells the topic, the queue or EventBridge of every log file."""
    check = "bucket notification"
    told_by = _telling_trail(trails, feed.topic_arn)
    if told_by:
        return ok(check, f"the trail {told_by} notifies the topic directly")
    if isinstance(found, Failure):
        return unchecked(check, found)
    wanted = {feed.topic_arn, feed.queue_arn} - {""}
    ours = [notification for notification in found.entries if notification.destination in wanted]
    if any(_takes_all(notification, feed) for notification in ours):
        return ok(check, f"s3://{feed.bucket}/{feed.prefix}* sends notifications")
    if found.to_event_bridge and not isinstance(rules, Failure) and (rule := _telling_rule(rules, feed)):
        return ok(
            check, f"s3://{feed.bucket}/{feed.prefix}* sends notifications through EventBridge, by the rule {rule}"
        )
    return _judge_absence(found, ours, feed)


def _judge_absence(found: BucketNotifications, ours: Sequence[Notification], feed: Feed) -> Line:
    check = "bucket notification"
    others = [notification for notification in found.entries if notification not in ours and _meets(notification, feed)]
    if others:
        return wrong(check, _shadowed(feed, others[0]), _shadow_mend(feed, others[0]))
    if ours:
        return wrong(check, f"notifications are sent only if {_filter_of(ours[0])}", _put_mend(feed))
    return wrong(check, f"new files in s3://{feed.bucket}/{feed.prefix} send no notifications", _put_mend(feed))


def _telling_trail(trails: Sequence[Trail] | Failure, topic_arn: str) -> str:
    if isinstance(trails, Failure) or not topic_arn:
        return ""
    return next((trail.name for trail in trails if trail.topic_arn == topic_arn), "")


def _telling_rule(rules: Sequence[Rule], feed: Feed) -> str:
    return next(
        (rule.name for rule in rules if rule.takes_log_files and rule.is_enabled and feed.queue_arn in rule.targets), ""
    )


def _takes_all(notification: Notification, feed: Feed) -> bool:
    return (
        ("s3:ObjectCreated:*" in notification.events or set(_CREATED[1:]) <= set(notification.events))
        and feed.prefix.startswith(notification.prefix)
        and SUFFIX.endswith(notification.suffix)
    )


def _meets(notification: Notification, feed: Feed) -> bool:
    """Whether S3 would send some new log file there, so that the same may not be sent anywhere else."""
    return (
        not {*_CREATED}.isdisjoint(notification.events)
        and (feed.prefix.startswith(notification.prefix) or notification.prefix.startswith(feed.prefix))
        and (SUFFIX.endswith(notification.suffix) or notification.suffix.endswith(SUFFIX))
    )


def _filter_of(notification: Notification) -> str:
    events = ", ".join(notification.events)
    return f"the key begins with '{notification.prefix}' and ends in '{notification.suffix}', on {events}"


def _shadowed(feed: Feed, other: Notification) -> str:
    return (
        f"shadowed: new files in s3://{feed.bucket}/{other.prefix} notify {other.destination}; S3 allows one "
        "destination per event type and prefix"
    )


def _shadow_mend(feed: Feed, other: Notification) -> str:
    kind = other.destination.split(":")[2] if other.destination.count(":") >= 5 else ""
    through = f"aws sns subscribe --protocol sqs --topic-arn {other.destination} --notification-endpoint "
    if kind == "sns":
        return (
            f"subscribe there too: {through}{feed.queue_arn} --region {feed.region}, and allow it in the queue policy"
        )
    return (
        f"send them to both: have the bucket notify {feed.topic_arn or 'a topic'} instead, and subscribe "
        f"{other.destination} to that topic; or turn on the bucket's EventBridge notifications and deploy with "
        "--parameter TrailBucketEvents=true"
    )


def _put_mend(feed: Feed) -> str:
    return (
        f"in the S3 console, bucket {feed.bucket}, Properties, Event notifications: all object create events, prefix "
        f"{feed.prefix}, suffix {SUFFIX}, to {feed.topic_arn or 'EventBridge'}; or run `landkeeper deploy` again"
    )


def judge_topic(topic: Topic | Failure, feed: Feed, *, by_trail: bool) -> list[Line]:
    """Whether the topic of log files lets S3 publish, and the queue hears of it."""
    check = "topic of log files"
    if isinstance(topic, Failure):
        return [unchecked(check, topic)]
    service = "cloudtrail.amazonaws.com" if by_trail else "s3.amazonaws.com"
    source = "" if by_trail else feed.bucket_arn
    request = Request(service, "sns:Publish", topic.arn, source, feed.account, feed.organization)
    lines = []
    if not by_trail and not allows(topic.policy, request):
        mend = f"allow {service} to publish for {source} in the policy of {topic.arn}; or run `landkeeper deploy` again"
        lines.append(wrong(check, f"its policy does not allow {service} to publish for the bucket {feed.bucket}", mend))
    heard = [subscription for subscription in topic.subscriptions if subscription.endpoint == feed.queue_arn]
    if not any(subscription.is_confirmed for subscription in heard):
        mend = (
            f"aws sns subscribe --topic-arn {topic.arn} --protocol sqs --notification-endpoint {feed.queue_arn} "
            f"--region {feed.region}"
        )
        state = "its subscription is not confirmed" if heard else "it is not subscribed"
        lines.append(wrong(check, f"Broom's queue receives no log file notifications: {state}", mend))
    return lines or [ok(check, f"{topic.arn.rpartition(':')[2]} delivers notifications to Broom's queue")]


def judge_queue_policy(check: str, queue: Queue | Failure, senders: Sequence[Request]) -> Line:
    """Whether the queue lets in everybody who is to send to it."""
    if isinstance(queue, Failure):
        return unchecked(check, queue)
    kept_out = [sender for sender in senders if not allows(queue.policy, sender)]
    if not kept_out:
        return ok(check, f"allows {counted(len(senders), 'sender')}")
    first = kept_out[0]
    mend = (
        f"allow {first.service} {first.action} with aws:SourceArn {first.source_arn} in the policy of {queue.arn}; or "
        "run `landkeeper deploy` again"
    )
    return wrong(
        check,
        f"its policy does not allow {first.service} with {first.source_arn}",
        mend,
        [sender.source_arn for sender in kept_out],
    )


def judge_log_files(seen: LogFilesSeen | Failure, feed: Feed, now: datetime) -> Line:
    """Whether log files of today or yesterday lie in the bucket."""
    check = "last log file"
    if isinstance(seen, Failure):
        return unchecked(check, seen)
    where = f"s3://{feed.bucket}/{feed.prefix}"
    mend = "see the checks of the trail; a new trail delivers its first file after some minutes"
    if seen.newest_at is None:
        looked = counted(seen.looked_at, "account")
        return wrong(check, f"none of today or yesterday under {where}, in the folders of {looked}", mend)
    age = now - seen.newest_at
    if age > OLDEST_LOG_FILE:
        return wrong(check, f"{lasting(age)} old: {seen.newest_key}", mend)
    return ok(check, f"{lasting(age)} old, of {_place_of(seen.newest_key)}")


def judge_reading(answer: Trials | Failure, feed: Feed, role: str) -> Line:
    """Whether Broom itself can read the newest log file: bucket, key, and the role in another account play a part."""
    check = "log file read"
    failure = answer if isinstance(answer, Failure) else answer.log_file
    if failure is None:
        return ok(check, f"Broom can read the newest file of {feed.bucket}")
    if isinstance(answer, Failure) or failure.reason not in _MAY_NOT:
        return unchecked(check, failure)
    mend = (
        f"allow {role} to read it, in the policy of the bucket {feed.bucket} and of the key that the trail "
        "encrypts with; "
        "for a bucket in another account: deploy log-archive.yaml there, and --parameter LogReaderRoleArn=..."
    )
    return wrong(check, f"Broom cannot read the newest file of {feed.bucket}: {failure}", mend)


def _place_of(key: str) -> str:
    """Account and region of `…/111122223333/CloudTrail/eu-west-1/2026/…`."""
    parts = key.split("/")
    at = parts.index("CloudTrail") if "CloudTrail" in parts[:-1] else 0
    return f"{parts[at - 1]} in {parts[at + 1]}" if at else key

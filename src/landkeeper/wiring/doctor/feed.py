"""The way of a log file, from the trail to Broom's function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from landkeeper.aws.stack.log_feed import read_log_files, read_notifications, read_queue, read_topic, read_trails
from landkeeper.aws.stack.parts import read_mappings, read_rule
from landkeeper.operate.doctor.facts import Queue, Rule, StackParts, Trail
from landkeeper.operate.doctor.feed import (
    Feed,
    judge_log_files,
    judge_notification,
    judge_queue_policy,
    judge_reading,
    judge_topic,
    judge_trail,
)
from landkeeper.operate.doctor.lines import Line, unchecked
from landkeeper.operate.doctor.resource_policy import Request
from landkeeper.operate.doctor.stack import judge_mappings, judge_rules
from landkeeper.operate.organization_trail import leaves_trail
from landkeeper.org import Failure, format_time
from landkeeper.wiring.doctor.access import ask_about
from landkeeper.wiring.doctor.deployed_stack import DeployedStack

_QUEUES = {"BroomQueue": "BroomFunction", "WorkQueue": "TrackerFunction", "EventsQueue": "TrackerFunction"}


def examine_feed(patient: DeployedStack) -> Iterator[Line]:
    """Trail, bucket, topic, queues, rules, and what the queues feed."""
    sqs = patient.sessions.home("sqs")
    urls = {name: patient.parts.find(f"{name}Url", name) for name in _QUEUES}
    queues = {name: read_queue(sqs, url) for name, url in urls.items() if url}
    broom = queues.get("BroomQueue")
    feed = _feed_of(patient, broom.arn if isinstance(broom, Queue) else "")
    rules = _read_rules(patient, feed)
    if feed.bucket:
        yield from _examine_log_files(patient, feed, [rule for rule in rules.values() if isinstance(rule, Rule)])
    for name, queue in queues.items():
        senders = list(_senders(queue, list(rules.values()), feed))
        if senders or isinstance(queue, Failure):
            yield judge_queue_policy(f"{name}'s policy", queue, senders)
    yield from _examine_mappings(patient, queues)
    off = frozenset({"BroomEvents"}) if patient.parts.parameters.get("LaunchEvents") == "DISABLED" else frozenset()
    yield from judge_rules(rules, off, patient.sessions.region)


def _feed_of(patient: DeployedStack, queue_arn: str) -> Feed:
    parts = patient.parts
    given = parts.parameters
    by_events = given.get("TrailBucketEvents") == "true"
    return Feed(
        bucket=parts.find("TrailBucket", "TrailBucket") or given.get("TrailBucketName", ""),
        prefix=f"{given.get('TrailPrefix', '')}AWSLogs/",
        account=given.get("TrailBucketAccount") or patient.caller.account,
        topic_arn="" if by_events else parts.find("LogFilesTopicArn", "LogFiles") or given.get("TrailTopicArn", ""),
        queue_arn=queue_arn,
        region=patient.sessions.region,
        organization=given.get("OrganizationId", ""),
        makes_trail=bool(parts.of_type("AWS::CloudTrail::Trail")) or leaves_trail(given, patient.caller.account),
        wants_organization=bool(given.get("OrganizationId")) and given.get("OrganizationTrail", "true") == "true",
    )


def _read_rules(patient: DeployedStack, feed: Feed) -> dict[str, Rule | Failure]:
    events, sample = patient.sessions.home("events"), _new_log_file(patient, feed)
    names = patient.parts.of_type("AWS::Events::Rule")
    return {logical_id: read_rule(events, name, sample) for logical_id, name in names.items()}


def _new_log_file(patient: DeployedStack, feed: Feed) -> dict[str, Any]:
    """S3's event of a new log file (Amazon S3 User Guide, "EventBridge event message structure")."""
    key = f"{feed.prefix}{feed.account}/CloudTrail/{feed.region}/2026/01/01/{feed.account}_CloudTrail.json.gz"
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": feed.account,
        "time": format_time(patient.clock()),
        "region": feed.region,
        "resources": [feed.bucket_arn if feed.queue_arn else ""],
        "detail": {"bucket": {"name": feed.bucket}, "object": {"key": key, "size": 1}, "reason": "PutObject"},
    }


def _examine_log_files(patient: DeployedStack, feed: Feed, rules: Sequence[Rule]) -> Iterator[Line]:
    sessions, now = patient.sessions, patient.clock()
    trails = read_trails(sessions.home("cloudtrail"), feed.bucket, lambda region: sessions.home("cloudtrail", region))
    yield from judge_trail(trails, feed, now)
    s3 = sessions.home("s3")
    first = (patient.caller.account, sessions.region)
    seen = read_log_files(s3, feed.bucket, feed.prefix, first, now)
    yield judge_log_files(seen, feed, now)
    if not isinstance(seen, Failure) and seen.newest_key and patient.function("BroomFunction") is not None:
        question = {"log_file": {"bucket": feed.bucket, "key": seen.newest_key}}
        role = patient.parts.find("BroomRoleArn", "BroomRole")
        yield judge_reading(ask_about(patient, "BroomFunction", question), feed, role)
    if not feed.queue_arn:
        yield unchecked("bucket notification", "the stack's log file queue cannot be read")
        return
    yield judge_notification(read_notifications(s3, feed.bucket), rules, trails, feed)
    if feed.topic_arn:
        topic = read_topic(sessions.home("sns"), feed.topic_arn)
        yield from judge_topic(topic, feed, by_trail=_is_told_by_trail(trails, feed))


def _is_told_by_trail(trails: Sequence[Trail] | Failure, feed: Feed) -> bool:
    return not isinstance(trails, Failure) and any(trail.topic_arn == feed.topic_arn for trail in trails)


def _senders(queue: Queue | Failure, rules: Sequence[Rule | Failure], feed: Feed) -> Iterator[Request]:
    if isinstance(queue, Failure):
        return
    if queue.arn == feed.queue_arn and feed.topic_arn:
        account = feed.topic_arn.split(":")[4]
        yield Request("sns.amazonaws.com", "sqs:SendMessage", queue.arn, feed.topic_arn, account, feed.organization)
    for rule in rules:
        if isinstance(rule, Rule) and queue.arn in rule.targets:
            account = rule.arn.split(":")[4]
            yield Request("events.amazonaws.com", "sqs:SendMessage", queue.arn, rule.arn, account, feed.organization)


def _examine_mappings(patient: DeployedStack, queues: dict[str, Queue | Failure]) -> Iterator[Line]:
    client = patient.sessions.home("lambda")
    feeds = {
        name: (queue.arn, _QUEUES[name])
        for name, queue in queues.items()
        if isinstance(queue, Queue) and patient.function(_QUEUES[name]) is not None
    }
    mapped = {
        name: read_mappings(client, function.name)
        for name in sorted({function for _, function in feeds.values()})
        if (function := patient.function(name)) is not None
    }
    if feeds:
        yield from judge_mappings(feeds, mapped, patient.sessions.region)


def dead_letter_queues(parts: StackParts) -> dict[str, str]:
    """The URLs of the stack's dead-letter queues, by logical id."""
    outputs = {name.removesuffix("Url"): url for name, url in parts.outputs.items() if name.endswith("DeadLettersUrl")}
    queues = parts.of_type("AWS::SQS::Queue")
    return {**outputs, **{name: url for name, url in queues.items() if name.endswith("DeadLetters")}}

"""The way of a log file: what is taken for well, and what is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from landkeeper.operate.doctor.facts import (
    BucketNotifications,
    LogFilesSeen,
    Notification,
    Queue,
    Rule,
    Subscription,
    Topic,
    Trail,
    Trials,
)
from landkeeper.operate.doctor.feed import (
    Feed,
    judge_log_files,
    judge_notification,
    judge_queue_policy,
    judge_reading,
    judge_topic,
    judge_trail,
)
from landkeeper.operate.doctor.lines import Verdict
from landkeeper.operate.doctor.resource_policy import Request
from landkeeper.org import Failure, FailureReason, Region

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
TOPIC, QUEUE = "arn:aws:sns:eu-west-1:111122223333:logs", "arn:aws:sqs:eu-west-1:111122223333:broom"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:theirs"
DENIED = Failure(FailureReason.MISSING_PERMISSION, "AccessDenied", "no")
FEED = Feed("trail", "AWSLogs/", "111122223333", TOPIC, QUEUE, "eu-west-1", "o-exampleorgid")
TRAIL = Trail(
    "all", "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", Region("eu-west-1"), is_multi_region=True,
    is_organization=True, is_logging=True, delivered_at=NOW - timedelta(minutes=4),
)  # fmt: skip
RULE = Rule("arn:aws:events:eu-west-1:111122223333:rule/files", "files", True, (QUEUE,), takes_log_files=True)
CREATED = ("s3:ObjectCreated:*",)


def test_a_trail_that_logs_everywhere_is_well_whatever_others_do() -> None:
    stopped = replace(TRAIL, name="old", is_logging=False)
    (line,) = judge_trail([stopped, TRAIL], FEED, NOW)
    assert (line.verdict, line.found) == (
        Verdict.OK,
        "all of the organization logs in every region, newest file delivered 4 minutes ago",
    )


@pytest.mark.parametrize(
    ("changes", "words", "way_out"),
    [
        (
            {"is_logging": False, "stopped_at": NOW},
            "stopped since 2026-05-01 12:00 UTC",
            "start-logging --name arn:aws",
        ),
        ({"is_logging": False}, "the trail all is stopped", "start-logging"),
        ({"is_multi_region": False}, "launches outside eu-west-1", "--is-multi-region-trail"),
        ({"is_organization": False}, "only its own account", "--is-organization-trail"),
        ({"has_management_writes": False}, "does not log write management events", "put-event-selectors"),
        ({"delivery_error": "AccessDenied"}, "failed: AccessDenied", "policy of the bucket"),
    ],
)
def test_what_is_wrong_with_the_only_trail_is_named(changes: dict[str, Any], words: str, way_out: str) -> None:
    (line,) = judge_trail([replace(TRAIL, **changes)], replace(FEED, wants_organization=True), NOW)
    assert line.verdict is Verdict.WRONG
    assert words in line.found
    assert way_out in line.mend


def test_a_trail_of_one_account_will_do_where_no_more_is_wanted() -> None:
    (line,) = judge_trail([replace(TRAIL, is_organization=False, delivered_at=None)], FEED, NOW)
    assert (line.verdict, line.found) == (Verdict.OK, "all of its account logs in every region")


def test_a_trail_that_is_not_seen_is_wrong_only_where_the_stack_made_it() -> None:
    assert [line.verdict for line in judge_trail([], FEED, NOW)] == [Verdict.UNCHECKED]
    assert [line.verdict for line in judge_trail([], replace(FEED, makes_trail=True), NOW)] == [Verdict.WRONG]
    assert [line.verdict for line in judge_trail(DENIED, FEED, NOW)] == [Verdict.UNCHECKED]
    (line,) = judge_trail([replace(TRAIL, is_logging=DENIED)], FEED, NOW)
    assert line.verdict is Verdict.UNCHECKED


def _notification(*entries: Notification, bridge: bool = False, rules: Any = (), trails: Any = ()) -> tuple[str, str]:
    line = judge_notification(BucketNotifications(entries, bridge), rules, trails, FEED)
    return line.verdict, f"{line.found} | {line.mend}"


@pytest.mark.parametrize(
    "entry",
    [
        Notification(TOPIC, CREATED, "AWSLogs/", ".json.gz"),
        Notification(TOPIC, CREATED),
        Notification(QUEUE, CREATED, "AWS", ".gz"),
        Notification(TOPIC, ("s3:ObjectCreated:Put", "s3:ObjectCreated:CompleteMultipartUpload"), "AWSLogs/"),
    ],
)
def test_who_tells_of_every_log_file_is_well(entry: Notification) -> None:
    assert _notification(entry)[0] is Verdict.OK


@pytest.mark.parametrize(
    ("other", "is_in_the_way"),
    [
        (Notification(FUNCTION, CREATED), True),
        (Notification(FUNCTION, ("s3:ObjectCreated:Put",), "AWSLogs/o-exampleorgid/"), True),
        (Notification(FUNCTION, CREATED, "", ".CloudTrail.json.gz"), True),
        (Notification(FUNCTION, CREATED, "AWSLogs/", ".csv"), False),
        (Notification(FUNCTION, CREATED, "reports/"), False),
        (Notification(FUNCTION, ("s3:ObjectRemoved:*",), "AWSLogs/"), False),
    ],
)
def test_another_destination_is_in_the_way_only_where_it_takes_log_files(
    other: Notification, is_in_the_way: bool
) -> None:
    verdict, words = _notification(other)
    assert verdict is Verdict.WRONG
    assert ("shadowed" in words and FUNCTION in words) == is_in_the_way
    assert ("send no notifications" in words) != is_in_the_way


def test_another_topic_in_the_way_can_be_heard_too() -> None:
    theirs = TOPIC.replace("logs", "theirs")
    _, words = _notification(Notification(theirs, CREATED))
    assert f"aws sns subscribe --protocol sqs --topic-arn {theirs} --notification-endpoint {QUEUE}" in words


def test_a_filter_that_leaves_log_files_out_is_named() -> None:
    verdict, words = _notification(Notification(TOPIC, CREATED, "AWSLogs/111122223333/", ".json.gz"))
    assert verdict is Verdict.WRONG
    assert "only if the key begins with 'AWSLogs/111122223333/'" in words


def test_event_bridge_will_do_with_a_rule_that_takes_log_files() -> None:
    assert _notification(bridge=True, rules=[RULE])[0] is Verdict.OK
    useless = [replace(RULE, is_enabled=False), replace(RULE, targets=()), replace(RULE, takes_log_files=False)]
    assert _notification(bridge=True, rules=useless)[0] is Verdict.WRONG
    assert _notification(bridge=True, rules=DENIED)[0] is Verdict.WRONG
    assert _notification(rules=[RULE])[0] is Verdict.WRONG


def test_a_trail_that_tells_the_topic_itself_needs_no_notification() -> None:
    assert _notification(trails=[replace(TRAIL, topic_arn=TOPIC)])[0] is Verdict.OK
    assert _notification(trails=DENIED)[0] is Verdict.WRONG
    assert judge_notification(DENIED, (), (), FEED).verdict is Verdict.UNCHECKED


def _policy(service: str, source: str) -> dict[str, Any]:
    return {
        "Statement": {
            "Effect": "Allow", "Principal": {"Service": service}, "Action": ["sns:Publish", "sqs:SendMessage"],
            "Resource": "*", "Condition": {"ArnLike": {"aws:SourceArn": source}},
        }
    }  # fmt: skip


def test_a_topic_has_to_let_the_bucket_in_and_the_queue_has_to_hear_of_it() -> None:
    hears = (Subscription("sqs", QUEUE, is_confirmed=True),)
    topic = Topic(TOPIC, _policy("s3.amazonaws.com", "arn:aws:s3:::trail"), hears)
    assert [line.verdict for line in judge_topic(topic, FEED, by_trail=False)] == [Verdict.OK]
    deaf = Topic(TOPIC, _policy("s3.amazonaws.com", "arn:aws:s3:::other"), ())
    shut_out, unheard = judge_topic(deaf, FEED, by_trail=False)
    assert "does not allow s3.amazonaws.com to publish for the bucket trail" in shut_out.found
    assert f"--notification-endpoint {QUEUE}" in unheard.mend
    waiting = replace(topic, subscriptions=(Subscription("sqs", QUEUE, is_confirmed=False),))
    assert "not confirmed" in judge_topic(waiting, FEED, by_trail=False)[0].found
    # What CloudTrail itself may is shown by its deliveries.
    assert judge_topic(replace(topic, policy={}), FEED, by_trail=True)[0].verdict is Verdict.OK
    assert judge_topic(DENIED, FEED, by_trail=False)[0].verdict is Verdict.UNCHECKED


def test_a_queue_has_to_let_every_sender_in() -> None:
    queue = Queue(QUEUE, "https://queue", _policy("sns.amazonaws.com", TOPIC), 0)
    by_topic = Request("sns.amazonaws.com", "sqs:SendMessage", QUEUE, TOPIC, "111122223333")
    by_rule = Request("events.amazonaws.com", "sqs:SendMessage", QUEUE, RULE.arn, "111122223333")
    assert judge_queue_policy("queue", queue, [by_topic]).found == "allows 1 sender"
    line = judge_queue_policy("queue", queue, [by_topic, by_rule])
    assert (line.verdict, line.subjects) == (Verdict.WRONG, (RULE.arn,))
    assert f"does not allow events.amazonaws.com with {RULE.arn}" in line.found
    assert judge_queue_policy("queue", DENIED, [by_topic]).verdict is Verdict.UNCHECKED


def test_the_newest_log_file_says_how_old_and_of_where_it_is() -> None:
    key = "AWSLogs/o-exampleorgid/111122223333/CloudTrail/eu-west-1/2026/05/01/x.json.gz"
    fresh = judge_log_files(LogFilesSeen(key, NOW - timedelta(minutes=9), 1), FEED, NOW)
    assert (fresh.verdict, fresh.found) == (Verdict.OK, "9 minutes old, of 111122223333 in eu-west-1")
    assert judge_log_files(LogFilesSeen(key, NOW - timedelta(hours=25), 1), FEED, NOW).verdict is Verdict.WRONG
    none = judge_log_files(LogFilesSeen("", None, 3), FEED, NOW)
    assert (none.verdict, "in the folders of 3 accounts" in none.found) == (Verdict.WRONG, True)
    assert judge_log_files(LogFilesSeen("odd.json.gz", NOW, 1), FEED, NOW).found == "0 seconds old, of odd.json.gz"
    assert judge_log_files(DENIED, FEED, NOW).verdict is Verdict.UNCHECKED


def test_broom_has_to_read_the_newest_file_itself() -> None:
    assert judge_reading(Trials("0.1.0", ()), FEED, "arn:role").verdict is Verdict.OK
    shut_out = judge_reading(Trials("0.1.0", (), log_file=DENIED), FEED, "arn:role")
    assert (shut_out.verdict, "allow arn:role to read it" in shut_out.mend) == (Verdict.WRONG, True)
    odd = Failure(FailureReason.OTHER, "TooLarge", "larger than the limit")
    assert judge_reading(Trials("0.1.0", (), log_file=odd), FEED, "arn:role").verdict is Verdict.UNCHECKED
    assert judge_reading(DENIED, FEED, "arn:role").verdict is Verdict.UNCHECKED

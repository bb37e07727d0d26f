"""What events ask for, nested however AWS nests them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.broom_world import event

from landkeeper.broom.cloudtrail.keys import LogObject
from landkeeper.broom.cloudtrail.origin import Origin
from landkeeper.broom.feeds import (
    AuditOrder,
    DueCases,
    Feed,
    InlineRecord,
    Message,
    Skipped,
    Unknown,
    read_messages,
    skip_reason,
    write_audit_order,
    write_due_cases,
)
from landkeeper.broom.launches import InstanceId
from landkeeper.org import AccountId, is_batch

KEY = (
    "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/01/01/"
    "111122223333_CloudTrail_eu-west-1_20260101T1005Z_AbCdEfGhIjKlMnOp.json.gz"
)
NO_INSTANCE_ID = Unknown("a message about cases with something that is not an instance id")


def feeds(value: object) -> tuple[Feed, ...]:
    (message,) = read_messages(value)
    assert message.id == ""
    return message.feeds


def test_keys_of_s3_notifications_are_decoded() -> None:
    assert feeds(event("s3_notification.json")) == (LogObject("example-trail", f"logs=all/a b/{KEY}"),)


def test_keys_of_eventbridge_events_are_taken_as_they_are() -> None:
    assert feeds(event("eventbridge_object_created.json")) == (LogObject("example-trail", f"a b+c/{KEY}"),)


def test_an_object_is_shown_by_its_address() -> None:
    assert str(LogObject("example-trail", "a/b.json")) == "s3://example-trail/a/b.json"


def test_a_notification_in_sns_is_unwrapped() -> None:
    assert feeds(event("sns_s3.json")) == (LogObject("example-trail", KEY),)


def test_cloudtrails_own_message_names_several_keys_and_digests_are_skipped() -> None:
    assert feeds(event("cloudtrail_sns.json")) == (
        LogObject("example-trail", KEY),
        Skipped("a CloudTrail digest file"),
    )


def test_a_batch_is_read_message_by_message() -> None:
    batch = event("sqs_batch.json")
    assert is_batch(batch)
    bare, wrapped, test_event, validation, garbage, cases = read_messages(batch)
    assert bare == Message("00000000-0000-0000-0000-000000000001", (LogObject("example-trail", KEY),))
    assert wrapped.feeds == (LogObject("example-trail", KEY.replace("AbCd", "EfGh")),)
    assert test_event.feeds == (Skipped("S3's test event"),)
    assert validation.feeds == (Skipped("CloudTrail's validation message"),)
    assert garbage.feeds == (Unknown("the message is not JSON"),)
    assert cases.feeds == (DueCases((InstanceId("i-0aaaaaaaaaaaaaaa2"),)), NO_INSTANCE_ID)


def test_a_record_may_come_inside_the_event() -> None:
    record = event("run_instances.json")
    origin = Origin("the event around it", "111122223333", "eu-west-1")
    assert feeds(event("eventbridge_api_call.json")) == (InlineRecord(record, origin),)


@pytest.mark.parametrize("missing", ["account", "region", "source"])
def test_an_event_that_does_not_say_where_it_is_from_is_unknown(missing: str) -> None:
    envelope = {name: value for name, value in event("eventbridge_api_call.json").items() if name != missing}
    assert feeds(envelope) == (Unknown("an EventBridge event without its account, region and source"),)
    assert feeds({**envelope, missing: "*" if missing != "source" else 7}) == feeds(envelope)


def test_a_record_without_the_event_around_it_is_unknown() -> None:
    reason = "a CloudTrail record without the event around it, which says where it is from"
    assert feeds({"Records": [event("run_instances.json")]}) == (Unknown(reason),)


@pytest.mark.parametrize(
    "value",
    [
        event("eventbridge_api_call.json"),
        {"task": "audit"},
        {"landkeeper": "broom-cases", "instances": ["i-0aaaaaaaaaaaaaaa1"]},
        {"landkeeper": "broom-audit", "account": "111122223333"},
    ],
)
def test_a_topic_brings_log_files_and_nothing_else(value: Any) -> None:
    message = json.dumps(value)
    reason = Unknown("a message of a topic that points to no log file")
    assert feeds({"Type": "Notification", "Message": message}) == (reason,)
    assert feeds({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message}}]}) == (reason,)
    inner = json.dumps({"Type": "Notification", "Message": message})
    assert feeds({"Type": "Notification", "Message": inner}) == (reason,)


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        ("arn:aws:s3:eu-west-1:444455556666:accesspoint/theirs", "a.json.gz"),
        ("bucket/other", "a.json.gz"),
        ("*", "a.json.gz"),
        ("bucket", "k" * 1025),
        ("bucket", "\ud800.json.gz"),
    ],
)
def test_a_name_that_no_bucket_or_key_can_have_is_unknown(bucket: str, key: str) -> None:
    reason = Unknown("a notification with a name that neither a bucket nor a key can have")
    assert feeds({"s3Bucket": bucket, "s3ObjectKey": [key]}) == (reason,)


@pytest.mark.parametrize("ids", [["i-*"], ["i-0aaaaaaaaaaaaaaa1", ""], [7], [["i-1"]]])
def test_a_message_about_cases_names_instances(ids: list[object]) -> None:
    fitting = tuple(InstanceId(str(id_)) for id_ in ids if str(id_).startswith("i-0"))
    assert feeds({"landkeeper": "broom-cases", "instances": ids}) == (DueCases(fitting), NO_INSTANCE_ID)


def test_an_audit_is_of_an_account() -> None:
    (feed,) = feeds({"landkeeper": "broom-audit", "account": "*"})
    assert isinstance(feed, Unknown)


@pytest.mark.parametrize("what", ["Object Deleted", "Object Restore Completed", "Object Tags Added"])
def test_an_event_of_s3_that_tells_of_no_new_object_is_skipped(what: str) -> None:
    deleted = {**event("eventbridge_object_created.json"), "detail-type": what}
    assert feeds(deleted) == (Skipped(f"an S3 event of {what}"),)
    (forged,) = feeds({**deleted, "detail-type": "Object Created", "detail": {}})
    assert isinstance(forged, Unknown)


def test_an_object_that_was_removed_is_skipped() -> None:
    assert feeds(event("s3_removed.json")) == (Skipped("an S3 notification of ObjectRemoved:Delete"),)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "neither a notification"),
        ({}, "neither a notification"),
        ({"Records": ["x"]}, "a record that is neither"),
        ({"s3Bucket": "b", "s3ObjectKey": [7]}, "a notification without"),
        ({"Type": "Notification", "Message": '"again"'}, "the message is text inside JSON"),
        ({"Type": "Notification", "Message": "[" * 100_000}, "the message is not JSON"),
        (event("eventbridge_state_change.json"), "neither a notification"),
    ],
)
def test_what_nobody_knows_is_said_to_be_unknown(value: object, reason: str) -> None:
    (feed,) = feeds(value)
    assert isinstance(feed, Unknown)
    assert feed.reason.startswith(reason)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (KEY, None),
        ("AWSLogs/111122223333/CloudTrail-Insight/x.json.gz", "a CloudTrail Insights file"),
        ("AWSLogs/111122223333/", "a folder marker"),
        ("AWSLogs/111122223333/Config/eu-west-1/2026/1/1/x.json.gz", "a file of Config, not of CloudTrail"),
        ("AWSLogs/o-exampleorgid/111122223333/vpcflowlogs/x.json.gz", "a file of vpcflowlogs, not of CloudTrail"),
        ("AWSLogs/Config/x.json.gz", None),
        # A word that stands anywhere else is a name of somebody's choice.
        (f"CloudTrail-Insights-trail/{KEY}", None),
        (f"CloudTrail-Digest/{KEY}", None),
        (f"AWSLogs/111122223333/Config/{KEY}", None),
        ("AWSLogs/CloudTrail-Insight-copies/x.json.gz", None),
        ("o-example/AWSLogs/o-example/111122223333/Config/eu-west-1/x.json.gz", "a file of Config, not of CloudTrail"),
        ("AWSLogs/111122223333/elasticloadbalancing/x.log.gz", "a file of elasticloadbalancing, not of CloudTrail"),
        ("AWSLogs/CloudTrail-Digest/x.json.gz", "a CloudTrail digest file"),
        ("AWSLogs/1/CloudTrail/CloudTrail-Digest_x.json.gz", None),
        # Without the folder, the name tells.
        (f"copies/{KEY.rpartition('/')[2]}", None),
        ("111122223333_CloudTrail-Digest_eu-west-1_trail_eu-west-1_20260101T1005Z.json.gz", "a CloudTrail digest file"),
        ("a/111122223333_CloudTrail-Insight_eu-west-1_20260101T1005Z_x.json.gz", "a CloudTrail Insights file"),
        ("a/111122223333_Config_eu-west-1_ConfigSnapshot_x.json.gz", "a file of Config, not of CloudTrail"),
        ("a/111122223333_vpcflowlogs_eu-west-1_fl-1_x.log.gz", "a file of vpcflowlogs, not of CloudTrail"),
        ("a/about_CloudTrail-Digest.json.gz", None),
        ("exports/aws-logs-write-test", "a test file of CloudWatch Logs"),
        ("AWSLogs/111122223333/Config/ConfigWritabilityCheckFile", "a test file of AWS Config"),
    ],
)
def test_keys_tell_what_holds_no_launches(key: str, reason: str | None) -> None:
    assert skip_reason(key) == reason


def test_due_cases_come_back_as_they_were_sent() -> None:
    ids = (InstanceId("i-1"), InstanceId("i-2"))
    assert feeds(json.loads(write_due_cases(ids))) == (DueCases(ids),)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["Records", "Type", "Message", "detail", "detail-type", "eventSource", "s3", "body"]),
                inner,
            )
        ),
        max_leaves=8,
    )
)
def test_no_event_raises(value: Any) -> None:
    assert all(isinstance(message, Message) for message in read_messages(value))
    assert all(
        isinstance(message, Message)
        for message in read_messages({"Records": [{"eventSource": "aws:sqs", "body": value}]})
    )


def test_a_spot_fulfilment_comes_as_a_service_event() -> None:
    detail = event("bid_fulfilled.json")
    envelope = {
        **event("eventbridge_api_call.json"),
        "detail-type": "AWS Service Event via CloudTrail",
        "detail": detail,
    }
    (message,) = read_messages(envelope)
    assert message.feeds == (InlineRecord(detail, Origin("the event around it", "111122223333", "eu-west-1")),)


def test_an_audit_is_ordered_for_every_account_or_for_one() -> None:
    (every,) = read_messages({"task": "audit"})
    (one,) = read_messages(
        {"Records": [{"eventSource": "aws:sqs", "body": write_audit_order(AccountId("111122223333"))}]}
    )
    assert (every.feeds, one.feeds) == ((AuditOrder(),), (AuditOrder(AccountId("111122223333")),))

"""The doctor's reads against the simulators: what they make of what is there, and of what is not."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.servers import HOME_REGION, Answer, answering, home_session, home_sessions

from landkeeper.aws.stack.log_feed import read_log_files, read_notifications, read_queue, read_topic, read_trails
from landkeeper.aws.stack.parts import (
    ask_function,
    read_caller,
    read_function,
    read_mappings,
    read_organization,
    read_rule,
    read_stack,
    read_table,
)
from landkeeper.embedded.simulators import HOME_ACCOUNT, Embedded
from landkeeper.operate.doctor.facts import LogFilesSeen, Notification
from landkeeper.org import AccountId, Failure, FailureReason

pytestmark = pytest.mark.embedded


@pytest.fixture
def bucket(aws_environment: Embedded) -> str:
    name = f"trail-{uuid.uuid4().hex[:8]}"
    home_session().client("s3").create_bucket(Bucket=name)
    return name


def _put(bucket: str, *keys: str) -> None:
    for key in keys:
        home_session().client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")


def _seen(bucket: str, now: datetime, prefix: str = "AWSLogs/") -> LogFilesSeen:
    s3 = home_sessions().home("s3")
    seen = read_log_files(s3, bucket, prefix, ("111122223333", HOME_REGION), now)
    assert isinstance(seen, LogFilesSeen)
    return seen


def test_the_newest_log_file_is_found_where_one_is_most_likely(bucket: str) -> None:
    now = datetime.now(UTC)
    today = f"{now:%Y/%m/%d}"
    _put(
        bucket,
        f"AWSLogs/o-exampleorgid/444455556666/CloudTrail/eu-west-1/{today}/a.json.gz",
        f"AWSLogs/o-exampleorgid/111122223333/CloudTrail/eu-west-1/{today}/b.json.gz",
        f"AWSLogs/o-exampleorgid/111122223333/CloudTrail/{HOME_REGION}/{today}/c.json.gz",
        f"AWSLogs/o-exampleorgid/111122223333/CloudTrail-Digest/{HOME_REGION}/{today}/d.json.gz",
    )
    seen = _seen(bucket, now)
    assert seen.newest_key.endswith("c.json.gz")
    assert seen.looked_at == 1


def test_a_trail_without_an_organization_has_its_accounts_at_the_top_and_a_prefix_may_stand_before(bucket: str) -> None:
    now = datetime.now(UTC)
    today = f"{now:%Y/%m/%d}"
    _put(bucket, f"logs/AWSLogs/444455556666/CloudTrail/eu-west-1/{today}/a.json.gz")
    assert _seen(bucket, now, "logs/AWSLogs/").newest_key.endswith("a.json.gz")
    assert _seen(bucket, now) == LogFilesSeen("", None, 0)


def test_only_today_and_yesterday_are_looked_through(bucket: str) -> None:
    now = datetime.now(UTC)
    days = {days: f"{now - timedelta(days=days):%Y/%m/%d}" for days in (1, 2)}
    _put(bucket, f"AWSLogs/444455556666/CloudTrail/eu-west-1/{days[2]}/old.json.gz")
    assert _seen(bucket, now) == LogFilesSeen("", None, 1)
    _put(bucket, f"AWSLogs/444455556666/CloudTrail/eu-west-1/{days[1]}/new.json.gz")
    assert _seen(bucket, now).newest_key.endswith("new.json.gz")


def test_a_bucket_that_is_not_there_is_no_empty_one(aws_environment: Embedded) -> None:
    s3, now = home_sessions().home("s3"), datetime.now(UTC)
    for read in (
        read_notifications(s3, "nobody-made-this"),
        read_log_files(s3, "nobody-made-this", "AWSLogs/", ("1", HOME_REGION), now),
    ):
        assert isinstance(read, Failure)
        assert read.reason is FailureReason.NOT_FOUND


def test_notifications_are_read_with_their_filters_and_the_flag_for_event_bridge(bucket: str) -> None:
    s3 = home_sessions().home("s3")
    topic = home_session().client("sns").create_topic(Name=f"t-{uuid.uuid4().hex[:8]}")["TopicArn"]
    rules = [{"Name": "Prefix", "Value": "AWSLogs/"}, {"Name": "Suffix", "Value": ".json.gz"}]
    entry = {"TopicArn": topic, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": rules}}}
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"TopicConfigurations": [entry], "EventBridgeConfiguration": {}}
    )
    read = read_notifications(s3, bucket)
    assert not isinstance(read, Failure)
    assert read.to_event_bridge
    assert read.entries == (Notification(topic, ("s3:ObjectCreated:*",), "AWSLogs/", ".json.gz"),)


SELECTORS: tuple[tuple[dict[str, Any], bool], ...] = (
    ({"EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]}, True),
    ({"EventSelectors": [{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}]}, False),
    ({"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": False}]}, False),
    ({"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]}, True),
    ({"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}]}, False),
    (
        {
            "AdvancedEventSelectors": [
                {
                    "FieldSelectors": [
                        {"Field": "eventCategory", "Equals": ["Management"]},
                        {"Field": "readOnly", "Equals": ["true"]},
                    ]
                }
            ]
        },
        False,
    ),
)


@pytest.fixture
def trail(aws_environment: Embedded) -> Iterator[str]:
    """A trail of moto's, into a bucket of moto's, by the name of both."""
    name = f"trail-{uuid.uuid4().hex[:8]}"
    home_session().client("s3", endpoint_url=aws_environment.moto_url).create_bucket(Bucket=name)
    cloudtrail = home_session().client("cloudtrail")
    cloudtrail.create_trail(Name=name, S3BucketName=name, S3KeyPrefix="logs")
    yield name
    cloudtrail.delete_trail(Name=name)


def test_a_trail_is_read_with_its_state_at_home(trail: str) -> None:
    sessions = home_sessions()
    (read,) = _trails(trail)
    assert (read.name, read.is_logging, read.is_multi_region) == (trail, False, False)
    sessions.home("cloudtrail").start_logging(Name=trail)
    (read,) = _trails(trail)
    assert read.is_logging is True
    assert read.delivered_at is not None
    assert _trails("another-bucket") == ()


@pytest.mark.parametrize(("selectors", "has_writes"), SELECTORS)
def test_its_selectors_say_whether_it_takes_what_changes_something(
    trail: str, selectors: dict[str, Any], has_writes: bool
) -> None:
    home_session().client("cloudtrail").put_event_selectors(TrailName=trail, **selectors)
    (read,) = _trails(trail)
    assert read.has_management_writes is has_writes


def _trails(bucket: str) -> Any:
    sessions = home_sessions()
    cloudtrail = sessions.home("cloudtrail")
    return read_trails(cloudtrail, bucket, lambda region: sessions.home("cloudtrail", region))


def test_a_rule_says_whether_it_takes_an_event_and_where_it_brings_it(aws_environment: Embedded) -> None:
    events, sqs, name = home_session().client("events"), home_session().client("sqs"), f"r-{uuid.uuid4().hex[:8]}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = read_queue(sqs, url)
    assert not isinstance(queue, Failure)
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": ["trail"]}, "object": {"key": [{"wildcard": "AWSLogs/*.json.gz"}]}},
    }
    events.put_rule(Name=name, EventPattern=json.dumps(pattern), State="DISABLED")
    events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": queue.arn}])
    for key, takes in (("AWSLogs/1/x.json.gz", True), ("AWSLogs/1/x.csv", False)):
        event = {
            "id": "1", "detail-type": "Object Created", "source": "aws.s3", "account": HOME_ACCOUNT, "resources": [],
            "time": "2026-05-01T12:00:00Z", "region": HOME_REGION, "version": "0",
            "detail": {"bucket": {"name": "trail"}, "object": {"key": key}},
        }  # fmt: skip
        rule = read_rule(events, name, event)
        assert not isinstance(rule, Failure)
        assert (rule.is_enabled, rule.targets, rule.takes_log_files) == (False, (queue.arn,), takes)


def test_what_is_not_there_is_not_found_in_every_service(aws_environment: Embedded) -> None:
    session, none = home_session(), "nobody-made-this"
    gone = [
        read_stack(session.client("cloudformation"), none, HOME_REGION),
        read_table(session.client("dynamodb"), none),
        read_function(session.client("lambda"), none),
        read_queue(session.client("sqs"), f"{aws_environment.ministack_url}/{HOME_ACCOUNT}/{none}"),
        read_topic(session.client("sns"), f"arn:aws:sns:{HOME_REGION}:{HOME_ACCOUNT}:{none}"),
        read_rule(session.client("events"), none, {}),
        ask_function(session.client("lambda"), none, {"task": "doctor"}),
    ]
    assert [one.reason for one in gone if isinstance(one, Failure)] == [FailureReason.NOT_FOUND] * len(gone)
    assert read_mappings(session.client("lambda"), none) == () or isinstance(
        read_mappings(session.client("lambda"), none), Failure
    )


def test_a_refused_signature_tells_both_clocks(aws_environment: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    body = (
        "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired</Message></Error>"
        "</ErrorResponse>"
    )
    with answering(lambda _: (403, body)) as address:
        client = home_session().client("sts", endpoint_url=address)
        refused = read_caller(client, lambda: datetime(2026, 5, 1, 12, 30, tzinfo=UTC))
    assert isinstance(refused, Failure)
    assert refused.reason is FailureReason.CREDENTIALS
    assert "this machine's: 12:30:00 UTC" in refused.message


def _organizations(call: Mapping[str, str]) -> Answer:
    if call["Action"] == "DescribeOrganization":
        return 200, json.dumps({"Organization": {"Id": "o-exampleorgid", "MasterAccountId": HOME_ACCOUNT}})
    if json.loads(call["Body"]).get("NextToken") is None:
        return 200, json.dumps({"DelegatedAdministrators": [], "NextToken": "1"})
    return 200, json.dumps({"DelegatedAdministrators": [{"Id": "111122223333"}]})


def test_an_organization_says_whether_the_account_administers_it() -> None:
    def refuse(call: Mapping[str, str]) -> Answer:
        if call["Action"] == "DescribeOrganization":
            return _organizations(call)
        return 400, json.dumps({"__type": "AccessDeniedException", "Message": "no"})

    with answering(_organizations) as address:
        client = home_session().client("organizations", endpoint_url=address)
        found = [read_organization(client, AccountId(one)) for one in ("111122223333", "444455556666")]
    assert [one.is_delegated for one in found if not isinstance(one, Failure)] == [True, False]
    with answering(refuse) as address:
        client = home_session().client("organizations", endpoint_url=address)
        member = read_organization(client, AccountId("444455556666"))
    assert not isinstance(member, Failure)
    assert isinstance(member.is_delegated, Failure)
    assert member.management_account == HOME_ACCOUNT

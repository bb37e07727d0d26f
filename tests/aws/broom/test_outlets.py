"""Where reports, put-off cases, log files and the policy go wrong: a failure or one sentence."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.servers import answering, home_sessions

from landkeeper.aws.broom.case_queue import SqsCaseQueue
from landkeeper.aws.broom.case_schedule import CaseSchedule, queue_arn
from landkeeper.aws.broom.log_objects import LogObjects
from landkeeper.aws.broom.reports import ReportEvents, TopicReports
from landkeeper.broom.cloudtrail.keys import LogObject
from landkeeper.broom.feeds import write_due_cases
from landkeeper.broom.launch_report import Report
from landkeeper.broom.launches import InstanceId
from landkeeper.org import Failure, FailureReason

pytestmark = [pytest.mark.embedded, pytest.mark.usefixtures("aws_environment")]


def test_a_topic_that_is_gone_is_a_failure() -> None:
    reports = TopicReports(home_sessions().home("sns"), "arn:aws:sns:us-east-1:123456789012:nobody-made-this")
    failure = reports.publish_report(Report("subject", "text", "{}"))
    assert failure is not None
    assert failure.reason is FailureReason.NOT_FOUND


def test_a_queue_that_is_gone_is_a_failure() -> None:
    sqs = home_sessions().home("sqs")
    url = sqs.create_queue(QueueName="gone")["QueueUrl"]
    sqs.delete_queue(QueueUrl=url)
    assert isinstance(SqsCaseQueue(sqs, url).send_due_cases([InstanceId("i-1")], 0), Failure)


def test_an_object_that_is_gone_is_a_failure() -> None:
    s3 = home_sessions().home("s3")
    s3.create_bucket(Bucket="broom-outlets")
    answer = LogObjects(s3, limit_bytes=10).read_object(LogObject("broom-outlets", "nothing.json.gz"))
    assert isinstance(answer, Failure)
    assert answer.reason is FailureReason.NOT_FOUND


def test_an_object_above_the_limit_is_refused_before_it_is_read() -> None:
    s3 = home_sessions().home("s3")
    s3.create_bucket(Bucket="broom-large")
    s3.put_object(Bucket="broom-large", Key="a", Body=b"x" * 11)
    objects = LogObjects(s3, limit_bytes=10)
    answer = objects.read_object(LogObject("broom-large", "a"))
    assert isinstance(answer, Failure)
    assert str(answer) == "error (TooLarge: larger than the limit of 10 bytes)"
    s3.put_object(Bucket="broom-large", Key="a", Body=b"x" * 10)
    assert objects.read_object(LogObject("broom-large", "a")) == b"x" * 10


def test_a_report_is_an_event_too() -> None:
    sns, events, sqs = (home_sessions().home(service) for service in ("sns", "events", "sqs"))
    topic = sns.create_topic(Name="evented")["TopicArn"]
    url = sqs.create_queue(QueueName="evented")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="evented", EventPattern=json.dumps({"source": ["landkeeper.broom"]}))
    events.put_targets(Rule="evented", Targets=[{"Id": "1", "Arn": arn}])
    reports = TopicReports(sns, topic, ReportEvents(events).put_report)
    assert reports.check() is None
    assert reports.publish_report(Report("subject", "text", '{"EventId": "event-1"}')) is None
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    body = json.loads(message["Body"])
    assert (body["source"], body["detail-type"], body["detail"]) == (
        "landkeeper.broom", "Launch dealt with", {"EventId": "event-1"},
    )  # fmt: skip


def test_a_topic_that_is_gone_is_known_before_anything_is_ended() -> None:
    sns = home_sessions().home("sns")
    topic = sns.create_topic(Name="soon-gone")["TopicArn"]
    sns.delete_topic(TopicArn=topic)
    failure = TopicReports(sns, topic).check()
    assert failure is not None
    assert failure.reason is FailureReason.NOT_FOUND


def test_an_event_that_nobody_takes_does_not_unsay_the_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sns = home_sessions().home("sns")
    topic = sns.create_topic(Name="no-bus")["TopicArn"]
    refused = json.dumps({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "no"}]})
    with answering(lambda _: (200, refused)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", url)
        reports = TopicReports(sns, topic, ReportEvents(home_sessions().home("events")).put_report)
        assert reports.publish_report(Report("subject", "text", "{}")) is None
    assert "a report was not put on the event bus: error (InternalFailure: no)" in capsys.readouterr().err


def test_a_long_delay_becomes_one_schedule() -> None:
    scheduler, sqs = home_sessions().home("scheduler"), home_sessions().home("sqs")
    url = sqs.create_queue(QueueName="scheduled")["QueueUrl"]
    role = "arn:aws:iam::123456789012:role/scheduler"
    arn = queue_arn(url, "us-east-1", role)
    assert arn == sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    schedule = CaseSchedule(scheduler, arn, role)
    due_at = datetime.now(UTC) + timedelta(hours=2)
    assert SqsCaseQueue(sqs, url, schedule).send_due_cases([InstanceId("i-1")], 7200) is None
    for _ in range(2):
        assert schedule.schedule_cases([InstanceId("i-2")], due_at) is None
    made = [scheduler.get_schedule(Name=each["Name"]) for each in scheduler.list_schedules()["Schedules"]]
    ours = [each for each in made if each["Target"]["Arn"] == arn]
    assert sorted(each["Target"]["Input"] for each in ours) == [
        write_due_cases((InstanceId(i),)) for i in ("i-1", "i-2")
    ]
    assert {each["ScheduleExpression"] for each in ours} >= {f"at({due_at:%Y-%m-%dT%H:%M:%S})"}
    for each in ours:
        assert each["Target"]["RoleArn"] == role
        assert (each["ActionAfterCompletion"], each["FlexibleTimeWindow"]) == ("DELETE", {"Mode": "OFF"})
        assert each["Name"].startswith("landkeeper-"), "what the function may make schedules of"


def test_a_scheduler_that_refuses_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(lambda _: (400, "{}")) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SCHEDULER", url)
        schedule = CaseSchedule(
            home_sessions().home("scheduler"), "arn:aws:sqs:us-east-1:123456789012:q", "arn:aws:iam::1:role/r"
        )
        assert isinstance(schedule.schedule_cases([InstanceId("i-1")], datetime.now(UTC)), Failure)

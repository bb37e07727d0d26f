"""Where reports, put-off cases, log files and the policy go wrong: a failure or one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.servers import home_sessions

from landkeeper.aws.case_queue import SqsCaseQueue
from landkeeper.aws.log_objects import LogObjects
from landkeeper.aws.policy_source import read_policy_text
from landkeeper.aws.reports import TopicReports
from landkeeper.broom.feeds import LogObject
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.notices import Report
from landkeeper.org import Failure, FailureReason, UsageError

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
    answer = LogObjects(s3).read_object(LogObject("broom-outlets", "nothing.json.gz"))
    assert isinstance(answer, Failure)
    assert answer.reason is FailureReason.NOT_FOUND


def test_a_policy_on_disk_is_read_or_named(tmp_path: Path) -> None:
    path = tmp_path / "broom.yaml"
    path.write_text("version: 1\n", encoding="utf-8")
    assert read_policy_text(str(path), home_sessions()) == "version: 1\n"
    path.write_bytes(b"\xff")
    with pytest.raises(UsageError, match=r"broom.yaml is not text in UTF-8"):
        read_policy_text(str(path), home_sessions())
    with pytest.raises(UsageError, match="cannot be read: No such file or directory"):
        read_policy_text(str(tmp_path / "none.yaml"), home_sessions())

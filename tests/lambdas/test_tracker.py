"""The tracker function, called as Lambda calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.scripted_aws import Trickle, answering_slowly, wait_for_late_work
from tests.servers import home_sessions
from tests.waiting import HANG_SECONDS

from landkeeper.aws.sessions import HomeAccountError
from landkeeper.aws.vpctracker.vpc_table import VpcTable, create_tables
from landkeeper.lambdas import tracker
from landkeeper.lambdas.tracker import UnfinishedError, handler, warm_worker
from landkeeper.org import UsageError
from landkeeper.settings import Settings
from landkeeper.vpctracker.dispatch import AccountJob
from landkeeper.wiring.vpctracker.function import Worker

_ROLE = "OrganizationAccountAccessRole"
pytestmark = pytest.mark.embedded


@pytest.fixture
def table(aws_environment: object, monkeypatch: pytest.MonkeyPatch) -> VpcTable:
    """New tables, and the function's environment set to them."""
    client = home_sessions().home("dynamodb")
    name = f"Tracker{uuid.uuid4().hex[:10]}"
    create_tables(client, name)
    monkeypatch.setenv("LANDKEEPER_VPC_TABLE", name)
    monkeypatch.setenv("LANDKEEPER_REGIONS", "eu-west-3,eu-west-2")
    return VpcTable(client, name)


def test_without_a_role_it_reads_its_own_account(table: VpcTable) -> None:
    answer = handler({}, None)
    stored = list(table.read_all())
    assert answer == {
        "accounts": 1,
        "accounts_read": 1,
        "vpcs": len(stored),
        "changes": {"appeared": len(stored), "changed": 0, "disappeared": 0},
        "unreadable": [],
    }
    assert {one.vpc.region for one in stored} == {"eu-west-3", "eu-west-2"}
    assert json.loads(json.dumps(handler({}, None)))["changes"]["appeared"] == 0


def test_named_accounts_are_read_through_the_role_and_what_cannot_be_read_is_in_the_answer(
    table: VpcTable, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANDKEEPER_ACCOUNTS", "310000000001,123456789012")
    monkeypatch.setenv("LANDKEEPER_ROLE_NAME", "NobodyMadeThisRole")
    answer = handler({}, None)
    assert (answer["accounts"], answer["accounts_read"]) == (2, 1)
    (place,) = answer["unreadable"]
    assert (place["AccountId"], place["Region"], place["Reason"]) == ("310000000001", None, "role not assumable")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["level"] for line in lines] == ["INFO", "WARNING", "INFO"]
    assert (lines[0]["AccountsUnreadable"], lines[0]["VpcsRead"]) == (1, lines[2]["vpcs"])
    assert lines[1]["AccountId"] == "310000000001"
    assert lines[2]["accounts_read"] == 1
    monkeypatch.setenv("LANDKEEPER_ROLE_NAME", _ROLE)
    assert handler({}, None)["accounts_read"] == 2


def _event(name: str) -> Any:
    return json.loads((Path(__file__).parents[1] / "events" / f"{name}.json").read_text("utf-8"))


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def _failed(answer: dict[str, Any]) -> list[str]:
    return [each["itemIdentifier"][-1] for each in answer["batchItemFailures"]]


class Invocation:
    """Lambda's context, as far as the functions look at it."""

    aws_request_id = "11111111-2222-3333-4444-555555555555"

    def __init__(self, seconds: float = 300) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@pytest.fixture
def worker_of(table: VpcTable, monkeypatch: pytest.MonkeyPatch) -> Iterator[VpcTable]:
    """A worker's surroundings; it assumes roles in other accounts."""
    monkeypatch.setenv("LANDKEEPER_ROLE_NAME", _ROLE)
    warm_worker.cache_clear()
    yield table
    warm_worker.cache_clear()


@pytest.fixture
def queue_url(monkeypatch: pytest.MonkeyPatch, aws_environment: object) -> str:
    url: str = home_sessions().home("sqs").create_queue(QueueName=f"work-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    monkeypatch.setenv("LANDKEEPER_QUEUE_URL", url)
    return url


def _bodies(queue_url: str) -> list[dict[str, Any]]:
    answer = home_sessions().home("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


@pytest.mark.parametrize("event", [{}, "schedule"])
def test_with_a_queue_a_schedule_sends_a_message_for_each_account(
    event: Any, table: VpcTable, queue_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDKEEPER_ACCOUNTS", "310000000001,310000000002")
    monkeypatch.setenv("LANDKEEPER_ROLE_NAME", _ROLE)
    answer = handler(_event(event) if event else {}, Invocation())
    assert answer == {"run": Invocation.aws_request_id, "accounts": 2, "sent": 2}
    bodies = _bodies(queue_url)
    assert {body["account"] for body in bodies} == {"310000000001", "310000000002"}
    assert {(body["landkeeper"], body["run"]) for body in bodies} == {("track-account", Invocation.aws_request_id)}
    assert list(table.read_all_coverage()) == []


def test_a_queue_that_takes_nothing_fails_the_run(
    table: VpcTable, queue_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    home_sessions().home("sqs").delete_queue(QueueUrl=queue_url)
    with pytest.raises(UnfinishedError, match="1 of 1 accounts were not sent"):
        handler({}, None)
    assert [line["level"] for line in _lines(capsys)] == ["INFO", "ERROR"]


def test_a_batch_of_accounts_fails_message_by_message(worker_of: VpcTable, capsys: pytest.CaptureFixture[str]) -> None:
    assert _failed(handler(_event("tracker_accounts"), Invocation())) == ["3", "4", "5", "6"]
    assert [coverage.account_name for coverage in worker_of.read_all_coverage()] == ["shop", "lake"]
    lines = _lines(capsys)
    assert [line["message"] for line in lines] == ["not readable"] * 4 + ["tracked"] * 2 + ["metrics"]
    assert {line["AccountId"] for line in lines[4:6]} == {"111122223333", "444455556666"}
    assert {line["requestId"] for line in lines} == {Invocation.aws_request_id}
    assert (lines[6]["VpcsRead"], lines[6]["AccountsUnreadable"]) == (sum(line["vpcs"] for line in lines[4:6]), 0)
    before = list(worker_of.read_all_history())
    assert _failed(handler(_event("tracker_accounts"), Invocation())) == ["3", "4", "5", "6"]
    assert list(worker_of.read_all_history()) == before


def test_an_account_that_cannot_be_read_is_an_outcome_and_no_failure(
    worker_of: VpcTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDKEEPER_ROLE_NAME", "NobodyMadeThisRole")
    assert _failed(handler(_event("tracker_accounts"), Invocation())) == ["3", "4", "5", "6"]
    assert {coverage.failed_runs for coverage in worker_of.read_all_coverage()} == {1}


def test_a_store_that_does_not_answer_fails_the_messages_that_need_it(
    worker_of: VpcTable, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANDKEEPER_VPC_TABLE", "NobodyMadeThisTable")
    assert sorted(_failed(handler(_event("tracker_accounts"), Invocation()))) == ["1", "2", "3", "4", "5", "6", "7"]
    assert [line["message"] for line in _lines(capsys)][-2:] == ["failed", "failed"]


def test_what_takes_too_long_comes_again_and_nothing_else_does(
    worker_of: VpcTable, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gate, context = threading.Event(), Invocation(seconds=300)
    monkeypatch.setattr(tracker, "MOST_AT_ONCE", 1)
    track = Worker.track

    def slowly(worker: Worker, job: AccountJob) -> object:
        if job.account.name == "lake":
            context.seconds = 15
            gate.wait(HANG_SECONDS)
        return track(worker, job)

    monkeypatch.setattr(Worker, "track", slowly)
    try:
        assert _failed(handler(_event("tracker_accounts"), context)) == ["3", "4", "5", "6", "2"]
        assert [coverage.account_name for coverage in worker_of.read_all_coverage()] == ["shop"]
        (line,) = (line for line in _lines(capsys) if line["message"] == "took too long")
        assert "not done within 285 seconds" in line["Reason"]
    finally:
        gate.set()
        wait_for_late_work()
    assert [coverage.account_name for coverage in worker_of.read_all_coverage()] == ["shop"]


def test_a_worker_that_cannot_be_made_in_time_gives_everything_back(
    worker_of: VpcTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, context = threading.Event(), Invocation(seconds=300)

    def hang(_: Settings) -> None:
        context.seconds = 15
        gate.wait(HANG_SECONDS)

    monkeypatch.setattr(tracker, "open_worker", hang)
    try:
        answer = handler(_event("tracker_accounts"), context)
        assert sorted(_failed(answer)) == ["1", "2", "3", "4", "5", "6", "7"]
    finally:
        gate.set()
        wait_for_late_work()


@pytest.mark.parametrize("event", [{}, {"task": "notices"}, {"task": "doctor", "accounts": []}])
def test_a_run_that_is_late_says_so_before_it_is_killed(
    event: dict[str, Any], table: VpcTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = Invocation(seconds=300)

    def answer(_: Mapping[str, str]) -> Trickle:
        context.seconds = 15
        return Trickle()

    with answering_slowly(answer) as url:
        for service in ("STS", "DYNAMODB", "SNS"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        monkeypatch.setenv("LANDKEEPER_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:notices")
        monkeypatch.setenv("LANDKEEPER_ROLE_NAME", _ROLE)
        with pytest.raises((UnfinishedError, HomeAccountError), match="not done within"):
            handler({**event, "accounts": ["310000000001"]} if "accounts" in event else event, context)


def test_news_of_changes_rereads_the_regions_that_the_function_is_for(
    worker_of: VpcTable, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANDKEEPER_REGIONS", "eu-west-1,eu-west-2")
    assert _failed(handler(_event("tracker_changes"), Invocation())) == []
    (coverage,) = worker_of.read_all_coverage()
    assert (coverage.account, set(coverage.regions)) == ("111122223333", {"eu-west-1"})
    assert [line["message"] for line in _lines(capsys)] == ["ignored", "ignored", "tracked"]
    assert handler(_event("vpc_created"), Invocation()) == {"done": True}
    assert [line["message"] for line in _lines(capsys)] == ["read already, or not to be read"]


def test_news_of_an_account_that_is_not_to_be_read_is_left_alone(
    worker_of: VpcTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LANDKEEPER_ROLE_NAME")
    assert _failed(handler(_event("tracker_changes"), Invocation())) == []
    assert list(worker_of.read_all_coverage()) == []


def test_an_event_that_nobody_can_read_fails_where_no_queue_keeps_it(aws_environment: object) -> None:
    event = _event("vpc_created")
    del event["detail"]["eventName"]
    with pytest.raises(UnfinishedError, match="the event was not dealt with"):
        handler(event, None)


def _topic(monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A topic that the function is told of, and a queue that hears what is published."""
    sns, sqs, name = home_sessions().home("sns"), home_sessions().home("sqs"), f"notices-{uuid.uuid4().hex[:8]}"
    topic, tap = sns.create_topic(Name=name)["TopicArn"], sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=tap, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    monkeypatch.setenv("LANDKEEPER_TOPIC_ARN", topic)
    return topic, tap


def test_notices_go_to_the_topic_once(table: VpcTable, monkeypatch: pytest.MonkeyPatch) -> None:
    _, tap = _topic(monkeypatch)
    handler({}, None)
    told = handler({"task": "notices"}, None)["notices"]
    assert told > 0, "the account has default VPCs"
    assert len(_bodies(tap)) == told
    assert handler({"task": "notices"}, None) == {"notices": 0}


def test_a_topic_that_is_gone_fails_the_task_and_nothing_counts_as_told(
    table: VpcTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, _ = _topic(monkeypatch)
    handler({}, None)
    home_sessions().home("sns").delete_topic(TopicArn=topic)
    with pytest.raises(UnfinishedError, match="a notice was not taken"):
        handler({"task": "notices"}, None)
    assert not table.read_noticed().told


def test_notices_without_a_topic_say_so(table: VpcTable) -> None:
    with pytest.raises(UsageError, match="LANDKEEPER_TOPIC_ARN is not set"):
        handler({"task": "notices"}, None)


def test_a_task_that_is_none_is_refused(aws_environment: object) -> None:
    with pytest.raises(UsageError, match="there is no task 'vacation'"):
        handler({"task": "vacation"}, None)


def test_without_a_table_it_says_so(aws_environment: object) -> None:
    with pytest.raises(UsageError, match="LANDKEEPER_VPC_TABLE is not set"):
        handler({}, None)


def test_the_function_loads_nothing_that_its_package_does_not_have() -> None:
    program = (
        "import sys; before = set(sys.modules); import landkeeper.lambdas.tracker; print(*set(sys.modules) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    loaded = done.stdout.split()
    assert "landkeeper.wiring.vpctracker.commands" in loaded
    unwanted = {
        "rich",
        "click",
        "moto",
        "sqlite3",
        "yaml",
        "re2",
        "landkeeper.embedded",
        "landkeeper.cli",
    }
    assert unwanted.isdisjoint(loaded)

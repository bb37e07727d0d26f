"""Broom's function ends before Lambda ends it: a message that hangs comes again, and takes no other with it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.deployed_broom import MEMBER, Deployed, batch, record, start_one
from tests.member_instances import state_of
from tests.scripted_aws import Call, Trickle, answering_slowly, scripted_aws, wait_for_late_work
from tests.waiting import HANG_SECONDS

from landkeeper.broom.case import State
from landkeeper.embedded.simulators import Embedded
from landkeeper.lambdas.broom import UnfinishedError, handler
from landkeeper.lambdas.handing_back import MOST_TIMES
from landkeeper.org import AccountId

pytestmark = pytest.mark.embedded


@dataclass
class HangingRegion:
    """Lambda's context, and a region of EC2 that does not answer: the time passes when it is called."""

    aws_request_id = "1"
    region: str = "us-west-2"
    seconds: float = 120.0
    passes: float = 30.0
    gate: threading.Event = field(default_factory=threading.Event)
    calls: list[str] = field(default_factory=list)

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)

    def hold(self, call: Call) -> None:
        """Let the time pass, and the call wait, where it is one of that region."""
        if call.region == self.region:
            self.calls.append(call.action)
            self.seconds = max(0.0, self.seconds - self.passes)
            self.gate.wait(HANG_SECONDS)


@pytest.fixture
def hanging(deployed: Deployed, aws_environment: Embedded, monkeypatch: pytest.MonkeyPatch) -> Iterator[HangingRegion]:
    made = HangingRegion()
    with scripted_aws(aws_environment.moto_url) as aws:
        aws.script = made.hold
        for service in ("EC2", "STS"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", aws.url)
        yield made
        made.gate.set()
        wait_for_late_work()


def _hung() -> dict[str, Any]:
    return {**record("i-00000000000000000"), "awsRegion": "us-west-2"}


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_region_that_hangs_takes_no_healthy_message_along(deployed: Deployed, hanging: HangingRegion) -> None:
    bad = start_one(MEMBER)
    answer = handler(batch(deployed.log(_hung()), deployed.log(record(bad))), hanging)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert hanging.calls == ["DescribeInstances"]
    assert state_of(MEMBER, bad) == "terminated"
    assert deployed.case_state(bad) is State.REPORTED


def test_what_was_not_begun_in_time_is_given_back(
    deployed: Deployed, hanging: HangingRegion, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, hanging.passes = start_one(MEMBER), 101.0
    bodies = [deployed.log(_hung()), deployed.log(record(bad)), "garbage"]
    answer = handler(batch(*bodies), hanging)
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["m1", "m2", "m3"]
    assert state_of(MEMBER, bad) == "running"
    lines = _lines(capsys)
    assert [line["MessageIds"] for line in lines if line["message"] == "not begun"] == [["m2", "m3"]]
    hanging.gate.set()
    wait_for_late_work()
    hanging.seconds = 120.0
    assert handler(batch(bodies[1]), hanging) == {"batchItemFailures": []}
    assert state_of(MEMBER, bad) == "terminated"


def _of_its_queue(deployed: Deployed, *bodies: str) -> dict[str, Any]:
    """A batch of the queue that the function itself sends to."""
    account, name = deployed.queue_url.split("/")[-2:]
    made = batch(*bodies)
    for message in made["Records"]:
        message["eventSourceARN"] = f"arn:aws:sqs:us-east-1:{account}:{name}"
    return made


def test_what_was_not_begun_in_time_is_sent_again_and_no_receipt_of_it_counts(
    deployed: Deployed, hanging: HangingRegion
) -> None:
    hanging.passes = 101.0
    bodies = [deployed.log(_hung()), deployed.log(record("i-0123456789abcdef0")), "garbage"]
    given = _of_its_queue(deployed, *bodies)
    given["Records"][2]["messageAttributes"] = {"HandedBack": {"stringValue": str(MOST_TIMES), "dataType": "Number"}}
    answer = handler(given, hanging)
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["m1", "m3"], "late, and often enough"
    assert deployed.due() == [bodies[1]]


def test_the_instances_of_a_message_that_there_is_no_time_for_come_again_and_are_no_failure(
    deployed: Deployed, hanging: HangingRegion, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, hanging.passes = start_one(MEMBER), 60.0
    hanging.gate.set()
    body = deployed.log(record(bad), _hung())
    assert handler(_of_its_queue(deployed, body), hanging) == {"batchItemFailures": []}
    assert (state_of(MEMBER, bad), deployed.case_state(bad)) == ("terminated", State.REPORTED)
    lines = _lines(capsys)
    (handed_back,) = (line for line in lines if line["message"] == "handed back")
    assert handed_back["Reason"] == "1 instance was not begun in time"
    assert not any(line.get("Failures") for line in lines)
    assert deployed.due() == [body]
    # Without anything done there is no end to it, so that counts.
    hanging.seconds = 120.0
    again = handler(_of_its_queue(deployed, deployed.log(_hung())), hanging)
    assert again == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


def test_a_message_that_is_late_as_a_whole_comes_again_and_is_counted(
    deployed: Deployed, hanging: HangingRegion, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = deployed.log(record(start_one(MEMBER)))

    def answer(_: Mapping[str, str]) -> Trickle:
        hanging.seconds = 60.0
        return Trickle()

    with answering_slowly(answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        answered = handler(batch(body, "garbage"), hanging)
    assert [each["itemIdentifier"] for each in answered["batchItemFailures"]] == ["m1", "m2"]
    lines = _lines(capsys)
    (late,) = (line for line in lines if line["message"] == "message failed" and line["MessageId"] == "m1")
    assert late["Error"] == "LateError: not done within 52 seconds"
    (metrics,) = (line for line in lines if line["message"] == "metrics")
    assert metrics["Failures"] == 2


def test_an_event_that_comes_alone_and_is_late_is_an_error(hanging: HangingRegion) -> None:
    hanging.passes = 120.0
    with pytest.raises(UnfinishedError):
        handler({"detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2", "detail": _hung()}, hanging)


def test_the_doctors_question_is_answered_in_time_or_refused(hanging: HangingRegion) -> None:
    hanging.region, hanging.passes = "us-east-1", 120.0
    with pytest.raises(UnfinishedError, match="the function's time was over"):
        handler({"task": "doctor", "accounts": [AccountId("320000000009")]}, hanging)

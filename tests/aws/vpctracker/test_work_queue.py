"""Messages into SQS: in tens, tried again where that may help."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from tests.servers import answering, home_sessions

from landkeeper.aws.backoff import Backoff
from landkeeper.aws.vpctracker import work_queue
from landkeeper.aws.vpctracker.work_queue import SqsWorkQueue


def _queue(address: str) -> SqsWorkQueue:
    client = boto3.client(
        "sqs", endpoint_url=address, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s"
    )
    return SqsWorkQueue(client, f"{address}/111122223333/work")


class Sqs:
    """An SQS that refuses a message so many times, by its body; 0 for good."""

    def __init__(self, **times: int) -> None:
        self.times = times
        self.taken: list[str] = []
        self.calls: list[int] = []

    def __call__(self, call: Mapping[str, str]) -> tuple[int, str]:
        entries = json.loads(call["Body"])["Entries"]
        self.calls.append(len(entries))
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for entry in entries:
            body = entry["MessageBody"]
            if body in self.times:
                for_good = self.times[body] == 0
                answer["Failed"].append(
                    {"Id": entry["Id"], "Code": "Broken" if for_good else "InternalError", "SenderFault": for_good}
                )
                self.times[body] -= 1
                if self.times[body] == 0:
                    del self.times[body]
            else:
                self.taken.append(body)
                answer["Successful"].append({"Id": entry["Id"], "MessageId": body, "MD5OfMessageBody": ""})
        return 200, json.dumps(answer)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch, no_aws: None) -> None:
    monkeypatch.setattr(work_queue, "_BACKOFF", Backoff(0.001, attempts=5))


def _send(sqs: Sqs, *bodies: str) -> dict[str, str]:
    with answering(sqs) as address:
        return {each.body: each.reason for each in _queue(address).send(bodies)}


def test_ten_messages_go_in_a_call() -> None:
    sqs = Sqs()
    bodies = [f"m{number}" for number in range(23)]
    assert _send(sqs, *bodies) == {}
    assert (sqs.calls, sqs.taken) == ([10, 10, 3], bodies)


def test_what_the_queue_may_take_later_is_sent_again_alone() -> None:
    sqs = Sqs(m3=2)
    assert _send(sqs, "m1", "m2", "m3") == {}
    assert (sqs.calls, sqs.taken) == ([3, 1, 1], ["m1", "m2", "m3"])


def test_what_it_never_takes_is_told_with_its_reason_and_the_rest_is_sent() -> None:
    sqs = Sqs(m1=0, m2=99)
    unsent = _send(sqs, "m1", "m2", *(f"n{number}" for number in range(9)))
    assert unsent == {"m1": "Broken: ", "m2": "InternalError: "}
    assert sqs.taken == [f"n{number}" for number in range(9)]
    assert sqs.calls == [10, 1, 1, 1, 1, 1]


@pytest.mark.embedded
def test_a_queue_that_is_gone_takes_nothing(aws_environment: object) -> None:
    sqs = home_sessions().home("sqs")
    url = sqs.create_queue(QueueName="work-gone")["QueueUrl"]
    assert SqsWorkQueue(sqs, url).send(["one"]) == []
    sqs.delete_queue(QueueUrl=url)
    unsent = SqsWorkQueue(sqs, url).send(f"m{number}" for number in range(12))
    assert [each.body for each in unsent] == [f"m{number}" for number in range(12)]
    assert "NonExistentQueue" in unsent[-1].reason

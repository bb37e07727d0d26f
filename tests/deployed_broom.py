"""What the stack would have made for Broom's function, on the simulators, and the events that reach it."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.broom_world import STRICT, event
from tests.ledger_tables import create_ledger_table
from tests.member_instances import ROLE, start_instances
from tests.servers import home_sessions
from tests.waiting import wait_until

import landkeeper.wiring.broom.commands
from landkeeper.aws.broom.ledger_table import LedgerTable
from landkeeper.aws.sessions import AccountSessions
from landkeeper.broom.case import State
from landkeeper.broom.launches import InstanceId
from landkeeper.lambdas.broom import open_broom
from landkeeper.org import AccountId

MEMBER = AccountId("320000000001")


@dataclass(slots=True)
class Clock:
    """The time as the function sees it: it stands still, but for what a test lets pass."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def set_to(self, launch: Mapping[str, Any]) -> None:
        """Show the time of the launch with that record."""
        self.now = datetime.fromisoformat(launch["eventTime"])


@dataclass(slots=True)
class Deployed:
    """What the stack would have made: a bucket, a topic with a queue on it, a queue of cases, a ledger."""

    sessions: AccountSessions
    bucket: str
    reports_url: str
    queue_url: str
    ledger: LedgerTable

    def case_state(self, id_: InstanceId) -> State:
        """Where the ledger has it."""
        return self.ledger.find_cases([id_])[id_].state

    def log(self, *records: object, key: str = "") -> str:
        """Put a log file into the bucket, and answer the S3 notification of it."""
        return self.put(gzip.compress(json.dumps({"Records": records}).encode()), key)

    def put(self, body: bytes, key: str = "") -> str:
        """Put an object into the bucket, and answer the S3 notification of it."""
        key = key or f"AWSLogs/{uuid.uuid4()}.json.gz"
        self.sessions.home("s3").put_object(Bucket=self.bucket, Key=key, Body=body)
        return notification(self.bucket, key)

    def set_policy(self, text: str) -> None:
        """Put the policy where the function looks for it."""
        self.sessions.home("s3").put_object(Bucket=self.bucket, Key="broom.yaml", Body=text.encode())

    def reports(self) -> list[dict[str, Any]]:
        """The reports that arrived, and take them off the queue."""
        return [json.loads(body) for body in self._receive(self.reports_url)]

    def due(self) -> list[str]:
        """The messages for cases that are due, waiting for the first one."""
        return wait_until(lambda: self._receive(self.queue_url, wait_seconds=10))

    def schedules_to(self, queue_arn: str) -> int:
        """How many schedules will send to a queue."""
        client = self.sessions.home("scheduler")
        made = [client.get_schedule(Name=each["Name"]) for each in client.list_schedules()["Schedules"]]
        return sum(each["Target"]["Arn"] == queue_arn for each in made)

    def _receive(self, url: str, *, wait_seconds: int = 0) -> list[str]:
        client = self.sessions.home("sqs")
        bodies: list[str] = []
        while messages := client.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0 if bodies else wait_seconds
        ).get("Messages"):
            for message in messages:
                bodies.append(message["Body"])
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies


@pytest.fixture
def deployed(aws_environment: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """The function's surroundings, new for each test, and its environment set to them."""
    sessions, name = home_sessions(ROLE), f"broom-{uuid.uuid4().hex[:10]}"
    sessions.home("s3").create_bucket(Bucket=name)
    topic = sessions.home("sns").create_topic(Name=name)["TopicArn"]
    sqs = sessions.home("sqs")
    reports_url, queue_url = (sqs.create_queue(QueueName=f"{name}-{part}")["QueueUrl"] for part in ("tap", "cases"))
    arn = sqs.get_queue_attributes(QueueUrl=reports_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sessions.home("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    create_ledger_table(sessions.home("dynamodb"), name)
    made = Deployed(sessions, name, reports_url, queue_url, LedgerTable(sessions.home("dynamodb"), name))
    made.set_policy(STRICT)
    for variable, value in {
        "LEDGER_TABLE": name, "TOPIC_ARN": topic, "POLICY": f"s3://{name}/broom.yaml", "ROLE_NAME": ROLE,
        "QUEUE_URL": queue_url,
    }.items():  # fmt: skip
        monkeypatch.setenv(f"LANDKEEPER_{variable}", value)
    monkeypatch.delenv("LANDKEEPER_ACTIONS", raising=False)
    open_broom.cache_clear()
    yield made
    open_broom.cache_clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The function's clock, as soon as it is opened; it shows the time at which the test began."""
    made = Clock(datetime.now(UTC))
    monkeypatch.setattr(landkeeper.wiring.broom.commands, "_now", made)
    return made


def start_one(account: AccountId, **tags: str) -> InstanceId:
    (started,) = start_instances(account, tags)
    return started


def notification(bucket: str, key: str) -> str:
    sample = event("s3_notification.json")
    sample["Records"][0]["s3"].update(bucket={"name": bucket}, object={"key": key})
    return json.dumps(sample)


def batch(*bodies: str) -> dict[str, Any]:
    record = event("sqs_batch.json")["Records"][0]
    return {"Records": [{**record, "messageId": f"m{number}", "body": body} for number, body in enumerate(bodies, 1)]}


def record(*ids: str, account: str = MEMBER) -> dict[str, Any]:
    """A CloudTrail record of a launch that happened just now."""
    sample: dict[str, Any] = event("run_instances.json")
    (instance,) = sample["responseElements"]["instancesSet"]["items"]
    sample["responseElements"]["instancesSet"]["items"] = [
        {**instance, "instanceId": id_, "tagSet": {"items": []}} for id_ in ids
    ]
    sample["requestParameters"].pop("tagSpecificationSet")
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**sample, "recipientAccountId": account, "eventID": str(uuid.uuid4()), "eventTime": now}

"""An independent look at the embedded AWS: what EC2, DynamoDB and the queue hold, read with nothing of the product's.

The demo and the tests judge the product by this, so it reads plainly, one call after the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

from landkeeper.embedded.organization import REGIONS, Organization

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import InstanceTypeDef

_ENDED = frozenset({"shutting-down", "terminated"})


@dataclass(frozen=True, slots=True)
class SeenInstance:
    """An instance as EC2 shows it."""

    instance_id: str
    reservation_id: str
    """The same for all instances of one RunInstances call."""
    account: str
    region: str
    instance_type: str
    state: str
    tags: Mapping[str, str]

    @property
    def ended(self) -> bool:
        """Whether it was terminated, or is about to be."""
        return self.state in _ENDED


@dataclass(frozen=True, slots=True)
class SeenReport:
    """A report as a subscriber of the topic gets it."""

    subject: str
    text: str
    data: Mapping[str, Any]
    """The message attribute `landkeeper`."""


class Tap:
    """A queue subscribed to a topic, to see what subscribers get."""

    def __init__(self, session: boto3.Session, topic_arn: str) -> None:
        """Makes the queue and the subscription."""
        self._sqs = session.client("sqs")
        self._url = self._sqs.create_queue(QueueName="landkeeper-demo-tap")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        session.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)
        self.reports: list[SeenReport] = []

    def poll(self) -> None:
        """Take what has arrived by now into `reports`."""
        while True:
            messages = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", [])
            if not messages:
                return
            for message in messages:
                self.reports.append(_report(json.loads(message["Body"])))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])


def _report(envelope: Mapping[str, Any]) -> SeenReport:
    attribute = envelope.get("MessageAttributes", {}).get("landkeeper", {}).get("Value", "{}")
    return SeenReport(envelope.get("Subject") or "", envelope["Message"], json.loads(attribute))


def seen_vpcs(organization: Organization, accounts: Mapping[str, str]) -> dict[str, set[str]]:
    """Ids of the VPCs that these accounts (ids by name) own, by the owner's id, from DescribeVpcs."""
    found: dict[str, set[str]] = {}
    for account in accounts.values():
        for region in REGIONS:
            for vpc in organization.client("ec2", account, region).describe_vpcs()["Vpcs"]:
                found.setdefault(vpc["OwnerId"], set()).add(vpc["VpcId"])
    return found


def seen_instances(organization: Organization) -> list[SeenInstance]:
    """Every instance of every member account and region, ended ones too."""
    return [
        _seen(instance, reservation["ReservationId"], account, region)
        for account in organization.accounts.values()
        for region in REGIONS
        for reservation in _reservations(organization, account, region)
        for instance in reservation["Instances"]
    ]


def _reservations(organization: Organization, account: str, region: str) -> Iterator[Any]:
    ec2 = organization.client("ec2", account, region)
    for page in ec2.get_paginator("describe_instances").paginate():
        yield from page["Reservations"]


def _seen(instance: InstanceTypeDef, reservation_id: str, account: str, region: str) -> SeenInstance:
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
    return SeenInstance(
        instance["InstanceId"],
        reservation_id,
        account,
        region,
        instance["InstanceType"],
        instance["State"]["Name"],
        tags,
    )


def scan(session: boto3.Session, table: str) -> list[dict[str, Any]]:
    """Every item of a table, as DynamoDB holds it."""
    resource = session.resource("dynamodb").Table(table)
    items: list[dict[str, Any]] = []
    extra: dict[str, Any] = {}
    while True:
        page = resource.scan(**extra)
        items += page["Items"]
        if "LastEvaluatedKey" not in page:
            return items
        extra = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def waiting_messages(session: boto3.Session, queue_url: str) -> int:
    """How many messages a queue holds or has in flight."""
    names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = session.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    return sum(int(count) for count in counts.values())


def invoke(session: boto3.Session, function: str) -> dict[str, Any]:
    """Run a function and answer what it answered. A function's error comes back as it is, with `errorMessage`."""
    answer = session.client("lambda").invoke(FunctionName=function, Payload=b"{}")
    body: dict[str, Any] = json.loads(answer["Payload"].read())
    return body

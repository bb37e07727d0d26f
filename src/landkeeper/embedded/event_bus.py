"""EventBridge's part between CloudTrail and the queues, for the embedded AWS.

Only AWS itself may put events whose source begins with `aws.` onto a bus; PutEvents refuses them, here as there, and
gives every event the caller's own account and region. So the trail asks the simulator which of the default bus's rules
match an event as AWS would word it, and hands it to their queues itself. Targets of other kinds get nothing.
Source: Amazon EventBridge User Guide, "AWS service events delivered via AWS CloudTrail".
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

from landkeeper.embedded.trail_files import Record

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def event_of(record: Record) -> dict[str, Any]:
    """The event that EventBridge would make of a record of the trail."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{record['eventSource'].split('.')[0]}",
        "account": record["recipientAccountId"],
        "time": record["eventTime"],
        "region": record["awsRegion"],
        "resources": [],
        "detail": record,
    }


@dataclass(frozen=True, slots=True)
class EventBus:
    """The default bus of the embedded AWS, for events of AWS's own, from whatever account and region."""

    events: Any
    """EventBridge's client."""
    queues: SQSClient

    def deliver(self, records: Iterable[Record]) -> None:
        """Bring each record's event to the queues of the rules that match it."""
        rules = self._rules()
        for record in records:
            event = json.dumps(event_of(record))
            for name, pattern in rules.items():
                if self.events.test_event_pattern(EventPattern=pattern, Event=event)["Result"]:
                    self._send(name, event)

    def _rules(self) -> dict[str, str]:
        pages = self.events.get_paginator("list_rules").paginate()
        return {
            rule["Name"]: rule["EventPattern"]
            for page in pages
            for rule in page["Rules"]
            if rule.get("EventPattern") and rule["State"] == "ENABLED"
        }

    def _send(self, rule: str, event: str) -> None:
        for target in self.events.list_targets_by_rule(Rule=rule)["Targets"]:
            if target["Arn"].split(":")[2] == "sqs":
                queue = self.queues.get_queue_url(QueueName=target["Arn"].rsplit(":", 1)[-1])["QueueUrl"]
                self.queues.send_message(QueueUrl=queue, MessageBody=event)


def open_event_bus(endpoint: str) -> EventBus:
    """The bus at an endpoint, with the credentials at hand."""
    return EventBus(boto3.client("events", endpoint_url=endpoint), boto3.client("sqs", endpoint_url=endpoint))

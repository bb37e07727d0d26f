"""Cases that are put off: delayed messages of an SQS queue, and schedules for what SQS cannot delay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from landkeeper.aws.failures import CALL_ERRORS, failure_of
from landkeeper.broom.feeds import write_audit_order, write_due_cases
from landkeeper.broom.launches import InstanceId
from landkeeper.org import AccountId, Failure, FailureReason

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from landkeeper.aws.broom.case_schedule import CaseSchedule

# An id is about 20 bytes and a message takes 256 KB.
_MOST_IDS_IN_A_MESSAGE = 5_000
_MOST_MESSAGES_IN_A_CALL = 10
LONGEST_DELAY_SECONDS = 900
"""What SQS can put a message off by."""


HANDED_BACK = "HandedBack"
"""The attribute that counts how often a message was sent again because there was no time for it."""


def send_again(client: SQSClient, queue_url: str, body: str, times: int) -> Failure | None:
    """Send a message to the queue that it came from, so that its receipt does not count; a Failure where SQS refuses.

    SQS counts every receipt, and moves a message to the dead letters by that (Amazon SQS Developer Guide, "Using
    dead-letter queues in Amazon SQS"). `times` is how often that was done, this time included.
    """
    attributes = {HANDED_BACK: {"DataType": "Number", "StringValue": str(times)}}
    try:
        client.send_message(QueueUrl=queue_url, MessageBody=body, MessageAttributes=attributes)  # type: ignore[arg-type]
    except CALL_ERRORS as error:
        return failure_of(error)
    return None


class SqsCaseQueue:
    """Broom's `CaseQueue` on the queue that feeds the function."""

    def __init__(self, client: SQSClient, queue_url: str, schedule: CaseSchedule | None = None) -> None:
        """`client` is SQS's, in the queue's region. Without a `schedule` a long delay is reached in several steps."""
        self._client = client
        self._queue_url = queue_url
        self._schedule = schedule

    def send_due_cases(self, ids: Sequence[InstanceId], delay_seconds: int) -> Failure | None:
        """Send the cases to the function again after the delay, or before it; a Failure where AWS refuses."""
        if delay_seconds > LONGEST_DELAY_SECONDS and self._schedule is not None:
            return self._schedule.schedule_cases(ids, datetime.now(UTC) + timedelta(seconds=delay_seconds))
        return self._send(ids, min(delay_seconds, LONGEST_DELAY_SECONDS))

    def order_audits(self, accounts: Sequence[AccountId]) -> Failure | None:
        """Send the function an order for the audit of each account; a Failure where SQS refuses."""
        try:
            for start in range(0, len(accounts), _MOST_MESSAGES_IN_A_CALL):
                some = accounts[start : start + _MOST_MESSAGES_IN_A_CALL]
                answer = self._client.send_message_batch(
                    QueueUrl=self._queue_url,
                    Entries=[{"Id": account, "MessageBody": write_audit_order(account)} for account in some],
                )
                if answer.get("Failed"):
                    refused = answer["Failed"][0]
                    return Failure(FailureReason.OTHER, refused.get("Code", ""), refused.get("Message", ""))
        except CALL_ERRORS as error:
            return failure_of(error)
        return None

    def _send(self, ids: Sequence[InstanceId], delay_seconds: int) -> Failure | None:
        try:
            for start in range(0, len(ids), _MOST_IDS_IN_A_MESSAGE):
                body = write_due_cases(tuple(ids[start : start + _MOST_IDS_IN_A_MESSAGE]))
                self._client.send_message(QueueUrl=self._queue_url, MessageBody=body, DelaySeconds=delay_seconds)
        except CALL_ERRORS as error:
            return failure_of(error)
        return None

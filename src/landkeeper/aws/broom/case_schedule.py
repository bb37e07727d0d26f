"""Cases that are put off for longer than SQS can delay a message: one-time schedules of EventBridge Scheduler.

A schedule sends the same message to the same queue, and removes itself when it has.
Source: EventBridge Scheduler User Guide, "Schedule types" and "Automatic deletion after schedule completion".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from botocore.exceptions import ClientError

from landkeeper.aws.failures import CALL_ERRORS, failure_of
from landkeeper.broom.feeds import write_due_cases
from landkeeper.broom.launches import InstanceId
from landkeeper.org import Failure

# The input of a target takes 256 KB.
_MOST_IDS_IN_AN_INPUT = 5_000
_THERE_ALREADY = "ConflictException"


def queue_arn(queue_url: str, region: str, role_arn: str) -> str:
    """The ARN of a queue whose URL ends in account and name, in the partition of the role."""
    account, name = queue_url.rstrip("/").split("/")[-2:]
    return f"arn:{role_arn.split(':')[1]}:sqs:{region}:{account}:{name}"


class CaseSchedule:
    """One-time schedules that send cases to a queue."""

    def __init__(self, client: Any, queue_arn: str, role_arn: str) -> None:
        """`role_arn` is the role in which the scheduler sends to the queue."""
        self._client = client
        self._queue_arn = queue_arn
        self._role_arn = role_arn

    def schedule_cases(self, ids: Sequence[InstanceId], due_at: datetime) -> Failure | None:
        """Have the cases sent to the queue at that time; a Failure where the scheduler refuses.

        However often the same cases are put off until the same minute, there is one schedule.
        """
        try:
            for start in range(0, len(ids), _MOST_IDS_IN_AN_INPUT):
                self._schedule(tuple(ids[start : start + _MOST_IDS_IN_AN_INPUT]), due_at)
        except CALL_ERRORS as error:
            return failure_of(error)
        return None

    def _schedule(self, ids: tuple[InstanceId, ...], due_at: datetime) -> None:
        body = write_due_cases(ids)
        try:
            self._client.create_schedule(
                Name=f"landkeeper-{sha256(f'{body}{due_at:%Y%m%d%H%M}'.encode()).hexdigest()[:40]}",
                ScheduleExpression=f"at({due_at:%Y-%m-%dT%H:%M:%S})",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target={"Arn": self._queue_arn, "RoleArn": self._role_arn, "Input": body},
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != _THERE_ALREADY:
                raise

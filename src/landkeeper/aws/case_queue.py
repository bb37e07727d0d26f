"""Cases that are put off, as delayed messages of an SQS queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from landkeeper.aws.failures import failure_of
from landkeeper.broom.feeds import write_due_cases
from landkeeper.broom.launches import InstanceId
from landkeeper.org import Failure

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# An id is about 20 bytes and a message takes 256 KB.
_MOST_IDS_IN_A_MESSAGE = 5_000


class SqsCaseQueue:
    """Broom's `CaseQueue` on the queue that feeds the function."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        """`client` is SQS's, in the queue's region."""
        self._client = client
        self._queue_url = queue_url

    def send_due_cases(self, ids: Sequence[InstanceId], delay_seconds: int) -> Failure | None:
        """Send the cases to the function again after the delay, 0 to 900 seconds; a Failure where SQS refuses."""
        try:
            for start in range(0, len(ids), _MOST_IDS_IN_A_MESSAGE):
                body = write_due_cases(tuple(ids[start : start + _MOST_IDS_IN_A_MESSAGE]))
                self._client.send_message(QueueUrl=self._queue_url, MessageBody=body, DelaySeconds=delay_seconds)
        except (ClientError, BotoCoreError) as error:
            return failure_of(error)
        return None

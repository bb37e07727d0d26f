"""Work for the tracker's workers, as messages of an SQS queue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from landkeeper.aws.backoff import Backoff
from landkeeper.aws.failures import failure_of
from landkeeper.vpctracker.dispatch import Unsent

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_MOST_IN_A_BATCH = 10
_BACKOFF = Backoff(0.2, least=0.5, attempts=5)


class SqsWorkQueue:
    """The tracker's `WorkQueue` on SQS. Messages wait as long as the queue's own delay says."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        """`client` is SQS's, in the queue's region."""
        self._client = client
        self._queue_url = queue_url

    def send(self, bodies: Iterable[str]) -> Sequence[Unsent]:
        """Send every message, ten a call; answers those that were refused.

        SQS may take one message of a call and refuse the next; those that it may take later are tried again. When it
        refuses a whole call nothing more is sent.
        """
        waiting = iter(bodies)
        unsent: list[Unsent] = []
        while batch := list(islice(waiting, _MOST_IN_A_BATCH)):
            try:
                unsent += self._send_batch(batch)
            except (ClientError, BotoCoreError) as error:
                return [*unsent, *(Unsent(body, str(failure_of(error))) for body in (*batch, *waiting))]
        return unsent

    def _send_batch(self, bodies: Sequence[str]) -> list[Unsent]:
        """Source: Amazon SQS API Reference, "SendMessageBatch"."""
        left, refused, pauses = dict(enumerate(bodies)), list[Unsent](), _BACKOFF.pauses()
        while left:
            answer = self._client.send_message_batch(
                QueueUrl=self._queue_url,
                Entries=[{"Id": str(number), "MessageBody": body} for number, body in left.items()],
            )
            failed = {int(entry["Id"]): entry for entry in answer.get("Failed", ())}
            reasons = {number: f"{entry['Code']}: {entry.get('Message', '')}" for number, entry in failed.items()}
            for_good = {number for number, entry in failed.items() if entry["SenderFault"]}
            refused += [Unsent(left[number], reasons[number]) for number in for_good]
            left = {number: left[number] for number in failed.keys() - for_good}
            if left and not next(pauses, False):
                return [*refused, *(Unsent(body, reasons[number]) for number, body in left.items())]
        return refused

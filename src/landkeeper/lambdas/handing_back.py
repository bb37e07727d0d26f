"""Messages that there was no time for: they are sent again, and not counted as if they had failed.

SQS moves a message to the dead letters after a few receipts, whatever came of each. A message behind a slow one, and
one with more to do than an invocation has time for, would end there. So each is sent again as a new message and the old
one is done with. How often that may happen is limited, and what is over that counts as failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from landkeeper.aws.broom.case_queue import HANDED_BACK, send_again
from landkeeper.org import is_batch
from landkeeper.wiring.broom.function import FunctionBroom

MOST_TIMES = 50
"""How often a message may be sent again: with ten minutes of work in each, a day's work of one account."""


def hand_back(event: object, ids: Iterable[str], broom: FunctionBroom) -> Iterator[str]:
    """Send the messages of a batch with these ids again, and yield the ids of those that have to come by themselves."""
    records = {record.get("messageId"): record for record in event["Records"]} if is_batch(event) else {}
    for id_ in ids:
        record, url = records.get(id_, {}), broom.settings.queue_url
        times = times_handed_back(record) + 1
        if url is None or times > MOST_TIMES or not is_from(url, record):
            yield id_
            continue
        failure = send_again(broom.sessions.lazy_client("sqs"), url, str(record["body"]), times)
        if failure is not None:
            yield id_


def times_handed_back(record: Mapping[str, Any]) -> int:
    """Return how often a message was sent again already."""
    text = str(record.get("messageAttributes", {}).get(HANDED_BACK, {}).get("stringValue", ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def is_from(queue_url: str, record: Mapping[str, Any]) -> bool:
    """Return whether a message came from this queue: a URL ends with the account and the name, and so does an ARN."""
    source: list[str] = str(record.get("eventSourceARN", "")).split(":")[-2:]
    return source == queue_url.split("/")[-2:]

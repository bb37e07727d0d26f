"""When cases come back: those of one launch that are due together come in one message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from math import ceil

from landkeeper.broom.case import Case

_TOGETHER = timedelta(seconds=5)


def due_together(cases: Iterable[Case], now: datetime) -> Iterator[tuple[list[Case], int]]:
    """The cases in batches that are due within a few seconds, each with the seconds until all of it is due."""
    batch: list[Case] = []
    for case in sorted(cases, key=lambda case: _due(case, now)):
        if batch and _due(case, now) - _due(batch[0], now) > _TOGETHER:
            yield batch, _delay(batch, now)
            batch = []
        batch.append(case)
    if batch:
        yield batch, _delay(batch, now)


def _delay(batch: list[Case], now: datetime) -> int:
    return max(0, ceil((_due(batch[-1], now) - now).total_seconds()))


def _due(case: Case, now: datetime) -> datetime:
    return case.due_at or now

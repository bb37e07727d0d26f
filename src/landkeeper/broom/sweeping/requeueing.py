"""The last phase of a sweep: cases that wait come back. Those of a launch that are due together come in one message."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from math import ceil

from landkeeper.broom.case import Case, State
from landkeeper.broom.ports import SweepPorts
from landkeeper.broom.sweeping.progress import Progress

_TOGETHER = timedelta(seconds=5)


def requeue_cases(progress: Progress, ports: SweepPorts) -> None:
    """Have the cases that wait turn up again when they are due."""
    now = ports.clock()
    launches: defaultdict[str, list[Case]] = defaultdict(list)
    for case in progress.later:
        launches[case.event_ids[0]].append(case)
    for event_id, cases in launches.items():
        for batch, delay in due_together([*cases, *_waiting_elsewhere(event_id, progress)], now):
            failure = ports.queue.send_due_cases([case.instance_id for case in batch], delay)
            if failure is not None:
                progress.result.fail(f"cases could not be put off: {failure}", try_again=True)
    progress.result.waiting = len(progress.later)


def _waiting_elsewhere(event_id: str, progress: Progress) -> list[Case]:
    """Return what other runs have put off of a launch: it comes back with what this run has, in one report."""
    ours = {case.instance_id for case in progress.later}
    ids = sorted(progress.elsewhere[event_id] - ours)
    found = progress.ledger.find_cases(ids) if ids else {}
    return [case for case in found.values() if case.state is State.WAITING]


def due_together(cases: Iterable[Case], now: datetime) -> Iterator[tuple[list[Case], int]]:
    """Yield the cases in batches that are due within a few seconds, each with the seconds until all of it is due."""
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

"""Who reports a launch: of several runs that deal with it at once one does, and reports all of it.

A launch comes through several feeds, and each of two runs may get hold of some of its instances. Whoever concludes a
case holds its report for as long as a lease. Where others are at the same launch, each run first offers what it
holds, and only then looks at what the others have: the last one to offer sees everything, and takes it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from landkeeper.broom.case import LEASE, Case, State, hold_report, offer_report
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.ports import Ledger


@dataclass(frozen=True, slots=True)
class Agreed:
    """What came of asking the ledger who reports a launch."""

    taken: tuple[Case, ...]
    """What this run reports, and holds."""
    later: tuple[Case, ...] = ()
    """What another run is about to report; to be looked at again in case it did not."""


def agree_on_report(
    ledger: Ledger, concluded: Sequence[Case], elsewhere: Collection[InstanceId], now: datetime
) -> Agreed:
    """Find out who reports the instances of a launch.

    `concluded` are the cases of the launch that want a report, held by this run or by nobody; `elsewhere` are those
    that other runs have written meanwhile.
    """
    if not elsewhere and all(case.is_leased(now) for case in concluded):
        return Agreed(tuple(concluded))
    for case in concluded:
        if case.is_leased(now):
            ledger.write_case(offer_report(case))
    ids = sorted({case.instance_id for case in concluded}.union(elsewhere))
    found = ledger.find_cases(ids)
    stored = [found[id_] for id_ in ids if id_ in found]
    if any(_is_busy(case, now) for case in stored):
        return Agreed((), tuple(_later(case, now) for case in stored if case.needs_report))
    return _take(ledger, [case for case in stored if case.needs_report], now)


def _take(ledger: Ledger, offered: Sequence[Case], now: datetime) -> Agreed:
    """Take what is offered. All runs take in the same order, so that whoever gets the first gets the rest as well."""
    taken: list[Case] = []
    for case in offered:
        held = hold_report(case, now + LEASE)
        if ledger.write_case(held):
            taken.append(held)
        elif not taken:
            return Agreed((), tuple(_later(case, now) for case in offered))
    return Agreed(tuple(taken))


def _is_busy(case: Case, now: datetime) -> bool:
    """Return whether another run works on it, which will see what is offered when it has finished."""
    is_judged = case.state is State.JUDGED and not case.needs_report and now - case.changed_at < LEASE
    return is_judged or case.is_leased(now)


def _later(case: Case, now: datetime) -> Case:
    return replace(case, due_at=now + LEASE)

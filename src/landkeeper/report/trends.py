"""Counts by day, from when each VPC was first seen and when it was gone: one pass over the VPCs, not one a day.

A block counts from the first day of its VPC on, also one that was added to it later.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from landkeeper.org import Membership
from landkeeper.report.document import TrendsView
from landkeeper.report.report_input import LOOKED_BACK
from landkeeper.vpctracker.answers.overlaps import Claim, find_overlaps
from landkeeper.vpctracker.answers.spaces import split_by_space
from landkeeper.vpctracker.cidr import group_by_containment, parse_block

if TYPE_CHECKING:
    from landkeeper.report.report_input import Ledger, ReportInput
    from landkeeper.vpctracker.config import TrackerConfig
    from landkeeper.vpctracker.inventory import StoredVpc

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Days:
    """The days in question, one after another, the last of them the present one."""

    first: date
    count: int

    def number(self, moment: datetime) -> int:
        """Which of the days a moment is in; 0 for what was before them, and the count for what is after."""
        return min(self.count, max(0, (moment.date() - self.first).days))

    def span(self, one: StoredVpc) -> tuple[int, int]:
        """From which day on the VPC was there at the end of the day, and from which on no more."""
        return self.number(one.first_seen), self.count if one.deleted_at is None else self.number(one.deleted_at)

    @property
    def dates(self) -> list[date]:
        """Each of them."""
        return [self.first + number * _DAY for number in range(self.count)]


def view_trends(report_input: ReportInput) -> TrendsView | None:
    """The counts of the last ninety days, or of as many as are recorded; None where that is not more than the present.

    A VPC that is there counts until the end of the day before it is gone.
    """
    vpcs = report_input.known.vpcs
    days = find_days(min((one.first_seen for one in vpcs), default=None), report_input.moment)
    if days is None:
        return None
    accounts: dict[str, list[StoredVpc]] = defaultdict(list)
    for one in vpcs:
        accounts[one.vpc.owner].append(one)
    return TrendsView(
        days=tuple(day.isoformat() for day in days.dates),
        vpcs=_count(days, (days.span(one) for one in vpcs)),
        accounts=_count(days, (span for ones in accounts.values() for span in _union(map(days.span, ones)))),
        overlaps=count_overlaps(vpcs, report_input.config, days),
        defaults=_count(days, (days.span(one) for one in vpcs if one.vpc.is_default)),
        unreadable=tuple(_unreadable(report_input, days)),
        cases=_count_cases(report_input.ledger, days),
    )


def find_days(first_seen: datetime | None, moment: datetime) -> Days | None:
    """The days to count; None where there is only one."""
    if first_seen is None:
        return None
    first = max(first_seen, moment - LOOKED_BACK).date()
    count = (moment.date() - first).days + 1
    return Days(first, count) if count > 1 else None


def _count(days: Days, spans: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    steps = [0] * (days.count + 1)
    for begin, end in spans:
        steps[begin] += 1
        steps[end] -= 1
    return tuple(accumulate(steps[: days.count]))


def _union(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The same days as spans that do not meet."""
    begin, end = 0, 0
    for first, last in sorted(spans):
        if first > end:
            yield begin, end
            begin, end = first, last
        else:
            end = max(end, last)
    yield begin, end


def count_overlaps(vpcs: Iterable[StoredVpc], config: TrackerConfig, days: Days) -> tuple[int, ...]:
    """Groups that overlap by day, without those of default VPCs alone and those on purpose.

    All blocks that ever were are grouped once. What happens in one group changes nothing in another, so each is looked
    at anew only on the days on which something came or went in it.
    """
    steps = [0] * (days.count + 1)
    for space, ones in split_by_space(vpcs, config):
        claims = [
            (claim, *days.span(one))
            for one in ones
            for claim in (Claim(parse_block(text), one.vpc) for text in one.vpc.taken_blocks)
            if not any(repeated.contains(claim.block) for repeated in space.repeated)
        ]
        for positions in group_by_containment([claim.block for claim, _, _ in claims]):
            _add_group(steps, [claims[position] for position in positions])
    return tuple(accumulate(steps[: days.count]))


def _add_group(steps: list[int], group: Sequence[tuple[Claim, int, int]]) -> None:
    if all(claim.is_default for claim, _, _ in group):
        return
    marks = sorted({mark for _, begin, end in group for mark in (begin, end)})
    for begin, end in pairwise(marks):
        there = [claim for claim, first, last in group if first <= begin < last]
        count = _count_collisions(there)
        steps[begin] += count
        steps[end] -= count


def _count_collisions(claims: Sequence[Claim]) -> int:
    # Two default VPCs stand for all of them: whoever meets 172.31.0.0/16 meets one that is not itself.
    chosen = [claim for claim in claims if not claim.is_default]
    defaults = [claim for claim in claims if claim.is_default][:2]
    return sum(bool(group.claims) for group in find_overlaps([*chosen, *defaults], ()).collisions)


def count_unreadable(report_input: ReportInput) -> int:
    """Accounts that are read, and of which the newest try did not read everything."""
    return sum(
        one.membership is Membership.ACTIVE and not one.is_complete for one in report_input.known.coverage.values()
    )


def _unreadable(report_input: ReportInput, days: Days) -> Iterator[int | None]:
    for day in days.dates[:-1]:
        yield report_input.unreadable.get(day)
    yield None if report_input.known.as_of else count_unreadable(report_input)


def _count_cases(ledger: Ledger | None, days: Days) -> tuple[int | None, ...]:
    """Cases opened on each day of an instance that broke a rule; None for days that the ledger was not asked about."""
    if ledger is None:
        return (None,) * days.count
    counts = Counter(case.opened_at.date() for case in ledger.cases if case.rule)
    return tuple(None if day < ledger.since.date() else counts[day] for day in days.dates)

"""Counts by day, from the times at which VPCs were first seen and deleted, in a single pass over the VPCs.

All blocks of a VPC count from its first day, including blocks that were added later.
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
    """Consecutive days; the last is the day of the report."""

    first: date
    count: int

    def number(self, moment: datetime) -> int:
        """Return the number of the day of a moment: 0 if it is before the first, the count if it is after the last."""
        return min(self.count, max(0, (moment.date() - self.first).days))

    def span(self, stored: StoredVpc) -> tuple[int, int]:
        """Return the first day at whose end the VPC existed, and the first day after that at whose end it did not."""
        last = self.count if stored.deleted_at is None else self.number(stored.deleted_at)
        return self.number(stored.first_seen), last

    @property
    def dates(self) -> list[date]:
        """Return all days in order."""
        return [self.first + number * _DAY for number in range(self.count)]


def view_trends(report_input: ReportInput) -> TrendsView | None:
    """Return the counts of the last ninety days, or of the recorded days if these are fewer; None for a single day.

    A VPC counts up to the day before its deletion.
    """
    vpcs = report_input.known.vpcs
    days = find_days(min((stored.first_seen for stored in vpcs), default=None), report_input.moment)
    if days is None:
        return None
    accounts: dict[str, list[StoredVpc]] = defaultdict(list)
    for stored in vpcs:
        accounts[stored.vpc.owner].append(stored)
    return TrendsView(
        days=tuple(day.isoformat() for day in days.dates),
        vpcs=_count(days, map(days.span, vpcs)),
        accounts=_count(days, (span for owned in accounts.values() for span in _union(map(days.span, owned)))),
        overlaps=count_overlaps(vpcs, report_input.config, days),
        defaults=_count(days, (days.span(stored) for stored in vpcs if stored.vpc.is_default)),
        unreadable=tuple(_unreadable(report_input, days)),
        cases=_count_cases(report_input.ledger, days),
    )


def find_days(first_seen: datetime | None, moment: datetime) -> Days | None:
    """Return the days to count; None if there is only one."""
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
    """Yield disjoint spans that cover the same days."""
    begin, end = 0, 0
    for first, last in sorted(spans):
        if first > end:
            yield begin, end
            begin, end = first, last
        else:
            end = max(end, last)
    yield begin, end


def count_overlaps(vpcs: Iterable[StoredVpc], config: TrackerConfig, days: Days) -> tuple[int, ...]:
    """Return the number of overlapping groups per day, without groups of default VPCs only and repeats on purpose.

    All blocks of the period are grouped once. Groups are independent, so a group is counted again only on days on
    which a VPC in it appeared or was deleted.
    """
    steps = [0] * (days.count + 1)
    for space, members in split_by_space(vpcs, config):
        claims = [
            (claim, *days.span(stored))
            for stored in members
            for claim in (Claim(parse_block(text), stored.vpc) for text in stored.vpc.taken_blocks)
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
        count = _count_collisions([claim for claim, first, last in group if first <= begin < last])
        steps[begin] += count
        steps[end] -= count


def _count_collisions(claims: Sequence[Claim]) -> int:
    # All default VPCs have 172.31.0.0/16, so two of them are enough to find every overlap with a default VPC.
    chosen = [claim for claim in claims if not claim.is_default]
    defaults = [claim for claim in claims if claim.is_default][:2]
    return sum(bool(group.claims) for group in find_overlaps([*chosen, *defaults], ()).collisions)


def count_unreadable(report_input: ReportInput) -> int:
    """Return the number of active accounts that the last run could not read completely."""
    return sum(
        coverage.membership is Membership.ACTIVE and not coverage.is_complete
        for coverage in report_input.known.coverage.values()
    )


def _unreadable(report_input: ReportInput, days: Days) -> Iterator[int | None]:
    for day in days.dates[:-1]:
        yield report_input.unreadable.get(day)
    yield None if report_input.known.as_of else count_unreadable(report_input)


def _count_cases(ledger: Ledger | None, days: Days) -> tuple[int | None, ...]:
    """Return the number of cases with a broken rule opened per day; None for days before the ledger's cases."""
    if ledger is None:
        return (None,) * days.count
    counts = Counter(case.opened_at.date() for case in ledger.cases if case.rule)
    return tuple(None if day < ledger.since.date() else counts[day] for day in days.dates)

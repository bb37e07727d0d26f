"""Notices at the top of the report: what is missing, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from landkeeper.org import FailureReason, Membership, counted, format_time, join_some
from landkeeper.vpctracker.pools.conflicts import CONFLICT
from landkeeper.vpctracker.schema import NewerItemError

if TYPE_CHECKING:
    from landkeeper.report.document import BroomView, PoolView, TrendsView, VpcView
    from landkeeper.vpctracker.answers.listing import Snapshot
    from landkeeper.vpctracker.coverage import Coverage

_NAMED_AT_MOST = 3


def find_notices(
    known: Snapshot,
    vpcs: Sequence[VpcView],
    pools: Sequence[PoolView],
    trends: TrendsView | None,
    broom: BroomView | None,
) -> Iterator[str]:
    """Yield the notices as sentences, the most important first."""
    yield from _left_out(known)
    if known.as_of is not None:
        yield (
            f"This report shows the VPCs as recorded at {format_time(known.as_of)}. Pools, coverage, stale markers "
            "and Broom's cases have no history and are left out."
        )
    if not known.vpcs and not known.coverage:
        if not known.left_out:
            yield "Nothing is stored yet: run `landkeeper vpc track` to read the accounts."
        return
    if not vpcs:
        yield "No VPC was found."
    elif not any(vpc.cidrs for vpc in vpcs):
        yield "No VPC has an IPv4 block, and the map shows IPv4 only: it is empty."
    elif not any(subnet[1] for vpc in vpcs for subnet in vpc.subnets) and any(vpc.subnets for vpc in vpcs):
        yield "All subnets are IPv6-only: the usage of the IPv4 blocks is unknown."
    yield from _conflicts(pools)
    if known.as_of is None:
        yield from _stale(known)
    if trends is None:
        yield "There is no history yet: trends begin on the second day."
    if broom is not None and broom.left_out:
        older = counted(broom.left_out, "older Broom case is", "older Broom cases are")
        yield f"{older} left out: `landkeeper broom cases` lists all of them."


def _left_out(known: Snapshot) -> Iterator[str]:
    newer = [error for error in known.left_out if isinstance(error, NewerItemError)]
    if len(newer) == 1:
        yield f"Left out: {newer[0]}."
    elif newer:
        yield f"{len(newer)} stored items were written by a newer Landkeeper and are left out: update Landkeeper."
    others = [error for error in known.left_out if not isinstance(error, NewerItemError)]
    if others:
        words = counted(len(others), "stored item cannot be read and is", "stored items cannot be read and are")
        yield f"{words} left out: {others[0]}"


def _stale(known: Snapshot) -> Iterator[str]:
    stale = sorted(
        (
            coverage
            for coverage in known.coverage.values()
            if coverage.membership is Membership.ACTIVE and not coverage.is_complete
        ),
        key=lambda coverage: coverage.account_name or coverage.account,
    )
    if stale:
        shown = "is" if len(stale) == 1 else "are"
        names = join_some([coverage.account_name or coverage.account for coverage in stale], _NAMED_AT_MOST)
        reasons = Counter(str(reason) for coverage in stale for reason in _reasons(coverage))
        why = ", ".join(
            f"{reason} ({counted(number, 'account')})" if len(stale) > 1 else reason
            for reason, number in reasons.most_common()
        )
        yield (
            f"{counted(len(stale), 'account was', 'accounts were')} not read completely in the last run and {shown} "
            f"shown as last known: {names}. {'Reason' if len(reasons) == 1 else 'Reasons'}: {why}."
        )


def _conflicts(pools: Sequence[PoolView]) -> Iterator[str]:
    found = [
        f"{reservation.cidr} in pool {pool.id} ({join_some(reservation.vpcs, _NAMED_AT_MOST)})"
        for pool in pools
        for reservation in pool.reservations
        if reservation.state == CONFLICT
    ]
    if found:
        words = counted(len(found), "reservation is", "reservations are")
        yield f"{words} in conflict with VPCs of others: {join_some(found, _NAMED_AT_MOST)}."


def _reasons(coverage: Coverage) -> Iterable[FailureReason]:
    """Return why an account was not read completely, each reason once."""
    failures = (coverage.failure, *(region.failure for region in coverage.regions.values()))
    return dict.fromkeys(failure.reason for failure in failures if failure is not None)

"""What a reader of the report has to know before anything else: what is missing, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from landkeeper.org import Membership, format_time, join_some
from landkeeper.vpctracker.schema import NewerItemError

if TYPE_CHECKING:
    from landkeeper.report.document import BroomView, TrendsView, VpcView
    from landkeeper.vpctracker.answers.listing import Snapshot

_NAMED_AT_MOST = 3


def find_notices(
    known: Snapshot, vpcs: Sequence[VpcView], trends: TrendsView | None, broom: BroomView | None
) -> Iterator[str]:
    """Plain sentences, the weightiest first."""
    yield from _left_out(known)
    if known.as_of is not None:
        yield (
            f"This is what was recorded at {format_time(known.as_of)}. How fresh it was then is not, and pools, "
            "coverage and Broom's cases are known of the present only."
        )
    if not known.vpcs and not known.coverage:
        if not known.left_out:
            yield "Nothing is stored yet: `landkeeper vpc track` reads the accounts."
        return
    if not vpcs:
        yield "No VPC is known."
    elif not any(vpc.cidrs for vpc in vpcs):
        yield "No VPC has an IPv4 block: the map is of IPv4, and stays empty."
    elif not any(subnet[1] for vpc in vpcs for subnet in vpc.subnets) and any(vpc.subnets for vpc in vpcs):
        yield "All subnets have IPv6 only: nothing is known of how the IPv4 blocks are used."
    if known.as_of is None:
        yield from _stale(known)
    if trends is None:
        yield "There is no history yet: trends begin with the second day."
    if broom is not None and broom.left_out:
        yield f"{broom.left_out} older cases of Broom are left out: `landkeeper broom cases` has all of them."


def _left_out(known: Snapshot) -> Iterator[str]:
    newer = [error for error in known.left_out if isinstance(error, NewerItemError)]
    if len(newer) == 1:
        yield f"Not in here: {newer[0]}."
    elif newer:
        yield f"{len(newer)} stored items were written by a newer Landkeeper and are not in here: update Landkeeper."
    others = [error for error in known.left_out if not isinstance(error, NewerItemError)]
    if others:
        words = _counted(len(others), "stored item cannot be read and is", "stored items cannot be read and are")
        yield f"{words} left out: {others[0]}"


def _stale(known: Snapshot) -> Iterator[str]:
    stale = sorted(
        one.account_name or one.account
        for one in known.coverage.values()
        if one.membership is Membership.ACTIVE and not one.is_complete
    )
    if stale:
        shown = "is" if len(stale) == 1 else "are"
        yield (
            f"{_counted(len(stale), 'account was', 'accounts were')} not read completely the last time and {shown} "
            f"shown as last known: {join_some(stale, _NAMED_AT_MOST)}."
        )


def _counted(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"

"""Why nothing was reserved, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import assert_never

from landkeeper.org import AccountId, Standing, join_some
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.pools.allocation import PoolExhausted
from landkeeper.vpctracker.pools.conflicts import Conflict, name_vpcs
from landkeeper.vpctracker.pools.operations import Request, Taken
from landkeeper.vpctracker.pools.unread import NeverRead

_NAMED_AT_MOST = 10


def explain(
    refusal: PoolExhausted | NeverRead | Taken,
    request: Request,
    *,
    all_the_same: str = "--accept-unread ID",
    for_another: str = "pass another --request-id",
) -> str:
    """The sentence.

    `all_the_same` is what to pass to allocate although accounts were never read, and `for_another` what to do to get
    another block than before.
    """
    match refusal:
        case PoolExhausted(largest):
            return _exhausted(request, None if largest is None else largest.prefix_length)
        case NeverRead(accounts, expired):
            named = join_some([_place(coverage) + _expired(coverage, expired) for coverage in accounts], _NAMED_AT_MOST)
            has, its, them = ("has", "its", "it") if len(accounts) == 1 else ("have", "their", "them")
            return (
                f"Nothing reserved: {named} {has} never been read, so {its} ranges are unknown. "
                f"Track {them}, declare closed regions as governed or the ranges under declared_accounts, or pass "
                f"{all_the_same}."
            )
        case Taken(conflict):
            return explain_conflict(conflict, for_another)
        case _:
            assert_never(refusal)


def explain_conflict(conflict: Conflict, for_another: str) -> str:
    """Why the reservation cannot be used, and what to do."""
    reservation = conflict.reservation
    room = f" with its room {reservation.room}" if reservation.room else ""
    return (
        f"{reservation.block}{room}, reserved by this request as {reservation.id}, is in conflict: it overlaps "
        f"{name_vpcs(conflict)}. Run `landkeeper vpc track` if that is gone; {for_another} to get another block."
    )


def _exhausted(request: Request, largest: int | None) -> str:
    if largest is None:
        return f"the pool '{request.pool}' is full"
    wanted = request.prefix_length if request.grow_to is None else request.grow_to
    room = "" if request.grow_to is None else " for the room to grow"
    return f"the pool '{request.pool}' has no /{wanted} left{room}: the largest block that would fit is a /{largest}"


def _expired(coverage: Coverage, expired: Mapping[AccountId, date]) -> str:
    day = expired.get(coverage.account)
    return f" (its declaration expired on {day})" if day is not None else ""


def _place(coverage: Coverage) -> str:
    regions = [name for name, region in sorted(coverage.regions.items())
               if region.complete_at is None and region.standing is Standing.READ]  # fmt: skip
    where = f" in {' and '.join(regions[:3])}{' …' if len(regions) > 3 else ''}" if regions else ""
    return (
        f"{coverage.account_name} ({coverage.account}){where}"
        if coverage.account_name
        else f"{coverage.account}{where}"
    )

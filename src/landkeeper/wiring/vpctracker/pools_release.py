"""A block is given back after a look at the places where its VPC may be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from landkeeper.aws.sessions import HomeAccountError
from landkeeper.org import Account, AccountId, Membership, Region, UsageError
from landkeeper.vpctracker.pools.operations import find_reservation, release
from landkeeper.vpctracker.pools.pool import Kind, Reservation
from landkeeper.vpctracker.pools.tracked import Tracked, places_to_read
from landkeeper.vpctracker.track import track_account
from landkeeper.wiring.vpctracker.commands import find_source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landkeeper.settings import Settings
    from landkeeper.vpctracker.ports import VpcReader
    from landkeeper.wiring.vpctracker.pools import Pools

_READABLE = frozenset({Membership.ACTIVE, Membership.SKIPPED})


def release_after_reading(pools: Pools, settings: Settings, reservation: str) -> Reservation:
    """Read the places again where the block's VPC may be, as a run of the tracker does, and give the block back.

    Raises UsageError while a VPC is there, or where not all of them can be read.
    """
    pool, found = find_reservation(pools.store, reservation)
    tracked = pools.tracked_of(pool.space, found.held)
    places = {} if found.kind is Kind.POOL else places_to_read(found, pool, tracked)
    unread = _find_unread(pools, settings, places, tracked) if places else []
    if unread:
        raise UsageError(
            f"{found.held} cannot be released, because its VPC may still exist: {'; '.join(unread[:3])}; pass "
            "--accept-unread to decide by stored data"
        )
    return release(pools.store, reservation, pools.tracked_of, pools.actor)


def _find_unread(
    pools: Pools, settings: Settings, places: Mapping[AccountId, frozenset[Region]], tracked: Tracked
) -> list[str]:
    """Why places cannot be read; those that can be are written down."""
    known = {account: tracked.coverage[account] for account in places if account in tracked.coverage}
    gone = [f"the account {one.account} is {one.membership}" for one in known.values()
            if one.membership not in _READABLE]  # fmt: skip
    if gone:
        return gone
    try:
        reader = find_source(replace(settings, accounts=tuple(places))).reader
    except (UsageError, HomeAccountError) as error:
        return [str(error)]
    unread: list[str] = []
    for account, regions in places.items():
        name = known[account].account_name if account in known else ""
        unread += _read(pools, reader, Account(account, name), regions)
    return unread


def _read(pools: Pools, reader: VpcReader, account: Account, regions: frozenset[Region]) -> list[str]:
    outcome = track_account(
        account, reader, pools.vpcs, clock=lambda: datetime.now(UTC), regions=regions or None
    )  # fmt: skip
    return [f"{place}" for place in outcome.unreadable]

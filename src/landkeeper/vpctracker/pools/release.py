"""Release a block after a fresh read of the places where its VPC may be."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from landkeeper.org import Account, AccountId, Membership, Region, UsageError
from landkeeper.vpctracker.pools.access import Pools
from landkeeper.vpctracker.pools.operations import find_reservation, release
from landkeeper.vpctracker.pools.pool import Kind, Reservation
from landkeeper.vpctracker.pools.tracked import Tracked, places_to_read
from landkeeper.vpctracker.ports import VpcReader
from landkeeper.vpctracker.track import track_account

_READABLE = frozenset({Membership.ACTIVE, Membership.SKIPPED})

OpenReader = Callable[[Collection[AccountId]], "VpcReader | str"]
"""Returns what reads those accounts, or why they cannot be entered."""


def release_after_reading(pools: Pools, reservation: str, open_reader: OpenReader) -> Reservation:
    """Read the places again where the block's VPC may be, as a run of the tracker does, and release the block.

    Raises UsageError while a VPC is in it, or where not all of the places can be read.
    """
    pool, found = find_reservation(pools.store, reservation)
    tracked = pools.tracked_of(pool.space, found.held)
    places = {} if found.kind is Kind.POOL else places_to_read(found, pool, tracked)
    unread = _find_unread(pools, places, tracked, open_reader) if places else []
    if unread:
        raise UsageError(
            f"{found.held} cannot be released, because its VPC may still exist: {'; '.join(unread[:3])}; pass "
            "--accept-unread to decide by stored data"
        )
    return release(pools.store, reservation, pools.tracked_of, pools.actor)


def _find_unread(
    pools: Pools, places: Mapping[AccountId, frozenset[Region]], tracked: Tracked, open_reader: OpenReader
) -> list[str]:
    """Return why places cannot be read; those that can be are tracked."""
    known = {account: tracked.coverage[account] for account in places if account in tracked.coverage}
    gone = [f"the account {coverage.account} is {coverage.membership}" for coverage in known.values()
            if coverage.membership not in _READABLE]  # fmt: skip
    if gone:
        return gone
    reader = open_reader(places)
    if isinstance(reader, str):
        return [reader]
    unread: list[str] = []
    for account, regions in places.items():
        name = known[account].account_name if account in known else ""
        outcome = track_account(
            Account(account, name), reader, pools.vpcs, clock=pools.actor.clock, regions=regions or None
        )
        unread += [str(place) for place in outcome.unreadable]
    return unread

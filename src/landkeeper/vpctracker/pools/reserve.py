"""Reserve blocks by their addresses: what is in use outside AWS, or what a VPC has that no pool gave a block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from landkeeper.vpctracker.pools.conflicts import Holders, find_holders
from landkeeper.vpctracker.pools.items import PoolWrite, reservation_to_item
from landkeeper.vpctracker.pools.operations import (
    Actor,
    TrackedOf,
    read_named_state,
    read_pools,
    write_patiently,
)
from landkeeper.vpctracker.pools.pool import Kind, PoolState, Reservation, check_takes, find_pool

if TYPE_CHECKING:
    from landkeeper.vpctracker.cidr import Block
    from landkeeper.vpctracker.inventory import Vpc
    from landkeeper.vpctracker.pools.ports import PoolStore
    from landkeeper.vpctracker.pools.tracked import Tracked


@dataclass(frozen=True, slots=True)
class ReservedByHand:
    """A block that was reserved by its address."""

    reservation: Reservation
    holders: Holders
    """The VPCs that are on it: the one that it is linked to, and those that are in conflict with it."""


def reserve_blocks(
    store: PoolStore, pool: str, blocks: Sequence[Block], purpose: str, *, tracked_of: TrackedOf, actor: Actor
) -> tuple[ReservedByHand, ...]:
    """Take blocks that are in use: each by the VPC that has exactly it, where there is one, else outside AWS.

    A block that was taken as in use outside AWS, and turns out to be a VPC's, is linked to that. All blocks are taken
    or none. Raises UsageError where one of them cannot be.
    """
    named = find_pool(read_pools(store), pool)
    tracked = tracked_of(named.space, named.block)

    def attempt() -> tuple[PoolWrite, tuple[ReservedByHand, ...]]:
        state, _ = read_named_state(store, pool)
        made: list[Reservation] = []
        for block in blocks:
            entry = _reserve(state, block, purpose, tracked, actor)
            others = [held for held in (*state.reservations, *made) if held.id != entry.id]
            check_takes(replace(state, reservations=tuple(others)), block)
            made.append(entry)
        write = PoolWrite({pool: state.version}, puts=tuple(map(reservation_to_item, made)))
        return write, tuple(ReservedByHand(entry, find_holders(entry, state.pool, tracked)) for entry in made)

    return write_patiently(store, attempt, actor, f"the pool '{pool}'")


def _reserve(state: PoolState, block: Block, purpose: str, tracked: Tracked, actor: Actor) -> Reservation:
    made = Reservation(
        actor.new_id(), state.pool.id, block, Kind.ELSEWHERE, actor.clock(), purpose=purpose, made_by=actor.by
    )
    having = [vpc for vpc in tracked.find_overlapping(block) if str(block) in vpc.taken_blocks]
    return _linked(state, made, having[0]) if len(having) == 1 else made


def _linked(state: PoolState, made: Reservation, vpc: Vpc) -> Reservation:
    """Return the VPC's reservation: the one that exactly its block has as in use outside AWS, or the one just made."""
    before = next(
        (held for held in state.reservations
         if held.block == made.block and held.kind is Kind.ELSEWHERE and not held.resource),
        made,
    )  # fmt: skip
    return replace(
        before, kind=Kind.ALLOCATION, account=vpc.owner, region=vpc.region, purpose=made.purpose, resource=vpc.id
    )

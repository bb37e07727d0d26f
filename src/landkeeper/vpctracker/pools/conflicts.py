"""Whose VPCs are on a reservation's block: the reservation's own, or others, which are in conflict with it.

A reservation is in conflict where a live VPC of its space has an address of what it holds, its room included, and is
not its own. Its own VPCs are

- the one that it names (`Resource`), and the one with its id in the tag `landkeeper:reservation`;
- other VPCs of its account and region whose blocks there lie inside what it holds: VPCs made by hand, and VPCs in its
  room. Of two with the same addresses one is its own: the one it is linked to, else the one with exactly its block.

A block in use outside AWS has no VPC of its own. The range of a pool has none either, but is in conflict with nothing:
what is reserved in that pool is looked at there. The same goes for blocks that other resources of AWS have, such as
the range of an IPAM pool.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landkeeper.org import Account, join_some
from landkeeper.vpctracker.cidr import Block, parse_block
from landkeeper.vpctracker.pools.pool import Kind, PoolState, Reservation

if TYPE_CHECKING:
    from landkeeper.vpctracker.inventory import Vpc
    from landkeeper.vpctracker.pools.pool import Pool
    from landkeeper.vpctracker.pools.tracked import Tracked

RESERVATION_TAG = "landkeeper:reservation"
"""The tag of a vended VPC with the id of its reservation."""

CONFLICT = "conflict"
_NAMED_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Holders:
    """The VPCs with an address of what a reservation holds, by address."""

    own: tuple[Vpc, ...] = ()
    others: tuple[Vpc, ...] = ()
    """VPCs in conflict with the reservation."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A reservation whose addresses others have."""

    pool: Pool
    reservation: Reservation
    vpcs: tuple[Vpc, ...]
    """The others' VPCs; never empty."""


def find_holders(reservation: Reservation, pool: Pool, tracked: Tracked) -> Holders:
    """Return the VPCs on the reservation's addresses; `pool` is the pool that it is in."""
    if reservation.kind is Kind.POOL or (reservation.kind is Kind.ELSEWHERE and reservation.resource):
        return Holders()
    vpcs = tracked.find_overlapping(reservation.held)
    own: list[Vpc] = []
    for vpc in sorted(vpcs, key=lambda vpc: (not _is_linked(reservation, vpc), not _has_exactly(reservation, vpc))):
        if _may_be_own(reservation, pool, vpc) and not any(_share_addresses(vpc, other) for other in own):
            own.append(vpc)
    keys = {vpc.key for vpc in own}
    return Holders(
        tuple(vpc for vpc in vpcs if vpc.key in keys), tuple(vpc for vpc in vpcs if vpc.key not in keys)
    )  # fmt: skip


def find_conflicts(state: PoolState, tracked: Tracked) -> Iterator[Conflict]:
    """Yield the reservations of the pool that are in conflict, by address."""
    for reservation in state.reservations:
        others = find_holders(reservation, state.pool, tracked).others
        if others:
            yield Conflict(state.pool, reservation, others)


def name_state(reservation: Reservation, holders: Holders, *, is_over: bool) -> str:
    """Return what people call the reservation's state: conflict, used, over, reserved, elsewhere or pool."""
    if holders.others:
        return CONFLICT
    if reservation.kind is not Kind.ALLOCATION:
        return reservation.kind.value
    if is_over:
        return "over"
    return "used" if holders.own else "reserved"


def name_vpcs(conflict: Conflict) -> str:
    """Return the others' VPCs, their accounts, regions and blocks, in a phrase with its verb."""
    return join_some([f"{describe_holder(vpc, conflict.reservation.held)}" for vpc in conflict.vpcs], _NAMED_AT_MOST)


def describe_holder(vpc: Vpc, held: Block) -> str:
    """Return the VPC with its account and region, and the blocks that meet `held`."""
    blocks = " and ".join(str(block) for block in _blocks(vpc) if block.overlaps(held))
    return f"{vpc.id} of {Account(vpc.owner, vpc.account_name).label} in {vpc.region} ({blocks})"


def _may_be_own(reservation: Reservation, pool: Pool, vpc: Vpc) -> bool:
    if reservation.kind is not Kind.ALLOCATION:
        return False
    if vpc.id == reservation.resource:
        return True
    region = reservation.region or pool.region
    return (
        reservation.account in {None, vpc.owner}
        and region in {None, vpc.region}
        and all(reservation.held.contains(block) for block in _blocks(vpc) if block.overlaps(reservation.held))
    )


def _is_linked(reservation: Reservation, vpc: Vpc) -> bool:
    return vpc.id == reservation.resource or vpc.tags.get(RESERVATION_TAG) == reservation.id


def _has_exactly(reservation: Reservation, vpc: Vpc) -> bool:
    return str(reservation.block) in vpc.taken_blocks


def _share_addresses(first: Vpc, second: Vpc) -> bool:
    return any(block.overlaps(other) for block in _blocks(first) for other in _blocks(second))


def _blocks(vpc: Vpc) -> tuple[Block, ...]:
    return tuple(map(parse_block, vpc.taken_blocks))

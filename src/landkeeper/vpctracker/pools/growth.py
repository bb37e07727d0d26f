"""How full a pool is, and when it will be full if things go on as they did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from landkeeper.vpctracker.cidr import Block
from landkeeper.vpctracker.pools.allocation import count_addresses, find_largest_free
from landkeeper.vpctracker.pools.operations import taken_keys
from landkeeper.vpctracker.pools.pool import Kind, PoolState, Reservation
from landkeeper.vpctracker.pools.tracked import Tracked, is_over, keys_of

if TYPE_CHECKING:
    from landkeeper.vpctracker.inventory import StoredVpc

_LOOKED_BACK = timedelta(days=90)
_SETTLING = timedelta(days=1)
"""What the first run finds has grown before, not on that day."""
_FAR_OFF = timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class Usage:
    """The addresses of a pool, each counted once, under the first of these that it is."""

    used: int
    """Of VPCs that are known, whoever gave them their blocks."""
    reserved: int
    """Reserved, rooms to grow included, and without a VPC so far; or in use elsewhere."""
    delegated: int
    """In the ranges of pools inside it, and neither used nor reserved here."""
    free: int
    largest_free: Block | None
    over: frozenset[str]
    """The ids of reservations that count no more: their time was up, and no VPC came of them."""

    @property
    def size(self) -> int:
        """All addresses of the pool."""
        return self.used + self.reserved + self.delegated + self.free


@dataclass(frozen=True, slots=True)
class Growth:
    """How many addresses a day the pool has lost of late."""

    since: datetime
    addresses_a_day: float
    full_at: datetime | None
    """When none is left at that rate; None where that is never, or a century off."""


def measure_usage(state: PoolState, around: Iterable[Reservation], tracked: Tracked, now: datetime) -> Usage:
    """How full the pool is. `around` are the reservations of the pools that it is in."""
    block = state.pool.block
    over = [reservation for reservation in state.reservations if is_over(reservation, state.pool, tracked, now)]
    everything = taken_keys(state, around, tracked, over)
    inner = {reservation.held.sort_key for reservation in state.reservations if reservation.kind is Kind.POOL}
    used = count_addresses(block, tracked.taken)
    without_pools = count_addresses(block, [key for key in everything if key not in inner])
    taken = count_addresses(block, everything)
    return Usage(
        used, without_pools - used, taken - without_pools, block.size - taken, find_largest_free(block, everything),
        frozenset(reservation.id for reservation in over),
    )  # fmt: skip


def measure_growth(
    state: PoolState, usage: Usage, vpcs: Sequence[StoredVpc], first_record: datetime | None, now: datetime
) -> Growth | None:
    """How the pool filled, from the history of the space's VPCs, deleted ones included, and of its reservations.

    None where the history is shorter than a day, once its first day is left out.
    """
    if first_record is None:
        return None
    since = max(now - _LOOKED_BACK, first_record + _SETTLING)
    if now - since < timedelta(days=1):
        return None
    lost = _taken_at(now, state, usage, vpcs) - _taken_at(since, state, usage, vpcs)
    rate = lost / ((now - since) / timedelta(days=1))
    left = timedelta(days=min(usage.free / rate, _FAR_OFF.days)) if rate > 0 else _FAR_OFF
    return Growth(since, rate, now + left if left < _FAR_OFF else None)


def _taken_at(moment: datetime, state: PoolState, usage: Usage, vpcs: Sequence[StoredVpc]) -> int:
    """Addresses that VPCs and allocations had. Pools and blocks in use elsewhere are set up once: no growth."""
    once = [reservation.held.sort_key for reservation in state.reservations if reservation.kind is not Kind.ALLOCATION]
    present = (
        stored.vpc
        for stored in vpcs
        if stored.first_seen <= moment and (stored.deleted_at is None or stored.deleted_at > moment)
    )
    keys = [key for vpc in present for key in keys_of(vpc.taken_blocks)]
    counted = [reservation for reservation in state.reservations
               if reservation.kind is Kind.ALLOCATION and reservation.id not in usage.over]  # fmt: skip
    keys += [reservation.held.sort_key for reservation in counted if reservation.made_at <= moment]
    return count_addresses(state.pool.block, [*keys, *once]) - count_addresses(state.pool.block, once)

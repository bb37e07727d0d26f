"""Carry out the import of an IPAM, so that an interrupted one gives nothing out, and the next one completes it.

All that is reserved is written first, also what new pools hold. Only then the new pools are listed: an unlisted pool
gives out nothing.
Every write is conditional on what was read: where somebody else wrote meanwhile, the import is planned anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from landkeeper.vpctracker.pools.ipam_plan import ImportPlan, plan_import
from landkeeper.vpctracker.pools.items import (
    LIST,
    PoolWrite,
    gone_item,
    pool_to_item,
    pools_from_items,
    reservation_key,
    reservation_to_item,
    state_from_items,
    version_of,
)
from landkeeper.vpctracker.pools.operations import Actor, pause, read_state
from landkeeper.vpctracker.pools.pool import Kind, Pool, PoolState, Reservation

if TYPE_CHECKING:
    from landkeeper.vpctracker.pools.ipam import IpamAllocation, Selection
    from landkeeper.vpctracker.pools.ports import PoolStore

Part = TypeVar("Part")

_PER_WRITE = 45
"""A transaction of DynamoDB takes 100 actions; what is replaced needs two."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import made, and what it left."""

    pools: int
    reservations: int
    known: int
    """Pools and reservations that were there before."""
    left_out: tuple[str, ...]


def import_pools(
    store: PoolStore, selection: Selection, allocations: Sequence[IpamAllocation], space: str, actor: Actor
) -> Imported:
    """Make what is not there yet. A second import of the same makes nothing."""
    pauses = actor.pauses()
    written = 0
    while True:
        # Versions first: what is written after they were read fails the writes below.
        listed = store.read_pool_items(LIST)
        states = [read_state(store, pool) for pool in pools_from_items(listed)]
        plan = plan_import(selection, allocations, space, states)
        done = _write_reservations(store, plan, {state.pool.id: state for state in states}, actor)
        if done.is_whole and _list_pools(store, plan, version_of(listed), actor):
            # What was written before it was planned anew is known to the last plan.
            known = plan.known + done.present - written
            return Imported(len(plan.pools), written + done.written, known, plan.left_out)
        written += done.written
        pause(pauses, "the pools")


@dataclass(frozen=True, slots=True)
class _Done:
    """What was written of the reservations of a plan, ranges of pools not counted."""

    written: int = 0
    present: int = 0
    """Those in new pools that an interrupted import wrote."""
    is_whole: bool = True
    """False where somebody else wrote meanwhile."""


def _write_reservations(store: PoolStore, plan: ImportPlan, states: dict[str, PoolState], actor: Actor) -> _Done:
    done = _Done()
    new = {pool.id: pool for pool in plan.pools}
    for name in dict.fromkeys(entry.pool for entry in (*plan.reservations, *plan.replaced)):
        # A new pool may hold what an interrupted import has written.
        state = states.get(name) or state_from_items(new[name], store.read_pool_items(name))
        present = {_identity(held) for held in state.reservations}
        entries = [entry for entry in plan.reservations if entry.pool == name]
        wanted = [entry for entry in entries if _identity(entry) not in present]
        done = replace(done, present=done.present + _count(entries) - _count(wanted))
        gone = [entry for entry in plan.replaced if entry.pool == name]
        version = state.version
        for part in (*_parts(wanted), *_parts(gone)):
            if not store.write_pools(_write(name, version, part, actor)):
                return replace(done, is_whole=False)
            version += 1
            done = replace(done, written=done.written + _count(part))
    return done


def _count(entries: Iterable[Reservation]) -> int:
    return sum(not entry.id and entry.kind is not Kind.POOL for entry in entries)


def _write(pool: str, version: int, part: Sequence[Reservation], actor: Actor) -> PoolWrite:
    """Return the write of new reservations, which have no id yet, or of the end of others."""
    now = actor.clock()
    puts = [
        gone_item(entry, "replaced by an import", actor.by, now)
        if entry.id
        else reservation_to_item(replace(entry, id=actor.new_id(), made_at=now, made_by=actor.by))
        for entry in part
    ]
    return PoolWrite({pool: version}, tuple(puts), tuple(reservation_key(entry) for entry in part if entry.id))


def _list_pools(store: PoolStore, plan: ImportPlan, version: int, actor: Actor) -> bool:
    made: Iterable[Pool] = (replace(pool, made_at=actor.clock(), made_by=actor.by) for pool in plan.pools)
    for part in _parts((*made, *plan.identified)):
        if not store.write_pools(PoolWrite({LIST: version}, tuple(map(pool_to_item, part)))):
            return False
        version += 1
    return True


def _identity(entry: Reservation) -> tuple[Kind, str]:
    """What an import knows a reservation by."""
    return entry.kind, f"{entry.purpose} {entry.block}" if entry.kind is Kind.POOL else entry.request_id


def _parts(entries: Iterable[Part]) -> Iterator[list[Part]]:
    rest = iter(entries)
    while part := list(islice(rest, _PER_WRITE)):
        yield part

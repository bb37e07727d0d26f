"""Pools and allocations of Amazon VPC IPAM, as pools and reservations here.

Source: Amazon EC2 API Reference, "IpamPool" and "IpamPoolAllocation".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from landkeeper.org import AccountId, Region, UsageError
from landkeeper.vpctracker.cidr import Block, parse_block
from landkeeper.vpctracker.pools.allocation import LONGEST_PREFIX, SHORTEST_PREFIX
from landkeeper.vpctracker.pools.items import PoolWrite, reservation_to_item
from landkeeper.vpctracker.pools.operations import Actor, create_pool, read_named_state, read_pools, write_patiently
from landkeeper.vpctracker.pools.pool import Kind, Pool, Reservation
from landkeeper.vpctracker.pools.ports import PoolStore

_PER_WRITE = 50
_UNFIT_FOR_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class IpamPool:
    """A pool of IPAM."""

    id: str
    name: str = ""
    """Its tag `Name`."""
    source: str = ""
    """The id of the pool that it is in; empty for one at the top."""
    scope: str = ""
    is_public: bool = False
    family: str = "ipv4"
    locale: Region | None = None
    cidrs: tuple[str, ...] = ()
    """Those that are provisioned."""
    shortest: int | None = None
    longest: int | None = None


@dataclass(frozen=True, slots=True)
class IpamAllocation:
    """A block that IPAM gave away."""

    id: str
    pool: str
    cidr: str
    kind: str
    """EC2's word: vpc, ipam-pool, custom, subnet, …"""
    resource: str = ""
    owner: str = ""
    region: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What is to be made, outer pools first, and what is left out and why."""

    pools: tuple[Pool, ...]
    reservations: tuple[tuple[str, IpamAllocation], ...]
    """Each with the name of its pool."""
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import made, and what it left."""

    pools: int
    reservations: int
    known: int
    """Pools and reservations that were there before."""
    left_out: tuple[str, ...]


def plan_import(
    pools: Sequence[IpamPool], allocations: Iterable[IpamAllocation], space: str, *, scope: str = ""
) -> ImportPlan:
    """What the pools of one private scope are here, in `space`.

    A pool has one block here: one with several becomes several, numbered. IPv6 and public pools are left out. Raises
    UsageError where there are several scopes and none is named, for addresses may repeat between them.
    """
    private = [pool for pool in pools if not pool.is_public and pool.family == "ipv4"]
    scopes = sorted({pool.scope for pool in private})
    if scope and scope not in scopes:
        raise UsageError(f"no private pool is in the scope '{scope}'; there are {', '.join(scopes) or 'none'}")
    if not scope and len(scopes) > 1:
        raise UsageError(
            f"the pools are in several scopes, which may overlap: pass --scope, one of {', '.join(scopes)}"
        )
    chosen = {pool.id: pool for pool in private if pool.scope == (scope or pool.scope)}
    left_out = [f"{_label(pool)}: {_why_left_out(pool, scope)}" for pool in pools if pool.id not in chosen]
    made = _make_pools(chosen, space)
    left_out += [f"{_label(pool)}: it has no block" for pool in chosen.values() if not pool.cidrs]
    reservations: list[tuple[str, IpamAllocation]] = []
    for entry in allocations:
        home = next((pool for pool in made.get(entry.pool, ()) if pool.block.contains(parse_block(entry.cidr))), None)
        if entry.pool in chosen and entry.kind != "ipam-pool":
            if home is None:
                left_out.append(f"{entry.cidr} ({entry.id}): it is not in any block of its pool")
            else:
                reservations.append((home.id, entry))
    every = sorted((pool for entries in made.values() for pool in entries), key=lambda pool: pool.block.prefix_length)
    return ImportPlan(tuple(every), tuple(reservations), tuple(left_out))


def _make_pools(chosen: Mapping[str, IpamPool], space: str) -> dict[str, list[Pool]]:
    names = _names(chosen.values())
    made: dict[str, list[Pool]] = {}
    for pool in sorted(chosen.values(), key=lambda pool: _depth(pool, chosen)):
        blocks = [parse_block(cidr) for cidr in pool.cidrs]
        outer = made.get(pool.source, [])
        made[pool.id] = [
            _make_pool(pool, name, block, outer, space) for name, block in _numbered(names[pool.id], blocks)
        ]
    return made


def _make_pool(pool: IpamPool, name: str, block: Block, outer: Sequence[Pool], space: str) -> Pool:
    around = next((candidate for candidate in outer if candidate.block.contains(block)), None)
    # A range that a pool hands on whole is one pool here: ranges inside one another differ in size.
    longest = min(max(pool.longest or LONGEST_PREFIX, SHORTEST_PREFIX, block.prefix_length), LONGEST_PREFIX)
    shortest = min(max(pool.shortest or SHORTEST_PREFIX, SHORTEST_PREFIX), longest)
    return Pool(
        name, block, space, pool.locale, None if around is None else around.id, shortest=shortest, longest=longest
    )  # fmt: skip


def _numbered(name: str, blocks: Sequence[Block]) -> Iterator[tuple[str, Block]]:
    for number, block in enumerate(sorted(blocks, key=lambda block: block.sort_key), 1):
        yield (name if number == 1 else f"{name}-{number}"), block


def _names(pools: Iterable[IpamPool]) -> dict[str, str]:
    """A name for each pool: that of its tag where it has one that no other has, else its id."""
    pools = tuple(pools)
    tagged = {pool.id: _UNFIT_FOR_A_NAME.sub("-", pool.name).strip("-._")[:100] for pool in pools}
    taken = list(tagged.values())
    return {pool: name if name and taken.count(name) == 1 else pool for pool, name in tagged.items()}


def _depth(pool: IpamPool, pools: Mapping[str, IpamPool]) -> int:
    depth = 0
    while pool.source in pools:
        pool = pools[pool.source]
        depth += 1
    return depth


def _why_left_out(pool: IpamPool, scope: str) -> str:
    if pool.family != "ipv4":
        return "it is of IPv6"
    return "it is of public addresses" if pool.is_public else f"it is not in the scope {scope}"


def _label(pool: IpamPool) -> str:
    return f"{pool.name} ({pool.id})" if pool.name else pool.id


def import_pools(store: PoolStore, plan: ImportPlan, actor: Actor) -> Imported:
    """Make what is not there yet. A second import of the same makes nothing."""
    known = {pool.id: pool for pool in read_pools(store)}
    made = before = 0
    for pool in plan.pools:
        held = known.get(pool.id)
        if held is None:
            create_pool(store, pool, actor)
            made += 1
        elif (held.block, held.space) == (pool.block, pool.space):
            before += 1
        else:
            raise UsageError(f"the pool '{pool.id}' already exists: {held.block} of the space {held.space}")
    left_out = list(plan.left_out)
    reserved = 0
    for name in dict.fromkeys(name for name, _ in plan.reservations):
        wanted = [entry for pool, entry in plan.reservations if pool == name]
        for start in range(0, len(wanted), _PER_WRITE):
            some, refused, present = _import_some(store, name, wanted[start : start + _PER_WRITE], actor)
            reserved, before = reserved + some, before + present
            left_out += refused
    return Imported(made, reserved, before, tuple(left_out))


def _import_some(
    store: PoolStore, name: str, wanted: Sequence[IpamAllocation], actor: Actor
) -> tuple[int, list[str], int]:
    """How many were reserved, which could not be, and how many were there."""

    def attempt() -> tuple[PoolWrite, tuple[int, list[str], int]]:
        state, _ = read_named_state(store, name)
        present = {entry.request_id for entry in state.reservations}
        held = list(state.reservations)
        refused: list[str] = []
        puts: list[Reservation] = []
        for entry in wanted:
            block = parse_block(entry.cidr)
            meets = next((other for other in held if other.held.overlaps(block)), None)
            if entry.id in present:
                continue
            if meets is not None:
                refused.append(
                    f"{entry.cidr} ({entry.id}): it overlaps {meets.block} ({meets.id}) in the pool '{name}'"
                )
                continue
            made = _reserve(name, entry, block, actor)
            puts.append(made)
            held.append(made)
        answer = len(puts), refused, len(wanted) - len(puts) - len(refused)
        return PoolWrite({name: state.version}, puts=tuple(map(reservation_to_item, puts))), answer

    return write_patiently(store, attempt, actor, f"the pool '{name}'")


def _reserve(pool: str, allocation: IpamAllocation, block: Block, actor: Actor) -> Reservation:
    """A VPC's block is the allocation that it would have been here; anything else is in use elsewhere."""
    made = Reservation(
        actor.new_id(), pool, block, Kind.ELSEWHERE, actor.clock(),
        purpose=allocation.description or allocation.resource or allocation.kind,
        request_id=allocation.id, made_by=actor.by, resource=allocation.resource,
    )  # fmt: skip
    if allocation.kind != "vpc":
        return made
    region = Region(allocation.region) if allocation.region else None
    return replace(
        made, kind=Kind.ALLOCATION, account=AccountId(allocation.owner) if allocation.owner else None, region=region
    )

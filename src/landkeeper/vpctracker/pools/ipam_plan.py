"""What an import of an IPAM makes: decided from the IPAM's pools and allocations, and what is in the store.

A pool has one block here: one of IPAM's with several blocks becomes several. Each is known by the id of its IPAM pool
and its block, whatever it is called. Pools that were imported before ids were stored, and pools made by hand of the
same range, are known by their block in the space, and get the id.

What does not come along keeps its addresses taken: the range of a pool that is left out, blocks that come or go, and
what IPAM gave away from pools that are not made are reserved in the smallest pool here that they lie in.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from landkeeper.org import AccountId, Region, UsageError
from landkeeper.vpctracker.cidr import Block, parse_block
from landkeeper.vpctracker.pools.allocation import LONGEST_PREFIX, SHORTEST_PREFIX
from landkeeper.vpctracker.pools.ipam import (
    IpamAllocation,
    IpamPool,
    PlannedVpc,
    Selection,
    by_depth,
    find_innermost,
    is_too_small,
)
from landkeeper.vpctracker.pools.pool import (
    Kind,
    Pool,
    PoolState,
    Reservation,
    check_name,
    check_nests,
    check_new_pool,
    describe,
)

_UNFIT_FOR_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_UNWRITTEN = datetime.min.replace(tzinfo=UTC)
_Key = tuple[str, Block]
"""The id of an IPAM pool, and a block of it."""


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What is to be made."""

    pools: tuple[Pool, ...] = ()
    """New pools, outer ones first."""
    identified: tuple[Pool, ...] = ()
    """Pools of the store that get the id of their IPAM pool."""
    reservations: tuple[Reservation, ...] = ()
    """New ones, without an id and a time, the ranges of new pools among them."""
    replaced: tuple[Reservation, ...] = ()
    """Ranges that were taken for pools which are made now, or by an import that was interrupted."""
    known: int = 0
    """Pools and reservations that were there before."""
    left_out: tuple[str, ...] = ()


def plan_import(
    selection: Selection, allocations: Iterable[IpamAllocation], space: str, states: Sequence[PoolState] = ()
) -> ImportPlan:
    """Return what is missing in the space; `states` are those of all pools of the store."""
    plan = _Plan(selection, space, states)
    plan.make_pools()
    plan.reserve(list(allocations))
    plan.take_ranges()
    return plan.result()


@dataclass
class _Plan:
    selection: Selection
    space: str
    states: Sequence[PoolState]
    made: defaultdict[str, list[Pool]] = field(default_factory=lambda: defaultdict(list))
    """By the ids of IPAM pools; those that were there before, too."""
    new: list[Pool] = field(default_factory=list)
    identified: list[Pool] = field(default_factory=list)
    wanted: list[Reservation] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    taken: list[tuple[Block, IpamPool]] = field(default_factory=list)
    """Ranges of pools that are not made."""
    known: int = 0

    def __post_init__(self) -> None:
        self.left_out += self.selection.left_out
        self.pools = [state.pool for state in self.states]
        names = {pool.id for pool in self.pools}
        held = [entry for state in self.states for entry in state.reservations]
        # An interrupted import leaves ranges of pools that there are not.
        self.stray = [entry for entry in held if entry.kind is Kind.POOL and entry.purpose not in names]
        self.held = {
            state.pool.id: [entry for entry in state.reservations if entry not in self.stray] for state in self.states
        }
        self.present = {entry.request_id for entry in held if entry.request_id}

    def make_pools(self) -> None:
        """Find or make the pool of every block."""
        found = _match(self.selection, self.space, self.pools)
        fresh = [(pool, block) for pool in by_depth(self.selection.pools) for block in pool.blocks
                 if (pool.id, block) not in found]  # fmt: skip
        # Blocks that a pool gets later are called after those that it had, whatever IPAM calls it by now.
        bases = _base_names(self.selection.pools) | {key[0]: pool.id for key, pool in reversed(found.items())}
        names = _choose_names(bases, fresh, {pool.id for pool in self.pools})
        for pool in by_depth(self.selection.pools):
            for block in pool.blocks:
                before = found.get((pool.id, block))
                if before is None:
                    self._make_pool(pool, block, names[pool.id, block])
                else:
                    self._keep_pool(pool, before)

    def _keep_pool(self, pool: IpamPool, before: Pool) -> None:
        if before.space != self.space:
            self.left_out.append(f"{pool.label}: it is imported as '{before.id}' in the space {before.space} already")
            return
        self.known += 1
        self.made[pool.id].append(before)
        if before.ipam_pool != pool.id:
            self.identified.append(replace(before, ipam_pool=pool.id))

    def _make_pool(self, pool: IpamPool, block: Block, name: str) -> None:
        try:
            _check_size(block)
            new = _new_pool(pool, name, block, self.space, self._find_parent(pool, block))
            check_new_pool(new, self.pools)
            if new.parent is not None:
                parent = next(other for other in self.pools if other.id == new.parent)
                check_nests(PoolState(parent, 0, tuple(self.held[parent.id])), block)
        except UsageError as error:
            self.left_out.append(f"{block} of {pool.label}: {error}")
            self.taken.append((block, pool))
            return
        self.new.append(new)
        self.pools.append(new)
        self.held[new.id] = []
        self.made[pool.id].append(new)
        if new.parent is not None:
            range_ = Reservation("", new.parent, block, Kind.POOL, _UNWRITTEN, region=new.region, purpose=name)
            self._add(range_)

    def _find_parent(self, pool: IpamPool, block: Block) -> str | None:
        if pool.source not in self.selection.pools:
            return self._find_home(block)
        parent = find_innermost(_named(self.made[pool.source]), block)
        if parent is None:
            raise UsageError("the block around it is left out")
        return parent

    def _find_home(self, block: Block) -> str | None:
        return find_innermost(_named(pool for pool in self.pools if pool.space == self.space), block)

    def reserve(self, allocations: Sequence[IpamAllocation]) -> None:
        """Reserve what IPAM gave away; for VPCs first, whose blocks are what ranges stand for."""
        chosen = (entry for entry in allocations if entry.pool in self.selection.pools)
        for entry in sorted(chosen, key=lambda entry: entry.kind != "vpc"):
            block = parse_block(entry.cidr)
            pool = self.selection.pools[entry.pool]
            if entry.kind == "ipam-pool":
                if find_innermost(_named(self.made[entry.resource]), block) is None:
                    self._take(block, _range_of(entry.resource, self._label(entry.resource), entry.id))
                continue
            home = find_innermost(_named(self.made[pool.id]), block)
            if home is None and self.made[pool.id]:
                self.left_out.append(f"{entry.cidr} ({entry.id}): it is not in any block of its pool")
            home = home or self._find_home(block)
            if home is not None:
                self._reserve(home, block, _allocation(entry))

    def _label(self, ipam_pool: str) -> str:
        pool = self.selection.pools.get(ipam_pool) or self.selection.taken.get(ipam_pool)
        return ipam_pool if pool is None else pool.label

    def take_ranges(self) -> None:
        """Reserve the ranges of all that does not come along."""
        for pool in self.selection.taken.values():
            self.taken += [(block, pool) for block in pool.blocks]
            self.left_out += [
                f"{pool.label}: the pool '{other.id}' was made of it by an earlier import; nothing should be allocated "
                "from it"
                for other in self.pools
                if pool.plans is not None and other.space == self.space and other.block in pool.blocks
            ]
        for pool in (*self.selection.pools.values(), *self.selection.taken.values()):
            for cidr, state in pool.unsettled:
                self.taken.append((parse_block(cidr), pool))
                self.left_out.append(f"{cidr} of {pool.label}: it is in the state {state}")
        for block, pool in self.taken:
            request_id = f"{pool.id} {block}"
            self._take(
                block,
                _range_of(pool.id, pool.label, request_id)
                if pool.plans is None
                else _vpc_of(pool.plans, pool.label, request_id),
            )

    def _take(self, block: Block, entry: Reservation) -> None:
        """Reserve a range where it is not taken already, unless pools that were made here otherwise lie in it."""
        home = self._find_home(block)
        inside = any(block.contains(pool.block) and pool.space == self.space for pool in self.pools)
        if home is None or inside:
            return
        if entry.request_id in self.present:
            self.known += 1
        elif not any(held.held.contains(block) for held in self.held[home]):
            self._add(replace(entry, pool=home, block=block))

    def _reserve(self, home: str, block: Block, entry: Reservation) -> None:
        if entry.request_id in self.present:
            self.known += 1
            return
        # The pools inside keep off what is reserved here.
        meets = [held for held in self.held[home] if held.held.overlaps(block) and held.kind is not Kind.POOL]
        around = [held for held in meets if held.held.contains(block)]
        if meets:
            where = f"{block} ({entry.request_id}): it overlaps {describe((around or meets)[0])} in the pool '{home}'"
            self.left_out.append(where if around else f"{where}; what is beside that is reserved all the same")
        if around:
            return
        self._add(replace(entry, pool=home, block=block))

    def _add(self, entry: Reservation) -> None:
        self.wanted.append(entry)
        self.held[entry.pool].append(entry)
        self.present.add(entry.request_id)

    def result(self) -> ImportPlan:
        """Return the plan."""
        ranges = {(entry.pool, entry.purpose, entry.block) for entry in self.wanted if entry.kind is Kind.POOL}
        replaced = [entry for entry in self.stray if (entry.pool, entry.purpose, entry.block) not in ranges]
        replaced += [
            held
            for state in self.states
            for held in state.reservations
            if held.kind is Kind.ELSEWHERE
            and any(held.resource == pool.ipam_pool and pool.block.contains(held.block) for pool in self.new)
        ]
        return ImportPlan(
            tuple(self.new), tuple(self.identified), tuple(self.wanted), tuple(replaced), self.known,
            tuple(self.left_out),
        )  # fmt: skip


def _match(selection: Selection, space: str, pools: Sequence[Pool]) -> dict[_Key, Pool]:
    """Return the pools of the store for the blocks of IPAM's pools."""
    found: dict[_Key, Pool] = {(pool.ipam_pool, pool.block): pool for pool in pools if pool.ipam_pool}
    bases = _base_names(selection.pools)
    # A pool of IPAM that is no longer there may have been made anew with the same range.
    free = [pool for pool in pools if pool.space == space and pool.ipam_pool not in selection.pools]
    for pool in by_depth(selection.pools):
        for block in pool.blocks:
            same = [candidate for candidate in free if candidate.block == block]
            if (pool.id, block) not in found and same:
                # A range that a pool hands on whole is that of two pools here.
                same.sort(key=lambda candidate: not candidate.id.startswith(bases[pool.id]))
                found[pool.id, block] = same[0]
                free.remove(same[0])
    return found


def _base_names(pools: Mapping[str, IpamPool]) -> dict[str, str]:
    """Return a name for each pool: that of its tag where it has one that no other has, else its id."""
    tagged = {id_: _UNFIT_FOR_A_NAME.sub("-", pool.name).strip("-._")[:100] for id_, pool in pools.items()}
    names = list(tagged.values())
    return {id_: name if names.count(name) == 1 and _is_name(name) else id_ for id_, name in tagged.items()}


def _is_name(text: str) -> bool:
    try:
        check_name(text)
    except UsageError:
        return False
    return True


def _choose_names(
    bases: Mapping[str, str], fresh: Sequence[tuple[IpamPool, Block]], taken: set[str]
) -> dict[_Key, str]:
    """Return a name that nothing else has for each new block: the pool's own for one of its blocks, numbers for others.

    No pool gets a number that is another one's own name.
    """
    taken, names = set(taken), {}
    for pool, block in fresh:
        if bases[pool.id] not in taken:
            names[pool.id, block] = bases[pool.id]
            taken.add(bases[pool.id])
    taken |= set(bases.values())
    for pool, block in fresh:
        if (pool.id, block) not in names:
            number = next(number for number in range(2, len(taken) + 3) if f"{bases[pool.id]}-{number}" not in taken)
            names[pool.id, block] = f"{bases[pool.id]}-{number}"
            taken.add(names[pool.id, block])
    return names


def _check_size(block: Block) -> None:
    if is_too_small(block):
        raise UsageError(f"it is too small for a VPC, which takes a /{LONGEST_PREFIX} or more")


def _new_pool(pool: IpamPool, name: str, block: Block, space: str, parent: str | None) -> Pool:
    longest = min(max(pool.longest or LONGEST_PREFIX, SHORTEST_PREFIX, block.prefix_length), LONGEST_PREFIX)
    shortest = min(max(pool.shortest or SHORTEST_PREFIX, SHORTEST_PREFIX), longest)
    return Pool(
        name, block, space, pool.locale, parent, shortest=shortest, longest=longest, ipam_pool=pool.id
    )  # fmt: skip


def _named(pools: Iterable[Pool]) -> list[tuple[Block, str]]:
    return [(pool.block, pool.id) for pool in pools]


def _range_of(ipam_pool: str, label: str, request_id: str) -> Reservation:
    """Return the reservation of a pool's range, still without its place."""
    return Reservation(
        "", "", parse_block("0.0.0.0/0"), Kind.ELSEWHERE, _UNWRITTEN, purpose=f"IPAM pool {label}",
        request_id=request_id, resource=ipam_pool,
    )  # fmt: skip


def _vpc_of(vpc: PlannedVpc, label: str, request_id: str) -> Reservation:
    """Return the reservation of a VPC whose subnets a pool plans."""
    return replace(
        _range_of(vpc.id, label, request_id), kind=Kind.ALLOCATION, account=vpc.owner, region=vpc.region
    )  # fmt: skip


def _allocation(entry: IpamAllocation) -> Reservation:
    """A VPC's block is the allocation that it would have been here; anything else is in use elsewhere."""
    made = replace(
        _range_of(entry.resource, "", entry.id), purpose=entry.description or entry.resource or entry.kind
    )  # fmt: skip
    if entry.kind != "vpc":
        return made
    account = AccountId(entry.owner) if entry.owner else None
    return replace(made, kind=Kind.ALLOCATION, account=account, region=Region(entry.region) if entry.region else None)

"""Pools of addresses and what is reserved in them: values, and the rules for what may be made.

A pool is a range of one address space. Pools of a space are nested or apart; a pool's own range is a reservation in the
pool around it, so nothing else can be taken there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from landkeeper.org import AccountId, Region, UsageError
from landkeeper.vpctracker.cidr import Block, MalformedBlockError, parse_block
from landkeeper.vpctracker.config import DEFAULT_SPACE, SHARED_ADDRESS_SPACE
from landkeeper.vpctracker.pools.allocation import LONGEST_PREFIX, SHORTEST_PREFIX, check_prefix_length

PRIVATE_RANGES = (*map(parse_block, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")), SHARED_ADDRESS_SPACE)
"""RFC 1918, and the shared address space of RFC 6598."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_RESERVED_NAMES = frozenset({"POOLS", "TAKEN"})

_TIME = re.compile(r"([1-9][0-9]{0,4})([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_LARGEST_ROOM = 8


@dataclass(frozen=True, slots=True)
class Pool:
    """A range of addresses to allocate from."""

    id: str
    """The name that people gave it, unique in the store."""
    block: Block
    space: str = DEFAULT_SPACE
    region: Region | None = None
    """The only region that it gives blocks for; None means any."""
    parent: str | None = None
    shortest: int = SHORTEST_PREFIX
    """The shortest prefix length that it gives, so the largest block."""
    longest: int = LONGEST_PREFIX
    made_at: datetime | None = None
    made_by: str = ""
    ipam_pool: str = ""
    """The id of the IPAM pool that it was imported from; empty for any other pool."""


class Kind(StrEnum):
    """What a reservation is for."""

    ALLOCATION = "allocation"
    """A block for a VPC."""
    ELSEWHERE = "elsewhere"
    """A block that is in use where the tracker does not look: on premises, in another cloud."""
    POOL = "pool"
    """The range of a pool inside this one."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """A block of a pool that nobody else gets."""

    id: str
    pool: str
    block: Block
    kind: Kind
    made_at: datetime
    room: Block | None = None
    """The block around it that is kept for its growth."""
    account: AccountId | None = None
    region: Region | None = None
    """Where its VPC is to be; None means anywhere in the account."""
    purpose: str = ""
    request_id: str = ""
    """The caller's name for the request: the same one again gets the same reservation."""
    expires_at: datetime | None = None
    """After this it is over if no VPC has turned up; None means never."""
    made_by: str = ""
    resource: str = ""
    """The VPC it was imported for, or the allocation it was imported from."""

    @property
    def held(self) -> Block:
        """All that nobody else gets: the room, where there is one."""
        return self.room or self.block


@dataclass(frozen=True, slots=True)
class PoolState:
    """A pool with its reservations, as they are in the store at one version."""

    pool: Pool
    version: int
    """One more with every change of its reservations; a write is conditional on it."""
    reservations: tuple[Reservation, ...] = ()
    """By address."""


def parse_pool_block(text: str, *, is_public: bool = False) -> Block:
    """The range of a pool. Raises UsageError for IPv6, and for public addresses unless they are meant."""
    block = parse_ipv4(text, "--cidr")
    if not is_public and not any(private.contains(block) for private in PRIVATE_RANGES):
        raise UsageError(f"{block} is not inside private ranges ({_ranges()}): pass --public if you own it")
    return block


def parse_ipv4(text: str, what: str) -> Block:
    """An IPv4 block that a person named. Raises UsageError saying `what` is wrong."""
    try:
        block = parse_block(text)
    except MalformedBlockError as error:
        raise UsageError(f"{what}: {error}") from error
    if block.version != 4:
        raise UsageError(f"{what} is {block}: pools are of IPv4")
    return block


def parse_prefix_length(text: str, what: str) -> int:
    """A prefix length as in `20` or `/20`. Raises UsageError for what no VPC can have."""
    digits = text.removeprefix("/")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 3:
        raise UsageError(f"{what} is '{text}': expected a prefix length such as /20")
    return check_prefix_length(int(digits), what)


def parse_room(text: str, what: str) -> int:
    """The prefix length of a room, which may be larger than a block. Raises UsageError saying `what` is wrong."""
    digits = text.removeprefix("/")
    if not digits.isascii() or not digits.isdigit() or not _LARGEST_ROOM <= int(digits[:3]) <= LONGEST_PREFIX:
        raise UsageError(f"{what} is '{text}': expected a prefix length from {_LARGEST_ROOM} to {LONGEST_PREFIX}")
    return int(digits[:3])


def parse_time_to_live(text: str, what: str) -> timedelta:
    """The time that `7d`, `12h` or `30m` names. Raises UsageError saying `what` is wrong."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise UsageError(f"{what} is '{text}': expected a number of days, hours or minutes, as in 7d, 12h or 30m")
    return int(found[1]) * _UNITS[found[2]]


def check_name(name: str) -> str:
    """The name, where a pool can have it. Raises UsageError otherwise."""
    if not _NAME.fullmatch(name) or name in _RESERVED_NAMES:
        raise UsageError(f"'{name}' cannot be the name of a pool: expected letters, digits, '.', '_' and '-'")
    return name


def find_pool(pools: Iterable[Pool], name: str) -> Pool:
    """The pool of that name. Raises UsageError naming those that there are."""
    known = {pool.id: pool for pool in pools}
    if name not in known:
        there_are = (
            f"there are {', '.join(sorted(known)[:10])}" if known else "create one with `landkeeper vpc pool create`"
        )
        raise UsageError(f"there is no pool '{name}': {there_are}")
    return known[name]


def check_new_pool(new: Pool, pools: Iterable[Pool]) -> None:
    """Raises UsageError where the pool cannot be made beside those that there are.

    It takes a free name, room in its parent, and a range that meets no pool which is not around it.
    """
    pools = tuple(pools)
    if new.shortest > new.longest:
        raise UsageError(f"--min is /{new.shortest} and --max /{new.longest}: the first is the larger block")
    if new.longest < new.block.prefix_length:
        raise UsageError(f"--max is /{new.longest}: that is larger than {new.block}")
    if any(pool.id == new.id for pool in pools):
        raise UsageError(f"the pool '{new.id}' already exists")
    around = (
        () if new.parent is None else (find_pool(pools, new.parent), *ancestors(find_pool(pools, new.parent), pools))
    )
    if around:
        _check_parent(new, around[0])
    for pool in pools:
        if pool.space == new.space and pool not in around and pool.block.overlaps(new.block):
            inside = pool.block.contains(new.block) and pool.block != new.block
            hint = f"; pass --parent {pool.id} to create it inside that pool" if inside else ""
            raise UsageError(
                f"{new.block} overlaps the pool '{pool.id}' ({pool.block}) of the space {pool.space}{hint}"
            )


def _check_parent(new: Pool, parent: Pool) -> None:
    if parent.space != new.space:
        raise UsageError(f"the pool '{parent.id}' is in the space {parent.space}, not {new.space}")
    if not parent.block.contains(new.block):
        raise UsageError(f"{new.block} is not inside the pool '{parent.id}' ({parent.block})")
    if parent.region not in {None, new.region}:
        raise UsageError(f"the pool '{parent.id}' is for {parent.region}: a pool inside it must have the same region")


def ancestors(pool: Pool, pools: Iterable[Pool]) -> tuple[Pool, ...]:
    """The pools around that one, the nearest first."""
    known = {candidate.id: candidate for candidate in pools}
    found: list[Pool] = []
    while pool.parent is not None:
        pool = find_pool(known.values(), pool.parent)
        found.append(pool)
    return tuple(found)


def check_takes(state: PoolState, block: Block) -> None:
    """Raises UsageError where `block` is outside the pool, or meets what is reserved in it, naming that."""
    if not state.pool.block.contains(block):
        raise UsageError(f"{block} is not inside the pool '{state.pool.id}' ({state.pool.block})")
    for reservation in state.reservations:
        if reservation.held.overlaps(block):
            raise UsageError(f"{block} overlaps {describe(reservation)} in the pool '{state.pool.id}'")


def check_nests(state: PoolState, block: Block) -> None:
    """Raises UsageError where no pool of that range can be made in this one.

    What is reserved already may lie inside it, and stays reserved: the pools inside a pool keep off that, too.
    """
    for reservation in state.reservations:
        if reservation.held.overlaps(block) and (reservation.kind is Kind.POOL or not block.contains(reservation.held)):
            raise UsageError(f"{block} overlaps {describe(reservation)} in the pool '{state.pool.id}'")


def describe(reservation: Reservation) -> str:
    """A reservation in a few words."""
    if reservation.kind is Kind.POOL:
        return f"the pool '{reservation.purpose}' ({reservation.block})"
    room = f" with its room {reservation.room}" if reservation.room else ""
    # What an import plans has no id yet.
    name = f", {reservation.id}" if reservation.id else ""
    return f"{reservation.block}{room}{name} for {reservation.purpose or reservation.account or 'no purpose'}"


def _ranges() -> str:
    return ", ".join(map(str, PRIVATE_RANGES))

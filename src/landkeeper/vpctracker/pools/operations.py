"""What is done with pools: make one, reserve, allocate, release. Each reads, decides, and writes once.

A write is conditional on the version that was read. Who comes second reads again, after a pause, and decides anew: the
choice is made by `allocation`, and nothing is held while it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from landkeeper.org import AccountId, Region, UsageError, join_some
from landkeeper.vpctracker.cidr import Block
from landkeeper.vpctracker.inventory import Vpc
from landkeeper.vpctracker.pools.allocation import DOCKER_BRIDGE, Choice, PoolExhausted, choose_block
from landkeeper.vpctracker.pools.conflicts import Conflict, find_holders
from landkeeper.vpctracker.pools.items import (
    LIST,
    PoolWrite,
    gone_item,
    pool_to_item,
    pools_from_items,
    reservation_from_item,
    reservation_key,
    reservation_to_item,
    state_from_items,
    version_of,
)
from landkeeper.vpctracker.pools.pool import (
    Kind,
    Pool,
    PoolState,
    Reservation,
    ancestors,
    check_name,
    check_nests,
    check_new_pool,
    describe,
    find_pool,
)
from landkeeper.vpctracker.pools.ports import ContentionError, PoolStore
from landkeeper.vpctracker.pools.tracked import Tracked, is_over
from landkeeper.vpctracker.pools.unread import NeverRead, find_unread

Answer = TypeVar("Answer")

_SWEPT_AT_ONCE = 20
"""A transaction of DynamoDB takes 100 actions, and each reservation that is over needs two."""
_NAMED_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it and when, and how names are made: all that a change takes from outside beside the store."""

    by: str
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    """A new reservation id, which nobody else has."""
    pauses: Callable[[], Iterator[bool]]
    """True after each pause, for those who came second; it ends when there has been waiting enough."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants a block for."""

    pool: str
    prefix_length: int
    account: AccountId
    purpose: str
    grow_to: int | None = None
    region: Region | None = None
    request_id: str = ""
    ttl: timedelta | None = None
    accept_unread: bool = False
    """Whether to allocate although accounts of the space were never read."""
    accepted_unread: frozenset[AccountId] = frozenset()
    """The accounts of the space that may be unread, where not all may."""


@dataclass(frozen=True, slots=True)
class Reserved:
    """The block is theirs."""

    reservation: Reservation
    is_new: bool = True
    """False where the same request had got it before."""
    used_by: tuple[Vpc, ...] = ()
    """The VPCs of the reservation that the tracker knows, where it is not new."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What the same request had got before is in conflict: others' VPCs have its addresses."""

    conflict: Conflict


Allocation = Reserved | PoolExhausted | NeverRead | Taken

TrackedOf = Callable[[str, Block], Tracked]
"""What is known of a space, by its name, and of its VPCs in that block."""


def read_pools(store: PoolStore) -> tuple[Pool, ...]:
    """All pools, by space and address."""
    return pools_from_items(store.read_pool_items(LIST))


def read_state(store: PoolStore, pool: Pool) -> PoolState:
    """The pool with its reservations, as they are right now."""
    return state_from_items(pool, store.read_pool_items(pool.id))


def read_named_state(store: PoolStore, name: str) -> tuple[PoolState, tuple[Pool, ...]]:
    """The state of the pool of that name, and all pools. Raises UsageError where there is none."""
    # The list last: a pool that is deleted in between is missed in it, and is not written to.
    items = store.read_pool_items(name)
    pools = read_pools(store)
    return state_from_items(find_pool(pools, name), items), pools


def create_pool(store: PoolStore, new: Pool, actor: Actor) -> Pool:
    """Make the pool, and take its range in the pool around it. Raises UsageError where it cannot be made."""
    check_name(new.id)

    def attempt() -> tuple[PoolWrite, Pool]:
        listed = store.read_pool_items(LIST)
        pools = pools_from_items(listed)
        made = replace(new, made_at=actor.clock(), made_by=actor.by)
        check_new_pool(made, pools)
        state = read_state(store, made)
        if state.reservations:
            raise UsageError(
                f"an import of the pool '{new.id}' was interrupted: run `landkeeper vpc pool import` again, or use "
                "another name"
            )
        expected = {LIST: version_of(listed), new.id: state.version}
        write = PoolWrite(expected, puts=(pool_to_item(made),))
        if new.parent is None:
            return write, made
        parent = read_state(store, find_pool(pools, new.parent))
        check_nests(parent, new.block)
        taken = reservation_to_item(_range_in(parent.pool, made, actor))
        return replace(write, expected={**expected, new.parent: parent.version}).and_then(puts=[taken]), made

    return write_patiently(store, attempt, actor, f"the pool '{new.id}'")


def delete_pool(store: PoolStore, name: str, actor: Actor) -> Pool:
    """Take away a pool in which nothing is reserved, and give its range back to the pool around it."""

    def attempt() -> tuple[PoolWrite, Pool]:
        listed = store.read_pool_items(LIST)
        pools = pools_from_items(listed)
        state = read_state(store, find_pool(pools, name))
        if state.reservations:
            held = join_some([describe(entry) for entry in state.reservations], 1)
            raise UsageError(f"the pool '{name}' is not empty: it has {held}")
        item = pool_to_item(state.pool)
        write = PoolWrite({LIST: version_of(listed), name: state.version}, deletes=((LIST, item["Item"]),))
        if state.pool.parent is None:
            return write, state.pool
        parent = read_state(store, find_pool(pools, state.pool.parent))
        own = [entry for entry in parent.reservations if entry.kind is Kind.POOL and entry.purpose == name]
        write = replace(write, expected={**write.expected, parent.pool.id: parent.version})
        return _with_gone(write, own, "the pool was deleted", actor), state.pool

    return write_patiently(store, attempt, actor, f"the pool '{name}'")


def allocate(
    store: PoolStore,
    request: Request,
    tracked_of: TrackedOf,
    actor: Actor,
    check: Callable[[PoolState], None] = lambda _: None,
) -> Allocation:
    """Reserve the lowest fitting block for a VPC.

    The same request id again gets the same reservation while that lasts, unless others' VPCs have its addresses by now.
    Raises UsageError where the request does not fit the pool, and what `check` raises about the state that the
    reservation is added to.
    """
    state, _ = read_named_state(store, request.pool)
    pool = state.pool
    _check_request(pool, request)
    request = replace(request, region=request.region or pool.region)
    _find_earlier(state, request)
    tracked = tracked_of(pool.space, pool.block)
    pauses = actor.pauses()
    while True:
        outcome = _try_to_allocate(store, request, tracked, actor, check)
        if outcome is not None:
            return outcome
        pause(pauses, f"the pool '{request.pool}'")


def _try_to_allocate(
    store: PoolStore, request: Request, tracked: Tracked, actor: Actor, check: Callable[[PoolState], None]
) -> Allocation | None:
    """None where somebody else wrote the pool meanwhile."""
    state, pools = read_named_state(store, request.pool)
    pool = state.pool
    before = _find_earlier(state, request)
    now = actor.clock()
    over = [held for held in state.reservations if is_over(held, pool, tracked, now)]
    if before is not None and before not in over:
        return _return_earlier(store, state, before, request, tracked=tracked, now=now)
    unread = find_unread(tracked, request.account, request.accepted_unread, now.date())
    if unread is not None and not request.accept_unread:
        return unread
    check(state)
    # The request's own comes first: its id must not stand at two reservations.
    over = sorted(over, key=lambda held: held != before)[:_SWEPT_AT_ONCE]
    around = [held for outer in ancestors(pool, pools) for held in read_state(store, outer).reservations]
    choice = choose_block(pool.block, taken_keys(state, around, tracked, over), request.prefix_length, request.grow_to)
    if isinstance(choice, PoolExhausted):
        return choice
    made = _reservation(request, choice, actor, now)
    write = PoolWrite({pool.id: state.version}, puts=(reservation_to_item(made),))
    return Reserved(made) if store.write_pools(_with_gone(write, over, "expired", actor)) else None


def _return_earlier(
    store: PoolStore, state: PoolState, before: Reservation, request: Request, *, tracked: Tracked, now: datetime
) -> Allocation | None:
    """What the request has got before, its time begun anew where half of it is over; None where that was not written.

    A reservation whose time is almost up could go to somebody else while its VPC is being made.
    """
    holders = find_holders(before, state.pool, tracked)
    if holders.others:
        return Taken(Conflict(state.pool, before, holders.others))
    reserved = Reserved(before, is_new=False, used_by=holders.own)
    if request.ttl is None or before.expires_at is None or holders.own or before.expires_at - now > request.ttl / 2:
        return reserved
    renewed = replace(before, expires_at=now + request.ttl)
    write = PoolWrite({state.pool.id: state.version}, puts=(reservation_to_item(renewed),))
    return replace(reserved, reservation=renewed) if store.write_pools(write) else None


def taken_keys(
    state: PoolState, around: Iterable[Reservation], tracked: Tracked, over: Sequence[Reservation] = ()
) -> list[int]:
    """The keys of everything that nobody gets in that pool.

    `around` are the reservations of the pools that it is in, `over` those of its own that count no more.
    """
    gone = {reservation.id for reservation in over}
    held = [reservation.held.sort_key for reservation in state.reservations if reservation.id not in gone]
    # The ranges of pools in an outer pool are this pool's own, and those of its neighbours.
    outer = [reservation.held.sort_key for reservation in around if reservation.kind is not Kind.POOL]
    return [*tracked.taken, *held, *outer, DOCKER_BRIDGE.sort_key]


def find_reservation(store: PoolStore, reservation: str) -> tuple[Pool, Reservation]:
    """The reservation of that id, and its pool. Raises UsageError where there is none."""
    found = look_up_reservation(store, reservation)
    if found is None:
        raise UsageError(f"there is no reservation '{reservation}'")
    return find_pool(read_pools(store), found.pool), found


def look_up_reservation(store: PoolStore, reservation: str) -> Reservation | None:
    """The reservation of that id; None where there is none, or no longer."""
    items = store.find_pool_items({(pool.id, f"RES#{reservation}") for pool in read_pools(store)})
    return reservation_from_item(items[0]) if items else None


def find_releasable(store: PoolStore, reservation: str, tracked_of: TrackedOf) -> tuple[Pool, Reservation]:
    """The reservation and its pool. Raises UsageError while a known VPC has an address of it, or of its room."""
    pool, found = find_reservation(store, reservation)
    if found.kind is Kind.POOL:
        raise UsageError(f"{reservation} is the range of the pool '{found.purpose}': use `landkeeper vpc pool delete`")
    using = tracked_of(pool.space, found.held).find_overlapping(found.held)
    if using:
        raise UsageError(
            f"{found.held} cannot be released: {_named(f'{vpc.id} of {vpc.owner}' for vpc in using)} has it"
        )
    return pool, found


def release(store: PoolStore, reservation: str, tracked_of: TrackedOf, actor: Actor) -> Reservation:
    """Give the block back. Raises UsageError as `find_releasable` does."""
    pool, found = find_releasable(store, reservation, tracked_of)

    def attempt() -> tuple[PoolWrite, Reservation]:
        state = read_state(store, pool)
        if all(entry.id != reservation for entry in state.reservations):
            raise UsageError(f"the reservation '{reservation}' no longer exists")
        return _with_gone(PoolWrite({pool.id: state.version}), [found], "released", actor), found

    return write_patiently(store, attempt, actor, f"the pool '{pool.id}'")


def write_patiently(
    store: PoolStore, attempt: Callable[[], tuple[PoolWrite, Answer]], actor: Actor, what: str
) -> Answer:
    pauses = actor.pauses()
    while True:
        write, answer = attempt()
        if store.write_pools(write):
            return answer
        pause(pauses, what)


def pause(pauses: Iterator[bool], what: str) -> None:
    if not next(pauses, False):
        raise ContentionError(f"too many concurrent writes to {what}: try again")


def _range_in(parent: Pool, pool: Pool, actor: Actor) -> Reservation:
    return Reservation(
        actor.new_id(), parent.id, pool.block, Kind.POOL, actor.clock(), region=pool.region, purpose=pool.id,
        made_by=actor.by,
    )  # fmt: skip


def _with_gone(write: PoolWrite, reservations: Sequence[Reservation], how: str, actor: Actor) -> PoolWrite:
    now = actor.clock()
    puts = [gone_item(reservation, how, actor.by, now) for reservation in reservations]
    return write.and_then(puts=puts, deletes=map(reservation_key, reservations))


def _check_request(pool: Pool, request: Request) -> None:
    if pool.region is not None and request.region not in {None, pool.region}:
        raise UsageError(f"the pool '{pool.id}' is for {pool.region}, not for {request.region}")
    if not pool.shortest <= request.prefix_length <= pool.longest:
        given = f"/{pool.shortest} to /{pool.longest}"
        raise UsageError(f"the pool '{pool.id}' provides {given}, not /{request.prefix_length}")


def _find_earlier(state: PoolState, request: Request) -> Reservation | None:
    """What the same request got before. Raises UsageError where its id was another request's."""
    found = next(
        (
            reservation
            for reservation in state.reservations
            if request.request_id and reservation.request_id == request.request_id
        ),
        None,
    )
    if found is None:
        return None
    room = None if found.room is None else found.room.prefix_length
    before = (found.block.prefix_length, room, found.account, found.region)
    if before != (request.prefix_length, request.grow_to, request.account, request.region):
        raise UsageError(f"the request id '{request.request_id}' was used for another request: {describe(found)}")
    return found


def _reservation(request: Request, choice: Choice, actor: Actor, now: datetime) -> Reservation:
    return Reservation(
        id=actor.new_id(),
        pool=request.pool,
        block=choice.block,
        kind=Kind.ALLOCATION,
        made_at=now,
        room=choice.room,
        account=request.account,
        region=request.region,
        purpose=request.purpose,
        request_id=request.request_id,
        expires_at=None if request.ttl is None else now + request.ttl,
        made_by=actor.by,
    )


def _named(names: Iterable[str]) -> str:
    return join_some(list(dict.fromkeys(names)), _NAMED_AT_MOST)

"""A block as a resource of a CloudFormation stack: what is prepared, what is settled, and what is answered.

A resource's physical id is that of its reservation. What was reserved for a stack has a request id made of the stack's
whole ARN, the resource and its wishes: whatever is repeated, or rolled back, finds the block that it had.

Anybody who may invoke the function can send it any event, but only CloudFormation's own requests come with an address
that takes the answer (`stack_request`). So nothing that a reservation has is changed before the answer was taken:
`prepare_block` and `prepare_return` decide, the answer is sent, and `settle` writes. A new reservation lasts for some
hours only, until it is settled.

Source: AWS CloudFormation User Guide, "CloudFormation custom resource request and response reference".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, assert_never

from landkeeper.org import AccountId, Region, UsageError, parse_account_id, parse_region
from landkeeper.vpctracker.pools.conflicts import Conflict, find_holders
from landkeeper.vpctracker.pools.items import PoolWrite, reservation_to_item
from landkeeper.vpctracker.pools.operations import (
    Actor,
    Request,
    Reserved,
    Taken,
    TrackedOf,
    allocate,
    look_up_reservation,
    read_pools,
    read_state,
    write_patiently,
)
from landkeeper.vpctracker.pools.pool import (
    Kind,
    PoolState,
    Reservation,
    find_pool,
    parse_prefix_length,
    parse_room,
    parse_time_to_live,
)
from landkeeper.vpctracker.pools.ports import PoolStore
from landkeeper.vpctracker.pools.refusals import explain
from landkeeper.vpctracker.pools.stack_request import StackCall, find_stack_account

NOTHING = "not-reserved"
"""The physical id of a resource for which nothing could be reserved."""

_OF_CLOUDFORMATION = frozenset({"ServiceToken", "ServiceTimeout"})
_NEEDED = ("Pool", "PrefixLength")
_OPTIONAL = ("Account", "AcceptUnread", "For", "GrowTo", "Region", "Ttl")
_QUOTA_TIME = timedelta(hours=1)
_UNSETTLED_TIME = timedelta(hours=6)
"""How long a block is held whose answer was not taken yet: as long as Lambda may go on sending the same event (AWS
Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation")."""
_WAYS_OUT = {"all_the_same": "AcceptUnread: true", "for_another": "give the resource another logical id"}
_LONGEST_REASON_BYTES = 1_200
"""An answer may have 4,096 bytes: of them this much, each perhaps escaped, leaves enough for the rest."""


def parse_wishes(call: StackCall) -> Request:
    """The block that the resource's properties ask for. Raises UsageError naming the property that is wrong."""
    given = {name: value for name, value in call.properties.items() if name not in _OF_CLOUDFORMATION}
    for name, value in given.items():
        if name not in {*_NEEDED, *_OPTIONAL}:
            raise UsageError(f"there is no property {name}: expected {', '.join((*_NEEDED, *_OPTIONAL))}")
        if not isinstance(value, str):
            raise UsageError(f"the property {name} takes a text or a number")
    texts = {name: str(value).strip() for name, value in given.items()}
    for name in _NEEDED:
        if not texts.get(name):
            raise UsageError(f"the property {name} is missing")
    wished = Request(
        pool=texts["Pool"],
        prefix_length=parse_prefix_length(texts["PrefixLength"], "PrefixLength"),
        account=_account(texts.get("Account", "")) or call.account,
        purpose=texts.get("For") or f"{call.logical_id} of the stack {call.stack_name}",
        grow_to=parse_room(texts["GrowTo"], "GrowTo") if texts.get("GrowTo") else None,
        region=_region(texts.get("Region", "")) or call.region,
        ttl=parse_time_to_live(texts["Ttl"], "Ttl") if texts.get("Ttl") else None,
        accept_unread=_is_true(texts.get("AcceptUnread", "false")),
    )
    return replace(wished, request_id=call.resource + _digest(wished))


def _account(text: str) -> AccountId | None:
    try:
        return parse_account_id(text) if text else None
    except UsageError as error:
        raise UsageError(f"Account: {error}") from error


def _region(text: str) -> Region | None:
    try:
        return parse_region(text) if text else None
    except UsageError as error:
        raise UsageError(f"Region: {error}") from error


def _is_true(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise UsageError(f"AcceptUnread is '{text}': expected true or false")
    return text.lower() == "true"


def _digest(wished: Request) -> str:
    """Names what cannot be changed about a reservation."""
    wishes = (wished.pool, wished.prefix_length, wished.grow_to, wished.account, wished.region)
    return hashlib.sha256(json.dumps(wishes).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a request comes to, and what is left to write once CloudFormation has taken the answer."""

    reservation: Reservation | None = None
    """As it is stored now; None where the request is about none."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """What is changed about it, by the field's name."""

    @property
    def answer(self) -> Reservation | None:
        """The reservation as it is once it is settled."""
        return None if self.reservation is None else replace(self.reservation, **self.changes)


def prepare_block(
    store: PoolStore, call: StackCall, tracked_of: TrackedOf, actor: Actor, blocks_per_hour: int = 0
) -> Prepared:
    """Return the reservation that the resource is to be: the one it is, where it fits, else another one.

    What it had before is given back when CloudFormation deletes it. Raise UsageError where there is none to be had,
    or the stack's account has reserved `blocks_per_hour` in the last hour; 0 is no limit.
    """
    request = parse_wishes(call)
    held = _find_fitting(store, call, request)
    if held is not None and held.id != call.physical_id:
        _check_free(store, held, tracked_of, request)
    if held is None:
        unsettled = replace(request, ttl=min(request.ttl or _UNSETTLED_TIME, _UNSETTLED_TIME))
        outcome = allocate(store, unsettled, tracked_of, actor, check=_quota_of(store, call, actor, blocks_per_hour))
        if not isinstance(outcome, Reserved):
            raise UsageError(explain(outcome, request, **_WAYS_OUT))
        held = outcome.reservation
    wished = {"purpose": request.purpose, "expires_at": None if request.ttl is None else held.made_at + request.ttl}
    return Prepared(held, {name: value for name, value in wished.items() if value != getattr(held, name)})


def _check_free(store: PoolStore, held: Reservation, tracked_of: TrackedOf, request: Request) -> None:
    """Raise UsageError where others' VPCs have the block that was reserved before, and is answered only now.

    What the resource has by its physical id stays its own: refusing it would free nothing, and leave a stack stuck
    that is rolled back.
    """
    pool = find_pool(read_pools(store), held.pool)
    others = find_holders(held, pool, tracked_of(pool.space, held.held)).others
    if others:
        raise UsageError(explain(Taken(Conflict(pool, held, others)), request, **_WAYS_OUT))


def prepare_return(store: PoolStore, call: StackCall, actor: Actor) -> Prepared:
    """Return the resource's reservation with the end of its time; nothing where it has none.

    It is free again after the next complete read of its region that shows no VPC there, as if its time to live were
    over: what is still there, or cannot be read, keeps its block, and keeps no stack from being deleted.
    """
    held = _find_held(store, call) or _find_wished(store, call)
    return Prepared() if held is None else Prepared(held, _ending(held, actor.clock()))


def settle(store: PoolStore, prepared: Prepared, actor: Actor) -> Reservation | None:
    """Write what is left; return the reservation, or None where there is none, or somebody released it since."""
    if prepared.reservation is None or not prepared.changes:
        return prepared.reservation
    return _rewrite(store, prepared.reservation, actor, **prepared.changes)


def _ending(held: Reservation, now: datetime) -> dict[str, Any]:
    return {"expires_at": now if held.expires_at is None else min(held.expires_at, now), "request_id": ""}


def _quota_of(store: PoolStore, call: StackCall, actor: Actor, blocks_per_hour: int) -> Callable[[PoolState], None]:
    """Return a check that refuses a block to an account whose stacks have reserved their share of the last hour.

    What one pool gave is counted in the state that the write is conditional on: requests at the same moment cannot
    exceed it. Other pools are counted once.
    """
    since = actor.clock() - _QUOTA_TIME

    def count(state: PoolState) -> int:
        return sum(
            made.made_at > since and find_stack_account(made.made_by) == call.account for made in state.reservations
        )

    @cache
    def count_others(pool_id: str) -> int:
        return sum(count(read_state(store, pool)) for pool in read_pools(store) if pool.id != pool_id)

    def check(state: PoolState) -> None:
        if blocks_per_hour and count(state) + count_others(state.pool.id) >= blocks_per_hour:
            raise UsageError(
                f"stacks of the account {call.account} have reserved {blocks_per_hour} blocks in the last hour, which "
                "is the limit (StackBlocksPerHour): try again later"
            )

    return check


def _is_own(reservation: Reservation, call: StackCall) -> bool:
    """Whether it was reserved for this resource of this stack, and not given back since."""
    if reservation.kind is not Kind.ALLOCATION:
        return False
    if reservation.request_id.startswith(call.resource):
        return True
    # Request ids had the last part of the stack's ARN only; the whole one was always in `made_by`.
    earlier = f"stack/{call.stack.rpartition('/')[2]}/{call.logical_id}/"
    return reservation.made_by == call.stack and reservation.request_id.startswith(earlier)


def _fits(reservation: Reservation, request: Request) -> bool:
    return reservation.request_id.rpartition("/")[2] == request.request_id.rpartition("/")[2]


def _find_fitting(store: PoolStore, call: StackCall, request: Request) -> Reservation | None:
    held = _find_held(store, call)
    return held if held is not None and _fits(held, request) else _find_in_pool(store, call, request)


def _find_held(store: PoolStore, call: StackCall) -> Reservation | None:
    """The reservation of the physical id, if it is the resource's own."""
    found = look_up_reservation(store, call.physical_id) if call.physical_id else None
    return found if found is not None and _is_own(found, call) else None


def _find_wished(store: PoolStore, call: StackCall) -> Reservation | None:
    """What was reserved for the resource although CloudFormation never heard of it: an answer that came too late."""
    try:
        request = parse_wishes(call)
    except UsageError:
        return None
    return _find_in_pool(store, call, request)


def _find_in_pool(store: PoolStore, call: StackCall, request: Request) -> Reservation | None:
    """The resource's own reservation in the pool of the request, with the same wishes."""
    pool = next((pool for pool in read_pools(store) if pool.id == request.pool), None)
    held = () if pool is None else read_state(store, pool).reservations
    return next((made for made in held if _is_own(made, call) and _fits(made, request)), None)


def _rewrite(store: PoolStore, held: Reservation, actor: Actor, **changes: Any) -> Reservation | None:
    """The reservation with these changes, written; None where it is no longer this resource's."""
    pool = next(pool for pool in read_pools(store) if pool.id == held.pool)

    def attempt() -> tuple[PoolWrite, Reservation | None]:
        state = read_state(store, pool)
        found = next(
            (made for made in state.reservations if (made.id, made.request_id) == (held.id, held.request_id)), None
        )
        after = None if found is None else replace(found, **changes)
        return PoolWrite({pool.id: state.version}, puts=() if after is None else (reservation_to_item(after),)), after

    return write_patiently(store, attempt, actor, f"the pool '{pool.id}'")


def word_answer(call: StackCall, outcome: Reservation | str | None) -> bytes:
    """What CloudFormation is told: the reservation, the reason why there is none, or that there is nothing to tell."""
    answer: dict[str, object] = {
        "Status": "SUCCESS",
        "PhysicalResourceId": call.physical_id or NOTHING,
        "StackId": call.stack,
        "RequestId": call.id,
        "LogicalResourceId": call.logical_id,
    }
    match outcome:
        case Reservation():
            data = {
                "CidrBlock": str(outcome.block), "PoolId": outcome.pool, "ReservationId": outcome.id,
                "RoomToGrow": str(outcome.held),
            }  # fmt: skip
            answer |= {"PhysicalResourceId": outcome.id, "Data": data}
        case str():
            answer |= {"Status": "FAILED", "Reason": _cut(outcome)}
        case None:
            pass
        case _:
            assert_never(outcome)
    return json.dumps(answer, ensure_ascii=False).encode()


def _cut(reason: str) -> str:
    line = " ".join(reason.split())
    if len(line.encode()) <= _LONGEST_REASON_BYTES:
        return line
    return line.encode()[:_LONGEST_REASON_BYTES].decode(errors="ignore") + " …"

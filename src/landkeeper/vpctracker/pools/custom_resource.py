"""A block as a resource of a CloudFormation stack: what the stack asks, what is done about it, what it is answered.

A resource's physical id is that of its reservation. What was reserved for a stack has a request id made of the stack,
the resource and its wishes: whatever is repeated, or rolled back, finds the block that it had.

Source: AWS CloudFormation User Guide, "CloudFormation custom resource request and response reference".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, assert_never

from landkeeper.org import AccountId, Region, UsageError, parse_account_id, parse_region
from landkeeper.vpctracker.pools.items import PoolWrite, reservation_to_item
from landkeeper.vpctracker.pools.operations import (
    Actor,
    Request,
    Reserved,
    TrackedOf,
    allocate,
    look_up_reservation,
    read_pools,
    read_state,
    write_patiently,
)
from landkeeper.vpctracker.pools.pool import Kind, Reservation, parse_prefix_length, parse_room, parse_time_to_live
from landkeeper.vpctracker.pools.ports import PoolStore
from landkeeper.vpctracker.pools.refusals import explain

NOTHING = "not-reserved"
"""The physical id of a resource for which nothing could be reserved."""

_OF_CLOUDFORMATION = frozenset({"ServiceToken", "ServiceTimeout"})
_NEEDED = ("Pool", "PrefixLength")
_OPTIONAL = ("Account", "AcceptUnread", "For", "GrowTo", "Region", "Ttl")
_LONGEST_REASON_BYTES = 1_200
"""An answer may have 4,096 bytes: of them this much, each perhaps escaped, leaves enough for the rest."""


@dataclass(frozen=True, slots=True)
class StackCall:
    """What a stack asks about one of its resources."""

    kind: Literal["Create", "Update", "Delete"]
    stack: str
    """The ARN of the stack."""
    id: str
    """CloudFormation's name for this one call."""
    logical_id: str
    response_url: str
    physical_id: str = ""
    """Empty when it is created."""
    properties: Mapping[str, object] = field(default_factory=dict)

    @property
    def account(self) -> AccountId:
        """The account of the stack."""
        return AccountId(self.stack.split(":")[4])

    @property
    def region(self) -> Region:
        """The region of the stack."""
        return Region(self.stack.split(":")[3])

    @property
    def resource(self) -> str:
        """The one resource of the one stack: what the request ids of its reservations begin with."""
        return f"stack/{self.stack.rpartition('/')[2]}/{self.logical_id}/"


def parse_call(event: object) -> StackCall:
    """What CloudFormation sent. Raises UsageError for anything else."""
    match event:
        case {
            "RequestType": "Create" | "Update" | "Delete" as kind,
            "StackId": str(stack),
            "RequestId": str(id_),
            "LogicalResourceId": str(logical_id),
            "ResponseURL": str(url),
            **others,
        } if stack.count(":") == 5 and stack.count("/") == 2:
            properties = others.get("ResourceProperties")
            return StackCall(
                kind, stack, id_, logical_id, url, str(others.get("PhysicalResourceId", "")),
                properties if isinstance(properties, dict) else {},
            )  # fmt: skip
        case _:
            raise UsageError("the event is no request of CloudFormation's for a custom resource")


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
        purpose=texts.get("For") or f"{call.logical_id} of the stack {call.stack.split('/')[1]}",
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


def provide_block(store: PoolStore, call: StackCall, tracked_of: TrackedOf, actor: Actor) -> Reservation:
    """The reservation that the resource is to be: the one it is, where it fits, else another one.

    What it had before is given back when CloudFormation deletes it. Raises UsageError where there is none to be had.
    """
    request = parse_wishes(call)
    held = _find_held(store, call)
    if held is None or held.request_id != request.request_id:
        outcome = allocate(store, request, tracked_of, actor)
        if not isinstance(outcome, Reserved):
            raise UsageError(explain(outcome, request, all_the_same="AcceptUnread: true"))
        held = outcome.reservation
    expires_at = None if request.ttl is None else held.made_at + request.ttl
    if (held.purpose, held.expires_at) == (request.purpose, expires_at):
        return held
    changed = _rewrite(store, held, actor, purpose=request.purpose, expires_at=expires_at)
    if changed is None:
        raise UsageError(f"the reservation {held.id} was released in the meantime: try again")
    return changed


def give_back(store: PoolStore, call: StackCall, actor: Actor) -> Reservation | None:
    """End the time of the resource's reservation; None where it has none.

    It is free again after the next complete read of its region that shows no VPC there, as if its time to live were
    over: what is still there, or cannot be read, keeps its block, and keeps no stack from being deleted.
    """
    held = _find_held(store, call) or _find_wished(store, call)
    if held is None:
        return None
    now = actor.clock()
    return _rewrite(store, held, actor, expires_at=_earlier(held.expires_at, now), request_id="")


def _earlier(moment: datetime | None, now: datetime) -> datetime:
    return now if moment is None else min(moment, now)


def _find_held(store: PoolStore, call: StackCall) -> Reservation | None:
    """The reservation of the physical id, if it was made for this resource and not given back since."""
    found = look_up_reservation(store, call.physical_id) if call.physical_id else None
    if found is None or found.kind is not Kind.ALLOCATION or not found.request_id.startswith(call.resource):
        return None
    return found


def _find_wished(store: PoolStore, call: StackCall) -> Reservation | None:
    """What was reserved for the resource although CloudFormation never heard of it: an answer that came too late."""
    try:
        request = parse_wishes(call)
    except UsageError:
        return None
    pool = next((pool for pool in read_pools(store) if pool.id == request.pool), None)
    held = () if pool is None else read_state(store, pool).reservations
    return next((one for one in held if one.request_id == request.request_id), None)


def _rewrite(store: PoolStore, held: Reservation, actor: Actor, **changes: Any) -> Reservation | None:
    """The reservation with these changes, written; None where it is no longer this resource's."""
    pool = next(pool for pool in read_pools(store) if pool.id == held.pool)

    def attempt() -> tuple[PoolWrite, Reservation | None]:
        state = read_state(store, pool)
        found = next(
            (one for one in state.reservations if (one.id, one.request_id) == (held.id, held.request_id)), None
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

"""The document that the page of the report is given, as values; `report.schema.json` tells the same in JSON's words.

A field without a default is always in the JSON. One with a default is left out where it has that: ten thousand VPCs
have to fit a file that can be mailed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import lru_cache
from typing import Any

VERSION = 1
"""Of the document; a page shows documents of its own version and older ones."""

Json = Any

_NAMED_OTHERWISE = {"is_default": "default", "purpose": "for"}
"""Fields whose name in the document would not do in Python."""


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account, referred to by its index."""

    id: str
    name: str
    unit: str | None
    state: str


@dataclass(frozen=True, slots=True)
class SpaceView:
    """An address space, referred to by its index."""

    name: str
    repeats_on_purpose: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VpcView:
    """A VPC that is there. Accounts, regions, zones and words are indexes."""

    id: str
    account: int
    region: int
    cidrs: tuple[str, ...]
    subnets: tuple[tuple[str, str, int, int | None], ...]
    first_seen: str
    space: int | None = None
    """None for the default space."""
    name: str = ""
    state: str = "available"
    is_default: bool = False
    ipv6: tuple[str, ...] = ()
    tags: tuple[int, ...] = ()
    peerings: tuple[tuple[str, str, str], ...] = ()
    gateways: tuple[str, ...] = ()
    last_changed: str | None = None
    """None where it never changed."""
    stale: str | None = None
    """When its place was last read completely, empty for never; None where it is fresh."""
    why_stale: str = ""
    shared_with: tuple[str, ...] = ()
    used: float | None = None


@dataclass(frozen=True, slots=True)
class OverlapView:
    """Blocks of several VPCs that lie inside one another."""

    space: int
    block: str
    kind: str
    accounts: int
    attached: int
    connections: tuple[int, ...]
    members: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class ReservationView:
    """What is reserved in a pool."""

    id: str
    cidr: str
    room: str | None
    account: str | None
    region: str | None
    state: str
    purpose: str
    expires: str | None
    vpcs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PoolView:
    """A pool, how full it is, and what is reserved in it."""

    id: str
    cidr: str
    parent: str | None
    space: str
    region: str | None
    min: int
    max: int
    used: int
    reserved: int
    in_pools: int
    free: int
    largest_free: str | None
    full_on: str | None
    reservations: tuple[ReservationView, ...]


@dataclass(frozen=True, slots=True)
class CoverageView:
    """How well an account is known. A region is its index, `complete` or a reason, when it was read, AWS's code."""

    account: int
    tried_at: str | None
    regions: tuple[tuple[int, str, str | None] | tuple[int, str, str | None, str], ...]
    reason: str = ""
    code: str = ""
    failed_runs: int = 0


@dataclass(frozen=True, slots=True)
class TrendsView:
    """Counts by day; all as long as `days`."""

    days: tuple[str, ...]
    vpcs: tuple[int | None, ...]
    accounts: tuple[int | None, ...]
    overlaps: tuple[int | None, ...]
    defaults: tuple[int | None, ...]
    unreadable: tuple[int | None, ...]
    cases: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class CaseView:
    """An instance that Broom dealt with, or waits for."""

    instance: str
    account: str
    account_name: str
    region: str
    state: str
    outcome: str | None
    rule: str
    how: str
    action: str | None
    principal: str
    image: str
    type: str
    tags: Mapping[str, str]
    launched: str
    opened: str
    changed: str
    because: str
    moves: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class BroomView:
    """What the ledger tells."""

    since: str
    left_out: int
    cases: tuple[CaseView, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """All of it."""

    generated_at: str
    as_of: str | None
    source: str
    landkeeper: str
    notices: tuple[str, ...]
    accounts: tuple[AccountView, ...]
    regions: tuple[str, ...]
    zones: tuple[str, ...]
    words: tuple[str, ...]
    spaces: tuple[SpaceView, ...]
    connections: tuple[tuple[str, str], ...]
    vpcs: tuple[VpcView, ...]
    overlaps: tuple[OverlapView, ...]
    pools: tuple[PoolView, ...]
    coverage: tuple[CoverageView, ...]
    reasons: Mapping[str, str]
    trends: TrendsView | None
    broom: BroomView | None
    backtest: Mapping[str, Json] | None
    version: int = field(default=VERSION, init=False)


@lru_cache
def _shape(kind: type) -> tuple[tuple[str, str, object], ...]:
    """Of each field of a dataclass its name, its name in JSON, and its default."""
    named = ((one.name, _NAMED_OTHERWISE.get(one.name, one.name), one.default) for one in fields(kind))
    # The version is the same in every document, and has to be in each of them.
    return tuple((name, word, MISSING if name == "version" else default) for name, word, default in named)


def as_json(value: object) -> Json:
    """A value of this module as what `json` writes."""
    if is_dataclass(value) and not isinstance(value, type):
        found = ((word, getattr(value, name), default) for name, word, default in _shape(type(value)))
        return {word: as_json(content) for word, content, default in found if content != default}
    if isinstance(value, tuple):
        return [as_json(one) for one in value]
    return value


def write_document(document: Document) -> str:
    """The document as compact JSON, in ASCII."""
    return json.dumps(as_json(document), separators=(",", ":"))

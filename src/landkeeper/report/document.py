"""The document that the report's page shows, as values; `report.schema.json` defines it as JSON.

The JSON always has the fields without a default. A field that has its default value is left out: a report of ten
thousand VPCs must be small enough to mail.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import lru_cache
from typing import Any

VERSION = 1
"""The document's version. A page shows documents of its own version and older."""

Json = Any

_NAMED_OTHERWISE = {"is_default": "default", "purpose": "for"}
"""Fields whose JSON name is a Python keyword or says less."""


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account. Other parts refer to it by index."""

    id: str
    name: str
    unit: str | None
    state: str


@dataclass(frozen=True, slots=True)
class SpaceView:
    """An address space. Other parts refer to it by index."""

    name: str
    repeats_on_purpose: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VpcView:
    """A live VPC. Accounts, regions, zones and words are indexes."""

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
    """None if it has not changed since it was first seen."""
    stale: str | None = None
    """When its account and region were last read completely, empty for never; None if it is fresh."""
    why_stale: str = ""
    shared_with: tuple[str, ...] = ()
    used: float | None = None


@dataclass(frozen=True, slots=True)
class OverlapView:
    """Nested blocks of several VPCs."""

    space: int
    block: str
    kind: str
    accounts: int
    attached: int
    connections: tuple[int, ...]
    members: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class ReservationView:
    """A reservation in a pool."""

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
    """A pool, its usage and its reservations."""

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
    """When an account was read. A region: its index, `complete` or a reason, the time of its last read, AWS's code."""

    account: int
    tried_at: str | None
    regions: tuple[tuple[int, str, str | None] | tuple[int, str, str | None, str], ...]
    reason: str = ""
    code: str = ""
    failed_runs: int = 0


@dataclass(frozen=True, slots=True)
class TrendsView:
    """Counts per day. All fields have the length of `days`."""

    days: tuple[str, ...]
    vpcs: tuple[int | None, ...]
    accounts: tuple[int | None, ...]
    overlaps: tuple[int | None, ...]
    defaults: tuple[int | None, ...]
    unreadable: tuple[int | None, ...]
    cases: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class CaseView:
    """An instance that Broom acted on or will act on."""

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
    """Cases from Broom's ledger."""

    since: str
    left_out: int
    cases: tuple[CaseView, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """The whole document."""

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
    partitions: tuple[str, ...] = ()
    """Of the regions, by their indexes; empty if all are in `aws`."""
    version: int = field(default=VERSION, init=False)


@lru_cache
def _shape(kind: type) -> tuple[tuple[str, str, object], ...]:
    """Return the name, the JSON name and the default of each field of a dataclass."""
    named = ((part.name, _NAMED_OTHERWISE.get(part.name, part.name), part.default) for part in fields(kind))
    # The version always equals its default and must still be written.
    return tuple((name, word, MISSING if name == "version" else default) for name, word, default in named)


def as_json(value: object) -> Json:
    """Return a value of this module in the types that `json` writes."""
    if is_dataclass(value) and not isinstance(value, type):
        found = ((word, getattr(value, name), default) for name, word, default in _shape(type(value)))
        return {word: as_json(content) for word, content, default in found if content != default}
    if isinstance(value, tuple):
        return [as_json(item) for item in value]
    return value


def write_document(document: Document) -> str:
    """Return the document as compact ASCII JSON."""
    return json.dumps(as_json(document), separators=(",", ":"))

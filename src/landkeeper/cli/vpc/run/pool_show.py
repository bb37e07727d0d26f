"""`vpc pool show`: one pool, how full it is, and what is reserved in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from landkeeper.cli.output import Column, chosen, print_json, print_rows
from landkeeper.cli.terminal import aside, paint, say, say_painted
from landkeeper.cli.vpc.query import settings_of
from landkeeper.org import counted, format_time
from landkeeper.vpctracker.answers.listing import read_known
from landkeeper.vpctracker.answers.spaces import spaces_of
from landkeeper.vpctracker.attributes import parse_time
from landkeeper.vpctracker.pools.access import Pools
from landkeeper.vpctracker.pools.conflicts import (
    CONFLICT,
    Conflict,
    find_conflicts,
    find_holders,
    name_state,
    name_vpcs,
)
from landkeeper.vpctracker.pools.growth import Growth, Usage, measure_growth, measure_usage
from landkeeper.vpctracker.pools.items import pool_to_item, reservation_to_item
from landkeeper.vpctracker.pools.operations import read_named_state, read_pools, read_state
from landkeeper.vpctracker.pools.pool import Pool, PoolState, Reservation, ancestors, describe
from landkeeper.vpctracker.pools.tracked import Tracked, tracked_in
from landkeeper.wiring.vpctracker.pools import open_pools

_WIDTH_OF_THE_BAR = 64
_PARTS = (("used", "█", "red"), ("reserved", "▓", "yellow"), ("in pools inside", "▒", "cyan"), ("free", "░", "green"))
_COLUMNS = (
    Column("CIDR block", "CidrBlock", style="yellow"),
    Column("Room to grow", "RoomToGrow", optional=3),
    Column("State", "State"),
    Column("For", "For", optional=1),
    Column("Account", "AccountId"),
    Column("Region", "Region", optional=4),
    Column("VPC", "VpcIds"),
    Column("Expires", "ExpiresAt", optional=2),
    Column("Reservation", "ReservationId", style="cyan"),
)
_STATES = {"over": "expired", "elsewhere": "used outside AWS", "pool": "pool inside"}
"""What a table shows for states that JSON carries under other names."""
_USUAL: Mapping[str, tuple[Any, ...]] = {
    name: (None, []) for name in ("RoomToGrow", "AccountId", "Region", "VpcIds", "ExpiresAt")
}


@dataclass(frozen=True, slots=True)
class ListedPool:
    """A pool, how full it is, and how many of its reservations are in conflict."""

    pool: Pool
    usage: Usage
    conflicts: int


def list_pools(pools: Pools) -> list[ListedPool]:
    """Every pool, by space and address."""
    now = pools.actor.clock()
    found = read_pools(pools.store)
    states = {pool.id: read_state(pools.store, pool) for pool in found}
    coverage = {coverage.account: coverage for coverage in pools.store.read_all_coverage()}
    vpcs = tuple(pools.store.read_live_vpcs())
    tracked = {space: tracked_in(space, vpcs, coverage, pools.config) for space in {pool.space for pool in found}}
    return [
        ListedPool(
            pool,
            measure_usage(states[pool.id], _around(pool, states), tracked[pool.space], now),
            len(list(find_conflicts(states[pool.id], tracked[pool.space]))),
        )
        for pool in found
    ]


def _around(pool: Pool, states: Mapping[str, PoolState]) -> list[Reservation]:
    outer = ancestors(pool, [state.pool for state in states.values()])
    return [reservation for pool in outer for reservation in states[pool.id].reservations]


def run_show(*, name: str, config: str | None, table: str | None, file: Path | None, format_: str) -> int:
    """Show a pool's utilisation, forecast and reservations."""
    with open_pools(settings_of(table, file).with_config(config), to_write=False) as pools:
        now = pools.actor.clock()
        state, others = read_named_state(pools.store, name)
        around = [
            reservation
            for outer in ancestors(state.pool, others)
            for reservation in read_state(pools.store, outer).reservations
        ]
        tracked = pools.tracked_of(state.pool.space, state.pool.block)
        usage = measure_usage(state, around, tracked, now)
        growth = _growth(pools, state, usage, now)
    rows = [_row(reservation, state.pool, usage, tracked) for reservation in state.reservations]
    if format_ == "csv":
        print_rows(rows, _COLUMNS, "csv")
    elif format_ == "json":
        print_json({**_as_json(state, usage, growth), "Reservations": rows})
    else:
        _print_pool(state, usage, growth, rows, now)
        for conflict in find_conflicts(state, tracked):
            aside(word_conflict(conflict), "red")
    return 0


def word_conflict(conflict: Conflict) -> str:
    """A sentence on a reservation that others' VPCs overlap."""
    return f"Conflict: {describe(conflict.reservation)}, overlaps {name_vpcs(conflict)}."


def _growth(pools: Pools, state: PoolState, usage: Usage, now: datetime) -> Growth | None:
    known = read_known(pools.vpcs)
    space_of = spaces_of(pools.config).space_of
    vpcs = [stored for stored in known.vpcs if space_of(stored.vpc).name == state.pool.space]
    first = None if known.first_record is None else parse_time(known.first_record)
    return measure_growth(state, usage, vpcs, first, now)


def _row(reservation: Reservation, pool: Pool, usage: Usage, tracked: Tracked) -> dict[str, Any]:
    holders = find_holders(reservation, pool, tracked)
    state = name_state(reservation, holders, is_over=reservation.id in usage.over)
    # Of a conflict those who should not be there.
    using = holders.others or holders.own
    item = {name: value for name, value in reservation_to_item(reservation).items() if name not in {"Item", "PoolId"}}
    return {**item, "State": state, "VpcIds": [vpc.id for vpc in using]}


def attributes_of(pool: Pool) -> dict[str, Any]:
    """What is stored of the pool itself, without its names."""
    return {name: value for name, value in pool_to_item(pool).items() if name not in {"PoolId", "Item", "Name"}}


def addresses_of(usage: Usage) -> dict[str, int]:
    """How many addresses a pool has, and what they are used for."""
    return {
        "Addresses": usage.size,
        "Used": usage.used,
        "Reserved": usage.reserved,
        "InPools": usage.delegated,
        "Free": usage.free,
    }


def _as_json(state: PoolState, usage: Usage, growth: Growth | None) -> dict[str, Any]:
    return {
        "PoolId": state.pool.id,
        **attributes_of(state.pool),
        "Version": state.version,
        **addresses_of(usage),
        "LargestFreeBlock": None if usage.largest_free is None else str(usage.largest_free),
        "Growth": None if growth is None else {
            "Since": format_time(growth.since),
            "AddressesPerDay": round(growth.addresses_a_day, 1),
            "FullAt": None if growth.full_at is None else format_time(growth.full_at),
        },
    }  # fmt: skip


def _print_pool(
    state: PoolState, usage: Usage, growth: Growth | None, rows: list[dict[str, Any]], now: datetime
) -> None:
    pool = state.pool
    more = [f"inside {pool.parent}" if pool.parent else "", f"for {pool.region} only" if pool.region else ""]
    facts = [f"space {pool.space}", *filter(None, more), f"blocks /{pool.shortest} to /{pool.longest}"]
    say_painted(f"{paint(pool.id, 'bold')}  {pool.block}  {paint(', '.join(facts), 'dim')}")
    counts = (usage.used, usage.reserved, usage.delegated, usage.free)
    say_painted(_bar(counts))
    legend = "  ".join(
        f"{paint(mark, style)} {count / usage.size:.1%} {word} ({count:,})"
        for (word, mark, style), count in zip(_PARTS, counts, strict=True)
        if count or word != "in pools inside"
    )
    say_painted(legend)
    largest = "none" if usage.largest_free is None else str(usage.largest_free)
    say(f"Largest free block: {largest}")
    say(_outlook(growth, now))
    # A block in use does not expire.
    rows = [{**row, "ExpiresAt": None} if row["State"] in {"used", CONFLICT} else row for row in rows]
    rows = [{**row, "State": _STATES.get(row["State"], row["State"])} for row in rows]
    columns = chosen(_COLUMNS, [{**dict.fromkeys(_USUAL), **row} for row in rows], "table", usual=_USUAL)
    print_rows(rows, columns, "table", totals=f"{counted(len(rows), 'reservation')}." if rows else "No reservations.")


def _bar(counts: tuple[int, ...]) -> str:
    """A bar in which every part that is not nothing has a cell at least."""
    cells = [max(1, round(_WIDTH_OF_THE_BAR * count / sum(counts))) if count else 0 for count in counts]
    widest = max(range(len(cells)), key=cells.__getitem__)
    cells[widest] += _WIDTH_OF_THE_BAR - sum(cells)
    return "".join(paint(mark * cell, style) for (_, mark, style), cell in zip(_PARTS, cells, strict=True))


def _outlook(growth: Growth | None, now: datetime) -> str:
    if growth is None:
        return "Forecast: not enough history."
    pace = f"{growth.addresses_a_day:,.0f} addresses per day since {format_time(growth.since)[:10]}"
    if growth.full_at is None:
        return f"Forecast: not full within 100 years ({pace})."
    return f"Forecast: full on {format_time(growth.full_at)[:10]}, in {(growth.full_at - now).days:,} days ({pace})."

"""`vpc pool`: make pools of addresses, list them, and take what is in use elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from landkeeper.cli.exit_codes import INCOMPLETE
from landkeeper.cli.output import Column, Format, Row, chosen, print_rows
from landkeeper.cli.terminal import aside, say
from landkeeper.cli.vpc.query import settings_of
from landkeeper.cli.vpc.run.pool_show import ListedPool, addresses_of, attributes_of, list_pools
from landkeeper.org import UsageError, counted, parse_region, percentage
from landkeeper.vpctracker.answers.spaces import check_space
from landkeeper.vpctracker.config import DEFAULT_SPACE
from landkeeper.vpctracker.pools.conflicts import describe_holder
from landkeeper.vpctracker.pools.ipam_import import Imported, import_pools
from landkeeper.vpctracker.pools.operations import create_pool, delete_pool, read_pools
from landkeeper.vpctracker.pools.pool import Pool, find_pool, parse_ipv4, parse_pool_block, parse_prefix_length
from landkeeper.vpctracker.pools.reserve import ReservedByHand, reserve_blocks
from landkeeper.wiring.vpctracker.pools import open_pools

_COLUMNS = (
    Column("Pool", "Indented", style="cyan"),
    Column("CIDR block", "CidrBlock", style="yellow"),
    Column("Space", "Space", optional=3),
    Column("Region", "Region", optional=2),
    Column("Gives", "Gives", optional=4),
    Column("Used", "UsedShare", right=True),
    Column("Reserved", "ReservedShare", right=True, optional=1),
    Column("In pools", "InPoolsShare", right=True, optional=5),
    Column("Largest free", "LargestFreeBlock", style="green"),
    Column("Conflicts", "Conflicts", style="red", right=True),
)


def run_create(
    *, name: str, cidr: str, parent: str | None, region: str | None, space: str | None, shortest: str, longest: str,
    public: bool, config: str | None, table: str | None, file: Path | None,
) -> int:  # fmt: skip
    """Create a pool, or a pool inside a pool."""
    block = parse_pool_block(cidr, is_public=public)
    lengths = parse_prefix_length(shortest, "--min"), parse_prefix_length(longest, "--max")
    place = None if region is None else parse_region(region)
    with open_pools(settings_of(table, file).with_config(config), to_write=True, with_new_file=True) as pools:
        around = None if parent is None else find_pool(read_pools(pools.store), parent)
        home = space or (around.space if around else DEFAULT_SPACE)
        place = place or (around.region if around else None)
        new = Pool(name, block, check_space(pools.config, home), place, parent, *lengths)
        made = create_pool(pools.store, new, pools.actor)
    inside = f", inside {made.parent}" if made.parent else ""
    only = f", for {made.region} only" if made.region else ""
    say(f"The pool {made.id} is {made.block} of the space {made.space}{inside}{only}; it provides blocks from "
        f"/{made.shortest} to /{made.longest}.")  # fmt: skip
    return 0


def run_delete(*, name: str, config: str | None, table: str | None, file: Path | None) -> int:
    """Delete a pool without reservations."""
    with open_pools(settings_of(table, file).with_config(config), to_write=True) as pools:
        gone = delete_pool(pools.store, name, pools.actor)
    back = f"; {gone.block} is free in {gone.parent}" if gone.parent else ""
    say(f"Deleted pool {gone.id}{back}.")
    return 0


def run_list(*, config: str | None, table: str | None, file: Path | None, format_: Format) -> int:
    """List pools with their utilisation."""
    with open_pools(settings_of(table, file).with_config(config), to_write=False) as pools:
        found = list_pools(pools)
    rows = [_row(listed, [other.pool for other in found]) for listed in found]
    columns = [column for column in _COLUMNS if format_ == "table" or column.attribute != "Indented"]
    columns = [Column("Pool", "PoolId"), *columns] if format_ == "csv" else columns
    if format_ == "table":
        rows = list(map(_shown, rows))
    usual: Mapping[str, tuple[Any, ...]] = {
        "Region": (None,), "Space": (DEFAULT_SPACE,), "InPoolsShare": ("0%",), "Gives": ("/16 to /28",),
        "Conflicts": (0,),
    }  # fmt: skip
    if format_ == "json":
        rows = [{name: value for name, value in row.items() if name != "Indented"} for row in rows]
    totals = f"{counted(len(rows), 'pool')}." if rows else "No pools. Create one with `landkeeper vpc pool create`."
    print_rows(rows, chosen(columns, rows, format_, usual=usual), format_, totals=totals)
    return 0


def _row(listed: ListedPool, pools: Sequence[Pool]) -> Row:
    pool, usage = listed.pool, listed.usage
    return {
        "PoolId": pool.id,
        "Indented": "  " * _depth(pool, pools) + pool.id,
        **attributes_of(pool),
        "Region": pool.region,
        "Gives": f"/{pool.shortest} to /{pool.longest}",
        **addresses_of(usage),
        "UsedShare": usage.used / usage.size,
        "ReservedShare": usage.reserved / usage.size,
        "InPoolsShare": usage.delegated / usage.size,
        "LargestFreeBlock": None if usage.largest_free is None else str(usage.largest_free),
        "Conflicts": listed.conflicts,
    }


def _shown(row: Row) -> Row:
    """Return the row as a table has it: the shares in percent."""
    shares = ("UsedShare", "ReservedShare", "InPoolsShare")
    return {**row, **{name: percentage(row[name], 1) for name in shares}}


def _depth(pool: Pool, pools: Sequence[Pool]) -> int:
    return 0 if pool.parent is None else 1 + _depth(find_pool(pools, pool.parent), pools)


def run_reserve(
    *, name: str, blocks: tuple[str, ...], purpose: str, config: str | None, table: str | None, file: Path | None
) -> int:
    """Reserve blocks that are in use."""
    wanted = [parse_ipv4(text, "--cidr") for text in blocks]
    with open_pools(settings_of(table, file).with_config(config), to_write=True) as pools:
        reserved = reserve_blocks(pools.store, name, wanted, purpose, tracked_of=pools.tracked_of, actor=pools.actor)
    for made in reserved:
        _print_reserved(made, name)
    return 0


def _print_reserved(made: ReservedByHand, pool: str) -> None:
    reservation, holders = made.reservation, made.holders
    linked = f", linked to {describe_holder(holders.own[0], reservation.held)}" if holders.own else ""
    say(f"Reserved {reservation.block} in pool {pool}: {reservation.id}{linked}")
    if holders.others:
        aside(f"{reservation.block} is not free: VPCs overlap it. `landkeeper vpc pool show {pool}` names them.", "red")


def run_import(
    *, ipam: str | None, region: str | None, scope: str, space: str, config: str | None, table: str | None,
    file: Path | None,
) -> int:  # fmt: skip
    """Import pools and allocations from an Amazon VPC IPAM."""
    if ipam is None:
        raise UsageError("--ipam is required")
    settings = settings_of(table, file).with_config(config)
    from landkeeper.wiring.vpctracker.ipam import read_ipam

    found = read_ipam(settings, ipam, None if region is None else parse_region(region), scope)
    with open_pools(settings, to_write=True, with_new_file=True) as pools:
        done = import_pools(pools.store, *found, check_space(pools.config, space), pools.actor)
    return _print_import(done)


def _print_import(done: Imported) -> int:
    for sentence in done.left_out:
        aside(f"skipped: {sentence}", "yellow")
    made = f"{counted(done.pools, 'pool')} and {counted(done.reservations, 'reservation')} imported"
    say(f"{made}, {done.known} already present, {len(done.left_out)} skipped.")
    return INCOMPLETE if done.left_out else 0

"""`vpc list` and `vpc defaults`: the VPCs that are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from landkeeper.cli.output import Column, Format, Row, chosen, print_rows
from landkeeper.cli.vpc.filters import Filter, place_filters, vpc_tag_filters
from landkeeper.cli.vpc.known import exit_code, known_row, read_silently, remark_on, row_style
from landkeeper.cli.vpc.query import Query
from landkeeper.org import UsageError, counted
from landkeeper.vpctracker.cidr import MalformedBlockError, parse_block
from landkeeper.vpctracker.inventory import AVAILABLE

if TYPE_CHECKING:
    from landkeeper.vpctracker.answers.listing import Snapshot
    from landkeeper.vpctracker.inventory import StoredVpc

_COLUMNS = (
    Column("Account", "AccountName", optional=4),
    Column("Account id", "OwnerId"),
    Column("Region", "Region"),
    Column("VPC", "VpcId", style="cyan"),
    Column("Name", "Name", optional=2),
    Column("CIDR blocks", "CidrBlocks", style="yellow"),
    Column("IPv6", "Ipv6CidrBlocks", style="yellow", optional=5),
    Column("Default", "IsDefault", optional=7),
    Column("State", "State", optional=3),
    Column("Shared with", "SharedWith", optional=6),
    Column("Stale", "Stale", style="red"),
)
_USUAL: Mapping[str, tuple[Any, ...]] = {
    "AccountName": ("",), "Name": ("",), "Ipv6CidrBlocks": ([],), "SharedWith": ([],), "State": (AVAILABLE,),
    "Stale": ("",),
}  # fmt: skip
"""Columns that a table leaves out where all rows have the usual in them; CSV has them always."""


def run_list(
    *, query: Query, accounts: tuple[str, ...], regions: tuple[str, ...], cidr: str | None, tags: tuple[str, ...],
    deleted: bool, format_: Format,
) -> int:  # fmt: skip
    """List the tracked VPCs."""
    others = [*_cidr_filter(cidr), *vpc_tag_filters(tags)]
    known = read_silently(query)
    filters = [*place_filters(accounts, regions, known.vpcs, known.coverage), *others]
    remark_on(known)
    vpcs = [
        stored for stored in known.vpcs if (deleted or stored.is_live) and all(fits(stored.vpc) for fits in filters)
    ]
    _print_vpcs(known, vpcs, format_)
    return exit_code(known)


def run_defaults(
    *, query: Query, accounts: tuple[str, ...], regions: tuple[str, ...], tags: tuple[str, ...], format_: Format
) -> int:
    """List the default VPCs."""
    tagged = vpc_tag_filters(tags)
    known = read_silently(query)
    filters = [*place_filters(accounts, regions, known.vpcs, known.coverage), *tagged]
    remark_on(known)
    defaults = [stored for stored in known.vpcs if stored.is_live and stored.vpc.is_default]
    _print_vpcs(known, [stored for stored in defaults if all(fits(stored.vpc) for fits in filters)], format_)
    return exit_code(known)


def _cidr_filter(cidr: str | None) -> list[Filter]:
    if cidr is None:
        return []
    try:
        block = parse_block(cidr)
    except MalformedBlockError as error:
        raise UsageError(f"--cidr: {error}") from error
    return [lambda vpc: any(parse_block(text).overlaps(block) for text in vpc.taken_blocks)]


def _print_vpcs(known: Snapshot, vpcs: Sequence[StoredVpc], format_: Format) -> None:
    rows = sorted((known_row(known, stored) for stored in vpcs), key=_place_of)
    columns = chosen(_COLUMNS, rows, format_, usual=_USUAL)
    print_rows(rows, columns, format_, totals=_totals(rows), style_of=row_style)


def _totals(rows: Sequence[Row]) -> str:
    if not rows:
        return "No VPCs."
    accounts, regions = ({row[name] for row in rows} for name in ("OwnerId", "Region"))
    places = f"{counted(len(accounts), 'account')} and {counted(len(regions), 'region')}"
    more = [
        f"{count} {word}"
        for word, count in (
            ("default", sum(row["IsDefault"] for row in rows)),
            ("deleted", sum("DeletedAt" in row for row in rows)),
            ("stale", sum(bool(row["Stale"]) for row in rows)),
        )
        if count
    ]
    return f"{counted(len(rows), 'VPC')} in {places}" + (f": {', '.join(more)}." if more else ".")


def _place_of(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in ("AccountName", "OwnerId", "Region", "CidrBlock", "VpcId"))

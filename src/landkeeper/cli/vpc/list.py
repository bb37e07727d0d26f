"""`vpc list` and `vpc defaults`: the VPCs that are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from landkeeper.cli.output import Column, Format, Row, chosen, counted, format_option, print_rows
from landkeeper.cli.vpc.known import read_known
from landkeeper.cli.vpc.options import settings_of, store_options
from landkeeper.vpctracker.attributes import vpc_to_attributes
from landkeeper.vpctracker.inventory import AVAILABLE

if TYPE_CHECKING:
    from landkeeper.vpctracker.inventory import StoredVpc

_VPC_COLUMNS = (
    Column("Account", "AccountName"),
    Column("Account id", "OwnerId"),
    Column("Region", "Region"),
    Column("VPC", "VpcId", style="cyan"),
    Column("Name", "Name"),
    Column("CIDR blocks", "CidrBlocks"),
    Column("IPv6", "Ipv6CidrBlocks"),
    Column("Default", "IsDefault"),
    Column("State", "State"),
    Column("Shared with", "SharedWith"),
)
_USUAL: Mapping[str, tuple[Any, ...]] = {
    "AccountName": ("",), "Name": ("",), "Ipv6CidrBlocks": ([],), "SharedWith": ([],), "State": (AVAILABLE,),
}  # fmt: skip
"""Columns that a table leaves out where all rows have the usual in them; CSV has them always."""


@click.command(name="list")
@click.option("--deleted", is_flag=True, help="Show the VPCs that are gone as well.")
@store_options
@format_option
def list_command(*, deleted: bool, table: str | None, file: Path | None, format_: Format) -> None:
    """List the VPCs that are known."""
    vpcs = [one for one in read_known(settings_of(table, file)) if deleted or one.is_live]
    _print_vpcs(vpcs, format_)


@click.command(name="defaults")
@store_options
@format_option
def defaults_command(*, table: str | None, file: Path | None, format_: Format) -> None:
    """List the default VPCs that are still there."""
    vpcs = [one for one in read_known(settings_of(table, file)) if one.is_live and one.vpc.is_default]
    _print_vpcs(vpcs, format_)


def _print_vpcs(vpcs: Iterable[StoredVpc], format_: Format) -> None:
    rows = sorted((vpc_to_attributes(one) for one in vpcs), key=_place_of)
    print_rows(rows, chosen(_VPC_COLUMNS, rows, format_, usual=_USUAL), format_, title=counted(len(rows), "VPC"))


def _place_of(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in ("AccountName", "OwnerId", "Region", "CidrBlock", "VpcId"))

"""`vpc overlaps`: which VPCs have the same addresses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rich_click as click

from landkeeper.cli.output import Column, Format, Row, chosen, counted, format_option, print_json, print_rows, stdout
from landkeeper.cli.vpc.known import read_known
from landkeeper.cli.vpc.options import settings_of, store_options
from landkeeper.vpctracker.overlaps import Claim, OverlapGroup, claims_of, find_overlaps

_OVERLAP_COLUMNS = (
    Column("Group", "Group"),
    Column("Kind", "Kind"),
    Column("CIDR block", "CidrBlock", style="yellow"),
    Column("VPC", "VpcId", style="cyan"),
    Column("Name", "Name"),
    Column("Account", "AccountName"),
    Column("Account id", "OwnerId"),
    Column("Region", "Region"),
)
_USUAL: Mapping[str, tuple[Any, ...]] = {"AccountName": ("",), "Name": ("",)}


@click.command(name="overlaps")
@store_options
@format_option
def overlaps_command(*, table: str | None, file: Path | None, format_: Format) -> None:
    """Show which VPCs have the same addresses, in groups: an outermost block and those inside it.

    Default VPCs, which all have 172.31.0.0/16, are one finding. Blocks inside 100.64.0.0/10 are repeated on purpose in
    many networks and are listed as such.
    """
    found = find_overlaps(claims_of(read_known(settings_of(table, file))))
    groups = [*found.collisions, *found.repeated]
    kinds = [_kind(group) for group in found.collisions] + ["repeated"] * len(found.repeated)
    if format_ == "json":
        print_json([_group_as_json(group, kind) for group, kind in zip(groups, kinds, strict=True)])
        return
    if format_ == "table" and not groups:
        stdout().print("No overlaps.")
        return
    collapse = format_ == "table"
    rows = [
        {"Group": str(number), "Kind": kind, **row}
        for number, (group, kind) in enumerate(zip(groups, kinds, strict=True), 1)
        for row in _group_rows(group, collapse=collapse)
    ]
    columns = chosen(_OVERLAP_COLUMNS, rows, format_, usual=_USUAL)
    print_rows(rows, columns, format_, title=f"{counted(len(groups), 'group')} of overlapping blocks")


def _kind(group: OverlapGroup) -> str:
    return "collision" if group.claims else "default"


def _group_as_json(group: OverlapGroup, kind: str) -> Row:
    claims = [_claim_row(claim) for claim in (*group.claims, *group.defaults)]
    return {"CidrBlock": str(group.outermost), "Kind": kind, "Vpcs": claims}


def _group_rows(group: OverlapGroup, *, collapse: bool) -> list[Row]:
    rows = [_claim_row(claim) for claim in group.claims]
    if group.defaults and collapse:
        accounts = len({claim.vpc.owner for claim in group.defaults})
        regions = len({claim.vpc.region for claim in group.defaults})
        return [*rows, {
            "CidrBlock": str(group.defaults[0].block), "VpcId": counted(len(group.defaults), "default VPC"),
            "AccountName": counted(accounts, "account"), "Region": counted(regions, "region"),
        }]  # fmt: skip
    return rows + [_claim_row(claim) for claim in group.defaults]


def _claim_row(claim: Claim) -> Row:
    vpc = claim.vpc
    return {
        "CidrBlock": str(claim.block),
        "VpcId": vpc.id,
        "OwnerId": vpc.owner,
        "AccountName": vpc.account_name,
        "Region": vpc.region,
        "Name": vpc.name,
        "IsDefault": vpc.is_default,
    }

"""`landkeeper vpc`: track VPCs, list them, and what their address blocks do to each other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from landkeeper.cli.output import Column, Format, Row, format_option, print_json, print_rows, stderr, stdout
from landkeeper.cli.vpc_progress import showing_progress
from landkeeper.org import UsageError
from landkeeper.settings import Settings, read_settings
from landkeeper.vpctracker.attributes import format_time, vpc_to_attributes
from landkeeper.vpctracker.inventory import AVAILABLE
from landkeeper.vpctracker.overlaps import Claim, OverlapGroup, claims_of, find_overlaps
from landkeeper.wiring.vpctracker import find_source, open_store, track_vpcs

if TYPE_CHECKING:
    from landkeeper.vpctracker.coverage import Coverage
    from landkeeper.vpctracker.inventory import StoredVpc
    from landkeeper.vpctracker.track import TrackOutcome

_INCOMPLETE = 3
_NAMED_AT_MOST = 5

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

Command = Callable[..., Any]


def _store_options(function: Command) -> Command:
    table = click.option("--table", metavar="NAME", help="The DynamoDB table of VPCs, as in VPCTracker.")
    file = click.option(
        "--file", type=click.Path(path_type=Path, dir_okay=False), metavar="PATH",
        help="A file on this machine instead of a table.  [default: landkeeper.db]",
    )  # fmt: skip
    return table(file(function))


@click.group(name="vpc")
def command() -> None:
    """VPC Tracker: every VPC of every account and region, and which address blocks collide."""


@command.command(name="track")
@click.option("--org", "organization", is_flag=True, help="Every active account of the organisation.")
@click.option("--account", "accounts", multiple=True, metavar="ID", help="This account; may be repeated.")
@click.option(
    "--profile", "profiles", multiple=True, metavar="NAME", help="The account of this profile; may be repeated."
)
@click.option("--role", metavar="NAME", help="The role to assume in accounts that are not the one at hand.")
@click.option("--external-id", metavar="X", help="The external id that the role asks for.")
@click.option("--region", "regions", multiple=True, metavar="R", help="Read this region only; may be repeated.")
@_store_options
@click.option("--create-tables", is_flag=True, help="Make the DynamoDB tables that are not there yet.")
def track_command(
    *, organization: bool, accounts: tuple[str, ...], profiles: tuple[str, ...], role: str | None,
    external_id: str | None, regions: tuple[str, ...], table: str | None, file: Path | None, create_tables: bool,
) -> int:  # fmt: skip
    """Read the VPCs of accounts and write down what changed.

    Without --org, --account or --profile: the account of the credentials at hand. Reading is all it does to an account.
    """
    if sum(map(bool, (organization, accounts, profiles))) > 1:
        raise UsageError("--org, --account and --profile name the accounts in three ways: use one of them")
    settings = _settings(table, file).with_access(
        role_name=role, external_id=external_id, regions=regions, accounts=accounts
    )
    source = find_source(settings, organization=organization, profiles=profiles)
    with open_store(settings, to_write=True, with_new_tables=create_tables) as store, showing_progress() as on_progress:
        outcome = track_vpcs(source, store, on_progress=on_progress)
    _print_outcome(outcome, settings)
    return _INCOMPLETE if outcome.unreadable else 0


@command.command(name="list")
@click.option("--deleted", is_flag=True, help="Show the VPCs that are gone as well.")
@_store_options
@format_option
def list_command(*, deleted: bool, table: str | None, file: Path | None, format_: Format) -> None:
    """List the VPCs that are known."""
    vpcs = [one for one in _read(_settings(table, file)) if deleted or one.is_live]
    _print_vpcs(vpcs, format_)


@command.command(name="defaults")
@_store_options
@format_option
def defaults_command(*, table: str | None, file: Path | None, format_: Format) -> None:
    """List the default VPCs that are still there."""
    vpcs = [one for one in _read(_settings(table, file)) if one.is_live and one.vpc.is_default]
    _print_vpcs(vpcs, format_)


@command.command(name="overlaps")
@_store_options
@format_option
def overlaps_command(*, table: str | None, file: Path | None, format_: Format) -> None:
    """Show which VPCs have the same addresses, in groups: an outermost block and those inside it.

    Default VPCs, which all have 172.31.0.0/16, are one finding. Blocks inside 100.64.0.0/10 are repeated on purpose in
    many networks and are listed as such.
    """
    found = find_overlaps(claims_of(_read(_settings(table, file))))
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
    columns = _chosen(_OVERLAP_COLUMNS, rows, format_)
    print_rows(rows, columns, format_, title=f"{_counted(len(groups), 'group')} of overlapping blocks")


def _settings(table: str | None, file: Path | None) -> Settings:
    return read_settings(os.environ).with_store(table=table, file=file)


def _read(settings: Settings) -> list[StoredVpc]:
    """Everything in the store; how old that is goes to stderr."""
    with open_store(settings, to_write=False) as store:
        vpcs = list(store.read_all())
        coverage = list(store.read_all_coverage())
    stderr().print(_freshness(coverage, datetime.now(UTC)), style="dim", markup=False, soft_wrap=True)
    return vpcs


def _freshness(coverage: list[Coverage], now: datetime) -> str:
    moments = [
        region.complete_at for one in coverage for region in one.regions.values() if region.complete_at is not None
    ]
    if not moments:
        return "No account has been read completely yet."
    incomplete = sorted(one.account_name or one.account for one in coverage if not one.is_complete)
    remark = f"As of {format_time(min(moments))} ({_age(now - min(moments))})."
    if incomplete:
        more = len(incomplete) - _NAMED_AT_MOST
        names = ", ".join(incomplete[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
        remark += f" Not read completely the last time, shown as last known: {names}."
    return remark


def _age(age: timedelta) -> str:
    minutes = age // timedelta(minutes=1)
    if minutes < 1:
        return "just now"
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"


def _print_outcome(outcome: TrackOutcome, settings: Settings) -> None:
    errors = stderr()
    for place in outcome.unreadable:
        errors.print(f"could not be read: {place}", style="red", markup=False, soft_wrap=True)
    changes = ", ".join(f"{count} {kind}" for kind, count in outcome.changes.items())
    where = f"table {settings.vpc_table}" if settings.vpc_table else str(settings.file)
    vpcs, accounts = _counted(outcome.vpcs, "VPC"), _counted(outcome.accounts, "account")
    out = stdout()
    out.print(f"{vpcs} in {outcome.accounts_read} of {accounts}: {changes}.", markup=False)
    out.print(f"Written to {where}. See: landkeeper vpc list | overlaps | defaults", markup=False)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _print_vpcs(vpcs: Iterable[StoredVpc], format_: Format) -> None:
    rows = sorted((vpc_to_attributes(one) for one in vpcs), key=_place_of)
    print_rows(rows, _chosen(_VPC_COLUMNS, rows, format_), format_, title=_counted(len(rows), "VPC"))


def _chosen(columns: Sequence[Column], rows: Sequence[Row], format_: Format) -> list[Column]:
    """The columns that tell the rows of a table apart, for a terminal is narrow; all of them elsewhere."""
    return [one for one in columns if format_ != "table" or _says_something(rows, one.attribute)]


def _says_something(rows: Sequence[Row], attribute: str) -> bool:
    usual = _USUAL.get(attribute)
    return usual is None or any(row.get(attribute) not in usual for row in rows)


def _place_of(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in ("AccountName", "OwnerId", "Region", "CidrBlock", "VpcId"))


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
            "CidrBlock": str(group.defaults[0].block), "VpcId": _counted(len(group.defaults), "default VPC"),
            "AccountName": _counted(accounts, "account"), "Region": _counted(regions, "region"),
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

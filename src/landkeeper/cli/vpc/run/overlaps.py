"""`vpc overlaps`: which VPCs have the same addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from landkeeper.cli.exit_codes import FINDINGS
from landkeeper.cli.output import Column, Format, Row, chosen, print_json, print_rows
from landkeeper.cli.terminal import aside, say
from landkeeper.cli.vpc.filters import Filter, place_filters, vpc_filter, vpc_tag_filters
from landkeeper.cli.vpc.known import exit_code, read_silently, remark_on, row_style
from landkeeper.cli.vpc.query import Query
from landkeeper.org import counted
from landkeeper.vpctracker.answers.overlaps import Claim, count_pairs, find_pairs
from landkeeper.vpctracker.answers.ranking import Finding, OverlapKind, find_overlaps_by_harm
from landkeeper.vpctracker.answers.spaces import check_space
from landkeeper.wiring.config import read_config

if TYPE_CHECKING:
    from landkeeper.vpctracker.answers.listing import Snapshot

_GROUP_COLUMNS = (
    Column("Group", "Group"),
    Column("Space", "Space", optional=6),
    Column("Kind", "Kind", optional=4),
    Column("Hurts", "Connections", style="red"),
    Column("CIDR block", "CidrBlock", style="yellow"),
    Column("VPC", "VpcId", style="cyan"),
    Column("Name", "Name", optional=3),
    Column("Account", "AccountName", optional=5),
    Column("Account id", "OwnerId"),
    Column("Region", "Region", optional=2),
    Column("Stale", "Stale", style="red"),
)
_PAIR_COLUMNS = (
    Column("Space", "Space", optional=6),
    Column("CIDR block", "CidrBlock", style="yellow"),
    Column("VPC", "VpcId", style="cyan"),
    Column("Account", "AccountName", optional=5),
    Column("Account id", "OwnerId"),
    Column("overlaps", "OtherCidrBlock", style="yellow"),
    Column("of VPC", "OtherVpcId", style="cyan"),
    Column("Account", "OtherAccountName", optional=5),
    Column("Account id", "OtherOwnerId"),
)
_USUAL: Mapping[str, tuple[Any, ...]] = {
    "AccountName": ("", None), "OtherAccountName": ("",), "Name": ("", None), "Space": ("default",),
    "Connections": ([], None), "Stale": ("", None),
}  # fmt: skip


def run_overlaps(
    *, query: Query, space: str | None, accounts: tuple[str, ...], vpcs: tuple[str, ...], tags: tuple[str, ...],
    pairs: bool, limit: int, check: bool, config: str | None, format_: Format,
) -> int:  # fmt: skip
    """List overlapping address blocks, in groups."""
    declared = read_config(query.settings.with_config(config))
    if space is not None:
        check_space(declared, space)
    tagged = vpc_tag_filters(tags)
    known = read_silently(query)
    filters = [*place_filters(accounts, (), known.vpcs, known.coverage), *vpc_filter(vpcs, known.vpcs), *tagged]
    remark_on(known)
    findings = [
        finding
        for finding in find_overlaps_by_harm(known.vpcs, declared)
        if space in {None, finding.space} and _fits_any(finding.members, filters)
    ]
    if pairs:
        _print_pairs(findings, limit, format_, filters)
    else:
        _print_groups(known, findings, format_)
    collides = any(finding.kind is OverlapKind.COLLISION for finding in findings)
    return FINDINGS if check and collides else exit_code(known)


def _fits_any(claims: Sequence[Claim], filters: Sequence[Filter]) -> bool:
    """Return whether one of the claims is what every filter asks for."""
    return any(all(fits(claim.vpc) for fits in filters) for claim in claims)


def _print_groups(known: Snapshot, findings: Sequence[Finding], format_: Format) -> None:
    stale = {stored.vpc.key: known.about(stored).why_stale for stored in known.vpcs}
    if format_ == "json":
        print_json([_finding_as_json(finding, stale) for finding in findings])
        return
    if format_ == "table" and not findings:
        say("No overlaps.")
        return
    rows = [
        {"Group": str(number), "Space": finding.space, "Kind": finding.kind, **row}
        for number, finding in enumerate(findings, 1)
        for row in _finding_rows(finding, stale, collapse=format_ == "table")
    ]
    columns = chosen(_GROUP_COLUMNS, rows, format_, usual=_USUAL)
    print_rows(rows, columns, format_, totals=_totals(findings), style_of=row_style)


def _totals(findings: Sequence[Finding]) -> str:
    kinds = [finding.kind for finding in findings]
    parts = [
        f"{count} {words}"
        for count, words in (
            (sum(bool(finding.connections) for finding in findings), "between declared connections"),
            (kinds.count(OverlapKind.DEFAULT), "of default VPCs"),
            (kinds.count(OverlapKind.REPEATED), "repeated on purpose"),
        )
        if count
    ]
    return f"{counted(len(findings), 'group')} of overlapping blocks" + (f": {', '.join(parts)}." if parts else ".")


def _finding_as_json(finding: Finding, stale: Mapping[Any, str]) -> Row:
    return {
        "CidrBlock": str(finding.group.outermost),
        "Kind": finding.kind,
        "Space": finding.space,
        "Connections": _connections(finding),
        "ConnectedVpcs": finding.attached,
        "Accounts": finding.accounts,
        "Vpcs": [_claim_row(claim, stale) for claim in finding.members],
    }


def _finding_rows(finding: Finding, stale: Mapping[Any, str], *, collapse: bool) -> Iterator[Row]:
    claims = finding.group.claims if collapse else finding.members
    for claim in claims:
        yield {**_claim_row(claim, stale), "Connections": _connections(finding)}
    if collapse and finding.group.defaults:
        defaults = finding.group.defaults
        yield {
            "CidrBlock": str(defaults[0].block),
            "VpcId": counted(len(defaults), "default VPC"),
            "AccountName": counted(len({claim.vpc.owner for claim in defaults}), "account"),
            "Region": counted(len({claim.vpc.region for claim in defaults}), "region"),
            "Connections": _connections(finding),
        }


def _connections(finding: Finding) -> list[str]:
    return [f"{connection.source}->{connection.target}" for connection in finding.connections]


def _claim_row(claim: Claim, stale: Mapping[Any, str]) -> Row:
    vpc = claim.vpc
    return {
        "CidrBlock": str(claim.block),
        "VpcId": vpc.id,
        "OwnerId": vpc.owner,
        "AccountName": vpc.account_name,
        "Region": vpc.region,
        "Name": vpc.name,
        "IsDefault": vpc.is_default,
        "Stale": stale[vpc.key],
    }


def _print_pairs(findings: Sequence[Finding], limit: int, format_: Format, filters: Sequence[Filter]) -> None:
    rows = list(islice(_pair_rows(findings, filters), limit))
    if filters:
        total = sum(1 for _ in _pair_rows(findings, filters))
    else:
        total = sum(count_pairs(finding.group) for finding in findings)
    left_out = total - len(rows)
    totals = counted(total, "pair") + (f", {left_out} not shown." if left_out else ".")
    print_rows(rows, chosen(_PAIR_COLUMNS, rows, format_, usual=_USUAL), format_, totals=totals)
    if left_out:
        aside(f"{left_out} of {total} pairs are not shown: pass a higher --limit.", "yellow")
    defaults = sum(len(finding.group.defaults) for finding in findings)
    if defaults > 1:
        remark = f"{defaults} default VPCs have 172.31.0.0/16: pairs of default VPCs are not counted."
        aside(remark, "dim")


def _pair_rows(findings: Sequence[Finding], filters: Sequence[Filter]) -> Iterator[Row]:
    for finding in findings:
        for outer, inner in find_pairs(finding.group):
            if not _fits_any((outer, inner), filters):
                continue
            yield {"Space": finding.space, "Kind": finding.kind, **_end(outer, ""), **_end(inner, "Other")}


def _end(claim: Claim, prefix: str) -> Row:
    vpc = claim.vpc
    return {
        f"{prefix}CidrBlock": str(claim.block),
        f"{prefix}VpcId": vpc.id,
        f"{prefix}OwnerId": vpc.owner,
        f"{prefix}AccountName": vpc.account_name,
        f"{prefix}Region": vpc.region,
    }

"""Accounts, VPCs, overlaps and coverage in the document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from landkeeper.org import AccountId, Failure, FailureReason, Standing, format_time
from landkeeper.report.document import AccountView, CoverageView, OverlapView, SpaceView, VpcView
from landkeeper.vpctracker.answers.ranking import find_overlaps_by_harm
from landkeeper.vpctracker.answers.spaces import spaces_of
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.config import DEFAULT_SPACE
from landkeeper.vpctracker.coverage import Coverage

if TYPE_CHECKING:
    from datetime import datetime

    from landkeeper.report.report_input import ReportInput
    from landkeeper.vpctracker.answers.listing import Snapshot
    from landkeeper.vpctracker.answers.ranking import Finding
    from landkeeper.vpctracker.config import TrackerConfig
    from landkeeper.vpctracker.coverage import RegionCoverage
    from landkeeper.vpctracker.inventory import StoredVpc, Vpc, VpcKey

COMPLETE, NEVER_READ = "complete", "never_read"
_OTHER_REASONS = {
    NEVER_READ: "never read",
    "governed": "closed by policy, not read",
    "disabled": "not enabled in the account, not read",
}
_SUBNET = "subnet-"


class Numbered:
    """Distinct texts, numbered in the order in which they were added."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._numbers = {text: number for number, text in enumerate(texts)}

    def number(self, text: str) -> int:
        """Return the text's number; add the text at the end if it is new."""
        return self._numbers.setdefault(text, len(self._numbers))

    @property
    def texts(self) -> tuple[str, ...]:
        """Return all texts in order."""
        return tuple(self._numbers)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers by which parts of the document refer to each other."""

    accounts: Mapping[AccountId, int]
    spaces: Mapping[str, int]
    regions: Numbered = field(default_factory=Numbered)
    zones: Numbered = field(default_factory=Numbered)
    words: Numbered = field(default_factory=Numbered)


def view_accounts(known: Snapshot) -> tuple[AccountView, ...]:
    """Return every account that has coverage or owns a VPC, by name and id."""
    names: dict[AccountId, str] = {}
    for vpc in (stored.vpc for stored in known.vpcs):
        names[vpc.owner] = vpc.account_name or names.get(vpc.owner, "")
    for account, coverage in known.coverage.items():
        names[account] = coverage.account_name or names.get(account, "")
    return tuple(
        _view_account(account, name, known.coverage.get(account))
        for name, account in sorted((name, account) for account, name in names.items())
    )


def _view_account(account: AccountId, name: str, coverage: Coverage | None) -> AccountView:
    coverage = coverage or Coverage(account)
    return AccountView(account, name, coverage.unit, str(coverage.membership))


def view_spaces(config: TrackerConfig) -> tuple[SpaceView, ...]:
    """Return the declared spaces, then the default space."""
    declared = [space for space in config.spaces if space.name != DEFAULT_SPACE]
    return tuple(
        SpaceView(space.name, tuple(map(str, space.repeated))) for space in (*declared, spaces_of(config).default)
    )


def view_vpcs(report_input: ReportInput, numbers: Numbers) -> tuple[VpcView, ...]:
    """Return the live VPCs, in stored order."""
    spaces = spaces_of(report_input.config)
    return tuple(
        _view_vpc(stored, spaces.space_of(stored.vpc).name, report_input.known, numbers)
        for stored in report_input.known.vpcs
        if stored.is_live
    )


def _view_vpc(stored: StoredVpc, space: str, known: Snapshot, numbers: Numbers) -> VpcView:
    vpc, about = stored.vpc, known.about(stored)
    blocks = tuple(dict.fromkeys(vpc.taken_blocks))
    return VpcView(
        id=vpc.id,
        account=numbers.accounts[vpc.owner],
        region=numbers.regions.number(vpc.region),
        cidrs=tuple(block for block in blocks if ":" not in block),
        subnets=tuple(
            (subnet.id.removeprefix(_SUBNET), subnet.cidr_block, numbers.zones.number(subnet.az_id),
             subnet.free_addresses)
            for subnet in vpc.subnets
        ),
        first_seen=format_time(stored.first_seen),
        space=None if space == DEFAULT_SPACE else numbers.spaces[space],
        name=vpc.name,
        state=vpc.state,
        is_default=vpc.is_default,
        ipv6=tuple(block for block in blocks if ":" in block),
        tags=tuple(
            numbers.words.number(word)
            for key, value in vpc.tags.items()
            if (key, value) != ("Name", vpc.name)
            for word in (key, value)
        ),
        peerings=tuple((peering.id, peering.state, peering.peer_vpc) for peering in vpc.peerings),
        gateways=tuple(
            dict.fromkeys(link.transit_gateway for link in vpc.transit_gateways if link.state == "available")
        ),
        last_changed=None if stored.last_changed == stored.first_seen else format_time(stored.last_changed),
        stale=(_time(about.read_at) or "") if about.is_stale else None,
        why_stale=about.why_stale,
        shared_with=vpc.shared_with,
        used=_used(vpc),
    )  # fmt: skip


def _used(vpc: Vpc) -> float | None:
    """Return the share of the VPC's IPv4 addresses in use in its subnets; None if it is unknown.

    The five addresses that AWS reserves in each subnet count as in use (Amazon VPC User Guide, "Subnet CIDR blocks").
    """
    if "Subnets" in vpc.omitted:
        return None
    size = sum(parse_block(text).size for text in vpc.cidr_blocks if ":" not in text)
    in_use = sum(
        parse_block(subnet.cidr_block).size - subnet.free_addresses for subnet in vpc.subnets if subnet.cidr_block
    )
    return round(min(1.0, max(0.0, in_use / size)), 3) if size else None


def view_overlaps(
    known: Snapshot, config: TrackerConfig, vpcs: Mapping[VpcKey, int], numbers: Numbers
) -> tuple[OverlapView, ...]:
    """Return the overlaps, the most harmful first. `vpcs` are the numbers of the live VPCs."""
    connections = {connection: number for number, connection in enumerate(config.connections)}
    return tuple(
        _view_overlap(finding, vpcs, numbers, tuple(connections[declared] for declared in finding.connections))
        for finding in find_overlaps_by_harm(known.vpcs, config)
    )


def _view_overlap(
    finding: Finding, vpcs: Mapping[VpcKey, int], numbers: Numbers, connections: tuple[int, ...]
) -> OverlapView:
    return OverlapView(
        space=numbers.spaces[finding.space],
        block=str(finding.group.outermost),
        kind=str(finding.kind),
        accounts=finding.accounts,
        attached=finding.attached,
        connections=connections,
        members=tuple((vpcs[claim.vpc.key], str(claim.block)) for claim in finding.members),
    )


def view_coverage(coverage: Iterable[Coverage], numbers: Numbers) -> tuple[CoverageView, ...]:
    """Return when each account and region was last read."""
    return tuple(_view_coverage(account, numbers) for account in coverage)


def _view_coverage(coverage: Coverage, numbers: Numbers) -> CoverageView:
    return CoverageView(
        account=numbers.accounts[coverage.account],
        tried_at=_time(coverage.tried_at),
        regions=tuple(
            _view_region(numbers.regions.number(name), region) for name, region in sorted(coverage.regions.items())
        ),
        reason="" if coverage.failure is None else _word(coverage.failure),
        code="" if coverage.failure is None else coverage.failure.code,
        failed_runs=coverage.failed_runs,
    )


def _view_region(number: int, region: RegionCoverage) -> tuple[int, str, str | None] | tuple[int, str, str | None, str]:
    read_at = _time(region.complete_at)
    if region.standing is not Standing.READ:
        return number, str(region.standing), read_at
    if region.failure is not None:
        return number, _word(region.failure), read_at, region.failure.code
    return number, COMPLETE if read_at else NEVER_READ, read_at


def view_reasons(coverage: Iterable[CoverageView]) -> dict[str, str]:
    """Return the text of each reason that the coverage names."""
    known = {reason.name.lower(): str(reason) for reason in FailureReason} | _OTHER_REASONS
    named = {word for account in coverage for word in (account.reason, *(region[1] for region in account.regions))}
    return {word: known[word] for word in sorted(named & known.keys())}


def _word(failure: Failure) -> str:
    return failure.reason.name.lower()


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)

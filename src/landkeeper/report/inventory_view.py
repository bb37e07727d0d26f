"""Accounts, VPCs, overlaps and coverage as the document has them."""

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
    "governed": "empty by decree, and not read",
    "disabled": "not enabled in the account, and not read",
}
_SUBNET = "subnet-"


class Numbered:
    """Texts in the order in which they turned up, each once."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._numbers = {text: number for number, text in enumerate(texts)}

    def number(self, text: str) -> int:
        """Which one it is; a new one comes last."""
        return self._numbers.setdefault(text, len(self._numbers))

    @property
    def texts(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(self._numbers)


@dataclass(frozen=True, slots=True)
class Numbers:
    """What other parts of the document refer to by number."""

    accounts: Mapping[AccountId, int]
    spaces: Mapping[str, int]
    regions: Numbered = field(default_factory=Numbered)
    zones: Numbered = field(default_factory=Numbered)
    words: Numbered = field(default_factory=Numbered)


def view_accounts(known: Snapshot) -> tuple[AccountView, ...]:
    """Every account that was tried or owns a VPC, by name and id."""
    names: dict[AccountId, str] = {}
    for one in known.vpcs:
        names[one.vpc.owner] = one.vpc.account_name or names.get(one.vpc.owner, "")
    for account, covered in known.coverage.items():
        names[account] = covered.account_name or names.get(account, "")
    return tuple(
        _view_account(account, name, known.coverage.get(account))
        for name, account in sorted((name, account) for account, name in names.items())
    )


def _view_account(account: AccountId, name: str, covered: Coverage | None) -> AccountView:
    covered = covered or Coverage(account)
    return AccountView(account, name, covered.unit, str(covered.membership))


def view_spaces(config: TrackerConfig) -> tuple[SpaceView, ...]:
    """The declared spaces, the default one last."""
    declared = [space for space in config.spaces if space.name != DEFAULT_SPACE]
    return tuple(
        SpaceView(space.name, tuple(map(str, space.repeated))) for space in (*declared, spaces_of(config).default)
    )


def view_vpcs(report_input: ReportInput, numbers: Numbers) -> tuple[VpcView, ...]:
    """The live VPCs, in the order in which they are known."""
    spaces = spaces_of(report_input.config)
    return tuple(
        _view_vpc(one, spaces.space_of(one.vpc).name, report_input.known, numbers)
        for one in report_input.known.vpcs
        if one.is_live
    )


def _view_vpc(one: StoredVpc, space: str, known: Snapshot, numbers: Numbers) -> VpcView:
    vpc, about = one.vpc, known.about(one)
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
        first_seen=format_time(one.first_seen),
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
        last_changed=None if one.last_changed == one.first_seen else format_time(one.last_changed),
        stale=(_time(about.read_at) or "") if about.is_stale else None,
        why_stale=about.why_stale,
        shared_with=vpc.shared_with,
        used=_used(vpc),
    )  # fmt: skip


def _used(vpc: Vpc) -> float | None:
    """The share of its IPv4 addresses that its subnets do not have free, the five that AWS takes of each included."""
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
    """What overlaps, in the order of what hurts. `vpcs` are the numbers of the live ones."""
    connections = {connection: number for number, connection in enumerate(config.connections)}
    return tuple(
        _view_overlap(finding, vpcs, numbers, tuple(connections[one] for one in finding.connections))
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
    """How well each account is known."""
    return tuple(_view_coverage(one, numbers) for one in coverage)


def _view_coverage(one: Coverage, numbers: Numbers) -> CoverageView:
    return CoverageView(
        account=numbers.accounts[one.account],
        tried_at=_time(one.tried_at),
        regions=tuple(
            _view_region(numbers.regions.number(region), covered) for region, covered in sorted(one.regions.items())
        ),
        reason="" if one.failure is None else _word(one.failure),
        code="" if one.failure is None else one.failure.code,
        failed_runs=one.failed_runs,
    )


def _view_region(
    number: int, covered: RegionCoverage
) -> tuple[int, str, str | None] | tuple[int, str, str | None, str]:
    read_at = _time(covered.complete_at)
    if covered.standing is not Standing.READ:
        return number, str(covered.standing), read_at
    if covered.failure is not None:
        return number, _word(covered.failure), read_at, covered.failure.code
    return number, COMPLETE if read_at else NEVER_READ, read_at


def view_reasons(coverage: Iterable[CoverageView]) -> dict[str, str]:
    """Each reason that the coverage names, in plain words."""
    known = {reason.name.lower(): str(reason) for reason in FailureReason} | _OTHER_REASONS
    named = {word for one in coverage for word in (one.reason, *(region[1] for region in one.regions))}
    return {word: known[word] for word in sorted(named & known.keys())}


def _word(failure: Failure) -> str:
    return failure.reason.name.lower()


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)

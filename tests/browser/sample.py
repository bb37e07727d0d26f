"""The report in the README's picture: the sample organization after three weeks, as values, the same every time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from landkeeper.embedded.organization import REGIONS, UNITS, UNREADABLE, VPCS, SampleVpc
from landkeeper.org import AccountId, Region
from landkeeper.report.report_input import ReportInput
from landkeeper.vpctracker.answers.listing import Snapshot
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.config import TrackerConfig
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.inventory import CidrAssociation, StoredVpc, Vpc, VpcId
from landkeeper.vpctracker.pools.pool import Kind, Pool, PoolState, Reservation

NOW = datetime(2026, 6, 22, 9, 0, tzinfo=UTC)
_FIRST = NOW - timedelta(days=21)
_RESERVED = {"10.128.0.0/14": "logistics", "10.160.0.0/12": "acquired-shop", "10.64.0.0/14": "payments"}


def make_sample() -> ReportInput:
    """Return the input of the picture's report."""
    units = {name: unit for unit, names in UNITS.items() for name in names if name != UNREADABLE}
    accounts = {name: AccountId(f"{110_000_000_000 + number}") for number, name in enumerate(sorted(units))}
    fresh = RegionCoverage(complete_at=NOW - timedelta(minutes=12))
    coverage = {
        account: Coverage(account, name, NOW, regions=dict.fromkeys(map(Region, REGIONS), fresh), unit=units[name])
        for name, account in accounts.items()
    }
    vpcs = tuple(
        _stored(number, vpc, accounts[vpc.account]) for number, vpc in enumerate(VPCS) if vpc.account in accounts
    )
    return ReportInput(Snapshot(vpcs, coverage), TrackerConfig(), NOW, "table VPCTracker", "0.1.0", pools=(_pool(),))


def _stored(number: int, sample: SampleVpc, owner: AccountId) -> StoredVpc:
    vpc = Vpc(
        id=VpcId(f"vpc-{number:017x}"),
        owner=owner,
        region=Region(sample.region),
        cidr_block=sample.blocks[0],
        account_name=sample.account,
        name=sample.name,
        cidr_associations=tuple(
            CidrAssociation(f"vpc-cidr-assoc-{number}-{place}", block, "associated")
            for place, block in enumerate(sample.blocks)
        ),
        read_by=owner,
    )
    return StoredVpc(vpc, _FIRST, _FIRST, version=1)


def _pool() -> PoolState:
    pool = Pool("workloads", parse_block("10.0.0.0/8"), shortest=12, longest=26, made_at=_FIRST)
    reservations = tuple(
        Reservation(f"res-{number:017x}", pool.id, parse_block(block), Kind.ALLOCATION, _FIRST, purpose=purpose)
        for number, (block, purpose) in enumerate(_RESERVED.items())
    )
    return PoolState(pool, 1, reservations)

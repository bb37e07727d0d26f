"""A large organization as values, the same in every run: the input of a report, without a store.

Accounts have VPCs in several regions, with six subnets each and tags, some of which repeat. Some blocks collide, some
repeat on purpose, every fourth account still has a default VPC, some accounts cannot be read, some VPCs are deleted;
there are pools, and three months of history.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from landkeeper.broom.case import Case, Outcome, State, Step
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.policy.rules import Penalty
from landkeeper.org import AccountId, Failure, FailureReason, Principal, Region
from landkeeper.report.report_input import CASES_LOOKED_BACK, Ledger, ReportInput
from landkeeper.vpctracker.answers.listing import Snapshot
from landkeeper.vpctracker.cidr import Block, block_at, parse_block
from landkeeper.vpctracker.config import Connection, Space, TrackerConfig
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.inventory import (
    DELETED,
    CidrAssociation,
    Peering,
    StoredVpc,
    Subnet,
    TransitGatewayAttachment,
    Vpc,
    VpcId,
)
from landkeeper.vpctracker.pools.pool import Kind, Pool, PoolState, Reservation

NOW = datetime(2025, 10, 5, 12, 0, 0, tzinfo=UTC)
REGIONS = tuple(
    Region(name)
    for name in (
        "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
        "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1",
        "us-east-2", "us-west-1", "us-west-2",
    )
)  # fmt: skip
"""Regions that an account has enabled by default."""
_TEAMS = tuple(f"team-{word}" for word in ("payments", "search", "basket", "fraud", "ledger", "media", "mobile", "web"))
_STAGES = ("prod", "test", "dev")
_DENIED = Failure(FailureReason.ROLE_NOT_ASSUMABLE, "AccessDenied", "is not authorized to perform: sts:AssumeRole")


def make_report_input(vpcs: int = 10_000, accounts: int = 500, cases: int = 300, seed: int = 8) -> ReportInput:
    """Return an organization with this many VPCs, accounts and cases."""
    chance = random.Random(seed)  # noqa: S311 - sample data
    owners = [AccountId(f"{320_000_000_000 + number}") for number in range(accounts)]
    names = {owner: f"{_TEAMS[number % 8][5:]}-{_STAGES[number % 3]}-{number}" for number, owner in enumerate(owners)}
    stored = [_stored(number, owners[number % accounts], names, chance) for number in range(vpcs)]
    stored.sort(key=lambda item: (item.vpc.owner, item.vpc.region, item.vpc.id))
    coverage = {owner: _coverage(number, owner, names[owner]) for number, owner in enumerate(owners)}
    first = min((item.first_seen for item in stored), default=None)
    known = Snapshot(tuple(stored), coverage, first_record=None if first is None else f"{first:%Y-%m-%dT%H:%M:%SZ}")
    config = TrackerConfig(
        spaces=(Space("plant", accounts=tuple(owners[::50])),),
        connections=(Connection(owners[0], owners[1 % accounts]), Connection(owners[2 % accounts], owners[-1])),
    )
    ledger = Ledger(tuple(_case(number, owners, chance) for number in range(cases)), NOW - CASES_LOOKED_BACK)
    return ReportInput(known, config, NOW, "table VPCTracker", "0.1.0", _pools(owners), ledger)


def _stored(number: int, owner: AccountId, names: Mapping[AccountId, str], chance: random.Random) -> StoredVpc:
    first_seen = NOW - timedelta(days=chance.choice((200, 200, 200, chance.uniform(0, 100))))
    gone = chance.random() < 0.03
    deleted_at = first_seen + (NOW - first_seen) * chance.random() if gone else None
    changed = deleted_at or (first_seen if chance.random() < 0.7 else first_seen + (NOW - first_seen) / 2)
    return StoredVpc(
        _vpc(number, owner, names[owner], chance, DELETED if gone else "available"), first_seen, changed,
        version=1, deleted_at=deleted_at,
    )  # fmt: skip


def _vpc(number: int, owner: AccountId, account_name: str, chance: random.Random, state: str) -> Vpc:
    region = REGIONS[chance.randrange(len(REGIONS))]
    is_default = number % 80 == 0
    block = parse_block("172.31.0.0/16") if is_default else _block(number, chance)
    name = "" if is_default else f"{account_name}-{number}"
    tags = {} if is_default else {
        "Name": name, "Environment": chance.choice(_STAGES), "Team": chance.choice(_TEAMS),
        "CostCenter": f"CC-{chance.randrange(400):04d}",
    }  # fmt: skip
    blocks = [block, *([_shared_block(number)] if number % 40 == 1 else [])]
    return Vpc(
        id=VpcId(_id("vpc", chance)),
        owner=owner,
        region=region,
        cidr_block=str(block),
        is_default=is_default,
        state=state,
        account_name=account_name,
        name=name,
        cidr_associations=tuple(
            CidrAssociation(_id("vpc-cidr-assoc", chance), str(cidr), "associated") for cidr in blocks
        ),
        tags=tags,
        subnets=tuple(_subnets(block, region, chance)),
        peerings=(_peering(chance),) if number % 25 == 2 else (),
        transit_gateways=(_attachment(number, chance),) if number % 3 == 0 else (),
        read_by=owner,
    )


def _block(number: int, chance: random.Random) -> Block:
    """Return the next /22 of 10.0.0.0/8; for one VPC in thirty, a block that another VPC has already."""
    place = number if chance.random() > 0.03 else chance.randrange(number + 1)
    return block_at(4, (10 << 24) + (place % 16_384 << 10), 22)


def _shared_block(number: int) -> Block:
    return block_at(4, (100 << 24 | 64 << 16) + (number % 16 << 16), 16)


def _subnets(block: Block, region: Region, chance: random.Random) -> list[Subnet]:
    size = block.size // 8
    length = block.prefix_length + 3
    zone = "".join(part[0] for part in region.split("-")[:-1]) + region[-1]
    return [
        Subnet(_id("subnet", chance), f"{zone}-az{place % 3 + 1}",
               str(block_at(4, block.first + place * size, length)), chance.randrange(size - 4))
        for place in range(6)
    ]  # fmt: skip


def _peering(chance: random.Random) -> Peering:
    return Peering(_id("pcx", chance), "active", VpcId(_id("vpc", chance)), AccountId("444455556666"), REGIONS[0])


def _attachment(number: int, chance: random.Random) -> TransitGatewayAttachment:
    gateway = f"tgw-{number % 17:017x}"
    return TransitGatewayAttachment(_id("tgw-attach", chance), gateway, AccountId("111122223333"), "available")


def _coverage(number: int, owner: AccountId, name: str) -> Coverage:
    unit = f"Workloads/{_STAGES[number % 3].capitalize()}"
    read_at = NOW - timedelta(minutes=20, seconds=number % 300)
    if number % 60 == 7:
        old = RegionCoverage(complete_at=read_at - timedelta(days=3))
        return Coverage(owner, name, read_at, _DENIED, dict.fromkeys(REGIONS, old), failed_runs=70, unit=unit)
    read = dict.fromkeys(REGIONS, RegionCoverage(complete_at=read_at))
    return Coverage(owner, name, read_at, regions=read, unit=unit)


def _pools(owners: list[AccountId]) -> tuple[PoolState, ...]:
    whole = Pool("company", parse_block("10.0.0.0/8"), shortest=16, longest=26, made_at=NOW - timedelta(days=100))
    inner = Pool("workloads", parse_block("10.128.0.0/10"), parent="company", made_at=NOW - timedelta(days=90))
    inside = Reservation("res-inner", "company", inner.block, Kind.POOL, NOW - timedelta(days=90), purpose="workloads")
    reserved = [
        Reservation(
            f"res-{number:017x}", "workloads", block_at(4, inner.block.first + (24 * number << 12), 20),
            Kind.ALLOCATION, NOW - timedelta(days=number % 80), account=owners[number % len(owners)],
            purpose=f"shop {number}", expires_at=NOW + timedelta(days=14),
        )
        for number in range(40)
    ]  # fmt: skip
    return PoolState(whole, 2, (inside,)), PoolState(inner, 41, tuple(reserved))


def _case(number: int, owners: list[AccountId], chance: random.Random) -> Case:
    launched = NOW - timedelta(days=chance.uniform(0, 30))
    moves = (
        (State.WAITING, "the confirming read is at the end of the grace"), (State.JUDGED, "Code is missing"),
        (State.ACTING, "terminate"), (State.ACTED, "destroyed"), (State.REPORTED, "reported as destroyed"),
    )  # fmt: skip
    story = tuple(Step(launched + timedelta(minutes=3 * k), state, why) for k, (state, why) in enumerate(moves))
    return Case(
        instance_id=InstanceId(_id("i", chance)), account=chance.choice(owners), region=chance.choice(REGIONS),
        event_ids=(f"00000000-0000-0000-0000-{number:012d}",), event_time=launched,
        principal=Principal("AssumedRole", f"Developer/{chance.choice(_TEAMS)}"), image_id=_id("ami", chance),
        instance_type=chance.choice(("t3.micro", "m7i.large", "g6.xlarge")), logged_tags={"Name": f"try {number}"},
        opened_at=launched, changed_at=story[-1].at, state=State.REPORTED, version=5,
        rule=chance.choice(("code", "owner")), how="Code is missing", action=Penalty.TERMINATE,
        outcome=Outcome.DESTROYED, story=story,
    )  # fmt: skip


def _id(prefix: str, chance: random.Random) -> str:
    return f"{prefix}-{chance.getrandbits(68):017x}"

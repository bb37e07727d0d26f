"""Measure a run's cost in DynamoDB: 10,000 stored VPCs, of which 1 % changed, with calls and write units.

The simulator has no prices. Units are computed from the requests by AWS's rules: an item's size is that of its names
and values (DynamoDB guide, "DynamoDB item sizes and formats"); a write costs a unit per started KB, twice that in a
transaction, and one plain write more for the index that contains the item ("DynamoDB provisioned capacity mode").
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

import boto3

from benchmarks.results import write_results
from landkeeper.aws.items import count_bytes
from landkeeper.aws.sessions import client_config
from landkeeper.aws.vpctracker.vpc_table import COVERAGE, VpcTable, create_tables
from landkeeper.embedded.simulators import HOME_ACCOUNT, Simulators
from landkeeper.org import Account, AccountId, Region
from landkeeper.vpctracker.differences import Complete, RegionRead
from landkeeper.vpctracker.inventory import CidrAssociation, Subnet, TransitGatewayAttachment, Vpc, VpcId
from landkeeper.vpctracker.track import track

_ACCOUNTS, _VPCS_EACH, _CHANGED = 1_000, 10, 100
_TABLE, _REGION = "VPCTracker", Region("eu-west-1")
_START = datetime(2026, 3, 1, tzinfo=UTC)


class Estate:
    """Accounts with the VPCs that a landing zone gives them: three zones, a public and a private subnet in each."""

    def __init__(self) -> None:
        self.accounts = [Account(AccountId(f"{number:012d}"), f"team-{number}-production")
                         for number in range(_ACCOUNTS)]  # fmt: skip
        self.vpcs: dict[AccountId, tuple[Vpc, ...]] = {
            account.id: tuple(_vpc(account.id, at * _VPCS_EACH + number) for number in range(_VPCS_EACH))
            for at, account in enumerate(self.accounts)
        }

    def read_account(self, account: Account, regions: Collection[Region] | None = None) -> Mapping[Region, RegionRead]:
        """Return all VPCs."""
        assert regions is None  # noqa: S101 - nobody asks for less here
        return {_REGION: Complete(self.vpcs[account.id])}

    def change(self) -> Mapping[VpcId, str]:
        """Change a VPC in a hundred; return the changes by VPC."""
        chance = random.Random(1)  # noqa: S311 - a sample, not a secret
        happened = {}
        for account in chance.sample(self.accounts, _CHANGED):
            first, *others = self.vpcs[account.id]
            kind = chance.choices(list(_HAPPENINGS), weights=(5, 3, 2, 1))[0]
            self.vpcs[account.id] = (_HAPPENINGS[kind](first), *others)
            happened[first.id] = kind
        return happened


def _vpc(owner: AccountId, number: int) -> Vpc:
    block = f"10.{number >> 8}.{number % 256}.0/24"
    tags = {"Name": f"vpc-{number}-production", "Environment": "production", "CostCentre": "0123456789",
            "Owner": "platform-team@example.com", "ManagedBy": "landing-zone"}  # fmt: skip
    return Vpc(
        id=VpcId(f"vpc-{number:017x}"),
        owner=owner,
        region=_REGION,
        cidr_block=block,
        name=tags["Name"],
        tags=tags,
        dhcp_options_id="dopt-0123456789abcdef0",
        cidr_associations=(CidrAssociation(f"vpc-cidr-assoc-{number:017x}", block, "associated"),),
        subnets=tuple(_subnet(number, at) for at in range(6)),
        transit_gateways=(TransitGatewayAttachment(f"tgw-attach-{number:017x}", "tgw-0123456789abcdef0",
                                                   AccountId("111122223333"), "available"),),
    )  # fmt: skip


def _subnet(number: int, at: int) -> Subnet:
    return Subnet(f"subnet-{number * 16 + at:017x}", f"euw1-az{at % 3 + 1}", f"10.0.{number % 256}.{at * 16}/28", 11)


def _tagged(vpc: Vpc) -> Vpc:
    return replace(vpc, tags={**vpc.tags, "CostCentre": "9876543210"})


def _with_subnet(vpc: Vpc) -> Vpc:
    return replace(vpc, subnets=(*vpc.subnets, _subnet(int(vpc.id.removeprefix("vpc-"), 16), 7)))


def _with_block(vpc: Vpc) -> Vpc:
    more = CidrAssociation("vpc-cidr-assoc-0123456789abcdef0", "100.64.0.0/16", "associated")
    return replace(vpc, cidr_associations=(*vpc.cidr_associations, more))


def _new(vpc: Vpc) -> Vpc:
    return replace(vpc, id=VpcId(vpc.id.replace("vpc-0", "vpc-f")))


_HAPPENINGS = {"tag": _tagged, "subnet": _with_subnet, "block": _with_block, "replaced": _new}


class Meter:
    """Counts the calls of a client, and what its writes cost."""

    def __init__(self, client: Any) -> None:
        self.calls: Counter[str] = Counter()
        self.units: Counter[str] = Counter()
        """Write units per VPC."""
        self.coverage_units = 0
        self.largest = 0
        """Bytes of the largest VPC item written."""
        client.meta.events.register("provide-client-params.dynamodb.*", self._see)

    def _see(self, params: dict[str, Any], model: Any, **_: object) -> None:
        self.calls[model.name] += 1
        for action in params.get("TransactItems", ()):
            self._see_put(action["Put"])
        if model.name == "PutItem" and params["TableName"] == _TABLE + COVERAGE:
            self.coverage_units += _kilobytes(params["Item"])

    def _see_put(self, put: dict[str, Any]) -> None:
        size = _kilobytes(put["Item"])
        if put["TableName"] == _TABLE:
            self.largest = max(self.largest, count_bytes(put["Item"]))
        self.units[put["Item"]["VpcId"]["S"]] += 2 * size + (size if put["TableName"] == _TABLE else 0)


def _kilobytes(item: Mapping[str, Any]) -> int:
    return ceil(count_bytes(item) / 1024)


def run() -> None:
    """Fill the tables, let one VPC in a hundred change, track again, and write down what that took."""
    with Simulators() as simulators:
        url = simulators.environment()["AWS_ENDPOINT_URL"]
        session = boto3.Session(HOME_ACCOUNT, "embedded", region_name="us-east-1")
        client = session.client("dynamodb", endpoint_url=url, config=client_config())
        create_tables(client, _TABLE)
        estate, store = Estate(), VpcTable(client, _TABLE)
        track(estate.accounts, estate, store, clock=lambda: _START, max_workers=4)
        happened = estate.change()
        changed = Meter(client)
        track(estate.accounts, estate, store, clock=lambda: _START + timedelta(hours=1), max_workers=4)
        calls = Counter(changed.calls)
        unchanged = Meter(client)
        track(estate.accounts, estate, store, clock=lambda: _START + timedelta(hours=2), max_workers=4)
    changed.calls = calls
    write_results("store", _rows(changed, unchanged, happened))


def _rows(changed: Meter, unchanged: Meter, happened: Mapping[VpcId, str]) -> Sequence[tuple[str, str]]:
    vpcs = f"{_ACCOUNTS * _VPCS_EACH:,} stored VPCs of {_ACCOUNTS:,} accounts"
    kinds = {kind: [units for vpc, units in changed.units.items() if happened.get(VpcId(vpc), _NEW) == kind]
             for kind in _HAPPENINGS}  # fmt: skip
    spent = sum(changed.units.values())
    return [
        (f"{vpcs}, {_CHANGED} changed: calls", _counts(changed.calls)),
        ("write units per changed VPC, mean (threshold: 8)", f"{spent / len(changed.units):.1f}"),
        *((f"write units per changed VPC, {kind}", f"{sum(of_kind) / len(of_kind):.1f} ({len(of_kind)} VPCs)")
          for kind, of_kind in kinds.items() if of_kind),
        ("largest VPC item written", f"{changed.largest:,} bytes"),
        ("write units for coverage per account", f"{changed.coverage_units / 2 / _ACCOUNTS:.1f}"),
        (f"{vpcs}, nothing changed: calls", _counts(unchanged.calls)),
        ("write units for VPCs and history when nothing changed", f"{sum(unchanged.units.values())}"),
    ]  # fmt: skip


_NEW = "replaced"


def _counts(calls: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(calls.items()))

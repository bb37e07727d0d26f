"""Default VPCs as rows: each its own, or an account in a line where there are many."""

from __future__ import annotations

import json
from typing import Any

import pytest

from landkeeper.cli.output import Format
from landkeeper.cli.vpc.default_vpcs_output import Told, print_default_vpcs
from landkeeper.cli.vpc.restore_default import print_restoring
from landkeeper.org import Account, AccountId, Failure, FailureReason, Region
from landkeeper.vpctracker.default_vpcs.plan import (
    DefaultSubnet,
    DefaultVpc,
    InternetGateway,
    InUse,
    Look,
    Plan,
    Reason,
    RouteTable,
    Unchecked,
    Unknown,
    decide,
)
from landkeeper.vpctracker.default_vpcs.removal import Deleted, Failed, Gone, Survey
from landkeeper.vpctracker.inventory import VpcId

_SHOP, _LAKE = Account(AccountId("111122223333"), "shop"), Account(AccountId("444455556666"), "lake")
_DENIED = Failure(FailureReason.MISSING_PERMISSION, "AccessDenied", "no")


def _vpc(number: int, account: Account = _SHOP, **more: Any) -> DefaultVpc:
    subnets = tuple(DefaultSubnet(f"subnet-{number}{letter}", True) for letter in "abc")
    gateways, tables = (InternetGateway(f"igw-{number}"),), (RouteTable(f"rtb-{number}", is_main=True),)
    return DefaultVpc(
        VpcId(f"vpc-{number:02}"), account.id, Region(f"eu-west-{number}"), "172.31.0.0/16", subnets=subnets,
        gateways=gateways, route_tables=tables, **more,
    )  # fmt: skip


def _plan(number: int, account: Account = _SHOP) -> Plan:
    plan = decide(_vpc(number, account), account.id)
    assert isinstance(plan, Plan)
    return plan


def _printed(capsys: pytest.CaptureFixture[str], told: list[Told], format_: Format = "table") -> str:
    print_default_vpcs(told, format_, nothing="Nothing there.")
    return capsys.readouterr().out


def test_an_account_that_just_goes_is_one_row_of_a_long_table(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[Told] = [(_SHOP, _plan(number)) for number in range(20)]
    told += [(_LAKE, _plan(number, _LAKE)) for number in range(9)]
    used = InUse(_vpc(30, _LAKE), (Reason(Look.PEERING, "pcx-1", "active"),))
    shown = _printed(capsys, [*told, (_LAKE, used)])
    rows = [" ".join(line.split()) for line in shown.splitlines()]
    assert "shop 111122223333 20 regions 20 default VPCs unused 60 subnets, 20 internet gateways" in rows
    assert "lake 444455556666 9 regions 9 default VPCs unused 27 subnets, 9 internet gateways" in rows
    assert "lake 444455556666 eu-west-30 vpc-30 in use peering connection pcx-1 (active)" in rows
    assert rows[-1] == "30 default VPCs in 2 accounts and 21 regions: 29 unused, 1 in use."


def test_json_has_each_of_them_however_many_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[Told] = [(_SHOP, _plan(number)) for number in range(40)]
    rows = json.loads(_printed(capsys, told, "json"))
    assert sorted(row["VpcId"] for row in rows) == [f"vpc-{number:02}" for number in range(40)]
    assert rows[0]["Steps"][-1] == "delete VPC vpc-00"


def test_rows_are_by_account_and_region(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[Told] = [(_SHOP, _plan(2)), (_SHOP, _plan(1)), (_LAKE, _plan(3, _LAKE))]
    rows = json.loads(_printed(capsys, told, "json"))
    assert [(row["AccountName"], row["Region"]) for row in rows] == [
        ("lake", "eu-west-3"), ("shop", "eu-west-1"), ("shop", "eu-west-2")
    ]  # fmt: skip


def test_every_outcome_reads_as_words(capsys: pytest.CaptureFixture[str]) -> None:
    plan = _plan(1)
    unclear = _vpc(2, unchecked=(Unchecked(Look.DATABASE_SUBNETS, _DENIED),))
    many = tuple(Reason(Look.NETWORK_INTERFACE, f"eni-{number}") for number in range(6))
    rows = json.loads(
        _printed(
            capsys,
            [
                (_SHOP, Deleted(plan.vpc, plan.steps)),
                (_SHOP, Gone(plan.vpc)),
                (_SHOP, Failed(plan.vpc, _DENIED)),
                (_SHOP, Failed(plan.vpc, _DENIED, plan.steps[:3], plan.steps[3:])),
                (_SHOP, Unknown(unclear)),
                (_SHOP, InUse(unclear, many)),
            ],
            "json",
        )
    )
    assert [(row["State"], row["Detail"]) for row in rows] == [
        ("deleted", "3 subnets, 1 internet gateway"),
        ("gone", "already deleted or replaced before its turn"),
        ("failed", "not started: permission missing (AccessDenied: no)"),
        ("failed", f"could not mark internet gateway igw-1: {_DENIED}; 3 of 7 steps done; run the command again"),
        ("unknown", "treated as in use: database subnet group not checked: permission missing (AccessDenied: no)"),
        ("in use", "; ".join(f"network interface eni-{number}" for number in range(4)) + "; and 2 more"),
    ]  # fmt: skip
    assert len(rows[5]["Reasons"]) == 6
    assert rows[5]["Unchecked"] == rows[4]["Unchecked"]
    assert rows[3]["Left"][0] == "mark internet gateway igw-1"


def test_nothing_is_said_in_words_and_to_machines_as_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert _printed(capsys, []) == "Nothing there.\n"
    assert json.loads(_printed(capsys, [], "json")) == []


def test_one_without_anything_in_it_goes_alone(capsys: pytest.CaptureFixture[str]) -> None:
    plan = decide(DefaultVpc(VpcId("vpc-1"), _SHOP.id, Region("eu-west-1"), "172.31.0.0/16"), _SHOP.id)
    assert isinstance(plan, Plan)
    assert "unused  no other resources" in _printed(capsys, [(_SHOP, plan)])


def test_restoring_is_a_command_for_each_region(capsys: pytest.CaptureFixture[str]) -> None:
    surveys = (Survey(_SHOP, without=(Region("eu-west-1"), Region("eu-west-2"))), Survey(_LAKE))
    print_restoring(surveys, "csv", profile="shop-admin")
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"shop,111122223333,{region},aws ec2 create-default-vpc --region {region} --profile shop-admin"
        for region in ("eu-west-1", "eu-west-2")
    ]
    print_restoring(surveys, "table", profile="")
    shown = capsys.readouterr().out
    assert shown.startswith("shop (111122223333) has no default VPC in 2 regions. With credentials of that account:\n")
    assert "lake" not in shown

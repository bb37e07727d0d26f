"""VPCs of which one item cannot hold everything."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.org import Account
from landkeeper.vpctracker.attributes import vpc_from_attributes, vpc_to_attributes
from landkeeper.vpctracker.differences import Complete, describe_omissions, diff_account
from landkeeper.vpctracker.fit import fit_vpc
from landkeeper.vpctracker.inventory import Peering, Subnet, Vpc

_TAGS = {f"{number:0128d}": "名" * 256 for number in range(50)}


def huge_vpc(subnets: int) -> Vpc:
    """A VPC with so many subnets, and the longest tags that AWS takes."""
    found = tuple(Subnet(f"subnet-{one:017x}", "euw1-az1", f"10.0.{one >> 4}.{one % 16 * 16}/28", 11)
                  for one in range(subnets))  # fmt: skip
    return Vpc(vpc_ids(1), ACCOUNTS[0], REGIONS[0], "10.0.0.0/16", tags=_TAGS, subnets=found)


@pytest.mark.parametrize("subnets", [0, 200, 900])
def test_a_large_vpc_is_kept_whole(subnets: int) -> None:
    vpc = huge_vpc(subnets)
    assert fit_vpc(vpc) is vpc


def test_of_a_huge_one_the_subnets_are_left_out_and_that_is_marked_named_and_stored() -> None:
    vpc = huge_vpc(3_000)
    fitting = fit_vpc(vpc)
    assert fitting == replace(vpc, subnets=(), omitted=("Subnets",))
    peering = Peering("pcx-1", "active", vpc.id, vpc.owner, vpc.region)
    assert fit_vpc(replace(huge_vpc(900), peerings=(peering,) * 125)).omitted == ("Subnets",)
    account, reads = Account(ACCOUNTS[0]), {REGIONS[0]: Complete((vpc,))}
    (change,) = diff_account((), reads, account, START)
    assert vpc_from_attributes(vpc_to_attributes(change.after)) == change.after
    assert list(describe_omissions([change])) == [
        f"{vpc.id} of {vpc.owner} is too large for an item: it is kept without its Subnets"
    ]
    assert diff_account([change.after], reads, account, START) == ()


def test_one_that_shrinks_is_kept_whole_again() -> None:
    account = Account(ACCOUNTS[0])
    (change,) = diff_account((), {REGIONS[0]: Complete((huge_vpc(3_000),))}, account, START)
    (later,) = diff_account([change.after], {REGIONS[0]: Complete((huge_vpc(3),))}, account, START)
    assert len(later.after.vpc.subnets) == 3
    assert later.after.vpc.omitted == ()
    assert list(describe_omissions([later])) == []

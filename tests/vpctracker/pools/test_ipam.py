"""Which pools of an IPAM come along, and why others do not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.strategies import ACCOUNTS, REGIONS

from landkeeper.org import UsageError
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.pools.ipam import IpamPool, PlannedVpc, by_depth, find_innermost, select_pools

TOP = IpamPool("ipam-pool-1", "Top level!", scope="scope-1", cidrs=("10.0.0.0/8",))
EU = IpamPool("ipam-pool-2", "eu", "ipam-pool-1", "scope-1", locale=REGIONS[0], cidrs=("10.0.0.0/12",))


def test_pools_of_one_private_scope_come_along() -> None:
    selection = select_pools([EU, TOP])
    assert (list(selection.pools), dict(selection.taken), selection.left_out) == (
        ["ipam-pool-2", "ipam-pool-1"],
        {},
        (),
    )


def test_addresses_of_other_scopes_and_families_are_left_out_with_the_reason() -> None:
    six = replace(TOP, id="ipam-pool-6", name="", family="ipv6", cidrs=("2001:db8::/32",))
    public = replace(TOP, id="ipam-pool-7", name="byoip", is_public=True)
    selection = select_pools([TOP, six, public])
    assert selection.left_out == ("ipam-pool-6: it is of IPv6", "byoip (ipam-pool-7): it is of public addresses")
    assert not selection.taken, "their addresses are no private ones"


@pytest.mark.parametrize(
    ("pool", "why"),
    [
        (replace(EU, cidrs=()), "it has no block"),
        (replace(EU, state="delete-in-progress"), "it is being deleted"),
        (replace(EU, state="create-failed"), "its creation failed"),
        (replace(EU, cidrs=("10.0.0.0/30", "10.0.0.8/29")), "10.0.0.0/30 is too small for a VPC, which takes a /28 or"),
        (
            replace(EU, plans=PlannedVpc("vpc-1", ACCOUNTS[0], REGIONS[0])),
            "its range is that of vpc-1, whose subnets it plans",
        ),
    ],
)
def test_a_pool_that_cannot_give_a_vpc_its_block_is_left_out_and_its_range_stays_taken(
    pool: IpamPool, why: str
) -> None:
    selection = select_pools([TOP, pool])
    assert selection.taken == {"ipam-pool-2": pool}
    (left_out,) = selection.left_out
    assert left_out.startswith(f"eu (ipam-pool-2): {why}")


@pytest.mark.parametrize("state", ["delete-failed", "modify-in-progress", "isolate-complete", "restore-in-progress"])
def test_a_pool_in_any_other_state_is_there(state: str) -> None:
    assert "ipam-pool-2" in select_pools([TOP, replace(EU, state=state)]).pools


def test_a_pool_that_has_one_block_of_a_vpc_s_size_comes_along() -> None:
    assert "ipam-pool-2" in select_pools([TOP, replace(EU, cidrs=("10.0.0.0/30", "10.1.0.0/28"))]).pools


def test_pools_inside_a_pool_that_is_left_out_are_left_out() -> None:
    inner = replace(EU, id="ipam-pool-3", name="inner", source="ipam-pool-2", cidrs=("10.0.0.0/16",))
    selection = select_pools([inner, replace(EU, state="delete-in-progress"), TOP])
    assert selection.left_out == (
        "inner (ipam-pool-3): the pool around it is left out", "eu (ipam-pool-2): it is being deleted",
    )  # fmt: skip


def test_scopes_repeat_addresses_so_one_has_to_be_named() -> None:
    other = replace(TOP, id="ipam-pool-9", name="other", scope="scope-2")
    with pytest.raises(UsageError, match=r"several scopes.*pass --scope, one of scope-1, scope-2"):
        select_pools([TOP, other])
    with pytest.raises(UsageError, match="no private pool is in the scope 'scope-3'; there are scope-1, scope-2"):
        select_pools([TOP, other], scope="scope-3")
    with pytest.raises(UsageError, match="there are none"):
        select_pools([], scope="scope-3")
    selection = select_pools([TOP, other], scope="scope-2")
    assert list(selection.pools) == ["ipam-pool-9"]
    assert selection.left_out == ("Top level! (ipam-pool-1): it is not in the scope scope-2",)


def test_a_circle_of_pools_does_not_hang() -> None:
    pools = {"a": IpamPool("a", source="b"), "b": IpamPool("b", source="a")}
    assert len(by_depth(pools)) == 2


def test_the_innermost_block_is_the_smallest_around() -> None:
    named = [(parse_block("10.0.0.0/8"), "wide"), (parse_block("10.0.0.0/16"), "narrow")]
    assert find_innermost(named, parse_block("10.0.1.0/24")) == "narrow"
    assert find_innermost(named, parse_block("192.168.0.0/24")) is None

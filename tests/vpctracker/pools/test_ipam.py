"""An IPAM's pools and allocations become pools and reservations."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.memory_pools import MemoryPools
from tests.strategies import ACCOUNTS, REGIONS
from tests.vpctracker.pools.test_operations import Office

from landkeeper.org import UsageError
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.pools.ipam import Imported, ImportPlan, IpamAllocation, IpamPool, import_pools, plan_import
from landkeeper.vpctracker.pools.operations import read_named_state, read_pools
from landkeeper.vpctracker.pools.pool import Kind, Pool

TOP = IpamPool("ipam-pool-1", "Top level!", scope="scope-1", cidrs=("10.0.0.0/8",))
EU = IpamPool(
    "ipam-pool-2", "eu", "ipam-pool-1", "scope-1", locale=REGIONS[0], cidrs=("10.64.0.0/12", "10.0.0.0/12"),
    shortest=20, longest=24,
)  # fmt: skip
VPC = IpamAllocation("alloc-1", "ipam-pool-2", "10.0.0.0/20", "vpc", "vpc-1", ACCOUNTS[0], REGIONS[0])
CUSTOM = IpamAllocation("alloc-2", "ipam-pool-2", "10.64.0.0/20", "custom", description="Frankfurt")
HANDED_ON = IpamAllocation("alloc-3", "ipam-pool-1", "10.0.0.0/12", "ipam-pool", "ipam-pool-2")


@pytest.fixture
def office() -> Office:
    """A store in which nothing is but a pool of other addresses."""
    made = Office()
    made.store.items.clear()
    return made


def test_pools_keep_their_nesting_and_one_with_two_blocks_becomes_two() -> None:
    plan = plan_import([EU, TOP], [VPC, CUSTOM, HANDED_ON], "default")
    assert plan.pools == (
        Pool("Top-level", parse_block("10.0.0.0/8")),
        Pool("eu", parse_block("10.0.0.0/12"), region=REGIONS[0], parent="Top-level", shortest=20, longest=24),
        Pool("eu-2", parse_block("10.64.0.0/12"), region=REGIONS[0], parent="Top-level", shortest=20, longest=24),
    )
    assert plan.reservations == (("eu", VPC), ("eu-2", CUSTOM))
    assert plan.left_out == ()


def test_pools_without_a_name_of_their_own_are_called_by_their_ids() -> None:
    same = replace(EU, id="ipam-pool-3", cidrs=("10.128.0.0/12",), source="elsewhere")
    nameless = replace(TOP, id="ipam-pool-4", name="", cidrs=("192.168.0.0/16",))
    plan = plan_import([TOP, EU, same, nameless], [], "default")
    assert {pool.id for pool in plan.pools} == {
        "Top-level",
        "ipam-pool-2",
        "ipam-pool-2-2",
        "ipam-pool-3",
        "ipam-pool-4",
    }
    assert next(pool.parent for pool in plan.pools if pool.id == "ipam-pool-3") is None


def test_what_has_no_place_here_is_left_out_with_its_reason() -> None:
    six = replace(TOP, id="ipam-pool-6", name="", family="ipv6", cidrs=("2001:db8::/32",))
    public = replace(TOP, id="ipam-pool-7", name="byoip", is_public=True)
    empty = replace(EU, id="ipam-pool-8", name="empty", cidrs=())
    lost = replace(CUSTOM, cidr="172.16.0.0/20")
    elsewhere = replace(CUSTOM, pool="ipam-pool-7")
    plan = plan_import([TOP, EU, six, public, empty], [lost, elsewhere], "default")
    assert plan.left_out == (
        "ipam-pool-6: it is of IPv6",
        "byoip (ipam-pool-7): it is of public addresses",
        "empty (ipam-pool-8): it has no block",
        "172.16.0.0/20 (alloc-2): it is not in any block of its pool",
    )
    assert plan.reservations == ()


def test_scopes_repeat_addresses_so_one_has_to_be_named() -> None:
    other = replace(TOP, id="ipam-pool-9", name="other", scope="scope-2")
    with pytest.raises(UsageError, match=r"several scopes.*pass --scope, one of scope-1, scope-2"):
        plan_import([TOP, other], [], "default")
    with pytest.raises(UsageError, match="no private pool is in the scope 'scope-3'; there are scope-1, scope-2"):
        plan_import([TOP, other], [], "default", scope="scope-3")
    with pytest.raises(UsageError, match="there are none"):
        plan_import([], [], "default", scope="scope-3")
    plan = plan_import([TOP, other], [], "lab", scope="scope-2")
    assert [(pool.id, pool.space) for pool in plan.pools] == [("other", "lab")]
    assert plan.left_out == ("Top level! (ipam-pool-1): it is not in the scope scope-2",)


def test_prefix_lengths_are_kept_to_what_a_vpc_can_have() -> None:
    wide = replace(TOP, shortest=8, longest=32)
    narrow = replace(TOP, id="ipam-pool-5", name="narrow", cidrs=("192.168.0.0/24",), longest=20)
    plan = plan_import([wide, narrow], [], "default")
    assert [(pool.shortest, pool.longest) for pool in plan.pools] == [(16, 28), (16, 24)]


def test_an_import_makes_all_of_it_and_a_second_one_nothing(office: Office) -> None:
    plan = plan_import([TOP, EU], [VPC, CUSTOM, HANDED_ON], "default")
    assert import_pools(office.store, plan, office.actor) == Imported(3, 2, 0, ())
    (vpc,) = read_named_state(office.store, "eu")[0].reservations
    assert (vpc.kind, vpc.account, vpc.region, vpc.resource) == (Kind.ALLOCATION, ACCOUNTS[0], REGIONS[0], "vpc-1")
    (custom,) = read_named_state(office.store, "eu-2")[0].reservations
    assert (custom.kind, custom.purpose, custom.account) == (Kind.ELSEWHERE, "Frankfurt", None)
    assert import_pools(office.store, plan, office.actor) == Imported(0, 0, 5, ())
    assert len(read_pools(office.store)) == 3


def test_a_vpc_of_an_account_that_ipam_does_not_tell_is_imported_without(office: Office) -> None:
    plan = plan_import([TOP, EU], [replace(VPC, owner="", region="")], "default")
    import_pools(office.store, plan, office.actor)
    (vpc,) = read_named_state(office.store, "eu")[0].reservations
    assert (vpc.account, vpc.region, vpc.purpose) == (None, None, "vpc-1")


def test_allocations_that_meet_something_else_are_left_out(office: Office) -> None:
    subnet = replace(VPC, id="alloc-9", cidr="10.0.1.0/24", kind="subnet", resource="subnet-1")
    plan = plan_import([TOP, EU], [VPC, subnet], "default")
    done = import_pools(office.store, plan, office.actor)
    (refused,) = done.left_out
    assert refused.startswith("10.0.1.0/24 (alloc-9): it overlaps 10.0.0.0/20 (res-")
    assert done.reservations == 1


def test_a_pool_of_that_name_which_is_another_is_not_touched(office: Office) -> None:
    office.create("eu", "192.168.0.0/16")
    with pytest.raises(UsageError, match=r"the pool 'eu' already exists: 192.168.0.0/16 of the space default"):
        import_pools(office.store, plan_import([TOP, EU], [], "default"), office.actor)


def test_hundreds_of_allocations_are_written_in_several_turns(office: Office) -> None:
    many = [replace(CUSTOM, id=f"a{at}", cidr=f"10.0.{at}.0/24") for at in range(120)]
    done = import_pools(office.store, plan_import([TOP, EU], many, "default"), office.actor)
    assert done == Imported(3, 120, 0, ())
    assert read_named_state(office.store, "eu")[0].version == 1 + 3


def test_an_empty_plan_makes_nothing() -> None:
    assert import_pools(MemoryPools(), ImportPlan((), ()), Office().actor) == Imported(0, 0, 0, ())

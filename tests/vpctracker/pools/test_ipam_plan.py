"""What an import of an IPAM makes, beside what is in the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import ACCOUNTS, REGIONS, START

from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.pools.ipam import IpamAllocation, IpamPool, PlannedVpc, select_pools
from landkeeper.vpctracker.pools.ipam_plan import ImportPlan, plan_import
from landkeeper.vpctracker.pools.pool import Kind, Pool, PoolState, Reservation

TOP = IpamPool("ipam-pool-1", "top", scope="scope-1", cidrs=("10.0.0.0/8",))
EU = IpamPool(
    "ipam-pool-2", "eu", "ipam-pool-1", "scope-1", locale=REGIONS[0], cidrs=("10.64.0.0/12", "10.0.0.0/12"),
    shortest=20, longest=24,
)  # fmt: skip
VPC = IpamAllocation("alloc-1", "ipam-pool-2", "10.0.0.0/20", "vpc", "vpc-1", ACCOUNTS[0], REGIONS[0])
CUSTOM = IpamAllocation("alloc-2", "ipam-pool-2", "10.64.0.0/20", "custom", description="Frankfurt")
HANDED_ON = IpamAllocation("alloc-3", "ipam-pool-1", "10.0.0.0/12", "ipam-pool", "ipam-pool-2")


def _plan(
    pools: Sequence[IpamPool], allocations: Sequence[IpamAllocation] = (), states: Sequence[PoolState] = ()
) -> ImportPlan:
    return plan_import(select_pools(pools), allocations, "default", states)


def _after(plan: ImportPlan, states: Sequence[PoolState] = ()) -> list[PoolState]:
    """The store after the plan was carried out."""
    pools = {state.pool.id: state.pool for state in states} | {
        pool.id: pool for pool in (*plan.pools, *plan.identified)
    }
    held = {state.pool.id: set(state.reservations) - set(plan.replaced) for state in states}
    for number, entry in enumerate(plan.reservations):
        held.setdefault(entry.pool, set()).add(replace(entry, id=f"res-{entry.pool}-{number}", made_at=START))
    return [PoolState(pool, 1, tuple(held.get(pool.id, ()))) for pool in pools.values()]


def _names(plan: ImportPlan) -> dict[str, str]:
    return {str(pool.block): pool.id for pool in plan.pools}


def _taken(plan: ImportPlan) -> list[tuple[str, str, str]]:
    return [
        (entry.pool, str(entry.block), entry.resource) for entry in plan.reservations if entry.kind is not Kind.POOL
    ]


def _existing(name: str, block: str, *held: Reservation, **others: Any) -> PoolState:
    return PoolState(Pool(name, parse_block(block), made_at=START, **others), 1, held)


def test_pools_keep_their_nesting_and_one_with_two_blocks_becomes_two() -> None:
    plan = _plan([EU, TOP], [VPC, CUSTOM, HANDED_ON])
    eu = Pool("eu", parse_block("10.0.0.0/12"), region=REGIONS[0], parent="top", shortest=20, longest=24,
              ipam_pool="ipam-pool-2")  # fmt: skip
    assert plan.pools == (
        Pool("top", parse_block("10.0.0.0/8"), ipam_pool="ipam-pool-1"),
        eu,
        replace(eu, id="eu-2", block=parse_block("10.64.0.0/12")),
    )
    ranges = [(entry.pool, entry.purpose, str(entry.block)) for entry in plan.reservations if entry.kind is Kind.POOL]
    assert ranges == [("top", "eu", "10.0.0.0/12"), ("top", "eu-2", "10.64.0.0/12")]
    vpc, custom = (entry for entry in plan.reservations if entry.kind is not Kind.POOL)
    assert (vpc.pool, vpc.kind, vpc.account, vpc.region, vpc.resource) == (
        "eu", Kind.ALLOCATION, ACCOUNTS[0], REGIONS[0], "vpc-1",
    )  # fmt: skip
    assert (custom.pool, custom.kind, custom.purpose, custom.account) == ("eu-2", Kind.ELSEWHERE, "Frankfurt", None)
    assert (plan.left_out, plan.known) == ((), 0)


def test_a_second_import_makes_nothing_whatever_the_pools_are_called_by_then() -> None:
    first = _plan([EU, TOP], [VPC, CUSTOM, HANDED_ON])
    renamed = [replace(EU, name="top"), replace(TOP, name="eu")]
    second = _plan(renamed, [VPC, CUSTOM, HANDED_ON], _after(first))
    assert second == ImportPlan(known=5)


def test_a_lower_block_of_a_known_pool_gets_a_name_of_its_own() -> None:
    states = _after(_plan([TOP, replace(EU, cidrs=("10.64.0.0/12",))]))
    for name in ("eu", "renamed"):
        plan = _plan([TOP, replace(EU, name=name)], [], states)
        assert (_names(plan), plan.known) == ({"10.0.0.0/12": "eu-2"}, 2)


def test_no_number_makes_a_name_that_another_pool_has() -> None:
    """Its own name first, and a number that leaves others theirs."""
    other = replace(EU, id="ipam-pool-3", name="eu-2", cidrs=("10.128.0.0/12",))
    by_hand = _existing("eu-3", "192.168.0.0/24")
    plan = _plan([TOP, EU, other], [], [by_hand])
    assert _names(plan) == {"10.0.0.0/8": "top", "10.0.0.0/12": "eu", "10.64.0.0/12": "eu-4", "10.128.0.0/12": "eu-2"}


def test_a_name_that_a_pool_by_hand_has_is_not_taken_from_it() -> None:
    plan = _plan([TOP, EU], [], [_existing("eu", "192.168.0.0/16")])
    assert _names(plan) == {"10.0.0.0/8": "top", "10.0.0.0/12": "eu-2", "10.64.0.0/12": "eu-3"}


def test_pools_without_a_name_of_their_own_are_called_by_their_ids() -> None:
    same = replace(EU, id="ipam-pool-3", cidrs=("10.128.0.0/12",))
    nameless = replace(TOP, id="ipam-pool-4", name="", cidrs=("192.168.0.0/16",))
    keyword = replace(TOP, id="ipam-pool-5", name="POOLS", cidrs=("172.16.0.0/16",))
    odd = replace(TOP, id="ipam-pool-6", name="_Top level!", cidrs=("100.64.0.0/10",))
    assert set(_names(_plan([TOP, EU, same, nameless, keyword, odd])).values()) == {
        "top", "ipam-pool-2", "ipam-pool-2-2", "ipam-pool-3", "ipam-pool-4", "ipam-pool-5", "Top-level",
    }  # fmt: skip


def test_pools_of_an_earlier_version_are_known_by_their_blocks_and_get_their_ids() -> None:
    old = [_existing("top", "10.0.0.0/8"), _existing("eu", "10.64.0.0/12", parent="top")]
    plan = _plan([TOP, EU], [], old)
    assert [(pool.id, pool.ipam_pool) for pool in plan.identified] == [("top", "ipam-pool-1"), ("eu", "ipam-pool-2")]
    assert (_names(plan), plan.known) == ({"10.0.0.0/12": "eu-2"}, 2)


def test_of_two_pools_of_one_range_each_is_known_by_its_name() -> None:
    inner = replace(EU, cidrs=("10.0.0.0/8",))
    old = [_existing("eu-4", "10.0.0.0/8", parent="top"), _existing("top", "10.0.0.0/8")]
    plan = _plan([TOP, inner], [], old)
    assert {(pool.id, pool.ipam_pool) for pool in plan.identified} == {("top", "ipam-pool-1"), ("eu-4", "ipam-pool-2")}


def test_a_pool_that_was_made_anew_with_the_same_range_is_the_same_here() -> None:
    states = _after(_plan([TOP, EU]))
    plan = _plan([TOP, replace(EU, id="ipam-pool-7")], [], states)
    assert ([pool.ipam_pool for pool in plan.identified], plan.pools) == (["ipam-pool-7"] * 2, ())


def test_a_pool_that_is_imported_into_another_space_is_not_made_twice() -> None:
    states = [_existing("top", "10.0.0.0/8", space="lab", ipam_pool="ipam-pool-1")]
    plan = _plan([TOP], [], states)
    assert (plan.pools, plan.known) == ((), 0)
    assert plan.left_out == ("top (ipam-pool-1): it is imported as 'top' in the space lab already",)


def test_prefix_lengths_are_kept_to_what_a_vpc_can_have() -> None:
    wide = replace(TOP, shortest=8, longest=32)
    narrow = replace(TOP, id="ipam-pool-5", name="narrow", cidrs=("192.168.0.0/24",), longest=20)
    assert [(pool.shortest, pool.longest) for pool in _plan([wide, narrow]).pools] == [(16, 28), (16, 24)]


def test_a_block_that_is_too_small_is_named_and_taken_where_it_lies() -> None:
    plan = _plan([TOP, replace(EU, cidrs=("10.0.0.0/12", "10.200.0.0/30"))])
    assert plan.left_out == (
        "10.200.0.0/30 of eu (ipam-pool-2): it is too small for a VPC, which takes a /28 or more",
    )  # fmt: skip
    assert _taken(plan) == [("top", "10.200.0.0/30", "ipam-pool-2")]


@pytest.mark.parametrize("state", ["delete-in-progress", "create-failed"])
def test_the_range_of_a_pool_that_is_left_out_stays_taken_and_comes_back_with_it(state: str) -> None:
    gone = replace(EU, state=state)
    first = _plan([TOP, gone])
    assert _taken(first) == [("top", "10.0.0.0/12", "ipam-pool-2"), ("top", "10.64.0.0/12", "ipam-pool-2")]
    states = _after(first)
    again = _plan([TOP, gone], [], states)
    assert (again.reservations, again.known) == ((), 3)
    back = _plan([TOP, EU], [VPC], states)
    assert {entry.resource for entry in back.replaced} == {"ipam-pool-2"}
    assert (len(back.replaced), set(_names(back).values())) == (2, {"eu", "eu-2"})
    assert _plan([TOP, EU], [VPC], _after(back, states)) == ImportPlan(known=4)


def test_what_was_given_to_a_pool_that_does_not_come_along_stays_reserved() -> None:
    shared = replace(HANDED_ON, id="alloc-8", cidr="10.32.0.0/12", resource="ipam-pool-somewhere")
    plan = _plan([TOP, replace(EU, state="delete-in-progress", cidrs=("10.0.0.0/12",))], [HANDED_ON, shared])
    assert _taken(plan) == [
        ("top", "10.0.0.0/12", "ipam-pool-2"), ("top", "10.32.0.0/12", "ipam-pool-somewhere"),
    ]  # fmt: skip
    assert [entry.purpose for entry in plan.reservations] == [
        "IPAM pool eu (ipam-pool-2)", "IPAM pool ipam-pool-somewhere",
    ]  # fmt: skip


@pytest.mark.parametrize("state", ["pending-provision", "failed-provision", "pending-import", "failed-import"])
def test_a_block_that_comes_or_failed_is_named_and_taken(state: str) -> None:
    plan = _plan([TOP, replace(EU, cidrs=("10.0.0.0/12",), unsettled=(("10.64.0.0/12", state),))])
    assert plan.left_out == (f"10.64.0.0/12 of eu (ipam-pool-2): it is in the state {state}",)
    assert _taken(plan) == [("top", "10.64.0.0/12", "ipam-pool-2")]
    assert set(_names(plan).values()) == {"top", "eu"}


def test_the_range_of_a_planning_pool_is_the_vpc_s() -> None:
    planning = replace(EU, plans=PlannedVpc("vpc-1", ACCOUNTS[0], REGIONS[0]), cidrs=("10.0.0.0/20",))
    given_out = replace(VPC, pool="ipam-pool-1")
    assert _taken(_plan([TOP, planning], [given_out])) == [("top", "10.0.0.0/20", "vpc-1")]
    (entry,) = (entry for entry in _plan([TOP, planning]).reservations)
    assert (entry.kind, entry.account, entry.region, entry.resource) == (
        Kind.ALLOCATION, ACCOUNTS[0], REGIONS[0], "vpc-1",
    )  # fmt: skip


def test_a_planning_pool_that_an_earlier_version_made_a_pool_of_is_named() -> None:
    planning = replace(EU, plans=PlannedVpc("vpc-1"), cidrs=("10.0.0.0/20",))
    old = [_existing("top", "10.0.0.0/8"), _existing("vpc-plan", "10.0.0.0/20", parent="top")]
    plan = _plan([TOP, planning], [], old)
    assert "the pool 'vpc-plan' was made of it by an earlier import; nothing should be allocated" in plan.left_out[1]
    assert plan.reservations == ()


def test_what_has_no_place_here_is_left_out_with_its_reason() -> None:
    lost, elsewhere = replace(CUSTOM, cidr="172.16.0.0/20"), replace(CUSTOM, pool="ipam-pool-7")
    plan = _plan([TOP, EU], [lost, elsewhere])
    assert plan.left_out == ("172.16.0.0/20 (alloc-2): it is not in any block of its pool",)
    assert _taken(plan) == []


def test_an_allocation_outside_its_pool_s_blocks_is_taken_where_it_lies() -> None:
    assert _taken(_plan([TOP, EU], [replace(CUSTOM, cidr="10.32.0.0/20")])) == [("top", "10.32.0.0/20", "")]


def test_a_vpc_of_an_account_that_ipam_does_not_tell_is_imported_without() -> None:
    plan = _plan([TOP, EU], [replace(VPC, owner="", region="")])
    (vpc,) = (entry for entry in plan.reservations if entry.kind is Kind.ALLOCATION)
    assert (vpc.account, vpc.region, vpc.purpose) == (None, None, "vpc-1")


def test_allocations_inside_something_else_are_left_out_and_wider_ones_reserved_all_the_same() -> None:
    subnet = replace(VPC, id="alloc-9", cidr="10.0.1.0/24", kind="subnet", resource="subnet-1")
    plan = _plan([TOP, EU], [VPC, subnet])
    (refused,) = plan.left_out
    assert refused == "10.0.1.0/24 (alloc-9): it overlaps 10.0.0.0/20 for vpc-1 in the pool 'eu'"
    assert _taken(plan) == [("eu", "10.0.0.0/20", "vpc-1")]
    mine = Reservation("res-1", "eu", parse_block("10.0.0.0/24"), Kind.ALLOCATION, START)
    beside = replace(mine, id="res-2", block=parse_block("10.0.1.0/24"))
    states = [_existing("top", "10.0.0.0/8", ipam_pool="ipam-pool-1"),
              _existing("eu", "10.0.0.0/12", mine, beside, parent="top", ipam_pool="ipam-pool-2")]  # fmt: skip
    plan = _plan([TOP, replace(EU, cidrs=("10.0.0.0/12",))], [VPC], states)
    assert _taken(plan) == [("eu", "10.0.0.0/20", "vpc-1")]
    assert plan.left_out[0].endswith("in the pool 'eu'; what is beside that is reserved all the same")


def test_an_allocation_in_the_range_of_a_pool_inside_is_reserved_around_it() -> None:
    range_ = Reservation("res-1", "top", parse_block("10.32.0.0/16"), Kind.POOL, START, purpose="mine")
    states = [_existing("top", "10.0.0.0/8", range_), _existing("mine", "10.32.0.0/16", parent="top")]
    plan = _plan([TOP], [replace(CUSTOM, pool="ipam-pool-1", cidr="10.32.0.0/20")], states)
    assert (_taken(plan), plan.left_out) == ([("top", "10.32.0.0/20", "")], ())


def test_a_pool_that_pools_made_by_hand_are_in_the_way_of_is_named_and_all_else_comes_along() -> None:
    by_hand = [_existing("lab", "10.0.0.0/16")]
    lake = replace(TOP, id="ipam-pool-5", name="lake", cidrs=("192.168.0.0/16",))
    plan = _plan([TOP, EU, lake], [VPC, CUSTOM], by_hand)
    assert _names(plan) == {"192.168.0.0/16": "lake"}
    assert plan.left_out == (
        "10.0.0.0/8 of top (ipam-pool-1): 10.0.0.0/8 overlaps the pool 'lab' (10.0.0.0/16) of the space default",
        "10.0.0.0/12 of eu (ipam-pool-2): the block around it is left out",
        "10.64.0.0/12 of eu (ipam-pool-2): the block around it is left out",
    )
    assert _taken(plan) == [("lab", "10.0.0.0/20", "vpc-1")], "what IPAM gave away is not given out by hand"


def test_a_range_in_which_a_pool_made_by_hand_lies_is_left_to_that() -> None:
    range_ = Reservation("res-1", "top", parse_block("10.0.0.0/16"), Kind.POOL, START, purpose="mine")
    states = [_existing("top", "10.0.0.0/8", range_), _existing("mine", "10.0.0.0/16", parent="top")]
    plan = _plan([TOP, replace(EU, cidrs=("10.0.0.0/12",))], [], states)
    assert plan.left_out[0].startswith("10.0.0.0/12 of eu (ipam-pool-2): 10.0.0.0/12 overlaps the pool 'mine'")
    assert plan.reservations == ()


def test_a_block_across_a_reservation_is_no_pool() -> None:
    wide = Reservation("res-1", "top", parse_block("10.0.0.0/8"), Kind.ALLOCATION, START)
    plan = _plan([TOP, EU], [], [_existing("top", "10.0.0.0/8", wide)])
    assert "10.0.0.0/12 overlaps 10.0.0.0/8, res-1" in plan.left_out[0]
    assert (plan.pools, plan.reservations) == ((), ())


def test_ranges_that_an_interrupted_import_left_are_used_or_taken_away() -> None:
    used = Reservation("res-1", "top", parse_block("10.0.0.0/12"), Kind.POOL, START, purpose="eu")
    stray = Reservation("res-2", "top", parse_block("10.64.0.0/13"), Kind.POOL, START, purpose="gone")
    plan = _plan([TOP, EU], [], [_existing("top", "10.0.0.0/8", used, stray)])
    assert set(_names(plan).values()) == {"eu", "eu-2"}
    assert plan.replaced == (stray,)


_BLOCKS = st.sampled_from([f"10.{octet}.0.0/{length}" for octet in range(0, 256, 16) for length in (12, 16, 29)])


@given(
    st.lists(_BLOCKS, unique_by=lambda block: block.partition("/")[0], max_size=6),
    st.lists(st.sampled_from(["eu", "eu-2", "top", "", "POOLS", "ipam-pool-1"]), min_size=6, max_size=6),
    st.lists(st.sampled_from(["create-complete", "delete-failed", "delete-in-progress"]), min_size=6, max_size=6),
    st.lists(_BLOCKS, max_size=3),
)
def test_an_import_is_always_possible_again_and_then_makes_nothing(
    blocks: list[str], names: list[str], states: list[str], given_out: list[str]
) -> None:
    inner = [replace(EU, id=f"ipam-pool-{number + 2}", name=names[number], cidrs=(block,), state=states[number])
             for number, block in enumerate(blocks)]  # fmt: skip
    pools = [TOP, *inner]
    allocations = [IpamAllocation(f"alloc-{number}", "ipam-pool-1", block, "custom")
                   for number, block in enumerate(given_out)]  # fmt: skip
    first = _plan(pools, allocations)
    after = _after(first)
    assert len({pool.id for pool in first.pools}) == len(first.pools)
    second = _plan(pools, allocations, after)
    assert (second.pools, second.identified, second.reservations, second.replaced) == ((), (), (), ())
    # Whatever IPAM has is a pool here, or is taken in one.
    (top,) = (state for state in after if state.pool.ipam_pool == "ipam-pool-1")
    for block in map(parse_block, (*blocks, *given_out)):
        assert any(entry.held.contains(block) for entry in top.reservations) or any(
            state.pool.block.contains(block) for state in after if state.pool.parent is not None
        )

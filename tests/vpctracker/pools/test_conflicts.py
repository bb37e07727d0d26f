"""Which VPCs on a reservation's block are its own, and which are in conflict with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import ACCOUNTS, REGIONS, START, ipv4_blocks, vpc_ids

from landkeeper.vpctracker.cidr import Block, parse_block
from landkeeper.vpctracker.config import TrackerConfig
from landkeeper.vpctracker.inventory import CidrAssociation, Vpc
from landkeeper.vpctracker.pools.conflicts import (
    RESERVATION_TAG,
    Conflict,
    Holders,
    describe_holder,
    find_conflicts,
    find_holders,
    name_state,
    name_vpcs,
)
from landkeeper.vpctracker.pools.pool import Kind, Pool, PoolState, Reservation
from landkeeper.vpctracker.pools.tracked import Tracked, tracked_in

POOL = Pool("prod", parse_block("10.0.0.0/8"))
MINE = Reservation(
    "res-1", "prod", parse_block("10.0.0.0/20"), Kind.ALLOCATION, START, account=ACCOUNTS[0], region=REGIONS[0]
)
ROOMY = replace(MINE, room=parse_block("10.0.0.0/18"))


def _vpc(number: int = 1, block: str = "10.0.0.0/20", *more: str, **others: Any) -> Vpc:
    associations = tuple(CidrAssociation(f"a-{text}", text, "associated") for text in more)
    values = {"owner": ACCOUNTS[0], "region": REGIONS[0], **others}
    return Vpc(vpc_ids(number), cidr_block=block, cidr_associations=associations, **values)


def _tracked(*vpcs: Vpc) -> Tracked:
    return tracked_in("default", vpcs, {}, TrackerConfig())


def _state(reservation: Reservation, *vpcs: Vpc, pool: Pool = POOL) -> str:
    return name_state(reservation, find_holders(reservation, pool, _tracked(*vpcs)), is_over=False)


@pytest.mark.parametrize(
    ("reservation", "vpcs", "state"),
    [
        pytest.param(MINE, (), "reserved", id="no VPC"),
        pytest.param(MINE, (_vpc(),), "used", id="made by hand on exactly the block"),
        pytest.param(MINE, (_vpc(block="10.0.1.0/24"),), "used", id="inside the block"),
        pytest.param(MINE, (_vpc(1, "10.0.1.0/24"), _vpc(2, "10.0.2.0/24")), "used", id="two inside the block"),
        pytest.param(MINE, (_vpc(1, "10.9.0.0/16", "10.0.0.0/20"),), "used", id="an added block of a VPC elsewhere"),
        pytest.param(MINE, (_vpc(owner=ACCOUNTS[1]),), "conflict", id="another account"),
        pytest.param(MINE, (_vpc(region=REGIONS[1]),), "conflict", id="another region"),
        pytest.param(MINE, (_vpc(block="10.0.0.0/19"),), "conflict", id="wider than what is reserved"),
        pytest.param(MINE, (_vpc(1), _vpc(2)), "conflict", id="the same block twice in the account"),
        pytest.param(MINE, (_vpc(1), _vpc(2, "10.0.1.0/24")), "conflict", id="inside the account's other VPC"),
        pytest.param(MINE, (_vpc(block="10.0.16.0/20", owner=ACCOUNTS[1]),), "reserved", id="beside it"),
        pytest.param(ROOMY, (_vpc(1), _vpc(2, "10.0.16.0/20")), "used", id="the account's second VPC in the room"),
        pytest.param(ROOMY, (_vpc(1, "10.0.0.0/20", "10.0.16.0/20"),), "used", id="grown into the room"),
        pytest.param(ROOMY, (_vpc(1), _vpc(2, "10.0.16.0/20", owner=ACCOUNTS[1])), "conflict", id="others in the room"),
        pytest.param(ROOMY, (_vpc(1, "10.0.0.0/20", "10.0.64.0/20"),), "used", id="grown out of the room"),
        pytest.param(replace(MINE, region=None), (_vpc(region=REGIONS[1]),), "used", id="for any region"),
        pytest.param(replace(MINE, account=None), (_vpc(owner=ACCOUNTS[1]),), "used", id="for an unknown account"),
        pytest.param(replace(MINE, kind=Kind.ELSEWHERE), (_vpc(),), "conflict", id="in use outside AWS"),
        pytest.param(replace(MINE, kind=Kind.ELSEWHERE, resource="ipam-pool-1"), (_vpc(),), "elsewhere",
                     id="of a resource that VPCs are in"),
        pytest.param(replace(MINE, kind=Kind.POOL), (_vpc(owner=ACCOUNTS[1]),), "pool", id="the range of a pool"),
    ],
)  # fmt: skip
def test_a_reservation_is_in_conflict_with_vpcs_that_are_not_its_own(
    reservation: Reservation, vpcs: tuple[Vpc, ...], state: str
) -> None:
    assert _state(reservation, *vpcs) == state


def test_a_pool_of_a_region_is_for_vpcs_of_that_region() -> None:
    pool = replace(POOL, region=REGIONS[0])
    assert _state(replace(MINE, region=None), _vpc(region=REGIONS[1]), pool=pool) == "conflict"


def test_of_two_vpcs_with_its_block_the_linked_one_is_its_own() -> None:
    tagged = _vpc(2, tags={RESERVATION_TAG: "res-1"})
    assert find_holders(MINE, POOL, _tracked(_vpc(1), tagged)) == Holders((tagged,), (_vpc(1),))
    named = replace(MINE, resource=vpc_ids(2))
    assert find_holders(named, POOL, _tracked(_vpc(1), _vpc(2))) == Holders((_vpc(2),), (_vpc(1),))
    exact = find_holders(MINE, POOL, _tracked(_vpc(1, "10.0.0.0/24"), _vpc(2)))
    assert exact == Holders((_vpc(2),), (_vpc(1, "10.0.0.0/24"),))


def test_a_tag_does_not_make_a_vpc_of_another_account_its_own() -> None:
    assert _state(MINE, _vpc(owner=ACCOUNTS[1], tags={RESERVATION_TAG: "res-1"})) == "conflict"


def test_the_vpc_that_it_names_is_its_own_wherever_it_is() -> None:
    wide = _vpc(1, "10.0.0.0/19", owner=ACCOUNTS[1], region=REGIONS[1])
    assert _state(replace(MINE, resource=wide.id), wide) == "used"


def test_states_of_what_is_over() -> None:
    assert name_state(MINE, Holders(), is_over=True) == "over"


def test_a_pool_has_the_conflicts_of_its_reservations() -> None:
    theirs = _vpc(5, "10.0.0.0/16", owner=ACCOUNTS[1], account_name="shop")
    other = replace(MINE, id="res-2", block=parse_block("10.0.16.0/20"))
    free = replace(MINE, id="res-3", block=parse_block("10.1.0.0/20"))
    state = PoolState(POOL, 1, (MINE, other, free))
    found = list(find_conflicts(state, _tracked(theirs)))
    assert found == [Conflict(POOL, MINE, (theirs,)), Conflict(POOL, other, (theirs,))]
    assert name_vpcs(found[0]) == f"{theirs.id} of shop ({ACCOUNTS[1]}) in {REGIONS[0]} (10.0.0.0/16)"
    assert describe_holder(_vpc(1, "10.9.0.0/16", "10.0.0.0/24", "10.0.1.0/24"), MINE.held).endswith(
        "(10.0.0.0/24 and 10.0.1.0/24)"
    )


@given(st.lists(st.tuples(ipv4_blocks(), st.sampled_from(ACCOUNTS[:2])), max_size=12), ipv4_blocks(shortest=14))
def test_every_vpc_on_the_block_is_its_own_or_in_conflict(made: list[tuple[Block, Any]], wanted: Block) -> None:
    vpcs = [_vpc(at, str(block), owner=owner) for at, (block, owner) in enumerate(made)]
    reservation = replace(MINE, block=wanted)
    holders = find_holders(reservation, POOL, _tracked(*vpcs))
    on_it = {vpc.id for vpc in vpcs if parse_block(vpc.cidr_block).overlaps(wanted)}
    assert {vpc.id for vpc in (*holders.own, *holders.others)} == on_it
    assert not {vpc.id for vpc in holders.own} & {vpc.id for vpc in holders.others}
    own = [parse_block(vpc.cidr_block) for vpc in holders.own]
    assert not any(first.overlaps(second) for at, first in enumerate(own) for second in own[at + 1 :])
    assert {vpc.owner for vpc in holders.own} <= {ACCOUNTS[0]}

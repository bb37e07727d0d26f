"""Overlap groups equal what comparing every pair would find."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import ACCOUNTS, REGIONS, START, blocks, ipv4_blocks, vpc_ids

from landkeeper.vpctracker.answers.overlaps import (
    Claim,
    OverlapGroup,
    claims_of,
    count_pairs,
    find_overlaps,
    find_pairs,
)
from landkeeper.vpctracker.cidr import Block, block_at, parse_block
from landkeeper.vpctracker.inventory import DELETED, CidrAssociation, StoredVpc, Vpc


def _vpc(number: int, block: str = "10.0.0.0/16", *, is_default: bool = False) -> Vpc:
    return Vpc(vpc_ids(number), ACCOUNTS[number % 3], REGIONS[0], block, is_default=is_default)


def _stored(vpc: Vpc) -> StoredVpc:
    return StoredVpc(vpc, START, START, 1)


def _found(*vpcs: Vpc) -> tuple[OverlapGroup, ...]:
    return find_overlaps(claims_of(map(_stored, vpcs))).collisions


def _oracle(claims: list[Claim]) -> set[frozenset[int]]:
    """Connected components of more than one claim, by comparing every pair."""
    component = {number: {number} for number in range(len(claims))}
    for number, one in enumerate(claims):
        for other in range(number):
            if one.vpc.id != claims[other].vpc.id and one.block.overlaps(claims[other].block):
                merged = component[number] | component[other]
                component.update(dict.fromkeys(merged, merged))
    return {frozenset(group) for group in component.values() if len(group) > 1}


@given(st.lists(st.tuples(blocks, st.integers(0, 8)), max_size=60))
def test_groups_equal_the_brute_force_oracle(drawn: list[tuple[Block, int]]) -> None:
    claims = [Claim(block, _vpc(number)) for block, number in drawn]
    # Equal claims are told apart by identity: a VPC may be drawn with the same block twice.
    places = {id(claim): number for number, claim in enumerate(claims)}
    groups = find_overlaps(claims).collisions
    assert {frozenset(places[id(claim)] for claim in group.claims) for group in groups} == _oracle(claims)
    for group in groups:
        assert all(group.outermost.contains(claim.block) for claim in group.claims)
        assert group.claims[0].block == group.outermost


def test_vpcs_of_one_account_collide_like_those_of_two() -> None:
    (group,) = _found(_vpc(0), replace(_vpc(3), cidr_block="10.0.128.0/20"))
    assert [claim.vpc.id for claim in group.claims] == [vpc_ids(0), vpc_ids(3)]
    assert group.claims[0].vpc.owner == group.claims[1].vpc.owner


def test_two_blocks_of_the_same_vpc_are_no_collision() -> None:
    twice = replace(_vpc(1), cidr_associations=(CidrAssociation("a", "10.0.1.0/24", "associated"),))
    assert _found(twice) == ()


def test_a_block_that_only_its_own_vpc_covers_is_left_out_of_the_group() -> None:
    inner = CidrAssociation("a", "10.0.1.0/24", "associated")
    (group,) = _found(replace(_vpc(1), cidr_associations=(inner,)), _vpc(2, "10.0.2.0/24"))
    assert [str(claim.block) for claim in group.claims] == ["10.0.0.0/16", "10.0.2.0/24"]


def test_deleted_vpcs_have_no_claims() -> None:
    assert _found(_vpc(1), replace(_vpc(2), state=DELETED)) == ()


def test_blocks_that_come_and_go_are_taken_but_not_failed_and_gone_ones() -> None:
    states = ("associating", "associated", "disassociating", "failing", "failed", "disassociated")
    associations = tuple(CidrAssociation(state, f"10.{n}.0.0/16", state) for n, state in enumerate(states, 1))
    claims = claims_of([_stored(replace(_vpc(1), cidr_associations=associations))])
    assert [str(claim.block) for claim in claims] == [f"10.{n}.0.0/16" for n in range(5)]


def test_default_vpcs_are_one_finding_however_many() -> None:
    (group,) = _found(*(_vpc(number, "172.31.0.0/16", is_default=True) for number in range(5)))
    assert (group.claims, len(group.defaults)) == ((), 5)
    assert str(group.outermost) == "172.31.0.0/16"


def test_a_chosen_block_inside_that_of_default_vpcs_is_a_collision_with_them() -> None:
    defaults = [_vpc(number, "172.31.0.0/16", is_default=True) for number in range(3)]
    (group,) = _found(*defaults, _vpc(9, "172.31.16.0/20"))
    assert [claim.vpc.id for claim in group.claims] == [vpc_ids(9)]
    assert len(group.defaults) == 3


def test_a_default_vpc_alone_and_one_with_a_block_of_its_own_choice_are_no_default_finding() -> None:
    assert _found(_vpc(1, "172.31.0.0/16", is_default=True)) == ()
    (group,) = _found(_vpc(1, is_default=True), _vpc(2, is_default=True))
    assert (len(group.claims), group.defaults) == (2, ())


def test_the_shared_address_space_counts_as_repeated_on_purpose() -> None:
    found = find_overlaps(claims_of(map(_stored, (_vpc(1, "100.64.0.0/16"), _vpc(2, "100.64.0.0/16"), _vpc(3)))))
    assert found.collisions == ()
    assert [len(group.claims) for group in found.repeated] == [2]


def test_what_counts_as_repeated_can_be_said() -> None:
    claims = claims_of(map(_stored, (_vpc(1, "100.64.0.0/16"), _vpc(2, "100.64.0.0/16"), _vpc(3), _vpc(4))))
    assert len(find_overlaps(claims, repeated=()).collisions) == 2
    found = find_overlaps(claims, repeated=(parse_block("10.0.0.0/8"),))
    assert [str(group.outermost) for group in found.collisions] == ["100.64.0.0/16"]
    assert [str(group.outermost) for group in found.repeated] == ["10.0.0.0/16"]


@given(st.lists(st.tuples(ipv4_blocks(span_bits=20) | blocks, st.integers(0, 30)), max_size=80))
def test_pairs_are_exactly_those_that_overlap_and_as_many_as_counted(drawn: list[tuple[Block, int]]) -> None:
    claims = [Claim(block, _vpc(number)) for block, number in drawn]
    places = {id(claim): number for number, claim in enumerate(claims)}
    found = find_overlaps(claims, repeated=()).collisions
    pairs = [frozenset((places[id(one)], places[id(other)])) for group in found for one, other in find_pairs(group)]
    wanted = {
        frozenset((number, other))
        for number in range(len(claims))
        for other in range(number)
        if claims[number].vpc.id != claims[other].vpc.id and claims[number].block.overlaps(claims[other].block)
    }
    assert len(pairs) == len(wanted)
    assert set(pairs) == wanted
    assert sum(map(count_pairs, found)) == len(wanted)
    assert all(one.block.contains(other.block) for group in found for one, other in find_pairs(group))


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(4))
def test_two_thousand_blocks_are_grouped_as_the_oracle_does(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - draws blocks, guards no secret
    drawn = [
        block_at(4, (10 << 24) + chance.getrandbits(24), chance.randint(16, 28))
        if chance.random() < 0.8
        else block_at(6, (0x20010DB8 << 96) + (chance.getrandbits(10) << 64), chance.randint(52, 64))
        for _ in range(1900)
    ]
    claims = [Claim(block, _vpc(chance.randrange(1500))) for block in (*drawn, *drawn[:100])]
    places = {id(claim): number for number, claim in enumerate(claims)}
    groups = find_overlaps(claims, repeated=()).collisions
    assert {frozenset(places[id(claim)] for claim in group.claims) for group in groups} == _oracle(claims)


def test_default_vpcs_make_pairs_with_others_but_none_among_themselves() -> None:
    defaults = [_vpc(number, "172.31.0.0/16", is_default=True) for number in range(3)]
    others = [
        _vpc(9, "172.31.16.0/20"),
        _vpc(10, "172.16.0.0/12"),
        _vpc(11, "172.31.0.0/16"),
        _vpc(12, "172.32.0.0/16"),
    ]
    (group,) = _found(*defaults, *others)
    pairs = {frozenset((str(one.vpc.id)[-1], str(other.vpc.id)[-1])) for one, other in find_pairs(group)}
    assert pairs == {
        frozenset(pair) for pair in ("9a", "9b", "ab", "a0", "a1", "a2", "b0", "b1", "b2", "90", "91", "92")
    }
    assert count_pairs(group) == 12


def test_a_claim_behind_the_default_vpcs_makes_no_pairs_with_them() -> None:
    defaults = [_vpc(number, "172.31.0.0/16", is_default=True) for number in range(2)]
    (group,) = _found(*defaults, _vpc(9, "172.0.0.0/8"), _vpc(10, "172.31.255.0/24"), _vpc(11, "172.32.0.0/24"))
    inner = [str(other.block) for _, other in find_pairs(group)]
    assert inner == ["172.31.0.0/16"] * 2 + ["172.31.255.0/24"] * 3 + ["172.32.0.0/24"]
    assert count_pairs(group) == 6

"""The plan of a new VPC: how its block is shared out, and what it is tagged with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import ACCOUNTS, REGIONS, START, ipv4_blocks

from landkeeper.org import Failure, FailureReason, UsageError
from landkeeper.vpctracker.cidr import Block, parse_block
from landkeeper.vpctracker.pools.pool import Kind, Reservation
from landkeeper.vpctracker.vending.plan import (
    Layout,
    Quota,
    Tier,
    VendPlan,
    Zone,
    check_quota,
    check_request_id,
    check_tags,
    choose_zones,
    lay_out,
    parse_count,
    parse_zones,
)

ZONES = tuple(Zone(f"euw1-az{number}", f"eu-west-1{letter}") for number, letter in enumerate("abcdef", 1))


def _laid(layout: Layout) -> list[tuple[str, str]]:
    return [(one.tier, str(one.block)) for one in layout.subnets]


def test_three_zones_leave_a_quarter() -> None:
    layout = lay_out(parse_block("10.0.0.0/20"), ZONES[:3])
    assert _laid(layout) == [("private", "10.0.0.0/22"), ("private", "10.0.4.0/22"), ("private", "10.0.8.0/22")]
    assert [one.zone.id for one in layout.subnets] == ["euw1-az1", "euw1-az2", "euw1-az3"]
    assert list(map(str, layout.spare)) == ["10.0.12.0/22"]
    assert layout.subnets[0].usable_addresses == 1019


def test_public_subnets_take_of_what_is_left() -> None:
    layout = lay_out(parse_block("10.0.0.0/20"), ZONES[:3], 5)
    assert _laid(layout)[3:] == [("public", "10.0.12.0/25"), ("public", "10.0.12.128/25"), ("public", "10.0.13.0/25")]
    assert list(map(str, layout.spare)) == ["10.0.13.128/25", "10.0.14.0/23"]


def test_public_subnets_that_are_larger_come_first() -> None:
    layout = lay_out(parse_block("10.0.0.0/20"), ZONES[:3], 2)
    assert [tier for tier, _ in _laid(layout)] == ["public"] * 3 + ["private"] * 3
    assert _laid(layout)[3] == ("private", "10.0.12.0/24")


def test_a_block_is_used_up_where_subnets_would_be_too_small_otherwise() -> None:
    assert _laid(lay_out(parse_block("10.0.0.0/28"), ZONES[:1])) == [("private", "10.0.0.0/28")]
    layout = lay_out(parse_block("10.0.0.0/27"), ZONES[:2])
    assert (len(layout.subnets), layout.spare) == (2, ())


@given(ipv4_blocks(), st.integers(1, 6), st.none() | st.integers(0, 13))
def test_subnets_lie_apart_in_the_block_and_evenly_over_zones(block: Block, zones: int, public: int | None) -> None:
    chosen = ZONES[:zones]
    tiers = [Tier.PRIVATE] if public is None else [Tier.PRIVATE, Tier.PUBLIC]
    try:
        layout = lay_out(block, chosen, public)
    except UsageError:
        length = 28 if public is None else block.prefix_length + public
        if public != 0 and length <= 28:
            assert (zones << 4) + (0 if public is None else zones << (32 - length)) > block.size
        return
    blocks = [one.block for one in layout.subnets]
    assert sorted((one.tier, one.zone.id) for one in layout.subnets) == sorted(
        (tier, zone.id) for tier in tiers for zone in chosen
    )
    assert all(block.contains(one) and 16 <= one.prefix_length <= 28 for one in blocks)
    assert all(str(parse_block(str(one))) == str(one) for one in blocks)
    whole = sorted((*blocks, *layout.spare), key=lambda one: one.first)
    assert [one.first for one in whole[1:]] == [one.last + 1 for one in whole[:-1]]
    assert (whole[0].first, whole[-1].last) == (block.first, block.last)
    assert len({one.block.prefix_length for one in layout.subnets if one.tier is Tier.PRIVATE}) == 1
    if public is not None:
        lengths = {one.block.prefix_length for one in layout.subnets if one.tier is Tier.PUBLIC}
        assert lengths == {block.prefix_length + public}
    assert layout == lay_out(block, chosen, public)


@given(ipv4_blocks(), st.integers(1, 6))
def test_private_subnets_are_as_large_as_leaves_something_over(block: Block, zones: int) -> None:
    if zones << 4 > block.size:
        return
    layout = lay_out(block, ZONES[:zones])
    if not layout.spare:
        # Half the size would have left something, and is not allowed.
        assert layout.subnets[0].block.prefix_length == 28
    else:
        assert zones * layout.subnets[0].block.size * 2 >= block.size


@pytest.mark.parametrize(
    ("block", "zones", "public", "why"),
    [
        ("10.0.0.0/28", 2, None, "a /28 has no room for 2 private subnets: a subnet is a /28 or larger"),
        ("10.0.0.0/26", 3, 2, "a /26 has no room for 3 private subnets and as many public subnets of /28"),
        ("10.0.0.0/20", 2, 1, "a /20 has no room for 2 private subnets and as many public subnets of /21"),
        ("10.0.0.0/20", 3, 9, "--public-bits is 9: in a /20 it takes from 1 to 8"),
        ("10.0.0.0/20", 3, 0, "--public-bits is 0: in a /20 it takes from 1 to 8"),
        ("10.0.0.0/28", 1, 1, "--public-bits is 1: in a /28 it takes no value: there is no room for public subnets"),
    ],
)
def test_subnets_that_do_not_fit_are_refused(block: str, zones: int, public: int | None, why: str) -> None:
    with pytest.raises(UsageError) as raised:
        lay_out(parse_block(block), ZONES[:zones], public)
    assert str(raised.value).startswith(why)


def test_zones_are_chosen_by_the_numbers_of_their_ids() -> None:
    many = [Zone(f"use1-az{number}", "") for number in (10, 2, 1, 4)]
    assert [zone.id for zone in choose_zones(many, 3, REGIONS[0])] == ["use1-az1", "use1-az2", "use1-az4"]


def test_zones_are_chosen_by_their_ids_in_the_order_given() -> None:
    assert choose_zones(ZONES, 2, REGIONS[0], ["euw1-az3", "euw1-az1"]) == (ZONES[2], ZONES[0])


@pytest.mark.parametrize(
    ("zone_id", "why"),
    [
        ("euw1-az9", "--zone is 'euw1-az9': eu-west-1 has these for this account: euw1-az1, euw1-az2"),
        ("eu-west-1b", "--zone takes the id of a zone: in this account eu-west-1b is euw1-az2"),
    ],
)
def test_a_zone_that_is_not_there_or_is_named_otherwise(zone_id: str, why: str) -> None:
    with pytest.raises(UsageError) as raised:
        choose_zones(ZONES[:2], 1, REGIONS[0], [zone_id])
    assert str(raised.value) == why


def test_the_number_of_zones_is_said_by_their_count_or_by_their_ids() -> None:
    assert parse_zones("3", ()) == 3
    assert parse_zones(None, ("a", "b")) == 2
    assert parse_zones("2", ("a", "b")) == 2


@pytest.mark.parametrize(
    ("count", "ids", "why"),
    [
        (None, (), "--zones is missing: pass the number of availability zones, or --zone with an id for each"),
        ("3", ("a", "b"), "--zones is 3, and --zone names 2: pass only one"),
        (None, ("a", "b", "a"), "--zone names a twice"),
        ("x", (), "--zones is 'x': expected a whole number"),
    ],
)
def test_numbers_of_zones_that_do_not_agree(count: str | None, ids: tuple[str, ...], why: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_zones(count, ids)
    assert str(raised.value) == why


@pytest.mark.parametrize(
    ("zones", "count", "why"),
    [
        (ZONES[:2], 3, "--zones is 3: eu-west-1 has 2 for this account (euw1-az1, euw1-az2)"),
        ((), 1, "--zones is 1: eu-west-1 has 0 for this account (none)"),
        (ZONES, 0, "--zones is 0: expected at least 1"),
    ],
)
def test_zones_that_a_region_does_not_have(zones: tuple[Zone, ...], count: int, why: str) -> None:
    with pytest.raises(UsageError) as raised:
        choose_zones(zones, count, REGIONS[0])
    assert str(raised.value) == why


def test_a_plan_tags_everything_with_its_request() -> None:
    block = parse_block("10.0.0.0/20")
    reservation = Reservation("res-1", "prod", block, Kind.ALLOCATION, START)
    layout = lay_out(block, ZONES[:1], 4)
    plan = VendPlan(ACCOUNTS[0], REGIONS[0], "run-7", reservation, layout, "web", {"Code": "LOL"})
    own = {"Code": "LOL", "landkeeper:request-id": "run-7", "landkeeper:reservation": "res-1"}
    assert plan.vpc_tags == {**own, "Name": "web", "landkeeper:unfinished": "true"}
    assert plan.subnet_tags(layout.subnets[1]) == {
        **own, "Name": "web-public-euw1-az1", "landkeeper:tier": "public", "landkeeper:unfinished": "true",
    }  # fmt: skip
    nameless = VendPlan(ACCOUNTS[0], REGIONS[0], "run-7", reservation, layout)
    assert "Name" not in nameless.vpc_tags
    assert nameless.subnet_tags(layout.subnets[0])["Name"] == "private-euw1-az1"


def test_tags_and_the_name_among_them() -> None:
    assert check_tags({"Code": "LOL", "Empty": ""}) == ("", {"Code": "LOL", "Empty": ""})
    assert check_tags({"Name": "web"}) == ("web", {})
    assert check_tags({"Name": "web"}, "web") == ("web", {})
    assert len(check_tags({f"k{number}": "v" for number in range(45)}, "web")[1]) == 45


@pytest.mark.parametrize(
    ("tags", "name", "why"),
    [
        ({"AWS:x": "1"}, "", "--tag has AWS:x: keys that begin with aws: are AWS's own"),
        ({"landkeeper:x": "1"}, "", "--tag has landkeeper:x: keys that begin with landkeeper: are Landkeeper's own"),
        ({"k" * 129: "1"}, "", "--tag has a key of 129 characters (kkkkkkkkkkkkkkkkkkkk…): expected up to 128"),
        ({"k": "v" * 257}, "", "the tag k has a value of 257 characters: expected up to 256"),
        ({"Name": "a"}, "b", "the name is 'b' by --name and 'a' by --tag: pass only one"),
        ({}, "n" * 201, "the name has 201 characters: expected up to 200"),
        ({f"k{number}": "v" for number in range(47)}, "", "there are 47 tags beside Name: AWS takes 50 on a resource"),
    ],
)
def test_tags_that_aws_would_not_take(tags: dict[str, str], name: str, why: str) -> None:
    with pytest.raises(UsageError) as raised:
        check_tags(tags, name)
    assert str(raised.value).startswith(why)


def test_a_request_id_finds_nothing_but_itself() -> None:
    assert check_request_id("run-7/web@eu") == "run-7/web@eu"
    for text in ("", "run*", "a?", "-a", "x" * 129, "a b"):
        with pytest.raises(UsageError, match="--request-id is"):
            check_request_id(text)


def test_counts_are_whole_numbers() -> None:
    assert parse_count("3", "--zones") == 3
    for text in ("three", "", "-1", "1.5", "9999"):
        with pytest.raises(UsageError, match="--zones is"):
            parse_count(text, "--zones")


def test_a_quota_that_is_used_up_stops_and_one_that_is_not_known_is_told() -> None:
    quota = Quota("L-1", "VPCs in eu-west-1", 5)
    assert check_quota(quota, 4, 1) is None
    with pytest.raises(UsageError, match="the quota of VPCs in eu-west-1 is 5 and there are 5"):
        check_quota(quota, 5, 1)
    unknown = Quota("L-1", "VPCs in eu-west-1", Failure(FailureReason.MISSING_PERMISSION))
    assert check_quota(unknown, 5, 1) == "the quota of VPCs in eu-west-1 (L-1) cannot be read: permission missing"

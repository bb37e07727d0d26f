"""What may be a pool, and what may be taken in one."""

from __future__ import annotations

from typing import Any

import pytest
from tests.strategies import ACCOUNTS, REGIONS, START

from landkeeper.org import UsageError
from landkeeper.vpctracker.attributes import StoredItemError
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.pools.items import (
    pool_from_item,
    pool_to_item,
    pools_from_items,
    reservation_from_item,
    reservation_to_item,
)
from landkeeper.vpctracker.pools.pool import (
    Kind,
    Pool,
    PoolState,
    Reservation,
    check_name,
    check_nests,
    check_new_pool,
    check_takes,
    describe,
    find_pool,
    parse_ipv4,
    parse_pool_block,
    parse_prefix_length,
)

PROD = Pool("prod", parse_block("10.0.0.0/8"))
EU = Pool("eu", parse_block("10.0.0.0/12"), region=REGIONS[0], parent="prod")
POOLS = (PROD, EU)


def _reservation(block: str, kind: Kind = Kind.ALLOCATION, **others: Any) -> Reservation:
    return Reservation("res-1", "prod", parse_block(block), kind, START, **others)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("11.0.0.0/8", "not inside private ranges .*--public"),
        ("10.0.0.0/7", "not inside private ranges"),
        ("172.32.0.0/12", "not inside private ranges"),
        ("10.0.0.1/8", "host bits are set"),
        ("ten", "the prefix length is missing"),
        ("2001:db8::/32", "pools are of IPv4"),
    ],
)
def test_a_range_that_no_pool_can_have_is_refused(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse_pool_block(text)


def test_public_and_shared_ranges_are_taken_where_they_are_meant() -> None:
    assert str(parse_pool_block("11.0.0.0/8", is_public=True)) == "11.0.0.0/8"
    assert str(parse_pool_block("100.64.0.0/12")) == "100.64.0.0/12"
    assert str(parse_ipv4("8.8.8.0/24", "--cidr")) == "8.8.8.0/24"


@pytest.mark.parametrize("text", ["15", "/29", "", "/", "twenty", "-1", "2000", "²"])
def test_a_prefix_length_that_no_vpc_has_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--min is"):
        parse_prefix_length(text, "--min")


def test_a_prefix_length_is_taken_with_its_stroke_or_without() -> None:
    assert parse_prefix_length("/16", "--min") == 16
    assert parse_prefix_length("28", "--max") == 28


@pytest.mark.parametrize("name", ["", "a b", "-a", "POOLS", "TAKEN", "a#b", "x" * 129])
def test_names_that_would_not_do_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a pool"):
        check_name(name)
    assert check_name("prod-eu_1.a") == "prod-eu_1.a"


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (Pool("prod", parse_block("192.168.0.0/16")), "the pool 'prod' already exists"),
        (Pool("x", parse_block("10.16.0.0/12")), "overlaps the pool 'prod' .*--parent prod"),
        (Pool("x", parse_block("10.0.0.0/8")), r"overlaps the pool 'prod' \(10.0.0.0/8\) of the space default$"),
        (Pool("x", parse_block("10.1.0.0/16"), parent="prod"), "overlaps the pool 'eu' .*--parent eu"),
        (Pool("x", parse_block("10.0.0.0/11"), parent="prod"), r"overlaps the pool 'eu' \(10.0.0.0/12\) of the .*lt$"),
        (Pool("x", parse_block("192.168.0.0/16"), parent="prod"), "not inside the pool 'prod'"),
        (Pool("x", parse_block("10.1.0.0/16"), parent="nope"), "there is no pool 'nope': there are eu, prod"),
        (Pool("x", parse_block("10.16.0.0/12"), "lab", parent="prod"), "is in the space default, not lab"),
        (Pool("x", parse_block("10.1.0.0/16"), region=REGIONS[1], parent="eu"), "is for eu-west-1"),
        (Pool("x", parse_block("192.168.0.0/16"), shortest=20, longest=18), "--min is /20 and --max /18"),
        (Pool("x", parse_block("192.168.0.0/20"), longest=19), "--max is /19: that is larger"),
    ],
)
def test_a_pool_that_does_not_fit_beside_the_others_is_refused(new: Pool, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        check_new_pool(new, POOLS)


def test_pools_are_nested_or_apart_or_in_spaces_of_their_own() -> None:
    for new in (
        Pool("x", parse_block("10.16.0.0/12"), parent="prod"),
        Pool("x", parse_block("10.1.0.0/16"), region=REGIONS[0], parent="eu"),
        Pool("x", parse_block("192.168.0.0/16")),
        Pool("x", parse_block("10.0.0.0/8"), "lab"),
    ):
        check_new_pool(new, POOLS)


def test_a_pool_that_is_not_there_is_named_with_what_to_do() -> None:
    assert find_pool(POOLS, "eu") is EU
    with pytest.raises(UsageError, match="create one with `landkeeper vpc pool create`"):
        find_pool((), "eu")


def test_a_block_meets_rooms_as_well_as_blocks() -> None:
    room = _reservation("10.0.0.0/20", room=parse_block("10.0.0.0/18"), purpose="web")
    state = PoolState(PROD, 1, (room,))
    check_takes(state, parse_block("10.0.64.0/20"))
    with pytest.raises(UsageError, match=r"overlaps 10.0.0.0/20 with its room 10.0.0.0/18, res-1 for web"):
        check_takes(state, parse_block("10.0.32.0/20"))
    with pytest.raises(UsageError, match="not inside the pool"):
        check_takes(state, parse_block("11.0.0.0/20"))


def test_a_pool_may_lie_around_what_is_reserved_but_not_inside_it() -> None:
    state = PoolState(PROD, 1, (_reservation("10.64.0.0/16", Kind.ELSEWHERE),))
    check_nests(state, parse_block("10.64.0.0/12"))
    check_nests(state, parse_block("10.64.0.0/16"))
    with pytest.raises(UsageError, match=r"overlaps 10.64.0.0/16, res-1 for no purpose"):
        check_nests(state, parse_block("10.64.0.0/17"))
    state = PoolState(PROD, 1, (_reservation("10.64.0.0/16", Kind.POOL, purpose="eu"),))
    with pytest.raises(UsageError, match=r"overlaps the pool 'eu' \(10.64.0.0/16\)"):
        check_nests(state, parse_block("10.64.0.0/12"))


def test_a_reservation_without_words_is_described_by_its_account() -> None:
    assert describe(_reservation("10.0.0.0/20", account=ACCOUNTS[0])) == "10.0.0.0/20, res-1 for 111122223333"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"CidrBlock": "2001:db8::/32"}, "is not of IPv4"),
        ({"CidrBlock": "10.0.0.1/8"}, "host bits"),
        ({"CidrBlock": 7}, "RES#"),
        ({"CidrBlock": None}, "CidrBlock is missing"),
    ],
)
def test_stored_items_that_nobody_can_have_written_are_named(changed: dict[str, Any], why: str) -> None:
    for item, read in (
        (pool_to_item(PROD), pool_from_item),
        (reservation_to_item(_reservation("10.0.0.0/20")), reservation_from_item),
    ):
        broken = {name: value for name, value in {**item, **changed}.items() if value is not None}
        with pytest.raises(StoredItemError, match=why):
            read(broken)


def test_a_pool_that_is_all_of_its_parent_is_listed_below_it() -> None:
    whole = Pool("all", PROD.block, parent="prod")
    inner = Pool("a", PROD.block, parent="all")
    orphan = Pool("lost", parse_block("172.16.0.0/12"), parent="gone")
    listed = pools_from_items(map(pool_to_item, (inner, orphan, EU, whole, PROD)))
    assert [pool.id for pool in listed] == ["prod", "all", "a", "eu", "lost"]

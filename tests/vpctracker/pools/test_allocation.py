"""The choice of a block, beside a search through every block there is."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import any_blocks, ipv4_blocks

from landkeeper.org import UsageError
from landkeeper.vpctracker.cidr import Block, block_at, parse_block
from landkeeper.vpctracker.pools.allocation import (
    Choice,
    PoolExhausted,
    choose_block,
    count_addresses,
    find_gaps,
    find_largest_free,
)

POOL = parse_block("10.0.0.0/21")
# Reach outside the pool, too, and are of IPv6 sometimes.
taken_blocks = st.lists(ipv4_blocks(shortest=21, longest=28, span_bits=12) | any_blocks(), max_size=12)


def _keys(blocks: list[Block]) -> list[int]:
    return [block.sort_key for block in blocks]


def _is_free(block: Block, taken: list[Block]) -> bool:
    return not any(one.overlaps(block) for one in taken)


def _blocks_of(pool: Block, length: int) -> list[Block]:
    return [block_at(4, first, length) for first in range(pool.first, pool.last + 1, 1 << (32 - length))]


def _by_brute_force(pool: Block, taken: list[Block], length: int, grow_to: int | None) -> Choice | PoolExhausted:
    rooms = _blocks_of(pool, length if grow_to is None else grow_to) if (grow_to or 32) >= pool.prefix_length else []
    for room in rooms:
        if _is_free(room, taken):
            return Choice(_blocks_of(room, length)[0], None if grow_to is None else room)
    sizes = (_blocks_of(pool, size) for size in range(pool.prefix_length, 33))
    return PoolExhausted(next((block for blocks in sizes for block in blocks if _is_free(block, taken)), None))


@given(taken_blocks, st.integers(21, 28), st.none() | st.integers(20, 28))
def test_the_choice_is_the_one_that_a_search_through_everything_finds(
    taken: list[Block], length: int, grow_to: int | None
) -> None:
    grow_to = None if grow_to is None else min(grow_to, length)
    assert choose_block(POOL, _keys(taken), length, grow_to) == _by_brute_force(POOL, taken, length, grow_to)


@given(taken_blocks, st.integers(21, 28), st.integers(21, 28))
def test_what_is_chosen_is_free_and_inside_and_lies_at_the_start_of_its_room(
    taken: list[Block], length: int, grow_to: int
) -> None:
    chosen = choose_block(POOL, _keys(taken), max(length, grow_to), grow_to)
    if isinstance(chosen, Choice):
        assert chosen.room is not None
        assert POOL.contains(chosen.room)
        assert chosen.room.first == chosen.block.first
        assert _is_free(chosen.room, taken)


@given(taken_blocks, st.integers(25, 28))
def test_taking_block_after_block_fills_the_pool_and_never_takes_twice(taken: list[Block], length: int) -> None:
    held = list(taken)
    free = POOL.size - count_addresses(POOL, _keys(held))
    while isinstance(chosen := choose_block(POOL, _keys(held), length), Choice):
        assert _is_free(chosen.block, held)
        held.append(chosen.block)
        free -= chosen.block.size
    assert free == POOL.size - count_addresses(POOL, _keys(held))
    assert chosen.largest is None or chosen.largest.prefix_length > length


@given(taken_blocks)
def test_gaps_and_taken_addresses_make_up_the_pool(taken: list[Block]) -> None:
    gaps = list(find_gaps(POOL, _keys(taken)))
    assert count_addresses(POOL, _keys(taken)) + sum(last - first + 1 for first, last in gaps) == POOL.size
    assert all(one[1] + 1 < other[0] for one, other in pairwise(gaps))
    largest = find_largest_free(POOL, _keys(taken))
    assert (largest is None) == (not gaps)


def test_a_gap_is_no_larger_than_the_blocks_that_begin_in_it() -> None:
    pool = parse_block("10.0.0.0/24")
    taken = _keys([parse_block(f"10.0.0.{block}") for block in ("0/28", "48/28", "64/26", "128/25")])
    assert list(find_gaps(pool, taken)) == [(pool.first + 16, pool.first + 47)]
    assert find_largest_free(pool, taken) == parse_block("10.0.0.16/28")


def test_a_room_that_is_not_free_is_passed_over_though_the_block_would_fit() -> None:
    taken = _keys([parse_block("10.0.2.0/28")])
    assert choose_block(POOL, taken, 24) == Choice(parse_block("10.0.0.0/24"))
    assert choose_block(POOL, taken, 24, 22) == Choice(parse_block("10.0.4.0/24"), parse_block("10.0.4.0/22"))
    taken += _keys([parse_block("10.0.5.0/24")])
    assert choose_block(POOL, taken, 24, 22) == PoolExhausted(parse_block("10.0.0.0/23"))


@pytest.mark.parametrize(
    ("length", "grow_to", "why"),
    [(15, None, "is /15"), (29, None, "is /29"), (20, 21, "cannot grow to a /21"), (20, -1, "cannot grow")],
)
def test_lengths_that_no_vpc_can_have_are_refused(length: int, grow_to: int | None, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        choose_block(POOL, [], length, grow_to)

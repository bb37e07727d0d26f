"""Blocks behave as the intervals that they are; the standard library's `ipaddress` is the witness."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.strategies import any_blocks, blocks, ipv4_blocks, ipv6_blocks

from landkeeper.vpctracker.cidr import (
    Block,
    MalformedBlockError,
    block_at,
    group_by_containment,
    group_keys,
    parse_block,
    parse_key,
    shared_octets,
)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the prefix length is missing"),
        ("10.0.0.0", "the prefix length is missing"),
        ("10.0.0/16", "four numbers"),
        ("10.0.0.256/16", "four numbers"),
        ("010.0.0.0/8", "four numbers"),
        ("ten.0.0.0/8", "four numbers"),
        ("1\u0660.0.0.0/8", "four numbers"),
        ("10.0.0.0/33", "from 0 to 32"),
        ("10.0.0.0/", "from 0 to 32"),
        ("10.0.0.0/+8", "from 0 to 32"),
        ("10.0.0.0/08", "from 0 to 32"),
        ("10.0.0.1/16", "host bits are set; the block there is 10.0.0.0/16"),
        ("2001:db8::/129", "from 0 to 128"),
        ("2001:db8::g/64", "not an IPv6 address"),
        ("fe80::%eth0/64", "no zone"),
        ("2001:db8::1/64", "host bits are set; the block there is 2001:db8::/64"),
    ],
)
def test_what_is_no_block_is_refused_with_its_reason(text: str, why: str) -> None:
    with pytest.raises(MalformedBlockError) as raised:
        parse_block(text)
    assert why in raised.value.why
    assert raised.value.text == text
    assert str(raised.value).startswith(f"'{text}' is not a CIDR block")


def test_the_ends_of_a_block_are_its_first_and_last_address() -> None:
    assert parse_block("10.1.0.0/16") == Block(4, 0x0A010000, 0x0A01FFFF, 16)
    assert parse_block("2001:db8::/127").size == 2


@given(any_blocks())
def test_a_block_survives_its_text(block: Block) -> None:
    assert parse_block(str(block)) == block


@given(any_blocks())
def test_text_and_size_agree_with_ipaddress(block: Block) -> None:
    witness = ipaddress.ip_network(str(block))
    assert (int(witness.network_address), int(witness.broadcast_address)) == (block.first, block.last)
    assert (witness.prefixlen, witness.version, witness.num_addresses) == (
        block.prefix_length,
        block.version,
        block.size,
    )


@given(st.text(alphabet="0123456789./:abcdef%", max_size=24))
def test_parsing_takes_what_ipaddress_takes_of_blocks_with_a_prefix_length(text: str) -> None:
    try:
        block = parse_block(text)
    except MalformedBlockError:
        return
    assert int(ipaddress.ip_network(text).network_address) == block.first


@given(blocks, blocks)
def test_blocks_are_nested_or_apart(one: Block, other: Block) -> None:
    assert one.overlaps(other) == (one.contains(other) or other.contains(one))
    assert one.overlaps(other) == other.overlaps(one)


@given(blocks)
def test_a_block_contains_itself_and_its_halves(block: Block) -> None:
    assert block.contains(block)
    half = block_at(block.version, block.first, block.prefix_length + 1)
    assert block.contains(half)
    assert not half.contains(block)


@given(st.lists(blocks, max_size=40))
def test_groups_are_the_outermost_blocks_with_all_that_lies_in_them(listed: list[Block]) -> None:
    groups = group_by_containment(listed)
    assert sorted(position for group in groups for position in group) == list(range(len(listed)))
    for group in groups:
        assert all(listed[group[0]].contains(listed[position]) for position in group)
        assert [listed[position].sort_key for position in group] == sorted(
            listed[position].sort_key for position in group
        )
    heads = [listed[group[0]] for group in groups]
    assert not any(one.overlaps(other) for number, one in enumerate(heads) for other in heads[:number])


def test_of_equal_blocks_the_earlier_is_the_outer_one() -> None:
    block = parse_block("10.0.0.0/16")
    assert group_by_containment([block, parse_block("10.1.0.0/16"), block]) == [[0, 2], [1]]


@given(any_blocks())
def test_a_key_is_that_of_the_block(block: Block) -> None:
    assert parse_key(str(block)) == block.sort_key


def test_a_key_of_no_block_is_refused_as_the_block_is() -> None:
    with pytest.raises(MalformedBlockError, match="host bits are set"):
        parse_key("10.0.0.1/16")


def _groups_by_all_pairs(blocks_: Sequence[Block]) -> set[frozenset[int]]:
    """The groups by looking at every pair: blocks that overlap are of one group, and so are those they overlap."""
    networks = [ipaddress.ip_network(str(block)) for block in blocks_]
    ranges = [(one.version, int(one.network_address), int(one.broadcast_address)) for one in networks]
    group_of = list(range(len(ranges)))
    for here, (version, first, last) in enumerate(ranges):
        for there in range(here):
            other_version, other_first, other_last = ranges[there]
            if version == other_version and first <= other_last and other_first <= last:
                old, new = group_of[here], group_of[there]
                if old != new:
                    group_of = [new if one == old else one for one in group_of]
    return {frozenset(at for at, one in enumerate(group_of) if one == name) for name in set(group_of)}


@given(st.lists(ipv4_blocks(span_bits=22) | ipv6_blocks() | blocks, max_size=60))
def test_groups_are_those_that_all_pairs_give(listed: list[Block]) -> None:
    assert {frozenset(group) for group in group_by_containment(listed)} == _groups_by_all_pairs(listed)


@pytest.mark.no_cover
@settings(max_examples=3)
@given(st.integers(), st.integers(1_000, 2_000))
def test_groups_are_those_that_all_pairs_give_of_two_thousand_too(seed: int, size: int) -> None:
    """Made from a seed: hypothesis does not draw so many blocks one by one."""
    random = Random(seed)  # noqa: S311 - a sample, not a secret
    listed = [
        block_at(6, (0x20010DB8 << 96) + (random.getrandbits(12) << 64), random.randint(52, 64))
        if random.random() < 0.2
        else block_at(4, (10 << 24) + random.getrandbits(24), random.randint(16, 28))
        for _ in range(size)
    ]
    listed += random.choices(listed, k=size // 20)
    keys = [parse_key(str(block)) for block in listed]
    assert {frozenset(group) for group in group_keys(keys)} == _groups_by_all_pairs(listed)


@given(st.integers(0, (1 << 32) - 1), st.integers(0, 32), st.integers(0, (1 << 32) - 1), st.integers(16, 28))
def test_blocks_that_share_an_address_begin_with_the_same_octets(
    address: int, length: int, inside: int, prefix_length: int
) -> None:
    wide = block_at(4, address, length)
    for other in (block_at(4, wide.first + inside % wide.size, prefix_length), block_at(4, inside, prefix_length)):
        if wide.overlaps(other):
            assert str(other).startswith(shared_octets(wide))


@pytest.mark.parametrize(
    ("text", "octets"),
    [("0.0.0.0/0", ""), ("10.0.0.0/8", "10."), ("172.16.0.0/12", "172."), ("10.7.0.0/16", "10.7."),
     ("10.7.128.0/24", "10.7.")],
)  # fmt: skip
def test_the_octets_are_whole_ones_and_two_at_most(text: str, octets: str) -> None:
    assert shared_octets(parse_block(text)) == octets

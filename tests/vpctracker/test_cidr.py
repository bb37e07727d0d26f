"""Blocks behave as the intervals that they are; the standard library's `ipaddress` is the witness."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import any_blocks, blocks

from landkeeper.vpctracker.cidr import Block, MalformedBlockError, block_at, group_by_containment, parse_block


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

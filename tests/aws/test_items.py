"""Items as DynamoDB has them: types, sizes, and history entries that would cost more than they say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import START, stored_vpcs

from landkeeper.aws.items import count_bytes, from_history_item, from_item, to_history_item, to_item
from landkeeper.vpctracker.attributes import history_of, vpc_to_attributes
from landkeeper.vpctracker.differences import Appeared
from landkeeper.vpctracker.inventory import StoredVpc


@given(stored_vpcs())
def test_attributes_survive_dynamodbs_types(stored: StoredVpc) -> None:
    attributes = vpc_to_attributes(stored)
    assert from_item(to_item(attributes)) == attributes
    entry = history_of(Appeared(stored))
    assert from_history_item(to_history_item(entry)) == entry


NUMBERS = st.integers(-(10**30), 10**30)
VALUES = st.recursive(
    st.text() | NUMBERS | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
)


@given(VALUES)
def test_types_are_those_that_boto3_gives(value: object) -> None:
    assert to_item({"it": value})["it"] == TypeSerializer().serialize(value)


@given(VALUES)
def test_values_come_back_as_they_went(value: object) -> None:
    assert from_item(to_item({"it": value}))["it"] == value


def test_what_others_may_have_written_is_read_as_boto3_reads_it() -> None:
    attributes: tuple[Any, ...] = ({"N": "1E+3"}, {"N": "12.00"}, {"N": "-7"}, {"S": "x"})
    for attribute in attributes:
        assert from_item({"it": attribute})["it"] == TypeDeserializer().deserialize(attribute)
    assert from_item({"it": {"SS": ["a", "b"]}})["it"] == ["a", "b"]


def test_what_has_no_type_in_dynamodb_is_refused() -> None:
    with pytest.raises(TypeError, match="Decimal"):
        to_item({"it": {"deep": [Decimal(1)]}})


def test_sizes_are_those_that_dynamodb_bills() -> None:
    """A name, and a string by its bytes; a number by pairs of digits; three bytes for a list, one more for a member."""
    assert count_bytes(to_item({"Name": "Å", "N": 1234, "B": True, "L": ["ab"], "M": {"k": "v"}})) == (
        (4 + 2) + (1 + 3) + (1 + 1) + (1 + 3 + 1 + 2) + (1 + 3 + 1 + 1 + 1)
    )
    assert count_bytes({"B": {"B": b"123"}}) == 4


def test_a_small_history_entry_is_kept_plain_and_a_large_one_packed_into_less_than_a_kilobyte() -> None:
    tags = [{"SubnetId": f"subnet-{number:017x}", "CidrBlock": "10.0.0.0/28"} for number in range(20)]
    head = {"VpcId": "vpc-1", "At": str(START), "Kind": "changed", "Version": 2}
    small = {**head, "Before": {"Name": "a"}, "After": {"Name": "b"}}
    large = {**head, "Before": {"Subnets": tags}, "After": {"Subnets": tags[1:]}}
    assert to_history_item(small)["After"] == {"M": {"Name": {"S": "b"}}}
    item = to_history_item(large)
    assert count_bytes(item) < 1024 < count_bytes(to_item(large))
    assert {name: item[name] for name in ("VpcId", "Kind")} == {"VpcId": {"S": "vpc-1"}, "Kind": {"S": "changed"}}
    assert from_history_item(item) == large

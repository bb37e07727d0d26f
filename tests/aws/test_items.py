"""Items as DynamoDB has them: types, sizes, and history entries that would cost more than they say."""

from __future__ import annotations

from hypothesis import given
from tests.strategies import START, stored_vpcs

from landkeeper.aws.items import count_bytes, from_history_item, from_item, to_history_item, to_item
from landkeeper.vpctracker.attributes import history_of, vpc_to_attributes
from landkeeper.vpctracker.inventory import Appeared, StoredVpc


@given(stored_vpcs())
def test_attributes_survive_dynamodbs_types(stored: StoredVpc) -> None:
    attributes = vpc_to_attributes(stored)
    assert from_item(to_item(attributes)) == attributes
    entry = history_of(Appeared(stored))
    assert from_history_item(to_history_item(entry)) == entry


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

"""What an item says of its schema, and what comes of one that says something odd."""

from __future__ import annotations

import pytest
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.vpctracker.attributes import vpc_from_attributes, vpc_to_attributes
from landkeeper.vpctracker.inventory import StoredVpc, Vpc
from landkeeper.vpctracker.schema import SCHEMA_VERSION, NewerItemError, known_items, stamped, upgraded

_STORED = StoredVpc(Vpc(vpc_ids(1), ACCOUNTS[0], REGIONS[0], "10.0.0.0/16"), START, START, 1)


def test_an_item_of_the_present_version_is_read_as_it_is() -> None:
    item = stamped(vpc_to_attributes(_STORED))
    assert item["SchemaVersion"] == SCHEMA_VERSION
    assert upgraded(item) == item


def test_an_item_of_the_first_version_gets_what_it_did_not_have() -> None:
    item = vpc_to_attributes(_STORED)
    first = {name: value for name, value in item.items() if name not in {"PeeringConnections", "Omitted"}}
    assert upgraded(first)["PeeringConnections"] == []
    assert vpc_from_attributes(upgraded(first)) == _STORED
    assert upgraded({"AccountId": ACCOUNTS[0]}) == {"AccountId": ACCOUNTS[0]}


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 0, "2", None, 1.5])
def test_an_item_of_any_other_version_is_not_read(version: object) -> None:
    with pytest.raises(NewerItemError, match=f"an item without a name was written by a newer .*schema {version}"):
        upgraded({"SchemaVersion": version})


@pytest.mark.parametrize(
    ("item", "name"),
    [
        ({"VpcId": "vpc-1", "At": "2026-03-01T12:00:00Z"}, "the history entry 2026-03-01T12:00:00Z of vpc-1"),
        ({"VpcId": "vpc-1", "OwnerId": "111122223333"}, "the item vpc-1 of 111122223333"),
        ({"AccountId": "111122223333"}, "the coverage of 111122223333"),
        ({"PoolId": "prod", "Item": "META"}, "the item META of prod"),
    ],
)
def test_an_item_that_cannot_be_read_is_named(item: dict[str, object], name: str) -> None:
    with pytest.raises(NewerItemError, match=f"^{name} was written by"):
        upgraded({**item, "SchemaVersion": 99})


def test_known_items_are_those_that_can_be_read_and_the_others_are_named() -> None:
    said: list[str] = []
    newer = {"AccountId": "1", "SchemaVersion": 99}
    assert list(known_items([{"AccountId": "2"}, newer, {"AccountId": "3"}], said.append)) == [
        {"AccountId": "2"},
        {"AccountId": "3"},
    ]
    assert said == ["left out: the coverage of 1 was written by a newer Landkeeper (schema 99): update Landkeeper"]

"""DynamoDB's items from plain attributes, and back."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

# A write costs a unit for every KB begun, twice that in a transaction (DynamoDB guide, "Read and write operations").
_BYTES_OF_A_UNIT = 1024
_PACKED_ATTRIBUTES = ("Before", "After")

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def to_item(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes with DynamoDB's types."""
    return {name: _serializer.serialize(value) for name, value in attributes.items()}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes without DynamoDB's types; every number is an integer."""
    return {name: _without_decimals(_deserializer.deserialize(value)) for name, value in item.items()}


def _without_decimals(value: Any) -> Any:
    match value:
        case Decimal():
            return int(value)
        case list():
            return [_without_decimals(one) for one in value]
        case dict():
            return {name: _without_decimals(one) for name, one in value.items()}
        case _:
            return value


def count_bytes(item: Mapping[str, Any]) -> int:
    """The size of an item with DynamoDB's types, as DynamoDB bills it.

    Source: DynamoDB guide, "DynamoDB item sizes and formats".
    """
    return sum(len(name.encode()) + _count_value(value) for name, value in item.items())


def _count_value(value: Mapping[str, Any]) -> int:
    ((kind, held),) = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "B":
            return len(held)
        case "N":
            return (len(held) + 1) // 2 + 1
        case "L":
            return 3 + sum(1 + _count_value(one) for one in held)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _count_value(one) for name, one in held.items())
        case _:
            return 1


def to_history_item(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The history entry with DynamoDB's types; where it would cost more than one unit, before and after are packed.

    They repeat the names of attributes many times over: `Packed` is the zlib-compressed JSON of both.
    """
    item = to_item(entry)
    if count_bytes(item) <= _BYTES_OF_A_UNIT:
        return item
    packed = zlib.compress(json.dumps({name: entry[name] for name in _PACKED_ATTRIBUTES}).encode(), 9)
    return {**{name: value for name, value in item.items() if name not in _PACKED_ATTRIBUTES}, "Packed": {"B": packed}}


def from_history_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """The history entry that `to_history_item` made the item of."""
    entry = from_item({name: value for name, value in item.items() if name != "Packed"})
    if "Packed" not in item:
        return entry
    return {**entry, **json.loads(zlib.decompress(item["Packed"]["B"]))}

"""DynamoDB's items from plain attributes, and back.

boto3 has the same, and takes a tenth of a function's cold start to import; nothing else of it is needed.
Source: Amazon DynamoDB API Reference, "AttributeValue".
"""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

# A write costs a unit for every KB begun, twice that in a transaction (DynamoDB guide, "Read and write operations").
_BYTES_OF_A_UNIT = 1024
_PACKED_ATTRIBUTES = ("Before", "After")
_WRITE_ID = "WriteId"


def to_item(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes with DynamoDB's types. Raises TypeError for what is neither text, integer, list nor map."""
    return {name: _typed(value) for name, value in attributes.items()}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes without DynamoDB's types; every number is an integer, and a set, which others wrote, is a list."""
    return {name: _plain(value) for name, value in item.items()}


def _typed(value: Any) -> dict[str, Any]:
    match value:
        case str():
            # Kinds of text, such as the members of an enumeration, are stored as text.
            return {"S": str(value)}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case None:
            return {"NULL": True}
        case Mapping():
            return {"M": {name: _typed(element) for name, element in value.items()}}
        case list() | tuple():
            return {"L": [_typed(element) for element in value]}
        case _:
            raise TypeError(f"DynamoDB is not given a {type(value).__name__}")


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, held),) = value.items()
    match kind:
        case "S" | "BOOL" | "B":
            return held
        case "N":
            return int(Decimal(held))
        case "NULL":
            return None
        case "L":
            return [_plain(element) for element in held]
        case "M":
            return {name: _plain(element) for name, element in held.items()}
        case _:
            return list(held)


def with_write_id(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the item with an id that no other write has.

    botocore sends a PutItem again whose answer was lost. If the first one got through, the condition of the second one
    fails: by the id it shows that what is stored was written by this very call. A transaction needs none: it has its
    `ClientRequestToken` (DynamoDB API Reference, "TransactWriteItems": idempotent for 10 minutes).
    """
    return {**item, _WRITE_ID: {"S": uuid.uuid4().hex[:16]}}


def is_same_write(stored: Mapping[str, Any] | None, written: Mapping[str, Any]) -> bool:
    """Return whether the stored item is the one that was written, by its write id."""
    return stored is not None and stored.get(_WRITE_ID) == written[_WRITE_ID]


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
            return 3 + sum(1 + _count_value(element) for element in held)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _count_value(element) for name, element in held.items())
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

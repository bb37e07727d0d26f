"""DynamoDB's items from plain attributes, and back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

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

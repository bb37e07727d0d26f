"""Fields of CloudTrail records: each is what it has to be, or a `FieldError` that says what it is instead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from landkeeper.broom.launches import Tags


class FieldError(Exception):
    """A field of a record is not what it has to be; its sentence says which and why."""


def parse_listed(request: Mapping[str, Any], name: str, field: str) -> frozenset[str]:
    """That field of each item under `name`. Raises FieldError."""
    return frozenset(parse_text(parse_object(item, name), field, name) for item in parse_items(request.get(name), name))


def parse_time(record: Mapping[str, Any]) -> datetime:
    """When it happened, in UTC. Raises FieldError."""
    text = parse_text(record, "eventTime")
    try:
        moment = datetime.fromisoformat(text)
        # Exports of logs drop the zone; CloudTrail itself writes UTC.
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise FieldError(f"eventTime '{text}' is not a time") from None


def parse_items(value: object, path: str) -> list[Any]:
    """The items of what is listed as CloudTrail does, none where it is missing. Raises FieldError."""
    if value is None:
        return []
    items = parse_object(value, path).get("items", [])
    if not isinstance(items, list):
        raise FieldError(f"{path}.items is {kind_of(items)}, not a list")
    return items


def parse_tags(items: list[Any], path: str) -> Tags:
    """The tags in items with `key` and `value`. Raises FieldError."""
    return {parse_text(parse_object(item, path), "key", path): str(item.get("value", "")) for item in items}


def parse_object(value: object, path: str) -> dict[str, Any]:
    """The value, which has to be an object. Raises FieldError."""
    if not isinstance(value, dict):
        raise FieldError(f"{path} is {kind_of(value)}, not an object")
    return value


def parse_text(fields: Mapping[str, Any], name: str, path: str = "") -> str:
    """The text under that name, which may not be empty. Raises FieldError."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise FieldError(f"{path}{'.' if path else ''}{name} is {kind_of(value)}: it has to be text")
    return value


def find_text(fields: Mapping[str, Any], name: str) -> str:
    """The text under that name; empty for anything else."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def kind_of(value: object) -> str:
    """What a value is, in words."""
    match value:
        case None:
            return "missing or null"
        case bool():
            return "true or false"
        case str():
            return "empty" if not value else "text"
        case int() | float():
            return "a number"
        case list():
            return "a list" if value else "an empty list"
        case _:
            return "an object"

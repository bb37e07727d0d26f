"""The SDK's descriptions of AWS's services, cut down to what the functions call.

botocore reads the whole description of a service when its first client is made: EC2's has over seven hundred
operations, of which the functions call a dozen. Reading it costs a cold start more than all else that it does. And
of every answer it looks for whatever the description says could be there: of an instance that is ninety things.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

Json = dict[str, Any]

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def find_words(sources: Iterable[str]) -> frozenset[str]:
    """Every name in the sources, as it is and without underscores.

    Among them are those of the operations that are called, and of the members of answers that are looked at.
    """
    words = {word for source in sources for word in _WORD.findall(source)}
    return frozenset(words | {word.replace("_", "") for word in words})


def trim_service(model: Json, words: Collection[str]) -> Json:
    """A `service-2` description with the operations that the words name, the shapes they need, and no documentation."""
    operations = {name: operation for name, operation in model["operations"].items() if name.lower() in words}
    reached = _reached_from(_shapes_in(operations), model["shapes"])
    shapes = {name: shape for name, shape in model["shapes"].items() if name in reached}
    trimmed: Json = _without_documentation({**model, "operations": operations, "shapes": shapes})
    return trimmed


def trim_answers(model: Json, words: Collection[str]) -> Json:
    """A trimmed `service-2` description whose answers hold those members alone that the words name.

    What is sent stays whole, and in answers what the next page is found by.
    """
    operations, shapes = model["operations"], model["shapes"]
    sent = _reached_from(
        (operation["input"]["shape"] for operation in operations.values() if "input" in operation), shapes
    )
    kept = {*words, "NextToken"}
    answered = {name: shape if name in sent else _with_members(shape, kept) for name, shape in shapes.items()}
    reached = _reached_from(_shapes_in(operations), answered)
    return {**model, "shapes": {name: shape for name, shape in answered.items() if name in reached}}


def trim_paginators(model: Json, words: Collection[str]) -> Json:
    """A `paginators-1` description with the operations that the words name."""
    return {"pagination": {name: paginator for name, paginator in model["pagination"].items() if name.lower() in words}}


def trim_endpoints(model: Json, services: Collection[str]) -> Json:
    """The list of regions and endpoints, with these services alone."""
    return {
        **model,
        "partitions": [
            {
                **partition,
                "services": {name: known for name, known in partition["services"].items() if name in services},
            }
            for partition in model["partitions"]
        ],
    }


def write_json(value: Json) -> bytes:
    """JSON without a byte to spare."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _with_members(shape: Json, names: Collection[str]) -> Json:
    members = shape.get("members")
    return (
        shape
        if members is None
        else {**shape, "members": {member: members[member] for member in members if member in names}}
    )


def _reached_from(names: Iterable[str], shapes: Json) -> set[str]:
    """The shapes of these names, and all that they are made of."""
    reached: set[str] = set()
    ahead = list(names)
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += _shapes_in(shapes[name])
    return reached


def _shapes_in(value: object) -> Iterator[str]:
    """The names of the shapes that a part of a description refers to."""
    match value:
        case {"shape": str(name), **rest}:
            yield name
            yield from _shapes_in(rest)
        case Mapping():
            for part in value.values():
                yield from _shapes_in(part)
        case list():
            for part in value:
                yield from _shapes_in(part)
        case _:
            pass


def _without_documentation(value: Any) -> Any:
    match value:
        case dict():
            return {name: _undocumented(name, part) for name, part in value.items()}
        case list():
            return [_without_documentation(part) for part in value]
        case _:
            return value


def _undocumented(name: str, value: Any) -> Any:
    # Empty and not left out: botocore adds a sentence to some. A shape may have a member of that name: that is no text.
    return "" if name == "documentation" and isinstance(value, str) else _without_documentation(value)

"""Tags on the command line: `--tag Code=LOL`, and where tags filter, `--tag Code` for any value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

Command = Callable[..., Any]
TagFilter = Callable[[Mapping[str, str]], bool]


def tag_option(text: str, *others: str) -> Callable[[Command], Command]:
    """Return the option `--tag`, repeated for several, with this help; a command gets `tags` for `parse_tags`.

    `others` are further names of the option.
    """
    return click.option("--tag", *others, "tags", multiple=True, metavar="KEY=VALUE", help=text)


def tag_filter_option(nouns: str) -> Callable[[Command], Command]:
    """Return the option `--tag` of a command that lists these; it gets `tags` for `tag_filters`."""
    text = f"Only {nouns} with this tag; may be repeated, all must match."
    return click.option("--tag", "tags", multiple=True, metavar="K[=V]", help=text)


def parse_tags(texts: Sequence[str]) -> dict[str, str]:
    """Return the tags of texts such as `Code=LOL`; a value may be empty. Raises UsageError naming the wrong one."""
    from landkeeper.org import UsageError

    tags: dict[str, str] = {}
    for text in texts:
        key, value = _split(text, "KEY=VALUE, for example Code=LOL")
        if value is None:
            raise UsageError(f"--tag is '{text}': expected KEY=VALUE, for example Code=LOL")
        if key in tags:
            raise UsageError(f"--tag has {key} twice")
        tags[key] = value
    return tags


def tag_filters(texts: Sequence[str]) -> list[TagFilter]:
    """Return whether tags are those of `Key=Value`, or have any value of `Key`. Raises UsageError for another text."""
    return [_filter(*_split(text, "Key or Key=Value")) for text in texts]


def _filter(key: str, value: str | None) -> TagFilter:
    return lambda tags: key in tags if value is None else tags.get(key) == value


def _split(text: str, expected: str) -> tuple[str, str | None]:
    key, equals, value = text.partition("=")
    if not key:
        from landkeeper.org import UsageError

        raise UsageError(f"--tag is '{text}': expected {expected}")
    return key, value if equals else None

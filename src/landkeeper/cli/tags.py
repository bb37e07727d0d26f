"""Tags on the command line: `--tag Code=LOL`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

Command = Callable[..., Any]


def tag_option(text: str) -> Callable[[Command], Command]:
    """Return the option `--tag`, repeated for several, with this help; a command gets `tags` for `parse_tags`."""
    return click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help=text)


def parse_tags(texts: Sequence[str]) -> dict[str, str]:
    """Return the tags of texts such as `Code=LOL`; a value may be empty. Raises UsageError naming the wrong one."""
    from landkeeper.org import UsageError

    tags: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"--tag is '{text}': expected KEY=VALUE, for example Code=LOL")
        if key in tags:
            raise UsageError(f"--tag has {key} twice")
        tags[key] = value
    return tags

"""The pages that tell people how to use the command, and the code that stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def fenced(text: str, *languages: str) -> list[str]:
    """Return the fenced blocks in these languages, in their order; without languages, all of them."""
    return [block for _, language, block in _FENCE.findall(text) if not languages or language in languages]


def inline(text: str) -> list[str]:
    """Return the code spans of the prose, each on one line."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", _FENCE.sub("", text))]


def invocations(text: str) -> Iterator[str]:
    """Yield what follows `landkeeper` in every line of code that runs it, continuation lines included."""
    indented = re.findall(r"^ {4,}(.*)$", _FENCE.sub("", text), re.MULTILINE)
    lines = "\n".join((*fenced(text), *indented)).replace("\\\n", " ").splitlines()
    for line in (*lines, *inline(text)):
        found = re.match(r"\s*(?:\$ )?(?:\S+/)?landkeeper +(?![=:])(\S.*)", line)
        if found:
            yield found[1]

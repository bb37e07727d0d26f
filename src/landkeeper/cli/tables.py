"""Tables on a terminal, with columns as wide as what is in them, or as the terminal allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from landkeeper.cli.terminal import cells, harmless, padded, paint, wrapped

_LONGEST_WORD = 40
"""Words longer than this, as in somebody's tags, are broken."""
_GAP = "  "


class Heading(NamedTuple):
    """The head of a column."""

    title: str
    right: bool = False
    style: str = ""


class Line(NamedTuple):
    """A row of a table: the text of each cell, and the style of all of them."""

    texts: Sequence[str]
    style: str = ""


def draw_table(headings: Sequence[Heading], lines: Sequence[Line], width: int, title: str = "") -> str:
    """The table as text for a terminal that is `width` characters wide.

    Lines break between words, for an id in pieces cannot be copied. Where even that is too wide the table is wider than
    the terminal, which wraps it, and nothing is lost.
    """
    rows = [[harmless(text).expandtabs(1) for text in line.texts] for line in lines]
    columns = list(zip(*rows, strict=True)) or [() for _ in headings]
    sizes = _sizes([(heading.title, *column) for heading, column in zip(headings, columns, strict=True)], width)
    titles = [padded(heading.title, size, right=heading.right) for heading, size in zip(headings, sizes, strict=True)]
    drawn = [paint(title, "bold")] if title else []
    drawn += ["", paint(f" {_GAP.join(titles)}".rstrip(), "bold"), f" {'─' * (sum(sizes) + 2 * len(sizes) - 2)}"]
    for line, texts in zip(lines, rows, strict=True):
        drawn += _drawn(headings, texts, sizes, line.style)
    return "\n".join([*drawn, ""])


def draw_facts(facts: Sequence[tuple[str, str, str]], width: int) -> str:
    """Two columns without a head: name, text, and the style of the text."""
    first = max((cells(name) for name, _, _ in facts), default=0)
    rest = max(width - first - 1, _LONGEST_WORD)
    drawn = []
    for name, text, style in facts:
        pieces = wrapped(harmless(text).expandtabs(1), rest)
        for number, piece in enumerate(pieces):
            label = padded("" if number else name, first)
            drawn.append(f"{paint(label, 'bold')} {paint(piece, style)}".rstrip())
    return "\n".join(drawn)


def _sizes(columns: Sequence[Sequence[str]], width: int) -> list[int]:
    """How wide each column is: the widest ones give way until the table fits, or no word could be kept whole."""
    sizes = [max((cells(line) for text in column for line in text.split("\n")), default=0) for column in columns]
    room = width - 1 - len(_GAP) * (len(columns) - 1)
    if sum(sizes) <= room:
        return sizes
    least = [
        min(max((cells(word) for text in column for word in text.split()), default=0), _LONGEST_WORD)
        for column in columns
    ]
    sizes = [max(narrowest, min(size, room)) for size, narrowest in zip(sizes, least, strict=True)]
    while sum(sizes) > room and sizes != least:
        widest = max((number for number in range(len(sizes)) if sizes[number] > least[number]), key=sizes.__getitem__)
        sizes[widest] -= 1
    return sizes


def _drawn(headings: Sequence[Heading], texts: Sequence[str], sizes: Sequence[int], style: str) -> Iterator[str]:
    pieces = [wrapped(text, size) for text, size in zip(texts, sizes, strict=True)]
    for number in range(max(map(len, pieces), default=0)):
        shown = [column[number] if number < len(column) else "" for column in pieces]
        last = max((place for place, text in enumerate(shown) if text), default=-1)
        drawn = []
        for place, (heading, text, size) in enumerate(zip(headings, shown, sizes, strict=True)):
            # Nothing is added behind the last text, so that lines of a pipe do not end in blanks.
            fitted = text if place == last and not heading.right else padded(text, size, right=heading.right)
            drawn.append(paint(fitted, f"{heading.style} {style}".strip()))
        yield f" {_GAP.join(drawn[: last + 1])}".rstrip()

"""Tables on a terminal that lose nothing: columns fold between words, are left out by name, or become records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from landkeeper.cli.terminal import cells, harmless, padded, paint, wrapped

_LONGEST_WORD = 44
"""Words longer than this, as in somebody's tags, are broken. The longest IPv6 block has 43 characters."""
_READABLE = 12
"""A column of text is not folded to fewer cells than this."""
_BESIDE_A_NAME = 24
"""With less room beside their names, the texts of a record stand below them."""
_GAP = "  "


class Heading(NamedTuple):
    """The head of a column."""

    title: str
    right: bool = False
    style: str = ""
    optional: int = 0
    """Where the terminal is too narrow, the column with the highest number is left out first; 0 stays."""


class Line(NamedTuple):
    """A row of a table: the text of each cell, and the style of all of them."""

    texts: Sequence[str]
    style: str = ""


class Layout(NamedTuple):
    """How a table is shown: which columns, by number, and how wide each of them is."""

    places: tuple[int, ...]
    sizes: tuple[int, ...]
    is_records: bool = False
    """Each row is a record with a line a cell. Then `places` has every column, and the sizes do not count."""


class Drawn(NamedTuple):
    """A table as text, and the titles of the columns that are not in it."""

    text: str
    left_out: tuple[str, ...] = ()


def lay_out(headings: Sequence[Heading], rows: Sequence[Sequence[str]], width: int | None) -> Layout:
    """Decide how the rows fit a terminal of `width` cells; None is a pipe or a file, where all fits.

    In this order: columns fold between words, optional columns are left out, and rows become records.
    """
    columns = [[heading.title, *(row[place] for row in rows)] for place, heading in enumerate(headings)]
    natural = [max((cells(line) for text in column for line in text.split("\n")), default=0) for column in columns]
    places = tuple(range(len(headings)))
    if width is None or _total(natural) <= width:
        return Layout(places, tuple(natural))
    least = [min(size, _least(column)) for size, column in zip(natural, columns, strict=True)]
    while True:
        narrowest = [least[place] for place in places]
        if _total(narrowest) <= width:
            return Layout(places, _folded([natural[place] for place in places], narrowest, width))
        optional = max(places, key=lambda place: headings[place].optional, default=0)
        if not places or not headings[optional].optional:
            return Layout(tuple(range(len(headings))), tuple(natural), is_records=True)
        places = tuple(place for place in places if place != optional)


def draw_table(headings: Sequence[Heading], lines: Sequence[Line], width: int | None, title: str = "") -> Drawn:
    """The table as text for a terminal that is `width` cells wide; None for a pipe or a file."""
    rows = [[harmless(text).expandtabs(1) for text in line.texts] for line in lines]
    layout = lay_out(headings, rows, width)
    drawn = [paint(title, "bold")] if title else []
    styles = [line.style for line in lines]
    if layout.is_records:
        for texts, style in zip(rows, styles, strict=True):
            drawn += ["", *_record(headings, texts, style, width or 0)]
        return Drawn("\n".join([*drawn, ""]))
    shown, sizes = [headings[place] for place in layout.places], layout.sizes
    titles = _joined([wrapped(heading.title, size) for heading, size in zip(shown, sizes, strict=True)], shown, sizes)
    drawn += ["", *(paint(text, "bold") for text in titles)]
    drawn.append(f" {'─' * (_total(sizes) - 1)}")
    for texts, style in zip(rows, styles, strict=True):
        pieces = [
            wrapped(texts[place], None if width is None else size)
            for place, size in zip(layout.places, sizes, strict=True)
        ]
        drawn += _joined(pieces, shown, sizes, style, painted=True)
    left_out = tuple(heading.title for place, heading in enumerate(headings) if place not in layout.places)
    return Drawn("\n".join([*drawn, ""]), left_out)


def draw_facts(facts: Sequence[tuple[str, str, str]], width: int | None) -> str:
    """Two columns without a head: name, text, and the style of the text. No word is broken."""
    first = max((cells(name) for name, _, _ in facts), default=0)
    is_narrow = width is not None and width - first - 1 < _BESIDE_A_NAME
    drawn = []
    for name, text, style in facts:
        shown = harmless(text).expandtabs(1)
        room = None if width is None else width - 1 if is_narrow else width - first - 1
        pieces = wrapped(shown, room, breaks_words=False)
        if is_narrow:
            drawn += [paint(name, "bold"), *(f" {paint(piece, style)}".rstrip() for piece in pieces)]
            continue
        for number, piece in enumerate(pieces):
            label = padded("" if number else name, first)
            drawn.append(f"{paint(label, 'bold')} {paint(piece, style)}".rstrip())
    return "\n".join(drawn)


def _record(headings: Sequence[Heading], texts: Sequence[str], style: str, width: int) -> Iterator[str]:
    """The lines of a row that is shown as a record; cells without text have none."""
    facts = [
        (heading.title, text, f"{heading.style} {style}".strip())
        for heading, text in zip(headings, texts, strict=True)
        if text
    ]
    yield from (f" {line}" for line in draw_facts(facts, width - 1).split("\n"))


def _total(sizes: Sequence[int]) -> int:
    """How wide a table with columns of these sizes is, the margin included."""
    return 1 + sum(sizes) + len(_GAP) * (len(sizes) - 1)


def _least(column: Sequence[str]) -> int:
    """The fewest cells of a column in which its words stay whole."""
    longest = max((cells(word) for text in column for word in text.split()), default=0)
    return max(min(longest, _LONGEST_WORD), _READABLE)


def _folded(sizes: list[int], least: Sequence[int], width: int) -> tuple[int, ...]:
    """Sizes that fit: the widest columns give way."""
    while _total(sizes) > width:
        widest = max((place for place in range(len(sizes)) if sizes[place] > least[place]), key=sizes.__getitem__)
        sizes[widest] -= 1
    return tuple(sizes)


def _joined(
    pieces: Sequence[Sequence[str]], headings: Sequence[Heading], sizes: Sequence[int], style: str = "", *,
    painted: bool = False,
) -> Iterator[str]:  # fmt: skip
    """The lines of a row, of which each column has some pieces."""
    for number in range(max(map(len, pieces), default=0)):
        shown = [column[number] if number < len(column) else "" for column in pieces]
        last = max((place for place, text in enumerate(shown) if text), default=-1)
        drawn = []
        for place, (heading, text, size) in enumerate(zip(headings, shown, sizes, strict=True)):
            # Nothing is added behind the last text, so that lines of a pipe do not end in blanks.
            fitted = text if place == last and not heading.right else padded(text, size, right=heading.right)
            drawn.append(paint(fitted, f"{heading.style} {style}".strip()) if painted else fitted)
        yield f" {_GAP.join(drawn[: last + 1])}".rstrip()

"""Answers on stdout, as a table for people or as JSON or CSV for machines; progress and remarks on stderr."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TextIO

import rich_click as click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

Format = Literal["table", "json", "csv"]
Row = Mapping[str, Any]

_WIDTH_OF_A_PIPE = 200
_WIDER_THAN_ANY = 10_000
_LONGEST_WORD = 40
"""Words longer than this, as in somebody's tags, are broken."""
_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: the title a person reads, and the attribute that JSON and CSV carry."""

    title: str
    attribute: str
    right: bool = False
    style: str = ""


format_option = click.option(
    "--format", "format_", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True,
    help="A table to read, or JSON or CSV for other programs.",
)  # fmt: skip


def stdout() -> Console:
    """Where answers go. In a pipe a table keeps its columns whole, unless COLUMNS says how wide it may be."""
    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else _WIDTH_OF_A_PIPE
    return Console(width=width, highlight=False, soft_wrap=False)


def stderr() -> Console:
    """Where progress, warnings and remarks go."""
    return Console(stderr=True, highlight=False)


def print_rows(
    rows: Sequence[Row],
    columns: Sequence[Column],
    format_: Format,
    *,
    title: str = "",
    totals: str = "",
    style_of: Callable[[Row], str] = lambda _: "",
) -> None:
    """Print the rows. JSON carries each row whole, CSV and the table the given columns.

    A table ends with its `totals`; `style_of` says in which style of Rich's a row is to be shown.
    """
    if format_ == "json":
        print_json(list(rows))
    elif format_ == "csv":
        write_csv(sys.stdout, rows, [column.attribute for column in columns])
    else:
        if rows or not totals:
            _print_table(rows, columns, title, style_of)
        if totals:
            stdout().print(totals, style="bold", markup=False, soft_wrap=True)


def write_csv(out: TextIO, rows: Iterable[Row], attributes: Sequence[str]) -> None:
    """Write the attributes of the rows as CSV, with a head. No cell of it is a formula to a spreadsheet.

    A list of words is a cell with the words; what has parts of its own is JSON.
    """
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(attributes)
    writer.writerows([_cell(row.get(attribute)) for attribute in attributes] for row in rows)


def _cell(value: object) -> str:
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(one, dict) for one in value)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = plain(value)
    # Tags and names are other people's: opened in a spreadsheet, they must not run (OWASP, "CSV Injection").
    return f"'{text}" if text.startswith(_FORMULA_BEGINS) else text


def chosen(
    columns: Sequence[Column], rows: Sequence[Row], format_: Format, *, usual: Mapping[str, tuple[Any, ...]]
) -> list[Column]:
    """The columns that tell the rows of a table apart, for a terminal is narrow; all of them elsewhere.

    `usual` has, of columns that a table may leave out, the contents that say nothing.
    """
    return [one for one in columns if format_ != "table" or _says_something(rows, one.attribute, usual)]


def _says_something(rows: Sequence[Row], attribute: str, usual: Mapping[str, tuple[Any, ...]]) -> bool:
    return attribute not in usual or any(row.get(attribute) not in usual[attribute] for row in rows)


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun, in the plural where that is right."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"


def print_json(value: object) -> None:
    """Print one JSON value on stdout."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def _print_table(rows: Sequence[Row], columns: Sequence[Column], title: str, style_of: Callable[[Row], str]) -> None:
    table = Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for column in columns:
        words = (word for row in rows for word in plain(row.get(column.attribute)).split())
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            style=column.style or None,
            overflow="fold",
            # An id in pieces cannot be copied, nor a block be read: lines break between words.
            min_width=min(_LONGEST_WORD, max(map(len, words), default=0)),
        )
    for row in rows:
        # Text, not str: a tag or a name with [brackets] must not become Rich markup.
        table.add_row(*(Text(plain(row.get(column.attribute))) for column in columns), style=style_of(row) or None)
    console = stdout()
    # A terminal that is too narrow even so wraps the lines itself, and nothing is lost.
    narrowest = Console(width=_WIDER_THAN_ANY).measure(table).minimum
    console.width = max(console.width, narrowest)
    console.print(table)


_WORDS: Mapping[type, Callable[[Any], str]] = {
    bool: lambda value: "yes" if value else "no",
    list: lambda value: " ".join(map(plain, value)),
    tuple: lambda value: " ".join(map(plain, value)),
    dict: lambda value: " ".join(f"{name}={plain(content)}" for name, content in value.items()),
    type(None): lambda _: "",
}


def plain(value: object) -> str:
    """The words for a stored value that a person reads."""
    return _WORDS.get(type(value), str)(value)

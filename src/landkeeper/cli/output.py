"""Answers on stdout, as a table for people or as JSON or CSV for machines; progress and remarks on stderr."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import rich_click as click
from rich.console import Console
from rich.table import Table
from rich.text import Text

Format = Literal["table", "json", "csv"]
Row = Mapping[str, Any]

_WIDTH_OF_A_PIPE = 200


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
    """Where answers go. In a pipe a table keeps its columns whole instead of being cut at 80 characters."""
    width = None if sys.stdout.isatty() else _WIDTH_OF_A_PIPE
    return Console(width=width, highlight=False, soft_wrap=False)


def stderr() -> Console:
    """Where progress, warnings and remarks go."""
    return Console(stderr=True, highlight=False)


def print_rows(rows: Sequence[Row], columns: Sequence[Column], format_: Format, *, title: str = "") -> None:
    """Print the rows. JSON carries each row whole, CSV and the table the given columns."""
    if format_ == "json":
        print_json(list(rows))
    elif format_ == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow([column.attribute for column in columns])
        writer.writerows([_plain(row.get(column.attribute)) for column in columns] for row in rows)
    else:
        _print_table(rows, columns, title)


def chosen(
    columns: Sequence[Column], rows: Sequence[Row], format_: Format, *, usual: Mapping[str, tuple[Any, ...]]
) -> list[Column]:
    """The columns that tell the rows of a table apart, for a terminal is narrow; all of them elsewhere.

    `usual` has, of columns that a table may leave out, the contents that say nothing.
    """
    return [one for one in columns if format_ != "table" or _says_something(rows, one.attribute, usual)]


def _says_something(rows: Sequence[Row], attribute: str, usual: Mapping[str, tuple[Any, ...]]) -> bool:
    return attribute not in usual or any(row.get(attribute) not in usual[attribute] for row in rows)


def counted(number: int, noun: str) -> str:
    """A number with its noun, in the plural where that is right."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def print_json(value: object) -> None:
    """Print one JSON value on stdout."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def _print_table(rows: Sequence[Row], columns: Sequence[Column], title: str) -> None:
    table = Table(title=title or None, title_justify="left", title_style="bold", header_style="bold")
    for column in columns:
        # Folded, not cut: an id that a narrow terminal shortens cannot be copied.
        table.add_column(
            column.title, justify="right" if column.right else "left", style=column.style or None, overflow="fold"
        )
    for row in rows:
        # Text, not str: a tag or a name with [brackets] must not become Rich markup.
        table.add_row(*(Text(_plain(row.get(column.attribute))) for column in columns))
    stdout().print(table)


_WORDS: Mapping[type, Callable[[Any], str]] = {
    bool: lambda value: "yes" if value else "no",
    list: lambda value: " ".join(map(_plain, value)),
    tuple: lambda value: " ".join(map(_plain, value)),
    dict: lambda value: " ".join(f"{name}={_plain(content)}" for name, content in value.items()),
    type(None): lambda _: "",
}


def _plain(value: object) -> str:
    return _WORDS.get(type(value), str)(value)

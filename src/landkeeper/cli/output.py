"""Answers on stdout, as a table for people or as JSON or CSV for machines; progress and remarks on stderr."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TextIO

from landkeeper.cli.tables import Heading, Line, draw_table
from landkeeper.cli.terminal import (
    WIDTH_OF_A_PIPE,
    aside,
    choices,
    harmless,
    harmless_json,
    one_line,
    say,
    say_painted,
    unguarded,
    width,
)

if TYPE_CHECKING:
    from rich.console import Console

Format = Literal["table", "json", "csv"]
JSON_VERSION = 1
"""`Version` of JSON objects that have records in them. Within a version keys are added, and none goes.

One rule for keys: records have the attributes that are stored, in AWS's spelling (`VpcId`); the names of what is
around them are in lower case (`launches`, `totals.instances`). docs/json.md lists them all.
"""
Row = Mapping[str, Any]

_FORMULA_BEGINS = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - spreadsheets take wide letters for the same signs
_QUOTED = re.compile('[",;|\t\r\n]')
"""What a spreadsheet of some country or setting may take for the end of a cell, a row or a text."""


class Column(NamedTuple):
    """A column of a table: the title a person reads, and the attribute that JSON and CSV carry."""

    title: str
    attribute: str
    right: bool = False
    style: str = ""
    optional: int = 0
    """Where the terminal is too narrow, the column with the highest number is left out first; 0 stays."""


def stdout() -> Console:
    """Where answers go that take more of Rich than a table."""
    from landkeeper.cli.consoles import HarmlessConsole

    is_wide = sys.stdout.isatty() or os.environ.get("COLUMNS")
    return HarmlessConsole(
        width=None if is_wide else WIDTH_OF_A_PIPE, highlight=False, soft_wrap=False, no_color=choices.is_plain or None
    )


def stderr() -> Console:
    """Where progress bars go."""
    from landkeeper.cli.consoles import HarmlessConsole

    return HarmlessConsole(
        file=unguarded(sys.stderr), highlight=False, quiet=choices.is_quiet, no_color=choices.is_plain or None
    )


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

    A table ends with its `totals`; `style_of` says in which style a row is to be shown.
    """
    if format_ == "json":
        print_json(list(rows))
    elif format_ == "csv":
        write_csv(sys.stdout, rows, [column.attribute for column in columns], for_terminal=sys.stdout.isatty())
    else:
        if rows or not totals:
            _print_table(rows, columns, title, style_of)
        if totals:
            say(totals, "bold")


def print_record(
    record: Row, attributes: Sequence[str], format_: Format, *, version: int | None = JSON_VERSION
) -> None:
    """Print one record for a program: JSON carries it whole, CSV is a row of the attributes.

    `version` is None for a stored record, of which `Version` is the number of its changes.
    """
    if format_ == "csv":
        print_rows([record], [Column(name, name) for name in attributes], "csv")
    else:
        print_json(dict(record) if version is None else {"Version": version, **record})


def write_csv(out: TextIO, rows: Iterable[Row], attributes: Sequence[str], *, for_terminal: bool = False) -> None:
    """Write the attributes of the rows as CSV, with a head. No cell of it is a formula to a spreadsheet.

    A list of words is a cell with the words; what has parts of its own is JSON. Line breaks and tabs stay what they
    are, except `for_terminal`; other characters that cannot be seen are written as in source code.
    """
    shown = one_line if for_terminal else _cell_text
    out.write(_csv_line(attributes))
    out.writelines(_csv_line([shown(_cell(row.get(attribute))) for attribute in attributes]) for row in rows)


def _csv_line(cells: Sequence[str]) -> str:
    # Not by the module csv: in Python 3.11 it leaves a carriage return unquoted, at which spreadsheets end a row.
    line = ",".join(map(_quoted, cells))
    return f"{line}\n" if line else '""\n'


def _quoted(cell: str) -> str:
    if _QUOTED.search(cell) is None:
        return cell
    text = cell.replace('"', '""')
    return f'"{text}"'


def _cell_text(text: str) -> str:
    return "\r".join(map(harmless, text.split("\r")))


def _cell(value: object) -> str:
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(part, dict) for part in value)):
        import json

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
    return [column for column in columns if format_ != "table" or _says_something(rows, column.attribute, usual)]


def _says_something(rows: Sequence[Row], attribute: str, usual: Mapping[str, tuple[Any, ...]]) -> bool:
    return attribute not in usual or any(row.get(attribute) not in usual[attribute] for row in rows)


def print_json(value: object) -> None:
    """Print one JSON value on stdout."""
    sys.stdout.write(json_text(value))


def json_text(value: object) -> str:
    """Return one JSON value as text, in lines, the last of which ends with it."""
    import json

    return f"{harmless_json(json.dumps(value, indent=2, ensure_ascii=False))}\n"


def print_table(headings: Sequence[Heading], lines: Sequence[Line], title: str = "") -> None:
    """Print a table on stdout, and on stderr which columns the terminal had no room for."""
    drawn = draw_table(headings, lines, width(), title)
    say_painted(drawn.text)
    if drawn.left_out:
        names = ", ".join(drawn.left_out)
        aside(f"columns left out: {names}; widen the terminal, or use --format csv", "dim")


def _print_table(rows: Sequence[Row], columns: Sequence[Column], title: str, style_of: Callable[[Row], str]) -> None:
    headings = [Heading(column.title, column.right, column.style, column.optional) for column in columns]
    lines = [Line([one_line(plain(row.get(column.attribute))) for column in columns], style_of(row)) for row in rows]
    print_table(headings, lines, title)


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

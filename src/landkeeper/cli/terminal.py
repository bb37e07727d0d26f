"""Lines on a terminal: how wide it is, styles where it shows them, and text that cannot steer it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

import click

WIDTH_OF_A_PIPE = 200
_STYLES = {"bold": {"bold": True}, "dim": {"dim": True}}
_PLAIN_LINES = str.maketrans("─│╭╮╰╯", "-|++++")
_KEPT_CONTROLS = "\n\t"
_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if chr(code) not in _KEPT_CONTROLS}


def say(text: str, style: str = "") -> None:
    """Print a line of the answer on stdout; the terminal wraps it."""
    click.echo(paint(harmless(text), style), color=shows_styles())


def aside(text: str, style: str = "") -> None:
    """Print progress, a warning or a remark on stderr; the terminal wraps it."""
    click.echo(paint(harmless(text), style), err=True, color=shows_styles())


def say_painted(text: str) -> None:
    """Print text that `paint` made, on stdout; a pipe gets it without its styles."""
    click.echo(drawable(text), color=shows_styles())


def drawable(text: str) -> str:
    """The text with plain characters in place of drawn lines where stdout's encoding does not have these."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return text.translate(_PLAIN_LINES).encode("ascii", "backslashreplace").decode()
    return text


def paint(text: str, style: str) -> str:
    """The text in a style, which is words such as `bold` and names of colours; as it is without any."""
    if not style or not text:
        return text
    chosen: dict[str, object] = {}
    for word in style.split():
        chosen |= _STYLES.get(word, {"fg": word})
    return click.style(text, **chosen)  # type: ignore[arg-type]


def harmless(text: str) -> str:
    """The text without control characters: names and tags are other people's, and must not steer a terminal."""
    return text if text.isprintable() else text.translate(_CONTROLS)


def shows_styles() -> bool | None:
    """Whether NO_COLOR, FORCE_COLOR or TERM say that styles are shown; None leaves it to whether it is a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return False if os.environ.get("TERM") in {"dumb", "unknown"} else None


def width() -> int:
    """How many characters a line of the answer has; in a pipe, where nothing says so, as many as tables need."""
    if os.environ.get("COLUMNS") or sys.stdout.isatty():
        import shutil

        return shutil.get_terminal_size().columns
    return WIDTH_OF_A_PIPE


def cells(text: str) -> int:
    """How many cells of a terminal the text takes: letters of East Asia take two, accents of their own none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def padded(text: str, size: int, *, right: bool = False) -> str:
    """The text in that many cells."""
    blank = " " * (size - cells(text))
    return blank + text if right else text + blank


def wrapped(text: str, size: int) -> list[str]:
    """The lines of the text, none of which takes more than that many cells; only a longer word is broken."""
    return [line for given in text.split("\n") for line in _wrapped_line(given, size)]


def _wrapped_line(text: str, size: int) -> Iterable[str]:
    if cells(text) <= size:
        yield text
        return
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if cells(longer) <= size:
            line = longer
            continue
        if line:
            yield line
        *full, line = _pieces(word, size)
        yield from full
    if line:
        yield line


def _pieces(word: str, size: int) -> list[str]:
    pieces = [""]
    for char in word:
        if pieces[-1] and cells(pieces[-1] + char) > size:
            pieces.append("")
        pieces[-1] += char
    return pieces

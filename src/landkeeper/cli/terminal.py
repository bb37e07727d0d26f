"""What is written to a terminal: lines in styles, their width, and text that cannot steer the terminal.

Every line of the command goes through here, or through `output` and `consoles`, which use what is here. Names, tags and
error messages are other people's: a control character in them could move the cursor, a bidirectional one turn a line
around, and a line separator forge a line.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from functools import cache
from typing import TextIO, cast

import click

WIDTH_OF_A_PIPE = 200
_STYLES = {"bold": {"bold": True}, "dim": {"dim": True}}
_PLAIN_LINES = str.maketrans("─│╭╮╰╯", "-|++++")
# Unicode's categories Cc, Cf, Cs, Zl and Zp, without the two joiners that scripts and emoji need.
_INVISIBLE = (
    r"\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    r"\ud800-\udfff\ufeff\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
_STEERING, _STEERING_OR_BREAKING = r"\x00-\x08\x0b-\x1f", r"\x00-\x1f"


class Choices:
    """What the options of this run choose on how it speaks."""

    is_quiet = False
    is_verbose = False
    is_debug = False
    is_plain = False

    def reset(self) -> None:
        """Choose nothing, for another run in the same process."""
        self.__dict__.clear()


choices = Choices()


def say(text: str, style: str = "") -> None:
    """Print one line of the answer on stdout; the terminal wraps it."""
    click.echo(paint(one_line(text), style), color=shows_styles())


def say_text(text: str) -> None:
    """Print text that has lines of its own, the last of which ends with it, on stdout."""
    click.echo(harmless(text), nl=False, color=shows_styles())


def aside(text: str, style: str = "") -> None:
    """Print one line of progress, a warning or a remark on stderr; the terminal wraps it.

    What is dim is a remark, which `--quiet` leaves out.
    """
    if choices.is_quiet and style == "dim":
        return
    click.echo(paint(one_line(text), style), file=unguarded(sys.stderr), color=shows_styles())


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
    """Return text of several lines with every character that could steer a terminal written as in source code."""
    return text if text.isprintable() else _any_of(_STEERING, is_ascii=text.isascii()).sub(_escape, text)


def one_line(text: str) -> str:
    """Return the text on one line: like `harmless`, and so are line breaks and tabs."""
    return text if text.isprintable() else _any_of(_STEERING_OR_BREAKING, is_ascii=text.isascii()).sub(_escape, text)


@cache
def _any_of(controls: str, *, is_ascii: bool) -> re.Pattern[str]:
    # The whole range costs milliseconds to compile, which a command that prints plain text does without.
    return re.compile(rf"[{controls}\x7f]" if is_ascii else f"[{controls}{_INVISIBLE}]")


def _escape(found: re.Match[str]) -> str:
    return repr(found[0])[1:-1]


def harmless_json(text: str) -> str:
    """Return JSON, as `json.dumps` writes it, with the same characters in JSON's own escapes: it means the same."""
    if text.isascii() and "\x7f" not in text:
        return text
    return _any_of("", is_ascii=False).sub(_escape_for_json, text)


def _escape_for_json(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


class _GuardedStream:
    """A stream on which everything is made harmless, whoever writes: logging, warnings, tracebacks."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write the text, and return how many characters of it were taken."""
        self.stream.write(harmless(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write all of them."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)


def guarded(stream: TextIO) -> TextIO:
    """Return the stream with a guard. What is styled here reaches it past the guard."""
    return cast("TextIO", _GuardedStream(unguarded(stream)))


def unguarded(stream: TextIO) -> TextIO:
    """Return the stream behind the guard, for text that is harmless already and may have styles."""
    return stream.stream if isinstance(stream, _GuardedStream) else stream


def shows_styles() -> bool | None:
    """Whether `--no-color`, NO_COLOR, FORCE_COLOR or TERM say that styles are shown; None: where it is a terminal."""
    if choices.is_plain or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return False if os.environ.get("TERM") in {"dumb", "unknown"} else None


def width() -> int | None:
    """How many cells a line of the answer has; None for a pipe or a file, and for a terminal that does not say."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    if not sys.stdout.isatty():
        return None
    import shutil

    return shutil.get_terminal_size((0, 0)).columns or None


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


def wrapped(text: str, size: int | None, *, breaks_words: bool = True) -> list[str]:
    """The lines of the text, none of which takes more than that many cells; only a longer word is broken, if any.

    Without a size these are the lines that it has.
    """
    if size is None:
        return text.split("\n")
    return [line for given in text.split("\n") for line in _wrapped_line(given, size, breaks_words=breaks_words)]


def _wrapped_line(text: str, size: int, *, breaks_words: bool) -> Iterable[str]:
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
        *full, line = _pieces(word, size) if breaks_words else [word]
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

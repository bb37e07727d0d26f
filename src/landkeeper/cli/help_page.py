"""Help pages: click's words in panels, drawn without Rich, which would take longer than everything else in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click

from landkeeper.cli.terminal import cells, drawable, padded, paint, wrapped

_NARROWEST = 50
_MOST_OF_THE_WIDTH = 2 / 5
"""The share of a panel that names of options and commands take at most."""


class PageFormatter(click.HelpFormatter):
    """Writes usage and text a character in, and each section as a panel of the width of the terminal."""

    def __init__(self, indent_increment: int = 1, width: int | None = None, max_width: int | None = None) -> None:
        """As click makes it; `max_width` is `max_content_width` of the context."""
        import shutil

        columns = width or shutil.get_terminal_size().columns
        super().__init__(1, max(min(columns, max_width or columns), _NARROWEST))
        self._heading = ""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write how the command is called."""
        indent = f" {'Usage:'} {prog} "
        first, *others = wrapped(args, max(self.width - cells(indent) - 1, 20)) or [""]
        self.write(f"\n {paint('Usage:', 'yellow')} {paint(prog, 'bold')} {paint(first, 'bold cyan')}\n")
        for line in others:
            self.write(f"{' ' * cells(indent)}{paint(line, 'bold cyan')}\n")

    def write_text(self, text: str) -> None:
        """Write paragraphs; the first one says what the command does, and the others are fainter."""
        for number, paragraph in enumerate(text.split("\n\n")):
            if paragraph.startswith("\b\n"):
                lines = ["", *(f"  {line}" for line in paragraph.splitlines()[1:]), ""]
            else:
                lines = _wrapped_marks(" ".join(paragraph.split()), self.width - 2)
            for line in lines:
                self.write(f" {paint(line, 'dim' if number else '')}".rstrip() + "\n")

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """A panel with this title around the definitions that are written meanwhile."""
        rule = f"─ {name} {'─' * (self.width - cells(name) - 5)}"
        self.write(("" if self._heading else "\n") + paint(f"╭{rule}╮", "dim") + "\n")
        self._heading = name
        yield
        self.write(paint(f"╰{'─' * (self.width - 2)}╯", "dim") + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 0, col_spacing: int = 2) -> None:
        """Write names and what they mean, in two columns. A name that is too long has a line of its own."""
        rows = list(rows)
        most = int(self.width * _MOST_OF_THE_WIDTH)
        first = max((size for name, _ in rows if (size := cells(name)) <= most), default=most)
        room = self.width - 4 - first - col_spacing
        for name, text in rows:
            lines = _wrapped_marks(text, room) or [""]
            if cells(name) > first:
                self._write_row(_painted(name), cells(name), "")
            else:
                self._write_row(_painted(name), cells(name), " " * (first - cells(name) + col_spacing) + lines.pop(0))
            for line in lines:
                self._write_row("", 0, " " * (first + col_spacing) + line)

    def getvalue(self) -> str:
        """The page."""
        return drawable(super().getvalue())

    def _write_row(self, painted: str, size: int, rest: str) -> None:
        edge = paint("│", "dim")
        self.write(f"{edge} {painted}{padded(rest, self.width - 4 - size)} {edge}\n")


class PageContext(click.Context):
    """A context whose help is such a page."""

    formatter_class = PageFormatter


def _wrapped_marks(text: str, size: int) -> list[str]:
    """The lines of the text, in which a mark such as `[env: NO_COLOR]` is one word."""
    return [line.replace("\0", " ") for line in wrapped(text.replace("[env: ", "[env:\0"), size)]


def _painted(name: str) -> str:
    """Options and commands in one colour, what an option takes in another."""
    words = name.split(" ")
    is_command = not name.startswith("-")
    return " ".join(paint(word, "bold cyan" if is_command or word.startswith("-") else "yellow") for word in words)

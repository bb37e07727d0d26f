"""What the commands of `landkeeper broom` say beside their answer, on stderr."""

from __future__ import annotations

from collections.abc import Iterable

from landkeeper.cli.terminal import aside


def warn(text: str) -> None:
    """One line on stderr. Control characters are shown as they would be written in code."""
    aside(one_line(text))


def print_reports(texts: Iterable[str]) -> None:
    """Print reports that had no topic to go to, on stderr: stdout holds the answer."""
    for text in texts:
        aside(text)


def one_line(text: str) -> str:
    """The text with its control characters shown as they would be written in code."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)

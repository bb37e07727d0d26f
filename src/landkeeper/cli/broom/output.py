"""What the commands of `landkeeper broom` say beside their answer, on stderr."""

from __future__ import annotations

from collections.abc import Iterable

from landkeeper.cli.terminal import aside


def warn(text: str) -> None:
    """Print a line on stderr."""
    aside(text)


def print_reports(texts: Iterable[str]) -> None:
    """Print reports that had no topic to go to, on stderr: stdout holds the answer."""
    for text in texts:
        for line in text.split("\n"):
            aside(line)

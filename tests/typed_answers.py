"""Somebody at a terminal, who types answers."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest


class _Terminal(io.StringIO):
    def __init__(self, text: str, meanwhile: Callable[[], object]) -> None:
        super().__init__(text)
        self._meanwhile = meanwhile

    def isatty(self) -> bool:
        return True

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        self._meanwhile()
        return super().readline(-1 if size is None else size)


def type_answer(monkeypatch: pytest.MonkeyPatch, text: str, *, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Have a terminal as stdin in which this is typed, after something happened `meanwhile`."""
    monkeypatch.setattr(sys, "stdin", _Terminal(f"{text}\n", meanwhile))

"""Somebody at a terminal, who types answers."""

from __future__ import annotations

import io
import sys

import pytest


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def type_answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Have a terminal as stdin in which this was typed."""
    monkeypatch.setattr(sys, "stdin", _Terminal(f"{text}\n"))

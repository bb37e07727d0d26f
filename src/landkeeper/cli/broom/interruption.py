"""Ctrl-C while something long runs: the first one asks for the answer so far, the second one ends it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from landkeeper.cli.broom.output import warn


@dataclass(slots=True)
class Interruption:
    """Whether somebody asked to stop."""

    is_asked: bool = False

    def take(self, signum: int, frame: FrameType | None) -> None:
        """Take the signal of a Ctrl-C."""
        if self.is_asked:
            raise KeyboardInterrupt
        self.is_asked = True


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """While this lasts, the first Ctrl-C is only noted."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    before = signal.signal(signal.SIGINT, interruption.take)
    try:
        yield interruption
    finally:
        signal.signal(signal.SIGINT, before)
    if interruption.is_asked:
        warn("interrupted: partial result")

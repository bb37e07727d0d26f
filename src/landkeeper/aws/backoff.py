"""Waiting before another try."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait between tries: twice as long each time, with jitter, so that those who wait do not come back
    together."""

    first_seconds: float
    longest_seconds: float = inf
    least: float = 0.0
    """The part of each pause that is waited whatever the jitter: 0 for full jitter."""
    attempts: float = inf
    """How many tries there are, the one before the first pause included."""
    patience_seconds: float = inf
    """How long after the start another pause may begin."""

    def pauses(
        self,
        *,
        sleep: Callable[[float], object] | None = None,
        clock: Callable[[], float] | None = None,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> Iterator[bool]:
        """True after each pause, as long as there is another try.

        `sleep` waits and `clock` counts seconds: those of `time` by default. `jitter` picks a number between its two.
        """
        sleep, clock = sleep or time.sleep, clock or time.monotonic
        pause, attempt = self.first_seconds, 1
        until = clock() + self.patience_seconds
        while attempt < self.attempts and clock() < until:
            sleep(pause * jitter(self.least, 1))
            pause, attempt = min(self.longest_seconds, pause * 2), attempt + 1
            yield True

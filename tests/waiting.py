"""Waiting for what comes, however long a busy machine takes over it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

HANG_SECONDS = 600.0
"""The limit of everything that a test waits for. Nothing but a hang reaches it: no test is about how long it is."""

_LOOK_EVERY_SECONDS = 0.1

T = TypeVar("T")


def wait_until(look: Callable[[], T | None]) -> T:
    """What `look` answers, as soon as that is true. For what another process does: a thread can set an event.

    Raises TimeoutError where it hangs.
    """
    hangs_at = time.monotonic() + HANG_SECONDS
    while not (seen := look()):
        if time.monotonic() > hangs_at:
            raise TimeoutError("what the test waits for did not come")
        time.sleep(_LOOK_EVERY_SECONDS)
    return seen

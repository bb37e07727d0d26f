"""Until when an invocation may work, as Lambda's context says it."""

from __future__ import annotations

import time

from landkeeper.aws.deadlines import Deadline

_LEAST_SECONDS = 1.0
_LONGEST_SECONDS = 900.0
"""How long a function may run at all (AWS Lambda Developer Guide, "Lambda quotas")."""


def deadline_of(context: object, *, spare_seconds: float) -> Deadline:
    """The moment so many seconds before Lambda ends the invocation, a second from now at the earliest.

    The context is the clock: work that outlives its invocation finds its time over in the next one too. Without a
    context there are 15 minutes.
    """
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    if remaining is None:
        return Deadline(time.monotonic() + _LONGEST_SECONDS - spare_seconds)

    def clock() -> float:
        return -float(remaining()) / 1000

    return Deadline(max(-spare_seconds, clock() + _LEAST_SECONDS), clock)

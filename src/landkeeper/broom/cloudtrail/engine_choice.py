"""Which engine reads log files: that of the extra `fast` where it is installed, else the standard library's."""

from __future__ import annotations

from functools import lru_cache

from landkeeper.broom.cloudtrail.engine import STANDARD, Engine


@lru_cache(maxsize=1)
def find_fast_engine() -> Engine | None:
    """The engine of the extra `fast`, or None where that is not installed."""
    try:
        from landkeeper.broom.cloudtrail.fast_engine import FastEngine, find_reader  # noqa: PLC0415
    except ImportError:
        return None
    return FastEngine(find_reader())


def best_engine() -> Engine:
    """The fastest that is installed."""
    return find_fast_engine() or STANDARD

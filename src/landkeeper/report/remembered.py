"""What a kept report remembers beside its content: how many accounts could not be read, day by day.

No store keeps that. It is metadata of the object: a first day and a count for each day from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from landkeeper.report.report_input import LOOKED_BACK

_NAME = "landkeeper-unreadable"
_UNKNOWN = "-"


def write_unreadable(known: Mapping[date, int], today: date, count: int) -> dict[str, str]:
    """Metadata with what was known of the days that trends look back at, and with today's count: ASCII, under 2 KB."""
    days = [today - LOOKED_BACK + timedelta(days=number) for number in range(LOOKED_BACK.days)]
    counts = [str(known.get(day, _UNKNOWN)) for day in days]
    return {_NAME: " ".join([days[0].isoformat(), *counts, str(count)])}


def parse_unreadable(metadata: Mapping[str, str]) -> dict[date, int]:
    """The counts that were written; none where there are none, or none that can be read."""
    first, *counts = metadata.get(_NAME, "").split() or [""]
    try:
        return {
            date.fromisoformat(first) + timedelta(days=number): int(count)
            for number, count in enumerate(counts)
            if count != _UNKNOWN
        }
    except ValueError:
        return {}

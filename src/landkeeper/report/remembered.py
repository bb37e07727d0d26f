"""Metadata of the report's object: how many accounts could not be read, day by day.

No store has this history. The metadata is a first day and a count for each day from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from landkeeper.report.report_input import LOOKED_BACK

_NAME = "landkeeper-unreadable"
_UNKNOWN = "-"


def write_unreadable(known: Mapping[date, int], today: date, count: int) -> dict[str, str]:
    """Return the metadata with the known counts of the trend's days and with today's count: ASCII, under 2 KB."""
    days = [today - LOOKED_BACK + timedelta(days=number) for number in range(LOOKED_BACK.days)]
    counts = [str(known.get(day, _UNKNOWN)) for day in days]
    return {_NAME: " ".join([days[0].isoformat(), *counts, str(count)])}


def parse_unreadable(metadata: Mapping[str, str]) -> dict[date, int]:
    """Return the counts by day; none if the metadata is missing or cannot be parsed."""
    first, *counts = metadata.get(_NAME, "").split() or [""]
    try:
        return {
            date.fromisoformat(first) + timedelta(days=number): int(count)
            for number, count in enumerate(counts)
            if count != _UNKNOWN
        }
    except ValueError:
        return {}

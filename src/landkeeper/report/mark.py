"""What a report that is kept says of itself beside its content, and when the next one is due.

A run of the tracker is many messages, and nobody is told when the last of them is done. That accounts were tried since
the last report, and none of them just now, says so well enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from landkeeper.report.document import TrendsView
from landkeeper.vpctracker.attributes import format_time, parse_time

_MADE, _TRIED, _VERSION, _DAYS = "landkeeper-made", "landkeeper-tried", "landkeeper-version", "landkeeper-unreadable"
_QUIET = timedelta(minutes=3)
"""A run is over when no account was tried for so long."""
_LONGEST_WAIT = timedelta(hours=1)
"""A run that never ends still gets a report so often."""
_UNKNOWN = "-"


@dataclass(frozen=True, slots=True)
class ReportMark:
    """When a report was made, and what it knew."""

    made_at: datetime
    landkeeper: str
    """The version that made it."""
    tried_at: datetime | None = None
    """When an account was last tried before it; None where none ever was."""
    unreadable: Mapping[date, int] = field(default_factory=dict)
    """Accounts that could not be read completely, by day: nothing else keeps record of that."""


def is_due(mark: ReportMark | None, landkeeper: str, tried_at: datetime | None, now: datetime) -> bool:
    """Whether a report is to be made; `tried_at` is when an account was last tried, None for no report so far."""
    if mark is None or mark.landkeeper != landkeeper:
        return True
    if tried_at is None or (mark.tried_at is not None and tried_at <= mark.tried_at):
        return False
    return now - tried_at >= _QUIET or now - mark.made_at >= _LONGEST_WAIT


def mark_of(
    trends: TrendsView | None, landkeeper: str, tried_at: datetime | None, unreadable: int, now: datetime
) -> ReportMark:
    """The mark of a report with these trends."""
    counted = {} if trends is None else dict(zip(map(date.fromisoformat, trends.days), trends.unreadable, strict=True))
    known = {day: count for day, count in counted.items() if count is not None}
    return ReportMark(now, landkeeper, tried_at, known | {now.date(): unreadable})


def write_mark(mark: ReportMark) -> dict[str, str]:
    """The mark as metadata of an object: short ASCII texts, two kilobytes at most."""
    written = {_MADE: format_time(mark.made_at), _VERSION: mark.landkeeper}
    if mark.tried_at is not None:
        written[_TRIED] = format_time(mark.tried_at)
    if mark.unreadable:
        first, last = min(mark.unreadable), max(mark.unreadable)
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        written[_DAYS] = " ".join([first.isoformat(), *(str(mark.unreadable.get(day, _UNKNOWN)) for day in days)])
    return written


def parse_mark(metadata: Mapping[str, str]) -> ReportMark | None:
    """The mark that was written; None where there is none, or one that cannot be read."""
    try:
        first, *counts = metadata.get(_DAYS, "").split() or [""]
        days = {
            date.fromisoformat(first) + timedelta(days=number): int(count)
            for number, count in enumerate(counts)
            if count != _UNKNOWN
        }
        tried_at = parse_time(metadata[_TRIED]) if _TRIED in metadata else None
        return ReportMark(parse_time(metadata[_MADE]), metadata[_VERSION], tried_at, days)
    except (KeyError, ValueError):
        return None

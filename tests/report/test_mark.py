"""What a kept report says of itself, and when the next one is due."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import START, moments

from landkeeper.report.document import TrendsView
from landkeeper.report.mark import ReportMark, is_due, mark_of, parse_mark, write_mark

_MINUTE = timedelta(minutes=1)
_DAYS = st.dictionaries(st.integers(0, 90).map(lambda day: START.date() + timedelta(days=day)), st.integers(0, 9999))


@given(moments, st.none() | moments, _DAYS)
def test_a_mark_survives_being_written_as_metadata(
    made: datetime, tried: datetime | None, days: dict[date, int]
) -> None:
    mark = ReportMark(made, "0.1.0", tried, days)
    written = write_mark(mark)
    assert parse_mark(written) == mark
    # Amazon S3 User Guide, "Working with object metadata": 2 KB, names and values together, in US-ASCII.
    assert sum(len(name) + len(value) for name, value in written.items()) < 2048
    assert all(value.isascii() for value in written.values())


@pytest.mark.parametrize(
    "metadata",
    [
        {}, {"landkeeper-made": "2026-03-01T12:00:00Z"}, {"landkeeper-made": "now", "landkeeper-version": "1"},
        {"landkeeper-made": "2026-03-01T12:00:00Z", "landkeeper-version": "1", "landkeeper-unreadable": "x 1"},
        {"landkeeper-made": "2026-03-01T12:00:00Z", "landkeeper-version": "1", "landkeeper-tried": "-"},
    ],
)  # fmt: skip
def test_what_is_no_mark_is_none(metadata: dict[str, str]) -> None:
    assert parse_mark(metadata) is None


MARK = ReportMark(START, "0.1.0", START - 5 * _MINUTE)


@pytest.mark.parametrize(
    ("mark", "tried", "now", "due"),
    [
        (None, None, START, True),
        (MARK, None, START + 60 * _MINUTE, False),
        (MARK, MARK.tried_at, START + 60 * _MINUTE, False),
        (MARK, START + 10 * _MINUTE, START + 11 * _MINUTE, False),
        (MARK, START + 10 * _MINUTE, START + 13 * _MINUTE, True),
        (MARK, START + 60 * _MINUTE, START + 60 * _MINUTE, True),
        (ReportMark(START, "0.1.0"), START + 10 * _MINUTE, START + 13 * _MINUTE, True),
        (ReportMark(START, "0.0.9", START), START, START, True),
    ],
    ids=[
        "there is none", "nothing was ever tried", "no run since", "a run is under way", "a run is over",
        "a run goes on for an hour", "the first run", "made by another version",
    ],
)  # fmt: skip
def test_a_report_is_due_when_a_run_is_over(
    mark: ReportMark | None, tried: datetime | None, now: datetime, due: bool
) -> None:
    assert is_due(mark, "0.1.0", tried, now) is due


def test_a_mark_keeps_what_the_trends_knew_and_todays_count() -> None:
    trends = TrendsView(("2026-02-28", "2026-03-01"), (), (), (), (), (None, 4), ())
    mark = mark_of(trends, "0.1.0", None, 4, START)
    assert mark.unreadable == {date(2026, 3, 1): 4}
    assert mark_of(None, "0.1.0", None, 2, START).unreadable == {date(2026, 3, 1): 2}

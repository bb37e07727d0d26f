"""What the kept report records of earlier days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import START

from landkeeper.report.remembered import parse_unreadable, write_unreadable

TODAY = START.date()
_DAYS = st.dictionaries(st.integers(-120, -1).map(lambda day: TODAY + timedelta(days=day)), st.integers(0, 9999))


@given(_DAYS, st.integers(0, 9999))
def test_ninety_days_and_today_survive_being_written_as_metadata(known: dict[date, int], count: int) -> None:
    written = write_unreadable(known, TODAY, count)
    recent = {day: number for day, number in known.items() if day >= TODAY - timedelta(days=90)}
    assert parse_unreadable(written) == {**recent, TODAY: count}
    # Amazon S3 User Guide, "Working with object metadata": 2 KB, names and values together, in US-ASCII.
    assert sum(len(name) + len(value) for name, value in written.items()) < 2048
    assert "".join(written.values()).isascii()


@pytest.mark.parametrize("text", ["", "x 1", "2026-03-01 many", "2026-03-01"])
def test_unreadable_metadata_counts_as_unknown(text: str) -> None:
    assert parse_unreadable({"landkeeper-unreadable": text}) == {}
    assert parse_unreadable({}) == {}

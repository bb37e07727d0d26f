"""Spans of time and lists of names, as a person reads them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from landkeeper.operate.doctor.lines import lasting, named, unchecked
from landkeeper.org import Failure, FailureReason


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 seconds"), (1, "1 second"), (59, "59 seconds"), (60, "1 minute"), (3599, "59 minutes"),
        (3600, "1 hour"), (7200, "2 hours"), (47 * 3600, "47 hours"), (48 * 3600, "2 days"), (10**8, "1,157 days"),
    ],
)  # fmt: skip
def test_a_span_is_told_in_its_largest_unit(seconds: int, words: str) -> None:
    assert lasting(timedelta(seconds=seconds)) == words


def test_of_many_names_the_first_five_are_told() -> None:
    assert named(list("abcde")) == "a, b, c, d, e"
    assert named(list("abcdefg")) == "a, b, c, d, e and 2 more"


def test_only_a_missing_permission_is_the_doctors_to_ask_for() -> None:
    assert unchecked("x", Failure(FailureReason.MISSING_PERMISSION)).mend
    assert not unchecked("x", Failure(FailureReason.TIMED_OUT)).mend
    assert unchecked("x", Failure(FailureReason.MISSING_PERMISSION), mend="so").mend == "so"

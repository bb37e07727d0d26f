"""A line of the doctor's: what was looked at, what was found, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from landkeeper.causes import describe_cause
from landkeeper.org import Failure, FailureReason, counted, join_some

_MOST_NAMED = 5


class Verdict(StrEnum):
    """How a check came out."""

    OK = "ok"
    WRONG = "wrong"
    UNCHECKED = "could not be checked"
    """Nothing is known: what was to be read was refused, or is not there to be read."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one check came to."""

    check: str
    """What was looked at, as in `trail`."""
    verdict: Verdict
    found: str
    mend: str = ""
    """A command or a step in the console; empty where nothing is to be done."""
    subjects: tuple[str, ...] = ()
    """The accounts, queues or cases that it is about, all of them; `found` may name only the first."""


def ok(check: str, found: str) -> Line:
    """A line for what is as it should be."""
    return Line(check, Verdict.OK, found)


def wrong(check: str, found: str, mend: str, subjects: Iterable[str] = ()) -> Line:
    """A line for what is not as it should be, with the way out."""
    return Line(check, Verdict.WRONG, found, mend, tuple(subjects))


def unchecked(check: str, failure: Failure | str, *, mend: str = "") -> Line:
    """A line for what could not be read."""
    if isinstance(failure, str):
        return Line(check, Verdict.UNCHECKED, failure, mend)
    if not mend and failure.reason is FailureReason.MISSING_PERMISSION:
        mend = "grant the current credentials the permission that AWS names; docs/doctor.md lists all permissions"
    return Line(check, Verdict.UNCHECKED, describe_cause(failure), mend)


def named(names: Sequence[str]) -> str:
    """The first few names, and how many there are beside them."""
    return join_some(names, _MOST_NAMED)


def lasting(age: timedelta) -> str:
    """A span of time in the largest unit that tells it, as in `3 hours`."""
    seconds = max(int(age.total_seconds()), 0)
    for noun, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length * 2 or (seconds >= length and noun != "day"):
            return counted(seconds // length, noun)
    return counted(seconds, "second")

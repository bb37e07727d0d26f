"""How long is waited between tries: pauses that grow up to a limit, as many as there is time or another try for."""

from __future__ import annotations

from itertools import islice

import pytest

from landkeeper.aws.backoff import Backoff


class Time:
    """A clock that only pauses move; it remembers them."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def now(self) -> float:
        return 1000.0 + sum(self.pauses)


def _pauses(backoff: Backoff, most: int, *, jitter: float = 1.0) -> list[float]:
    """The first pauses, where `jitter` is how far each is from the shortest to the longest it may be."""
    time = Time()
    pauses = backoff.pauses(
        sleep=time.sleep, clock=time.now, jitter=lambda least, greatest: least + jitter * (greatest - least)
    )
    assert all(islice(pauses, most))
    return time.pauses


def test_there_is_a_pause_between_every_two_tries() -> None:
    assert list(Backoff(0.0, attempts=5).pauses()) == [True] * 4


def test_no_pause_begins_when_patience_is_over() -> None:
    assert _pauses(Backoff(1.0, patience_seconds=0.0), 9) == []
    assert _pauses(Backoff(2.0, patience_seconds=5.0), 9) == [2.0, 4.0]


@pytest.mark.parametrize(
    ("backoff", "pauses"),
    [(Backoff(1.0), [1.0, 2.0, 4.0, 8.0]), (Backoff(1.0, longest_seconds=3.0), [1.0, 2.0, 3.0, 3.0])],
)
def test_pauses_double_up_to_the_longest(backoff: Backoff, pauses: list[float]) -> None:
    assert _pauses(backoff, 4) == pauses


@pytest.mark.parametrize(("least", "shortest"), [(0.0, [0.0, 0.0]), (0.5, [1.0, 2.0]), (1.0, [2.0, 4.0])])
def test_jitter_takes_no_more_of_a_pause_than_it_may(least: float, shortest: list[float]) -> None:
    assert _pauses(Backoff(2.0, least=least), 2, jitter=0.0) == shortest
    assert _pauses(Backoff(2.0, least=least), 2, jitter=1.0) == [2.0, 4.0]

"""How long is waited between tries: pauses that grow up to a limit, as many as there is time or another try for."""

from __future__ import annotations

import time
from itertools import islice

import pytest

from landkeeper.aws.backoff import Backoff


def test_there_is_a_pause_between_every_two_tries() -> None:
    assert list(Backoff(0.0, attempts=5).pauses()) == [True] * 4


def test_no_pause_begins_when_patience_is_over() -> None:
    assert list(Backoff(0.0, patience_seconds=0.0).pauses()) == []
    assert 1 <= len(list(Backoff(0.02, least=1.0, patience_seconds=0.05).pauses())) <= 2


@pytest.mark.parametrize(("backoff", "least"), [(Backoff(0.01, least=1.0), 0.07), (Backoff(0.01, 0.02, 1.0), 0.05)])
def test_pauses_double_up_to_the_longest(backoff: Backoff, least: float) -> None:
    started = time.monotonic()
    assert list(islice(backoff.pauses(), 3)) == [True] * 3
    assert time.monotonic() - started >= least

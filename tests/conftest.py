"""What every suite shares: fixtures, and how hypothesis runs."""

from __future__ import annotations

import functools
import gc
import os
import signal
from pathlib import Path
from typing import Any
from unittest import TestCase

import botocore.retries.standard
import botocore.session
import pytest
from botocore.retries.standard import ExponentialBackoff
from hypothesis import HealthCheck, is_hypothesis_test, settings
from tests.longest_first import LONGEST_FIRST, UNMEASURED

pytest_plugins = ["tests.servers", "tests.ec2_answers", "tests.deployed_broom"]

# For every property: a machine that is busy with other work must not make a slow example look like a failing one.
# In `.ci/run` the examples are the same every time: a change is refused for what it breaks, not for what was drawn.
settings.register_profile(
    "landkeeper", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("landkeeper")

# Started in the background of a shell, the tests and what they start would not hear a Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A process of the product opens one session, these tests open thousands: descriptions of services are read once.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)


class _Impatient(ExponentialBackoff):
    """What is refused is tried as often as by the product, with hardly a wait between: it would be seven seconds."""

    def delay_amount(self, context: Any) -> float:
        return float(super().delay_amount(context)) / 500


botocore.retries.standard.ExponentialBackoff = _Impatient  # type: ignore[misc]

_TESTS = Path(__file__).parent
_PURE = tuple(
    _TESTS / name for name in ("vpctracker", "broom", "report", "test_org.py", "test_causes.py", "test_documents.py")
)
"""Tests of the packages whose coverage is measured (`tool.coverage.run`)."""


_UNMEASURED = frozenset(_TESTS / name for name in UNMEASURED)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: run last, one of them would keep a single processor busy at the end.

    Coverage is measured only in the tests of the pure packages: what other tests happen to run is not tested by them.
    There the properties that take longest are not measured either: they run what examples run some hundred times, and
    measuring takes four times as long as running.
    """
    rank = {_TESTS / name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))
    for item in items:
        is_unmeasured = item.path in _UNMEASURED and _is_property(item)
        if is_unmeasured or not any(item.path.is_relative_to(pure) for pure in _PURE):
            item.add_marker(pytest.mark.no_cover)


def _is_property(item: pytest.Item) -> bool:
    """Return whether hypothesis makes the values of a test: one function, or the rules of a state machine."""
    holder = getattr(item, "cls", None)
    return is_hypothesis_test(getattr(item, "obj", None)) or (holder is not None and issubclass(holder, TestCase))


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was imported: it would look through all of it time and again."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Give the collector everything back, or extension modules report all of it as leaked."""
    gc.unfreeze()


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed goes into a pipe of no width, whatever started the tests and however many run side by side."""
    monkeypatch.delenv("COLUMNS", raising=False)

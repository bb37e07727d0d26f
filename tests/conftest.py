"""What every suite shares: fixtures, and how hypothesis runs."""

from __future__ import annotations

import functools
import gc
import signal
from pathlib import Path

import botocore.session
import pytest
from hypothesis import HealthCheck, settings
from tests.longest_first import LONGEST_FIRST

pytest_plugins = ["tests.servers", "tests.ec2_answers", "tests.deployed_broom"]

# For every property: a machine that is busy with other work must not make a slow example look like a failing one.
settings.register_profile("landkeeper", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("landkeeper")

# Started in the background of a shell, the tests and what they start would not hear a Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A process of the product opens one session, these tests open thousands: descriptions of services are read once.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: run last, one of them would keep a single processor busy at the end."""
    rank = {Path(__file__).parent / name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was imported: it would look through all of it time and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed goes into a pipe of no width, whatever started the tests and however many run side by side."""
    monkeypatch.delenv("COLUMNS", raising=False)

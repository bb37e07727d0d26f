"""What every suite shares: fixtures, and how hypothesis runs."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.servers", "tests.ec2_answers", "tests.deployed_broom"]

# For every property: a machine that is busy with other work must not make a slow example look like a failing one.
settings.register_profile("landkeeper", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("landkeeper")


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed goes into a pipe of no width, whatever started the tests and however many run side by side."""
    monkeypatch.delenv("COLUMNS", raising=False)

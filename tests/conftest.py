"""What every suite shares: fixtures, and how hypothesis runs."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.servers", "tests.ec2_answers", "tests.deployed_broom"]

# A machine that is busy with other suites must not make a slow example look like a failing one.
settings.register_profile("landkeeper", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("landkeeper")

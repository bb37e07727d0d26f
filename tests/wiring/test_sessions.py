"""The region that a command works in: the environment's, then the profile's, then the default."""

from __future__ import annotations

from pathlib import Path

import pytest

from landkeeper.settings import DEFAULT_REGION, read_settings
from landkeeper.wiring.sessions import home_sessions, member_sessions


@pytest.fixture
def profiles(no_aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config"
    config.write_text("[profile lake]\nregion = eu-north-1\n[profile bare]\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))


@pytest.mark.usefixtures("profiles")
@pytest.mark.parametrize(
    ("environ", "region"),
    [
        ({"AWS_PROFILE": "lake", "AWS_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_PROFILE": "lake", "AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-3"),
        ({"AWS_PROFILE": "lake"}, "eu-north-1"),
        ({"AWS_PROFILE": "bare"}, DEFAULT_REGION),
    ],
)
def test_the_environments_region_comes_before_the_profiles(
    environ: dict[str, str], region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    settings = read_settings(environ)
    assert home_sessions(settings).region == region
    assert member_sessions(settings).region == region


@pytest.mark.usefixtures("profiles")
def test_a_profile_that_is_named_brings_its_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    assert home_sessions(read_settings({}), profile="lake").region == "eu-north-1"

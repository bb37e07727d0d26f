"""Where `landkeeper.yaml` is: a flag, an environment variable, or the working directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from landkeeper.vpctracker.config import TrackerConfig
from landkeeper.wiring.sessions import home_sessions
from landkeeper.wiring.texts import read_text

if TYPE_CHECKING:
    from landkeeper.settings import Settings

DEFAULT_CONFIG = Path("landkeeper.yaml")


def find_config(settings: Settings) -> str | None:
    """Where the configuration is: what the settings name, else the file in the working directory, else nowhere."""
    if settings.config is not None:
        return settings.config
    return str(DEFAULT_CONFIG) if DEFAULT_CONFIG.exists() else None


def read_config(settings: Settings) -> TrackerConfig:
    """The configuration at a path, `s3://bucket/key` or `ssm:NAME`; nothing declared where there is none.

    Raises UsageError, or ConfigError with everything that is wrong in it.
    """
    where = find_config(settings)
    if where is None:
        return TrackerConfig()
    # Here and not above: a function without a configuration starts sooner without the reader of YAML.
    from landkeeper.vpctracker.config_file import parse_config

    return parse_config(
        read_text(where, lambda: home_sessions(settings), what="configuration", owner=settings.bucket_owner), where
    )

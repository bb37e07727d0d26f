"""What the options say that `vpc` commands share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from landkeeper.settings import Settings, read_settings


def settings_of(table: str | None, file: Path | None) -> Settings:
    """The settings of the environment with the store that the flags name."""
    return read_settings(os.environ).with_store(table=table, file=file)


def store_flags(settings: Settings) -> str:
    """Return the flags, after a space, with which another command finds this store; empty where it needs none."""
    usual = read_settings(os.environ)
    if (settings.vpc_table, settings.file) == (usual.vpc_table, usual.file):
        return ""
    import shlex

    table, file = settings.vpc_table, str(settings.file)
    return f" --table {shlex.quote(table)}" if table else f" --file {shlex.quote(file)}"


@dataclass(frozen=True, slots=True)
class Query:
    """What the options that every answer has say."""

    settings: Settings
    as_of: datetime | None

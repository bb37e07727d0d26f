"""What the options say that `vpc` commands share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from landkeeper.org import UsageError
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


def parse_moment(text: str, now: datetime) -> datetime:
    """The moment that an ISO 8601 text names; without an offset it is UTC, and a date is its first second.

    Raises UsageError for anything else, and for the future.
    """
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"--as-of is '{text}': expected a time such as 2026-03-01T12:00:00Z, or a date") from error
    if moment > now:
        raise UsageError(f"--as-of is '{text}': that is in the future")
    return moment

"""Options that `vpc` commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from landkeeper.org import UsageError
from landkeeper.settings import Settings, read_settings

Command = Callable[..., Any]


def store_options(function: Command) -> Command:
    """The options `--table` and `--file`: which store."""
    table = click.option("--table", metavar="NAME", help="The DynamoDB table of VPCs, as in VPCTracker.")
    file = click.option(
        "--file", type=click.Path(path_type=Path, dir_okay=False), metavar="PATH",
        help="A file on this machine instead of a table.  [default: landkeeper.db]",
    )  # fmt: skip
    return table(file(function))


config_option = click.option(
    "--config", metavar="FILE", help="The spaces and connections; a path, s3://bucket/key or ssm:NAME.  "
    "[default: landkeeper.yaml, if there is one]",
)  # fmt: skip


def settings_of(table: str | None, file: Path | None) -> Settings:
    """The settings of the environment with the store that the flags name."""
    return read_settings(os.environ).with_store(table=table, file=file)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options that every answer has say."""

    settings: Settings
    as_of: datetime | None


def answer_options(function: Command) -> Command:
    """The options `--table`, `--file` and `--as-of`; the command gets them as `asked`."""

    @click.option("--as-of", metavar="TIME", help="The answer as it was then: 2026-03-01, or 2026-03-01T12:00:00Z.")
    @store_options
    @wraps(function)
    def with_asked(*, table: str | None, file: Path | None, as_of: str | None, **others: Any) -> Any:
        moment = None if as_of is None else parse_moment(as_of, datetime.now(UTC))
        return function(asked=Asked(settings_of(table, file), moment), **others)

    return with_asked


def parse_moment(text: str, now: datetime) -> datetime:
    """The moment that an ISO 8601 text names; without an offset it is UTC, and a date is its first second.

    Raises UsageError for anything else, and for the future.
    """
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"--as-of is '{text}': it takes a time such as 2026-03-01T12:00:00Z, or a date") from error
    if moment > now:
        raise UsageError(f"--as-of is '{text}': that is in the future")
    return moment

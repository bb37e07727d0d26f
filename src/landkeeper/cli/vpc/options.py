"""Options that every `vpc` command takes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich_click as click

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


def settings_of(table: str | None, file: Path | None) -> Settings:
    """The settings of the environment with the store that the flags name."""
    return read_settings(os.environ).with_store(table=table, file=file)

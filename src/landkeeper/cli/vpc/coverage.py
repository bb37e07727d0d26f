"""`vpc coverage`: which accounts and regions were read, and why the others were not."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.options import format_option
from landkeeper.cli.vpc.options import store_options


@click.command(name="coverage")
@click.option("--check", is_flag=True, help="Exit with 4 when something could not be read the last time.")
@store_options
@format_option
def coverage_command(**given: Any) -> int:
    """Show when each region of each account was last read completely, or why it could not be.

    Regions that are governed (landkeeper.yaml) or disabled, and accounts that left, are not read; that is no failure.
    """
    from landkeeper.cli.vpc.run.coverage import run_coverage

    return run_coverage(**given)

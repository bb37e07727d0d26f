"""`vpc coverage`: which accounts and regions were read, and why the others were not."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.options import accounts_option, format_option, regions_option
from landkeeper.cli.vpc.options import store_options


@click.command(name="coverage")
@click.option("--check", is_flag=True, help="Exit with code 4 if the last read of a region failed.")
@accounts_option("Only this account; may be repeated.")
@regions_option("Only this region; may be repeated.")
@click.option("--details", is_flag=True, help="List every place that could not be read, with the whole error.")
@store_options
@format_option
def coverage_command(**given: Any) -> int:
    """List when each region of each account was last read completely, and why not since.

    Governed regions (landkeeper.yaml), disabled regions and departed accounts are not read. They do not count as
    failures.
    """
    from landkeeper.cli.vpc.run.coverage import run_coverage

    return run_coverage(**given)

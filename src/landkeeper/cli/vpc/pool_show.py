"""`vpc pool show`: one pool, how full it is, and what is reserved in it."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.known_words import known
from landkeeper.cli.options import format_option
from landkeeper.cli.vpc.options import config_option, store_options


@click.command(name="show")
@click.argument("name", shell_complete=known("pool"))
@config_option
@store_options
@format_option
def show_command(**given: Any) -> int:
    """Show a pool's utilisation, forecast and reservations."""
    from landkeeper.cli.vpc.run.pool_show import run_show

    return run_show(**given)

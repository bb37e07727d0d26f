"""`vpc pool show`: one pool, how full it is, and what is reserved in it."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.known_words import known
from landkeeper.cli.vpc.options import config_option, store_options


@click.command(name="show")
@click.argument("name", shell_complete=known("pool"))
@config_option
@store_options
@click.option(
    "--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True,
    help="The output format.",
)  # fmt: skip
def show_command(**given: Any) -> int:
    """Show a pool's utilisation, forecast and reservations."""
    from landkeeper.cli.vpc.run.pool_show import run_show

    return run_show(**given)

"""`vpc show` and `vpc history`: one VPC, as it is and as it became so."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.known_words import known
from landkeeper.cli.options import format_option
from landkeeper.cli.vpc.options import answer_options, config_option


@click.command(name="show")
@click.argument("vpc", metavar="ID", shell_complete=known("vpc"))
@config_option
@answer_options
@click.option(
    "--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True,
    help="Tables to read, or JSON for other programs.",
)  # fmt: skip
def show_command(**given: Any) -> int:
    """Show everything that is known of one VPC."""
    from landkeeper.cli.vpc.run.show import run_show

    return run_show(**given)


@click.command(name="history")
@click.argument("vpc", metavar="ID", shell_complete=known("vpc"))
@answer_options
@format_option
def history_command(**given: Any) -> int:
    """Show what changed of one VPC, and when: what it was before, and what after.

    Times are those of the runs that saw it. Who did it is in CloudTrail: the tracker sees states, not callers.
    Only what `vpc delete-default` deleted says for whom.
    """
    from landkeeper.cli.vpc.run.show import run_history

    return run_history(**given)

"""`vpc show` and `vpc history`: one VPC, as it is and as it became so."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.known_words import known
from landkeeper.cli.options import format_option
from landkeeper.cli.vpc.options import answer_options, config_option


@click.command(name="show")
@click.argument("vpc", metavar="VPC", shell_complete=known("vpc", "vpc name"))
@config_option
@answer_options
@format_option
def show_command(**given: Any) -> int:
    """Show all attributes of a VPC.

    VPC is an id or a name.
    """
    from landkeeper.cli.vpc.run.show import run_show

    return run_show(**given)


@click.command(name="history")
@click.argument("vpc", metavar="VPC", shell_complete=known("vpc", "vpc name"))
@answer_options
@format_option
def history_command(**given: Any) -> int:
    """List the changes of a VPC, with old and new values.

    VPC is an id or a name.

    The times are those of the runs that detected the changes. CloudTrail records who made them; the history names the
    caller only for deletions by `vpc delete-default`.
    """
    from landkeeper.cli.vpc.run.show import run_history

    return run_history(**given)

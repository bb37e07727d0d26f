"""`landkeeper broom actions`: the kill switch that stands in the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from landkeeper.cli.confirmation import plan_options
from landkeeper.cli.options import format_option


@click.command(name="actions")
@click.argument("turn", type=click.Choice(["on", "off", "show"]), metavar="on|off|show")
@click.option("--reason", default="", metavar="TEXT", help="Why it is turned; shown by reports and by the doctor.")
@click.option("--ledger", metavar="NAME", help="The DynamoDB table of cases.  [default: LANDKEEPER_LEDGER_TABLE]")
@click.option(
    "--file", "file", type=click.Path(path_type=Path), help="A local SQLite file of cases instead of a table."
)
@plan_options
@format_option
def actions_command(**given: Any) -> int:
    """Turn terminating and stopping on or off, or show who turned it last.

    While actions are off, every caller with this ledger (the function, sweep, audit and release) leaves what it would
    terminate or stop as it is, and reports that. Turning them on asks first; turning them off never does. The variable
    LANDKEEPER_ACTIONS=off does the same for one caller. After a first deployment actions are off: landkeeper broom
    backtest shows what the policy would have done.
    """
    from landkeeper.cli.broom.run.actions import run_actions

    return run_actions(**given)

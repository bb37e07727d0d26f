"""`landkeeper broom sweep`: the launches in CloudTrail log files, checked against a tag policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from landkeeper.cli.broom.options import policy_option
from landkeeper.cli.confirmation import plan_options
from landkeeper.cli.known_words import files
from landkeeper.cli.options import format_option, role_options


@click.command(name="sweep")
@click.argument("paths", nargs=-1, required=True, metavar="PATH|s3://URL|-...", shell_complete=files)
@policy_option
@plan_options
@click.option(
    "--offline", is_flag=True, help="Evaluate the tags in the log; AWS is called only for what is to be read from it."
)
@click.option("--ledger", metavar="NAME", help="The DynamoDB table of cases.  [default: LANDKEEPER_LEDGER_TABLE]")
@click.option(
    "--file", "file", type=click.Path(path_type=Path), help="A local SQLite file of cases instead of a table."
)
@role_options()
@click.option("--details", is_flag=True, help="Also show the image, the event and the log file of each launch.")
@format_option
def sweep_command(**given: Any) -> int:
    """Check the launches in CloudTrail log files, and act on violations.

    PATH is a file, a folder (recursively), or - for stdin. It prints what would be done by the live tags, and asks
    before it acts; --yes acts without asking. After a question, it acts only on what the plan showed.
    """
    from landkeeper.cli.broom.run.sweep import run_sweep

    return run_sweep(**given)

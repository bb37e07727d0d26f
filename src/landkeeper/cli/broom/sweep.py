"""`landkeeper broom sweep`: the launches in CloudTrail log files, checked against a tag policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from landkeeper.cli.broom.options import policy_option
from landkeeper.cli.known_words import files
from landkeeper.cli.options import format_option


@click.command(name="sweep")
@click.argument("paths", nargs=-1, required=True, metavar="PATH|s3://URL|-...", shell_complete=files)
@policy_option
@click.option("--dry-run", is_flag=True, help="Read live tags, act on nothing, and say what would be done.")
@click.option("--offline", is_flag=True, help="Call nothing: judge by the tags in the log.")
@click.option("--ledger", metavar="NAME", help="The DynamoDB table of cases; LANDKEEPER_LEDGER_TABLE stands for it.")
@click.option("--file", "file", type=click.Path(path_type=Path), help="The SQLite file that keeps the cases instead.")
@click.option("--role", "role_name", metavar="NAME", help="The role to assume in other accounts.")
@click.option("--external-id", metavar="X", help="The external id that the role asks for.")
@format_option
def sweep_command(**given: Any) -> int:
    """Find the launches in CloudTrail log files, and deal with those that break the policy.

    PATH is a file, or a folder with everything in it; - reads standard input.
    """
    from landkeeper.cli.broom.run.sweep import run_sweep

    return run_sweep(**given)

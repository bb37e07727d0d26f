"""`landkeeper broom audit`: everything that runs against the policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from landkeeper.cli.broom.options import policy_option
from landkeeper.cli.known_words import known
from landkeeper.cli.options import format_option


@click.command(name="audit")
@policy_option
@click.option("--dry-run", is_flag=True, help="Read live tags, act on nothing, and say what would be done.")
@click.option(
    "--account",
    "accounts",
    multiple=True,
    metavar="ID",
    shell_complete=known("account"),
    help="An account; without it the organisation.",
)
@click.option(
    "--region",
    "regions",
    multiple=True,
    metavar="R",
    shell_complete=known("region"),
    help="A region; without it those that are enabled.",
)
@click.option("--ledger", metavar="NAME", help="The DynamoDB table of cases; LANDKEEPER_LEDGER_TABLE stands for it.")
@click.option("--file", "file", type=click.Path(path_type=Path), help="The SQLite file that keeps the cases instead.")
@click.option("--role", "role_name", metavar="NAME", help="The role to assume in other accounts.")
@click.option("--external-id", metavar="X", help="The external id that the role asks for.")
@format_option
def audit_command(**given: Any) -> int:
    """Hold all running instances against the policy, and take up the cases that should have come back by now.

    Without --role and --account: those of the account at hand.
    """
    from landkeeper.cli.broom.run.audit import run_audit

    return run_audit(**given)

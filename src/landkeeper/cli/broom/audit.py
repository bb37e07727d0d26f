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
@click.option("--dry-run", is_flag=True, help="Read live tags and print what would be done, without acting.")
@click.option(
    "--account",
    "accounts",
    multiple=True,
    metavar="ID",
    shell_complete=known("account"),
    help="Only this account; may be repeated.  [default: the organisation]",
)
@click.option(
    "--region",
    "regions",
    multiple=True,
    metavar="R",
    shell_complete=known("region"),
    help="Only this region; may be repeated.  [default: all enabled regions]",
)
@click.option("--ledger", metavar="NAME", help="The DynamoDB table of cases.  [default: LANDKEEPER_LEDGER_TABLE]")
@click.option(
    "--file", "file", type=click.Path(path_type=Path), help="A local SQLite file of cases instead of a table."
)
@click.option("--role", "role_name", metavar="NAME", help="The role to assume in other accounts.")
@click.option("--external-id", metavar="X", help="The external id for that role.")
@format_option
def audit_command(**given: Any) -> int:
    """Check all running instances against the policy, and resume overdue cases.

    Without --role and --account, it checks the account of the current credentials.
    """
    from landkeeper.cli.broom.run.audit import run_audit

    return run_audit(**given)

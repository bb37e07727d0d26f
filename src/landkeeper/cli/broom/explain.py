"""`landkeeper broom policy explain`: why a policy says what it says about an instance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from landkeeper.cli.broom.options import policy_option
from landkeeper.cli.known_words import known
from landkeeper.cli.options import format_option


@click.command(name="explain")
@click.argument("target", metavar="INSTANCE|EVENT", shell_complete=known("case"))
@policy_option
@click.option(
    "--account", metavar="ID", shell_complete=known("account"), help="Read the instance as it is now, in this account."
)
@click.option(
    "--region",
    metavar="REGION",
    shell_complete=known("region"),
    help="The region of the instance; without it AWS_REGION.",
)
@click.option("--role", "role_name", metavar="NAME", help="The role to assume in other accounts.")
@click.option("--external-id", metavar="X", help="The external id that the role asks for.")
@click.option("--ledger", metavar="NAME", help="The DynamoDB table of cases; LANDKEEPER_LEDGER_TABLE stands for it.")
@click.option("--file", "file", type=click.Path(path_type=Path), help="The SQLite file that keeps the cases instead.")
@format_option
def explain_command(**given: Any) -> int:
    """Say why the verdict on an instance is what it is, exemption by exemption and rule by rule.

    INSTANCE is an id: with --account or --region the instance is read as it is now, else the ledger's case tells its
    tags. EVENT is a file with CloudTrail records, or - for standard input: the tags in it count.
    """
    from landkeeper.cli.broom.run.explain import run_explain

    return run_explain(**given)

"""`landkeeper broom policy explain`: why a policy says what it says about an instance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from landkeeper.cli.broom.options import policy_option
from landkeeper.cli.known_words import known
from landkeeper.cli.options import account_option, format_option, role_options


@click.command(name="explain")
@click.argument("target", metavar="INSTANCE|EVENT", shell_complete=known("case"))
@policy_option
@account_option("Read the live instance in this account.")
@click.option(
    "--region",
    metavar="REGION",
    shell_complete=known("region"),
    help="The region of the instance.  [default: AWS_REGION]",
)
@role_options()
@click.option("--ledger", metavar="NAME", help="The DynamoDB table of cases.  [default: LANDKEEPER_LEDGER_TABLE]")
@click.option(
    "--file", "file", type=click.Path(path_type=Path), help="A local SQLite file of cases instead of a table."
)
@format_option
def explain_command(**given: Any) -> int:
    """Explain the verdict on an instance, exemption by exemption and rule by rule.

    INSTANCE is an instance id. With --account or --region, the live instance is read; otherwise the tags come from its
    case in the ledger. EVENT is a file with CloudTrail records, or - for stdin; the tags come from the records.
    """
    from landkeeper.cli.broom.policy.run.explain import run_explain

    return run_explain(**given)

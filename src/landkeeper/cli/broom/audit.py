"""`landkeeper broom audit`: everything that runs against the policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from landkeeper.cli.broom.options import policy_option
from landkeeper.cli.confirmation import plan_options
from landkeeper.cli.failures import details_option
from landkeeper.cli.options import accounts_option, format_option, regions_option, role_options


@click.command(name="audit")
@policy_option
@plan_options
@click.option(
    "--rejudge", is_flag=True, help="Also judge instances again whose case was reported, or has failed, before."
)
@accounts_option(
    "Only this account; may be repeated.  [default: with --role the organization, else the current account]"
)
@regions_option("Only this region; may be repeated.  [default: all enabled regions]")
@click.option("--ledger", metavar="NAME", help="The DynamoDB table of cases.  [default: LANDKEEPER_LEDGER_TABLE]")
@click.option(
    "--file", "file", type=click.Path(path_type=Path), help="A local SQLite file of cases instead of a table."
)
@role_options()
@details_option
@format_option
def audit_command(**given: Any) -> int:
    """Check all running instances against the policy, and resume overdue cases.

    It prints what would be done, and asks before it acts; --yes acts without asking. The last line counts the instances
    that were not judged, by reason; the exit code is 3 then, unless the policy exempts them.
    """
    from landkeeper.cli.broom.run.audit import run_audit

    return run_audit(**given)

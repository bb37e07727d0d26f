"""`landkeeper broom cases`, `case`, `release`: what the ledger knows, and letting go of what it holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from landkeeper.cli.broom.options import policy_option
from landkeeper.cli.confirmation import plan_options
from landkeeper.cli.known_words import known
from landkeeper.cli.options import account_option, format_option, role_options
from landkeeper.cli.tags import tag_filter_option

STATES = (
    "waiting", "judged", "acting", "acted", "reported", "compliant", "exempt", "gone", "held", "failed",
)  # fmt: skip
"""Those of a case, which are thus not loaded for a help page; a test compares them."""


def _ledger_options(function: Callable[..., Any]) -> Callable[..., Any]:
    ledger = click.option("--ledger", metavar="NAME", help="The DynamoDB table of cases.")
    file = click.option(
        "--file", "file", type=click.Path(path_type=Path), help="A local SQLite file of cases instead of a table."
    )
    return ledger(file(function))


@click.command(name="cases")
@click.option("--state", type=click.Choice(STATES), help="Only cases in this state.")
@account_option("Only cases of this account.")
@tag_filter_option("cases of instances")
@_ledger_options
@format_option
def cases_command(**given: Any) -> int:
    """List Broom's cases by state, the next due first."""
    from landkeeper.cli.broom.run.cases import run_cases

    return run_cases(**given)


@click.command(name="case")
@click.argument("instance_id", metavar="ID", shell_complete=known("case"))
@_ledger_options
@format_option
def case_command(**given: Any) -> int:
    """Show the case of an instance, with its history."""
    from landkeeper.cli.broom.run.cases import run_case

    return run_case(**given)


@click.command(name="release")
@click.argument("instance_id", metavar="CASE", shell_complete=known("case"))
@policy_option
@role_options()
@_ledger_options
@plan_options
@format_option
def release_command(**given: Any) -> int:
    """Release a held or failed case. It is evaluated again, without limits.

    It prints what would be done, and asks before it acts; --yes acts without asking.
    """
    from landkeeper.cli.broom.run.cases import run_release

    return run_release(**given)

"""`landkeeper doctor`: what is wrong with a deployed stack, and how to mend it."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.options import format_option


@click.command("doctor")
@click.option("--stack-name", default="landkeeper", show_default=True, help="The stack's name.")
@click.option(
    "--all", "every_account", is_flag=True, help="Test the roles in every account instead of a sample of ten."
)
@click.option(
    "--role", metavar="NAME", help="Test this role with the current credentials instead of the functions' roles."
)
@click.option("--details", is_flag=True, help="List everything that a line is about, such as all accounts.")
@format_option
def command(**given: Any) -> int:
    """Check a deployed stack, and print a fix for every problem.

    It makes read-only calls and changes nothing. The exit code is 4 if something is wrong, and 3 if something could not
    be checked. docs/doctor.md explains every check.
    """
    from landkeeper.cli.stack.run.doctor import run

    return run(**given)

"""`landkeeper destroy`: the stack goes, what holds data stays unless it is named."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.confirmation import plan_option


@click.command("destroy")
@click.option("--stack-name", default="landkeeper", show_default=True, help="The stack's name.")
@click.option(
    "--delete-data", "names", multiple=True, metavar="NAME",
    help="The name of a table, trail or bucket to delete as well; may be repeated.",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Delete without asking.")
@plan_option
def command(**given: Any) -> int:
    """Delete the stack. Tables, trail and buckets are kept, and the next deployment adopts them.

    It shows what is deleted and what is kept, and asks for confirmation. --delete-data deletes data permanently.
    """
    from landkeeper.cli.stack.run.destroy import run

    return run(**given)

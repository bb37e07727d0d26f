"""`landkeeper destroy`: the stack goes, what holds data stays unless it is named."""

from __future__ import annotations

from typing import Any

import click


@click.command("destroy")
@click.option("--stack-name", default="landkeeper", show_default=True, help="The stack's name.")
@click.option(
    "--delete-data", "names", multiple=True, metavar="NAME",
    help="A table, trail or bucket that is to go too, by its name; without it all of them stay.",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Destroy without asking.")
def command(**given: Any) -> int:
    """Delete the stack. Its tables, trail and buckets stay, and a later deployment adopts them.

    Shows what goes and what stays, and asks. What is named with --delete-data is deleted for good.
    """
    from landkeeper.cli.run.destroy import run

    return run(**given)

"""`landkeeper doctor`: what is wrong with a deployed stack, and how to mend it."""

from __future__ import annotations

from typing import Any

import click


@click.command("doctor")
@click.option("--stack-name", default="landkeeper", show_default=True, help="The stack's name.")
@click.option("--all", "every_account", is_flag=True, help="Try the roles in every account, not in a sample of ten.")
@click.option("--role", metavar="NAME", help="Try this role with the credentials at hand, not those of the functions.")
@click.option(
    "--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True,
    help="Lines to read, or JSON for other programs.",
)  # fmt: skip
def command(**given: Any) -> int:
    """Look at a deployed stack, and say what is wrong and how to mend it.

    Everything is found out by calling, and nothing is changed. Exits with 4 when something is wrong, with 3 when
    something could not be checked. docs/doctor.md says what each line means.
    """
    from landkeeper.cli.run.doctor import run

    return run(**given)

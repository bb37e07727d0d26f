"""`landkeeper deploy`: the stack into the account of the credentials at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command("deploy")
@click.option(
    "--policy", "policy_file", type=click.Path(path_type=Path), help="Broom's tag policy; an update may go without."
)
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), help="VPC Tracker's landkeeper.yaml, if there is one."
)
@click.option("--stack-name", default="landkeeper", show_default=True, help="The stack's name.")
@click.option("--role", "role_name", metavar="NAME", help="A role that member accounts have already: no StackSets.")
@click.option("--email", metavar="ADDRESS", help="Where reports and alarms go by mail.")
@click.option("--parameter", "parameters", multiple=True, metavar="K=V", help="A parameter of the template.")
@click.option(
    "--architecture",
    type=click.Choice(["arm64", "x86_64"]),
    help="The functions' processor; this machine's by default.",
)
@click.option(
    "--as-installed", is_flag=True, help="Package libraries as they are here: for a simulator that runs this Python."
)
@click.option("--yes", is_flag=True, help="Execute the change set without asking.")
@click.option(
    "--template-only", "directory", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Write templates, package and parameters into DIR for a pipeline of your own, and call nothing.",
)  # fmt: skip
def command(**given: Any) -> int:
    """Deploy both products into the account of the credentials at hand.

    Looks around first and refuses what would fail; packages the functions, makes a change set, shows it, asks, and
    executes it. Doing it again updates: what is not said stays as it was.
    """
    from landkeeper.cli.run.deploy import run

    return run(**given)

"""`landkeeper deploy`: the stack into the account of the credentials at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from landkeeper.cli.confirmation import plan_option


@click.command("deploy")
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path),
    help="Broom's tag policy. Required for the first deployment.",
)
@click.option("--no-limits", is_flag=True, help="Accept a policy that terminates without limits.")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    help="VPC Tracker's configuration file (landkeeper.yaml).",
)
@click.option("--stack-name", default="landkeeper", show_default=True, help="The stack's name.")
@click.option(
    "--role", "role_name", metavar="NAME", help="An existing role in the member accounts; no StackSets are created."
)
@click.option("--email", metavar="ADDRESS", help="The email address for reports and alarms.")
@click.option("--parameter", "parameters", multiple=True, metavar="K=V", help="A template parameter; may be repeated.")
@click.option(
    "--architecture",
    type=click.Choice(["arm64", "x86_64"]),
    help="The processor architecture of the functions.  [default: that of this machine]",
)
@click.option(
    "--as-installed", is_flag=True, help="Package the libraries installed here, for a simulator that runs this Python."
)
@click.option("--yes", is_flag=True, help="Execute the change set without asking.")
@plan_option
@click.option(
    "--template-only", "directory", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Write templates, package and parameters to DIR for your own pipeline. No AWS calls.",
)  # fmt: skip
def command(**given: Any) -> int:
    """Deploy or update both products in the current account.

    Runs preflight checks first. Then it packages the functions, creates a change set, shows it, and executes it after
    confirmation. Run it again to update; options you omit keep their value. --plan uploads the files, shows the change
    set and deletes it: the stack is not changed.
    """
    from landkeeper.cli.stack.run.deploy import run

    return run(**given)

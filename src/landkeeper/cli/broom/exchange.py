"""`landkeeper broom policy import` and `export`: policies from AWS's own forms, and in them."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.known_words import files

ACTIONS = ("notify", "stop", "terminate")
"""Those of a policy, which are thus not loaded for a help page; a test compares them."""


@click.command(name="import")
@click.option(
    "--tag-policy", "tag_policies", multiple=True, metavar="FILE",
    help="An AWS Organizations tag policy; repeat it from the root down to the account.",
)  # fmt: skip
@click.option("--effective", is_flag=True, help="The tag policy is the effective one of an account.")
@click.option("--require-all", is_flag=True, help="Require every key, also those that the tag policy only checks.")
@click.option("--config-rule", metavar="FILE", help="A REQUIRED_TAGS rule of AWS Config, or its parameters.")
@click.option(
    "--action", type=click.Choice(ACTIONS), required=True,
    help="What shall happen to an instance that breaks a rule.",
)  # fmt: skip
def import_command(**given: Any) -> int:
    """Write a policy from what AWS already has, on standard output.

    Its comments say what could not be carried over.
    """
    from landkeeper.cli.broom.run.exchange import run_import

    return run_import(**given)


@click.command(name="export")
@click.argument("file", metavar="FILE|s3://BUCKET/KEY|ssm:NAME", shell_complete=files)
@click.option(
    "--as", "form", type=click.Choice(["tag-policy", "scp"]), required=True,
    help="AWS Organizations tag policies, or service control policies.",
)  # fmt: skip
@click.option("--enforce", is_flag=True, help="In a tag policy: AWS refuses tagging of instances that does not comply.")
def export_command(**given: Any) -> int:
    """Write a policy in a form of AWS's, on standard output: one JSON document a line.

    What that form cannot say is listed on standard error.
    """
    from landkeeper.cli.broom.run.exchange import run_export

    return run_export(**given)

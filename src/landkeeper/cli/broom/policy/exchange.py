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
    help="An AWS Organizations tag policy; repeat it in order, from the root to the account.",
)  # fmt: skip
@click.option("--effective", is_flag=True, help="The tag policy is the effective policy of an account.")
@click.option("--require-all", is_flag=True, help="Require every key, including keys that the tag policy only checks.")
@click.option("--config-rule", metavar="FILE", help="AWS Config REQUIRED_TAGS rules, or the parameters of one.")
@click.option(
    "--action", type=click.Choice(ACTIONS), required=True,
    help="The action on instances that violate a rule.",
)  # fmt: skip
def import_command(**given: Any) -> int:
    """Convert an AWS tag policy or AWS Config rule to a policy.

    FILE is JSON as the AWS CLI prints it, or - for stdin. The policy is written to stdout. Its comments list what could
    not be converted.
    """
    from landkeeper.cli.broom.policy.run.exchange import run_import

    return run_import(**given)


@click.command(name="export")
@click.argument("file", metavar="FILE|s3://BUCKET/KEY|ssm:NAME|-", shell_complete=files)
@click.option(
    "--as", "form", type=click.Choice(["tag-policy", "scp"]), required=True,
    help="The target: AWS Organizations tag policies, or service control policies.",
)  # fmt: skip
@click.option("--enforce", is_flag=True, help="Enforce the tag policy: AWS rejects noncompliant tagging of instances.")
def export_command(**given: Any) -> int:
    """Convert a policy to AWS tag policies or service control policies.

    Each JSON document is one line on stdout. What the target cannot express is listed on stderr.
    """
    from landkeeper.cli.broom.policy.run.exchange import run_export

    return run_export(**given)

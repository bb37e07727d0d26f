"""`landkeeper broom policy check` and `schema`: what is wrong with a tag policy, and what may be in it."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.known_words import files


@click.command(name="check")
@click.argument("file", metavar="FILE|s3://BUCKET/KEY|ssm:NAME", shell_complete=files)
@click.option("--check", "is_strict", is_flag=True, help="Exit with 4 when there are warnings.")
def check_command(**given: Any) -> int:
    """Say whether a policy can be used, and what is wrong or odd with it, line by line.

    What is odd, such as a rule that can never apply, is a warning: the policy can be used.
    """
    from landkeeper.cli.broom.run.policy_check import run_check

    return run_check(**given)


@click.command(name="schema")
def schema_command(**given: Any) -> int:
    """Print the JSON Schema of a policy, for editors and other checkers."""
    from landkeeper.cli.broom.run.policy_check import run_schema

    return run_schema(**given)

"""`landkeeper broom policy check` and `schema`: what is wrong with a tag policy, and what may be in it."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.known_words import files


@click.command(name="check")
@click.argument("file", metavar="FILE|s3://BUCKET/KEY|ssm:NAME", shell_complete=files)
@click.option("--check", "is_strict", is_flag=True, help="Exit with code 4 if there are warnings.")
def check_command(**given: Any) -> int:
    """Validate a policy, and print errors and warnings by line.

    A policy with warnings, for example a rule that never applies, can be used.
    """
    from landkeeper.cli.broom.run.policy_check import run_check

    return run_check(**given)


@click.command(name="schema")
def schema_command(**given: Any) -> int:
    """Print the JSON Schema of a policy, for editors."""
    from landkeeper.cli.broom.run.policy_check import run_schema

    return run_schema(**given)

"""`landkeeper broom policy init`, `check`, `test` and `schema`: the file of a tag policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from landkeeper.cli.known_words import files
from landkeeper.cli.options import format_option

_policies = click.argument(
    "files", nargs=-1, required=True, metavar="FILE|s3://BUCKET/KEY|ssm:NAME|-...", shell_complete=files
)


@click.command(name="init")
@click.option("--tag", "key", default="Code", show_default=True, metavar="KEY", help="The tag that is required.")
@click.option("--codes", metavar="A,B", help="The values that it may have, separated by commas.  [default: any]")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="FILE", help="The file to write, instead of stdout."
)
def init_command(**given: Any) -> int:
    """Write a policy to start from, with comments and tests.

    Its rule only notifies. A file that exists is not overwritten.
    """
    from landkeeper.cli.broom.policy.run.init import run_init

    return run_init(**given)


@click.command(name="check")
@_policies
@click.option("--check", "is_strict", is_flag=True, help="Exit with code 4 if there are warnings.")
@format_option
def check_command(**given: Any) -> int:
    """Validate policies, and print errors and warnings by line.

    A policy with warnings, for example a rule that never applies, can be used. FILE is YAML or JSON, or - for stdin.
    """
    from landkeeper.cli.broom.policy.run.check import run_check

    return run_check(**given)


@click.command(name="test")
@_policies
@format_option
def test_command(**given: Any) -> int:
    """Run the tests that policies contain, and exit with code 4 if one fails.

    A test describes a launch and the verdict expected on it. Nothing is called, and no log is needed.
    """
    from landkeeper.cli.broom.policy.run.expectations import run_policy_tests

    return run_policy_tests(**given)


@click.command(name="schema")
def schema_command(**given: Any) -> int:
    """Print the JSON Schema of a policy, for editors."""
    from landkeeper.cli.broom.policy.run.check import run_schema

    return run_schema(**given)

"""`landkeeper config check` and `schema`: what is wrong with `landkeeper.yaml`, and what may be in it."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.known_words import files
from landkeeper.cli.options import format_option


@click.command(name="check")
@click.argument("file", required=False, metavar="[FILE]", shell_complete=files)
@format_option
def check_command(**given: Any) -> int:
    """Validate a configuration file and print a summary, or every error in it.

    FILE is a path, s3://bucket/key or ssm:NAME.
    The default is LANDKEEPER_CONFIG, or landkeeper.yaml in the working directory.
    """
    from landkeeper.cli.run.config_check import run_check

    return run_check(**given)


@click.command(name="schema")
def schema_command(**given: Any) -> int:
    """Print the JSON Schema of landkeeper.yaml, for editors."""
    from landkeeper.cli.run.config_check import run_schema

    return run_schema(**given)

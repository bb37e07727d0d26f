"""`landkeeper config`: the configuration of VPC Tracker."""

from __future__ import annotations

import click

from landkeeper.cli.lazy_group import LazyGroup, Place

_PLACES = {
    "check": Place(
        "landkeeper.cli.config_check:check_command",
        "Validate a configuration file and print a summary, or every error in it.",
    ),
    "schema": Place(
        "landkeeper.cli.config_check:schema_command",
        "Print the JSON Schema of landkeeper.yaml, for editors.",
    ),
}


@click.group(name="config", cls=LazyGroup, places=_PLACES)
def command() -> None:
    """Check VPC Tracker's configuration file, or print its JSON Schema."""

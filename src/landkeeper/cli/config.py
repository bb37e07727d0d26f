"""`landkeeper config`: the configuration of VPC Tracker."""

from __future__ import annotations

import click

from landkeeper.cli.lazy_group import LazyGroup, Place

_PLACES = {
    "check": Place(
        "landkeeper.cli.config_check:check_command",
        "Say what a configuration means, or everything that is wrong with it.",
    ),
    "schema": Place(
        "landkeeper.cli.config_check:schema_command",
        "Print the JSON Schema of landkeeper.yaml, for editors and other checkers.",
    ),
}


@click.group(name="config", cls=LazyGroup, places=_PLACES)
def command() -> None:
    """What VPC Tracker is told about an organisation: spaces, connections, governed regions."""

"""`landkeeper broom policy`: look at a tag policy."""

from __future__ import annotations

import click

from landkeeper.cli.lazy_group import LazyGroup, Place

_PLACES = {
    "check": Place(
        "landkeeper.cli.broom.policy_check:check_command",
        "Say whether a policy can be used, and what is wrong or odd with it, line by line.",
    ),
    "explain": Place(
        "landkeeper.cli.broom.explain:explain_command",
        "Say why the verdict on an instance is what it is, exemption by exemption and rule by rule.",
    ),
    "export": Place(
        "landkeeper.cli.broom.exchange:export_command",
        "Write a policy in a form of AWS's, on standard output: one JSON document a line.",
    ),
    "import": Place(
        "landkeeper.cli.broom.exchange:import_command",
        "Write a policy from what AWS already has, on standard output.",
    ),
    "schema": Place(
        "landkeeper.cli.broom.policy_check:schema_command",
        "Print the JSON Schema of a policy, for editors and other checkers.",
    ),
}


@click.group(name="policy", cls=LazyGroup, places=_PLACES)
def policy_command() -> None:
    """Look at a tag policy."""

"""`landkeeper broom policy`: look at a tag policy."""

from __future__ import annotations

import click

from landkeeper.cli.lazy_group import LazyGroup, Place

_PLACES = {
    "check": Place(
        "landkeeper.cli.broom.policy_check:check_command",
        "Validate a policy, and print errors and warnings by line.",
    ),
    "explain": Place(
        "landkeeper.cli.broom.explain:explain_command",
        "Explain the verdict on an instance, exemption by exemption and rule by rule.",
    ),
    "export": Place(
        "landkeeper.cli.broom.exchange:export_command",
        "Convert a policy to AWS tag policies or service control policies.",
    ),
    "import": Place(
        "landkeeper.cli.broom.exchange:import_command",
        "Convert an AWS tag policy or AWS Config rule to a policy.",
    ),
    "schema": Place(
        "landkeeper.cli.broom.policy_check:schema_command",
        "Print the JSON Schema of a policy, for editors.",
    ),
}


@click.group(name="policy", cls=LazyGroup, places=_PLACES)
def policy_command() -> None:
    """Check, explain, import and export tag policies."""

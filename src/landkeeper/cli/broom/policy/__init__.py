"""`landkeeper broom policy`: look at a tag policy."""

from __future__ import annotations

import click

from landkeeper.cli.lazy_group import LazyGroup, Place

_PLACES = {
    "init": Place(
        "landkeeper.cli.broom.policy.check:init_command",
        "Write a policy to start from, with comments and tests.",
    ),
    "check": Place(
        "landkeeper.cli.broom.policy.check:check_command",
        "Validate policies, and print errors and warnings by line.",
    ),
    "try": Place(
        "landkeeper.cli.broom.policy.try_launch:try_command",
        "Print the verdict on a launch that the options describe: rule, action and reasons.",
    ),
    "test": Place(
        "landkeeper.cli.broom.policy.check:test_command",
        "Run the tests that policies contain, and exit with code 4 if one fails.",
    ),
    "explain": Place(
        "landkeeper.cli.broom.policy.explain:explain_command",
        "Explain the verdict on an instance, exemption by exemption and rule by rule.",
    ),
    "export": Place(
        "landkeeper.cli.broom.policy.exchange:export_command",
        "Convert a policy to AWS tag policies or service control policies.",
    ),
    "import": Place(
        "landkeeper.cli.broom.policy.exchange:import_command",
        "Convert an AWS tag policy or AWS Config rule to a policy.",
    ),
    "schema": Place(
        "landkeeper.cli.broom.policy.check:schema_command",
        "Print the JSON Schema of a policy, for editors.",
    ),
}


@click.group(name="policy", cls=LazyGroup, places=_PLACES)
def policy_command() -> None:
    """Write, check, try, test, explain, import and export tag policies."""

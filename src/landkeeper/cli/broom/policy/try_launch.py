"""`landkeeper broom policy try`: the verdict on a launch that the options describe."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.broom.options import policy_option
from landkeeper.cli.broom.policy.described_launch import launch_options
from landkeeper.cli.options import format_option


@click.command(name="try")
@policy_option
@launch_options
@click.option(
    "--ou", "units", multiple=True, metavar="ID",
    help="An organizational unit that the account is in, or the root; may be repeated.",
)  # fmt: skip
@format_option
def try_command(**given: Any) -> int:
    """Print the verdict on a launch that the options describe: rule, action and reasons.

    Say only what matters. If the verdict depends on more, the command names the missing options and exits with code 2.
    """
    from landkeeper.cli.broom.policy.run.try_launch import run_try

    return run_try(**given)

"""What several commands of Broom take: the policy."""

from __future__ import annotations

import click

policy_option = click.option(
    "--policy", "policy_file", metavar="FILE", help="The tag policy; LANDKEEPER_POLICY stands for it."
)

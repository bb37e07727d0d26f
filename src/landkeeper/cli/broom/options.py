"""What several commands of Broom take: the policy."""

from __future__ import annotations

import click

from landkeeper.cli.known_words import files

policy_option = click.option(
    "--policy",
    "policy_file",
    metavar="FILE",
    shell_complete=files,
    help="The tag policy.  [default: LANDKEEPER_POLICY]",
)

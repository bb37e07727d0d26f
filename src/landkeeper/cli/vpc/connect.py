"""`vpc connect A B`: whether two accounts or VPCs can be connected."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.known_words import known
from landkeeper.cli.vpc.options import answer_options, config_option


@click.command(name="connect")
@click.argument("source", metavar="A", shell_complete=known("account", "account name", "vpc"))
@click.argument("target", metavar="B", shell_complete=known("account", "account name", "vpc"))
@click.option("--all", "everything", is_flag=True, help="Show the pairs with default VPCs one by one, too.")
@config_option
@answer_options
@click.option(
    "--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True,
    help="A table to read, or JSON for other programs.",
)  # fmt: skip
def connect_command(**given: Any) -> int:
    """Tell whether A and B can be connected, and what stands in the way.

    A and B are an account id, an account name, or a VPC id each. Peering takes VPCs without any overlap. A transit
    gateway routes by the longest prefix; of identical blocks it takes one.
    """
    from landkeeper.cli.vpc.run.connect import run_connect

    return run_connect(**given)

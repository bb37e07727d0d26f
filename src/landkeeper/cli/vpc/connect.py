"""`vpc connect A B`: whether two accounts or VPCs can be connected."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.known_words import known
from landkeeper.cli.options import format_option
from landkeeper.cli.vpc.options import answer_options, config_option


@click.command(name="connect")
@click.argument("source", metavar="A", shell_complete=known("account", "account name", "vpc", "vpc name"))
@click.argument("target", metavar="B", shell_complete=known("account", "account name", "vpc", "vpc name"))
@click.option("--all", "everything", is_flag=True, help="Also list the pairs with default VPCs.")
@config_option
@answer_options
@format_option
def connect_command(**given: Any) -> int:
    """Check whether two accounts or VPCs can be connected.

    A and B are ids or names of accounts or VPCs. VPC peering requires VPCs without any overlap. A transit gateway
    routes by longest prefix, so partial overlaps may be reachable in part.
    """
    from landkeeper.cli.vpc.run.connect import run_connect

    return run_connect(**given)

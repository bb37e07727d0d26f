"""`vpc list` and `vpc defaults`: the VPCs that are known."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.options import accounts_option, format_option, regions_option
from landkeeper.cli.tags import tag_filter_option
from landkeeper.cli.vpc.options import answer_options


@click.command(name="list")
@accounts_option("Only VPCs of this account; may be repeated.")
@regions_option("Only VPCs in this region; may be repeated.")
@click.option("--cidr", metavar="BLOCK", help="Only VPCs with a block that contains this block or lies inside it.")
@tag_filter_option("VPCs")
@click.option("--deleted", is_flag=True, help="Include deleted VPCs.")
@answer_options
@format_option
def list_command(**given: Any) -> int:
    """List the tracked VPCs."""
    from landkeeper.cli.vpc.run.list import run_list

    return run_list(**given)


@click.command(name="defaults")
@accounts_option("Only default VPCs of this account; may be repeated.")
@regions_option("Only default VPCs in this region; may be repeated.")
@tag_filter_option("default VPCs")
@answer_options
@format_option
def defaults_command(**given: Any) -> int:
    """List the default VPCs."""
    from landkeeper.cli.vpc.run.list import run_defaults

    return run_defaults(**given)

"""`vpc overlaps`: which VPCs have the same addresses."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.known_words import known
from landkeeper.cli.options import accounts_option, format_option
from landkeeper.cli.tags import tag_filter_option
from landkeeper.cli.vpc.options import answer_options, config_option


@click.command(name="overlaps")
@click.option("--space", metavar="NAME", help="Only this space.")
@accounts_option("Only overlaps with a VPC of this account; may be repeated.")
@click.option(
    "--vpc", "vpcs", multiple=True, metavar="ID|NAME", shell_complete=known("vpc", "vpc name"),
    help="Only overlaps with this VPC; may be repeated.",
)  # fmt: skip
@tag_filter_option("overlaps of a VPC")
@click.option("--pairs", is_flag=True, help="List pairs of blocks instead of groups.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="The maximum number of pairs."
)
@click.option(
    "--check", is_flag=True, help="Exit with code 4 if blocks collide; default and repeated blocks do not count."
)
@config_option
@answer_options
@format_option
def overlaps_command(**given: Any) -> int:
    """List overlapping address blocks, in groups.

    A group is an outermost block with all blocks inside it. Only VPCs of the same address space are compared
    (landkeeper.yaml). Groups with both sides of a declared connection come first, then groups with connected VPCs,
    then groups of many accounts. Default VPCs (172.31.0.0/16) are one group. Blocks in 100.64.0.0/10, which many
    networks repeat on purpose, come last.
    """
    from landkeeper.cli.vpc.run.overlaps import run_overlaps

    return run_overlaps(**given)

"""`vpc overlaps`: which VPCs have the same addresses."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.options import format_option
from landkeeper.cli.vpc.options import answer_options, config_option


@click.command(name="overlaps")
@click.option("--space", metavar="NAME", help="Look at this space only.")
@click.option("--pairs", is_flag=True, help="Show pairs of blocks instead of groups.")
@click.option("--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="At most so many pairs.")
@config_option
@answer_options
@format_option
def overlaps_command(**given: Any) -> int:
    """Show which VPCs have the same addresses, in groups: an outermost block and those inside it.

    Only VPCs of one address space are compared (landkeeper.yaml). Groups that a declared connection has both sides in
    come first, then those with connected VPCs, then those of many accounts. Default VPCs, which all have
    172.31.0.0/16, are one finding. Blocks inside 100.64.0.0/10 are repeated on purpose in many networks and come last.
    """
    from landkeeper.cli.vpc.run.overlaps import run_overlaps

    return run_overlaps(**given)

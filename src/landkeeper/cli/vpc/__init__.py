"""`landkeeper vpc`: track VPCs, list them, what their address blocks do to each other, and pools to give more from."""

from __future__ import annotations

import click

from landkeeper.cli.lazy_group import LazyGroup, Place

_PLACES = {
    "allocate": Place(
        "landkeeper.cli.vpc.allocate:allocate_command",
        "Reserve the lowest free block of a pool that fits.",
    ),
    "connect": Place(
        "landkeeper.cli.vpc.connect:connect_command",
        "Tell whether A and B can be connected, and what stands in the way.",
    ),
    "coverage": Place(
        "landkeeper.cli.vpc.coverage:coverage_command",
        "Show when each region of each account was last read completely, or why it could not be.",
    ),
    "defaults": Place("landkeeper.cli.vpc.list:defaults_command", "List the default VPCs that are still there."),
    "delete-default": Place(
        "landkeeper.cli.vpc.delete_default:delete_default_command",
        "Delete default VPCs that nothing uses: prints the plan, and with --yes carries it out.",
    ),
    "export": Place("landkeeper.cli.vpc.export:export_command", "Write every VPC with all of its attributes."),
    "history": Place(
        "landkeeper.cli.vpc.show:history_command",
        "Show what changed of one VPC, and when: what it was before, and what after.",
    ),
    "list": Place("landkeeper.cli.vpc.list:list_command", "List the VPCs that are known."),
    "overlaps": Place(
        "landkeeper.cli.vpc.overlaps:overlaps_command",
        "Show which VPCs have the same addresses, in groups: an outermost block and those inside it.",
    ),
    "pool": Place("landkeeper.cli.vpc.pool:pool_group", "Pools of addresses, which VPCs get their blocks from."),
    "release": Place(
        "landkeeper.cli.vpc.allocate:release_command",
        "Give a block back to its pool. Refused while a VPC has an address of it.",
    ),
    "show": Place("landkeeper.cli.vpc.show:show_command", "Show everything that is known of one VPC."),
    "track": Place("landkeeper.cli.vpc.track:track_command", "Read the VPCs of accounts and write down what changed."),
    "vend": Place(
        "landkeeper.cli.vpc.vend:vend_command",
        "Make a VPC with subnets in an account, on a block from a pool, and have it tracked at once.",
    ),
}


@click.group(name="vpc", cls=LazyGroup, places=_PLACES)
def command() -> None:
    """VPC Tracker: every VPC of every account and region, and which address blocks collide."""

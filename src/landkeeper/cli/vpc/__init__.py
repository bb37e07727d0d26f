"""`landkeeper vpc`: track VPCs, list them, what their address blocks do to each other, and pools to give more from."""

from __future__ import annotations

import click

from landkeeper.cli.lazy_group import LazyGroup, Place

_PLACES = {
    "allocate": Place(
        "landkeeper.cli.vpc.allocate:allocate_command",
        "Reserve the lowest free block of a pool.",
    ),
    "connect": Place(
        "landkeeper.cli.vpc.connect:connect_command",
        "Check whether two accounts or VPCs can be connected.",
    ),
    "coverage": Place(
        "landkeeper.cli.vpc.coverage:coverage_command",
        "List when each region of each account was last read completely, and why not since.",
    ),
    "defaults": Place("landkeeper.cli.vpc.list:defaults_command", "List the default VPCs."),
    "delete-default": Place(
        "landkeeper.cli.vpc.delete_default:delete_default_command",
        "Delete unused default VPCs. Prints the plan; --yes executes it.",
    ),
    "export": Place(
        "landkeeper.cli.vpc.export:export_command", "Export all VPCs with all attributes as CSV, JSON or Parquet."
    ),
    "history": Place(
        "landkeeper.cli.vpc.show:history_command",
        "List the changes of a VPC, with old and new values.",
    ),
    "list": Place("landkeeper.cli.vpc.list:list_command", "List the tracked VPCs."),
    "overlaps": Place(
        "landkeeper.cli.vpc.overlaps:overlaps_command",
        "List overlapping address blocks, in groups.",
    ),
    "pool": Place("landkeeper.cli.vpc.pool:pool_group", "Manage address pools."),
    "release": Place(
        "landkeeper.cli.vpc.allocate:release_command",
        "Release a reservation. Refused while a VPC uses the block.",
    ),
    "show": Place("landkeeper.cli.vpc.show:show_command", "Show all attributes of a VPC."),
    "track": Place("landkeeper.cli.vpc.track:track_command", "Read the VPCs of accounts, and record the changes."),
    "vend": Place(
        "landkeeper.cli.vpc.vend:vend_command",
        "Create a VPC with subnets in an account, with a block from a pool. Prints the plan; --yes executes it.",
    ),
}


@click.group(name="vpc", cls=LazyGroup, places=_PLACES)
def command() -> None:
    """Track the VPCs of all accounts and regions, find overlaps, and allocate address blocks."""

"""`landkeeper vpc pool`: pools of addresses."""

from __future__ import annotations

import click

from landkeeper.cli.lazy_group import LazyGroup, Place

_PLACES = {
    "create": Place(
        "landkeeper.cli.vpc.pool_commands:create_command",
        "Create a pool, or a pool inside a pool.",
    ),
    "delete": Place(
        "landkeeper.cli.vpc.pool_commands:delete_command",
        "Delete a pool without reservations.",
    ),
    "import": Place(
        "landkeeper.cli.vpc.pool_commands:import_command",
        "Import pools and allocations from an Amazon VPC IPAM.",
    ),
    "list": Place("landkeeper.cli.vpc.pool_commands:list_command", "List pools with their utilisation."),
    "reserve": Place(
        "landkeeper.cli.vpc.pool_commands:reserve_command",
        "Reserve blocks that are in use, outside AWS or by a VPC.",
    ),
    "show": Place(
        "landkeeper.cli.vpc.pool_show:show_command",
        "Show a pool's utilisation, forecast and reservations.",
    ),
}


@click.group(name="pool", cls=LazyGroup, places=_PLACES)
def pool_group() -> None:
    """Manage address pools."""

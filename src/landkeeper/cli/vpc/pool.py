"""`landkeeper vpc pool`: pools of addresses."""

from __future__ import annotations

import click

from landkeeper.cli.lazy_group import LazyGroup, Place

_PLACES = {
    "create": Place(
        "landkeeper.cli.vpc.pool_commands:create_command",
        "Make a pool of addresses, or a pool inside a pool.",
    ),
    "delete": Place(
        "landkeeper.cli.vpc.pool_commands:delete_command",
        "Take away a pool in which nothing is reserved.",
    ),
    "import": Place(
        "landkeeper.cli.vpc.pool_commands:import_command",
        "Bring pools and allocations from an Amazon VPC IPAM along. Nothing is changed there.",
    ),
    "list": Place("landkeeper.cli.vpc.pool_commands:list_command", "List the pools, and how full they are."),
    "reserve": Place(
        "landkeeper.cli.vpc.pool_commands:reserve_command",
        "Take blocks out of a pool that are in use elsewhere: on premises, or in another cloud.",
    ),
    "show": Place(
        "landkeeper.cli.vpc.pool_show:show_command",
        "Show how full a pool is, when it will be full, and what is reserved in it.",
    ),
}


@click.group(name="pool", cls=LazyGroup, places=_PLACES)
def pool_group() -> None:
    """Pools of addresses, which VPCs get their blocks from."""

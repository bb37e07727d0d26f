"""`vpc pool`: make pools of addresses, list them, and take what is in use elsewhere."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.known_words import known
from landkeeper.cli.options import format_option
from landkeeper.cli.vpc.options import config_option, store_options


@click.command(name="create")
@click.argument("name")
@click.option("--cidr", required=True, metavar="BLOCK", help="The address range, for example 10.0.0.0/8.")
@click.option("--parent", metavar="POOL", shell_complete=known("pool"), help="The parent pool.")
@click.option(
    "--region",
    metavar="R",
    shell_complete=known("region"),
    help="The only region that the pool provides blocks for.  [default: that of the parent]",
)
@click.option("--space", metavar="NAME", help="The address space.  [default: that of the parent, or default]")
@click.option(
    "--min", "shortest", default="/16", show_default=True, metavar="/N", help="The largest block that can be allocated."
)
@click.option(
    "--max", "longest", default="/28", show_default=True, metavar="/N", help="The smallest block that can be allocated."
)
@click.option("--public", is_flag=True, help="Allow public addresses that you own.")
@config_option
@store_options
def create_command(**given: Any) -> int:
    """Create a pool, or a pool inside a pool."""
    from landkeeper.cli.vpc.run.pool_commands import run_create

    return run_create(**given)


@click.command(name="delete")
@click.argument("name", shell_complete=known("pool"))
@config_option
@store_options
def delete_command(**given: Any) -> int:
    """Delete a pool without reservations."""
    from landkeeper.cli.vpc.run.pool_commands import run_delete

    return run_delete(**given)


@click.command(name="list")
@config_option
@store_options
@format_option
def list_command(**given: Any) -> int:
    """List pools with their utilisation."""
    from landkeeper.cli.vpc.run.pool_commands import run_list

    return run_list(**given)


@click.command(name="reserve")
@click.argument("name", shell_complete=known("pool"))
@click.option("--cidr", "blocks", required=True, multiple=True, metavar="BLOCK", help="The block; may be repeated.")
@click.option(
    "--for", "purpose", required=True, metavar="TEXT", help="What uses it, for example data centre Frankfurt."
)
@config_option
@store_options
def reserve_command(**given: Any) -> int:
    """Reserve blocks that are in use, outside AWS or by a VPC."""
    from landkeeper.cli.vpc.run.pool_commands import run_reserve

    return run_reserve(**given)


@click.command(name="import")
@click.option(
    "--ipam", is_flag=False, flag_value="", default=None, metavar="[ID]",
    help="The IPAM; its id if the region has several.",
)  # fmt: skip
@click.option(
    "--region",
    metavar="R",
    shell_complete=known("region"),
    help="The home region of the IPAM.  [default: the current region]",
)
@click.option("--scope", default="", metavar="ID", help="The private scope, if pools are in several scopes.")
@click.option(
    "--space", default="default", show_default=True, metavar="NAME", help="The address space of the imported pools."
)
@config_option
@store_options
def import_command(**given: Any) -> int:
    """Import pools and allocations from an Amazon VPC IPAM.

    The IPAM is not changed. Existing pools are kept; a second import adds what is new.
    """
    from landkeeper.cli.vpc.run.pool_commands import run_import

    return run_import(**given)

"""`vpc pool`: make pools of addresses, list them, and take what is in use elsewhere."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.known_words import known
from landkeeper.cli.options import format_option
from landkeeper.cli.vpc.options import config_option, store_options


@click.command(name="create")
@click.argument("name")
@click.option("--cidr", required=True, metavar="BLOCK", help="Its range, as in 10.0.0.0/8.")
@click.option("--parent", metavar="POOL", shell_complete=known("pool"), help="The pool that it is inside of.")
@click.option(
    "--region",
    metavar="R",
    shell_complete=known("region"),
    help="The only region that it gives blocks for.  [default: that of its parent]",
)
@click.option("--space", metavar="NAME", help="The address space.  [default: that of its parent, or default]")
@click.option("--min", "shortest", default="/16", show_default=True, metavar="/N", help="The largest block it gives.")
@click.option("--max", "longest", default="/28", show_default=True, metavar="/N", help="The smallest block it gives.")
@click.option("--public", is_flag=True, help="The range is of public addresses, which are yours.")
@config_option
@store_options
def create_command(**given: Any) -> int:
    """Make a pool of addresses, or a pool inside a pool."""
    from landkeeper.cli.vpc.run.pool_commands import run_create

    return run_create(**given)


@click.command(name="delete")
@click.argument("name", shell_complete=known("pool"))
@config_option
@store_options
def delete_command(**given: Any) -> int:
    """Take away a pool in which nothing is reserved."""
    from landkeeper.cli.vpc.run.pool_commands import run_delete

    return run_delete(**given)


@click.command(name="list")
@config_option
@store_options
@format_option
def list_command(**given: Any) -> int:
    """List the pools, and how full they are."""
    from landkeeper.cli.vpc.run.pool_commands import run_list

    return run_list(**given)


@click.command(name="reserve")
@click.argument("name", shell_complete=known("pool"))
@click.option("--cidr", "blocks", required=True, multiple=True, metavar="BLOCK", help="May be repeated.")
@click.option("--for", "purpose", required=True, metavar="TEXT", help="What uses it, as in: data centre Frankfurt.")
@config_option
@store_options
def reserve_command(**given: Any) -> int:
    """Take blocks out of a pool that are in use elsewhere: on premises, or in another cloud."""
    from landkeeper.cli.vpc.run.pool_commands import run_reserve

    return run_reserve(**given)


@click.command(name="import")
@click.option(
    "--ipam", is_flag=False, flag_value="", default=None, metavar="[ID]",
    help="An IPAM of Amazon VPC; its id where the region has several.",
)  # fmt: skip
@click.option(
    "--region",
    metavar="R",
    shell_complete=known("region"),
    help="The home region of the IPAM.  [default: the region at hand]",
)
@click.option("--scope", default="", metavar="ID", help="The private scope, where pools are in several.")
@click.option("--space", default="default", show_default=True, metavar="NAME", help="The address space here.")
@config_option
@store_options
def import_command(**given: Any) -> int:
    """Bring pools and allocations from an Amazon VPC IPAM along. Nothing is changed there.

    What is here already stays as it is; a second import brings what is new.
    """
    from landkeeper.cli.vpc.run.pool_commands import run_import

    return run_import(**given)

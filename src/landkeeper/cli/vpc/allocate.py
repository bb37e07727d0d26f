"""`vpc allocate` and `vpc release`: take a block from a pool, and give it back."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.confirmation import plan_options
from landkeeper.cli.known_words import known
from landkeeper.cli.options import account_option, format_option, role_options
from landkeeper.cli.vpc.options import accept_unread_option, config_option, store_options


@click.command(name="allocate")
@click.option(
    "--pool", required=True, metavar="NAME", shell_complete=known("pool"), help="The pool that provides the block."
)
@click.option("--prefix-length", required=True, metavar="N", help="The prefix length of the block, from 16 to 28.")
@account_option("The account of the VPC.", required=True)
@click.option("--for", "purpose", required=True, metavar="TEXT", help="The purpose of the block, for example web-shop.")
@click.option("--grow-to", metavar="N", help="Also reserve room to grow: the surrounding block of this prefix length.")
@click.option("--region", metavar="R", shell_complete=known("region"), help="The region of the VPC.")
@click.option(
    "--request-id",
    default="",
    metavar="X",
    help="An id that makes the request idempotent: the same id returns the same block.",
)
@click.option(
    "--ttl", metavar="TIME", help="Release the reservation if no VPC uses it within this time: 7d, 12h or 30m."
)
@accept_unread_option
@config_option
@store_options
@click.option(
    "--format", "format_", type=click.Choice(["text", "table", "json", "csv"]), default="text", show_default=True,
    help="The output format: the block only, or the reservation as a table, JSON or CSV.",
)  # fmt: skip
def allocate_command(**given: Any) -> int:
    """Reserve the lowest free block of a pool.

    Excluded are all tracked blocks of the pool's space, including those of accounts that can no longer be read, all
    reservations, and 172.17.0.0/16 (Docker's default network).
    """
    from landkeeper.cli.vpc.run.allocate import run_allocate

    return run_allocate(**given)


@click.command(name="release")
@click.argument("reservation", metavar="RESERVATION", shell_complete=known("reservation"))
@role_options()
@click.option("--accept-unread", is_flag=True, help="Decide by the stored data instead of reading the regions again.")
@plan_options
@config_option
@store_options
@format_option
def release_command(**given: Any) -> int:
    """Release a reservation. Refused while a VPC uses the block.

    At a terminal it prints what would be released, and asks; --yes releases without asking. Reads the regions of the
    reservation again before it does, and records what it finds.
    """
    from landkeeper.cli.vpc.run.allocate import run_release

    return run_release(**given)

"""`vpc allocate` and `vpc release`: take a block from a pool, and give it back."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.known_words import known
from landkeeper.cli.vpc.options import config_option, store_options


@click.command(name="allocate")
@click.option("--pool", required=True, metavar="NAME", shell_complete=known("pool"), help="The pool to take it from.")
@click.option("--prefix-length", required=True, metavar="N", help="How large: from 16, the largest, to 28.")
@click.option(
    "--account", required=True, metavar="ID", shell_complete=known("account"), help="The account that the VPC is for."
)
@click.option("--for", "purpose", required=True, metavar="TEXT", help="What it is for, in words.")
@click.option("--grow-to", metavar="N", help="Keep the block of this prefix length around it free for its growth.")
@click.option("--region", metavar="R", shell_complete=known("region"), help="The region that the VPC is for.")
@click.option("--request-id", default="", metavar="X", help="The same request again gets the same block.")
@click.option("--ttl", metavar="TIME", help="Give it back if no VPC has turned up by then: 7d, 12h or 30m.")
@click.option("--accept-unread", is_flag=True, help="Also while accounts of the space were never read.")
@config_option
@store_options
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="The block alone, or the reservation as JSON.",
)  # fmt: skip
def allocate_command(**given: Any) -> int:
    """Reserve the lowest free block of a pool that fits.

    It keeps off every block that the tracker knows in the pool's space, also of accounts that can no longer be read,
    off all reservations, and off 172.17.0.0/16.
    """
    from landkeeper.cli.vpc.run.allocate import run_allocate

    return run_allocate(**given)


@click.command(name="release")
@click.argument("reservation", metavar="RESERVATION", shell_complete=known("reservation"))
@click.option("--role", metavar="NAME", help="The role to assume in accounts that are not the one at hand.")
@click.option("--external-id", metavar="X", help="The external id that the role asks for.")
@click.option("--accept-unread", is_flag=True, help="Go by the VPCs that are known, and read nothing again.")
@config_option
@store_options
def release_command(**given: Any) -> int:
    """Give a block back to its pool. Refused while a VPC has an address of it.

    The regions in which that VPC may be are read again first, and what was found there is written down.
    """
    from landkeeper.cli.vpc.run.allocate import run_release

    return run_release(**given)

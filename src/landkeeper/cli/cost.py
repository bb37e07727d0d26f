"""`landkeeper cost`: what the stack costs a month, from measured figures and AWS's public prices. Calls nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from landkeeper.cli.options import format_option

TRAILS = ("existing", "first", "second")
"""How a trail may be used, which is thus not loaded for a help page; a test compares them."""
_NUMBER = click.IntRange(min=0)
Command = Callable[..., Any]


def _number(name: str, help_: str) -> Callable[[Command], Command]:
    return click.option(name, type=_NUMBER, metavar="N", help=help_)


@click.command("cost")
@click.option("--accounts", type=_NUMBER, default=100, show_default=True, help="Accounts that are looked after.")
@click.option("--regions", type=_NUMBER, default=17, show_default=True, help="Regions that each of them has enabled.")
@click.option(
    "--launches-per-day",
    "launches_a_day",
    type=_NUMBER,
    default=500,
    show_default=True,
    help="Instances that are launched, in all accounts together.",
)
@_number(
    "--log-files-per-day",
    "CloudTrail's log files, of all accounts together.  "
    "[default: one region with activity at all times, in the others the tracker's own reads]",
)
@_number("--violations-per-day", "Launches that break the policy.  [default: 5 %]")
@_number("--vpcs", "VPCs.  [default: a default VPC in each region, and one more an account]")
@_number("--changes-per-day", "Changes of VPCs, subnets and peerings.  [default: one in ten accounts]")
@_number("--addresses", "IP addresses in use, for the comparison with IPAM.  [default: 50 an account]")
@click.option(
    "--trail",
    type=click.Choice(TRAILS),
    default="existing",
    show_default=True,
    help="Whose log files are read: an existing trail's, or those of a trail that the stack makes, the "
    "first one there is or a second one.",
)
@_number("--events-per-day", "Management events, for a second trail.  [default: 3,000 an account, and the tracker's]")
@click.option(
    "--digests/--no-digests",
    default=True,
    show_default=True,
    help="Whether the bucket tells of the trail's digest files as well.",
)
@click.option(
    "--trail-days",
    type=_NUMBER,
    default=90,
    show_default=True,
    metavar="N",
    help="How many days a trail of the stack's own keeps its files.",
)
@click.option(
    "--architecture",
    type=click.Choice(["x86_64", "arm64"]),
    default="x86_64",
    show_default=True,
    help="The functions' processor.",
)
@click.option("--provisioned", is_flag=True, help="Provisioned tables with auto scaling (AutoScaling=true).")
@click.option("--recovery", is_flag=True, help="Point-in-time recovery (PointInTimeRecovery=true).")
@click.option("--customer-key", is_flag=True, help="A KMS key of your own encrypts the log files.")
@click.option("--workers-unlimited", is_flag=True, help="VPC Tracker's workers without a limit (WorkerConcurrency=0).")
@click.option("--mails", is_flag=True, help="Reports go to an address by mail.")
@click.option(
    "--free-tier",
    type=click.Choice(["whole", "used"]),
    default="whole",
    show_default=True,
    help="Whether AWS's Free Tier, one for the whole organisation, is still whole or used up by others.",
)
@click.option("--details", is_flag=True, help="What each quantity consists of.")
@format_option
def command(**given: Any) -> int:
    """Work out what Landkeeper costs a month. Nothing is called.

    Counts what the stack does with the defaults of its template, from measured figures and AWS's prices in US East
    (N. Virginia). docs/cost.md says what is counted and what is not.
    """
    from landkeeper.cli.run.cost import run

    return run(**given)

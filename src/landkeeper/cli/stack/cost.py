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
@click.option("--accounts", type=_NUMBER, default=100, show_default=True, help="The number of accounts.")
@click.option(
    "--regions", type=_NUMBER, default=17, show_default=True, help="The number of enabled regions per account."
)
@click.option(
    "--launches-per-day",
    "launches_a_day",
    type=_NUMBER,
    default=500,
    show_default=True,
    help="Instances launched per day, in all accounts.",
)
@_number(
    "--log-files-per-day",
    "CloudTrail log files per day, in all accounts.  "
    "[default: one busy region per account, and the tracker's own reads in the others]",
)
@_number("--violations-per-day", "Launches per day that violate the policy.  [default: 5%]")
@_number("--vpcs", "The number of VPCs.  [default: a default VPC per region, and one more per account]")
@_number("--changes-per-day", "Changes to VPCs, subnets and peerings per day.  [default: one per ten accounts]")
@_number("--addresses", "IP addresses in use, for the comparison with Amazon VPC IPAM.  [default: 50 per account]")
@click.option(
    "--trail",
    type=click.Choice(TRAILS),
    default="existing",
    show_default=True,
    help="The trail whose log files are read: an existing one, or one that the stack creates (the first or a "
    "second trail).",
)
@_number(
    "--events-per-day",
    "Management events per day, for a second trail.  [default: 3,000 per account, and the tracker's]",
)
@click.option(
    "--digests/--no-digests",
    default=True,
    show_default=True,
    help="Whether the bucket also sends notifications for digest files.",
)
@click.option(
    "--trail-days",
    type=_NUMBER,
    default=90,
    show_default=True,
    metavar="N",
    help="How many days the stack's own trail keeps its files.",
)
@click.option(
    "--architecture",
    type=click.Choice(["x86_64", "arm64"]),
    default="x86_64",
    show_default=True,
    help="The processor architecture of the functions.",
)
@click.option("--provisioned", is_flag=True, help="Provisioned tables with auto scaling (AutoScaling=true).")
@click.option("--recovery", is_flag=True, help="Point-in-time recovery (PointInTimeRecovery=true).")
@click.option("--customer-key", is_flag=True, help="Log files are encrypted with a customer managed KMS key.")
@click.option(
    "--workers-unlimited", is_flag=True, help="No concurrency limit for VPC Tracker's workers (WorkerConcurrency=0)."
)
@click.option("--mails", is_flag=True, help="Reports are sent by email.")
@click.option(
    "--free-tier",
    type=click.Choice(["whole", "used"]),
    default="whole",
    show_default=True,
    help="Whether the organization's AWS Free Tier is unused (whole) or used up.",
)
@click.option(
    "--paid-trail-copies",
    type=_NUMBER,
    default=0,
    show_default=True,
    metavar="N",
    help="Further trails or event data stores that record management events at a price; the tracker's own calls are "
    "among them.",
)
@click.option(
    "--control-tower",
    is_flag=True,
    help="The trail is Control Tower's: its bucket, in the log archive account, notifies EventBridge.",
)
@click.option(
    "--guardduty", "guard_duty", is_flag=True, help="GuardDuty analyzes the management events of all accounts."
)
@click.option("--details", is_flag=True, help="Show the items of each quantity.")
@format_option
def command(**given: Any) -> int:
    """Estimate what Landkeeper costs per month, without calling AWS.

    The estimate is for the template's default parameters. It uses measured figures and AWS's prices in US East
    (N. Virginia). docs/cost.md describes what is included.
    """
    from landkeeper.cli.stack.run.cost import run

    return run(**given)

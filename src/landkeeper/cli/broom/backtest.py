"""`landkeeper broom backtest`: what a policy would have done to the launches of the past."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.broom.engine_options import engine_options
from landkeeper.cli.broom.options import policy_option
from landkeeper.cli.known_words import files
from landkeeper.cli.moments import FORMS, Moment
from landkeeper.cli.options import format_option


@click.command(name="backtest")
@click.argument("paths", nargs=-1, required=True, metavar="PATH|s3://URL...", shell_complete=files)
@policy_option
@click.option("--against", metavar="FILE", help="Compare with this policy, instance by instance.")
@click.option("--since", type=Moment(), metavar="TIME", help=f"Only launches from this time on: {FORMS}.")
@click.option(
    "--until", type=Moment(is_end=True), metavar="TIME", help="Only launches before this time. A date is inclusive."
)
@click.option("--grace", metavar="TIME", help="Override the grace period of every rule, for example 15m.")
@click.option(
    "--broom-role",
    "broom_roles",
    multiple=True,
    metavar="NAME",
    help="A role that Broom acted with, beside landkeeper-terminate and LANDKEEPER_ROLE_NAME; may be repeated.",
)
@click.option("--requester-pays", is_flag=True, help="Read a Requester Pays bucket at your cost.")
@click.option("--no-cache", is_flag=True, help="Neither use nor write the cache.")
@engine_options
@format_option
def backtest_command(**given: Any) -> int:
    """Simulate a policy on past launches from CloudTrail log files.

    PATH is a file, a folder, or any prefix of a trail's bucket (s3://bucket/prefix). It only lists and reads S3
    objects. Ctrl-C stops reading and prints the result so far.

    Actions of Broom itself in the logs are listed, and the policy is tried as if they had not happened.
    """
    from landkeeper.cli.broom.run.backtest import run_backtest

    return run_backtest(**given)

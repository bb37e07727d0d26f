"""`landkeeper broom backtest`: what a policy would have done to the launches of the past."""

from __future__ import annotations

from typing import Any

import click

from landkeeper.cli.broom.engine_options import engine_options
from landkeeper.cli.broom.options import policy_option
from landkeeper.cli.known_words import files
from landkeeper.cli.options import format_option


@click.command(name="backtest")
@click.argument("paths", nargs=-1, required=True, metavar="PATH|s3://URL...", shell_complete=files)
@policy_option
@click.option("--against", metavar="FILE", help="Another policy: what changes over it, instance by instance.")
@click.option("--since", metavar="TIME", help="Launches from then on: 2026-03-01, or 2026-03-01T12:00:00Z.")
@click.option("--until", metavar="TIME", help="Launches before then; a date is included.")
@click.option("--grace", metavar="TIME", help="This grace for every rule, as in 15m, not that of the policy.")
@click.option("--requester-pays", is_flag=True, help="Read a bucket whose requester pays, and pay.")
@click.option("--no-cache", is_flag=True, help="Read every file, and keep nothing of what is in it.")
@engine_options
@format_option
def backtest_command(**given: Any) -> int:
    """Say what a policy would have done to the launches in CloudTrail log files.

    PATH is a file or a folder, s3://bucket/prefix any part of a trail's or an organisation's trail's bucket. Nothing is
    called but S3, to list and to read. Ctrl-C gives the answer for what was read until then.
    """
    from landkeeper.cli.broom.run.backtest import run_backtest

    return run_backtest(**given)

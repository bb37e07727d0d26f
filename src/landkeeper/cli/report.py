"""`landkeeper report`: everything that is known, as one page to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from landkeeper.cli.vpc.options import Command, as_of_option, config_option, store_options

DEFAULT_OUT = Path("report.html")


def report_options(function: Command) -> Command:
    """The options `--table`, `--file`, `--ledger` and `--config`: what a report is made from."""
    ledger = click.option(
        "--ledger", metavar="NAME", help="The DynamoDB table of Broom's cases, for example BroomLedger."
    )
    return config_option(store_options(ledger(function)))


@click.command(name="report")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="PATH", default=DEFAULT_OUT, show_default=True,
    help="Where to write the report.",
)  # fmt: skip
@click.option("--open", "opens", is_flag=True, help="Open it in the browser.")
@click.option("--backtest", type=click.Path(path_type=Path), metavar="FILE",
              help="Include this output of `landkeeper broom backtest --format json`.")  # fmt: skip
@as_of_option("Report the state at this time")
@click.option(
    "--url", is_flag=True, help="Print a presigned link to the deployed stack's report instead of writing one."
)
@click.option("--expires", metavar="TIME", default="1h", show_default=True,
              help="How long the link is valid: 30m, 12h, at most 7d.")  # fmt: skip
@click.option("--bucket", metavar="NAME", help="The stack's report bucket.  [default: LANDKEEPER_REPORT_BUCKET]")
@report_options
def command(**given: Any) -> int:
    """Write the report: one HTML file with everything in it.

    It shows the address space as a map, overlaps, connectivity, default VPCs, the age of the data, and Broom's cases.
    """
    from landkeeper.cli.run.report import run

    return run(**given)

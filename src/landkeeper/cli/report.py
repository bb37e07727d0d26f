"""`landkeeper report`: everything that is known, as one page to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from landkeeper.cli.vpc.options import Command, config_option, store_options

DEFAULT_OUT = Path("report.html")


def report_options(function: Command) -> Command:
    """The options `--table`, `--file`, `--ledger` and `--config`: what a report is made from."""
    ledger = click.option("--ledger", metavar="NAME", help="The DynamoDB table of Broom's cases, as in BroomLedger.")
    return config_option(store_options(ledger(function)))


@click.command(name="report")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="PATH", default=DEFAULT_OUT, show_default=True,
    help="Where to write the page.",
)  # fmt: skip
@click.option("--open", "opens", is_flag=True, help="Show it in the browser.")
@click.option("--backtest", type=click.Path(path_type=Path), metavar="FILE",
              help="The answer of `landkeeper broom backtest --format json`, to be in it.")  # fmt: skip
@click.option("--as-of", metavar="TIME", help="The report as of then: 2026-03-01, or 2026-03-01T12:00:00Z.")
@click.option("--url", is_flag=True, help="Print a link to the report that the stack keeps, and write nothing.")
@click.option("--expires", metavar="TIME", default="1h", show_default=True,
              help="How long the link is good: 30m, 12h, 7d at most.")  # fmt: skip
@click.option("--bucket", metavar="NAME", help="The stack's bucket of reports.  [default: LANDKEEPER_REPORT_BUCKET]")
@report_options
def command(**given: Any) -> int:
    """Write everything that is known as one HTML page: to read offline, to mail, to print.

    The address space as a map, overlaps, who can be connected with whom, default VPCs, how fresh all that is, and what
    Broom did.
    """
    from landkeeper.cli.run.report import run

    return run(**given)

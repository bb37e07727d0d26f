"""`landkeeper broom sample-log`: a CloudTrail log file to try things with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from landkeeper.cli.broom.policy.described_launch import launch_options


@click.command(name="sample-log")
@launch_options
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="FILE",
    help="The file to write; - for stdout.  [default: as CloudTrail would name it]",
)  # fmt: skip
def sample_log_command(**given: Any) -> int:
    """Write a CloudTrail log file with one launch, to try `sweep`, `backtest` or `policy explain` on.

    What no option says is made up. The instance does not exist: the file is for --offline and for backtests. The name
    of the file is printed.
    """
    from landkeeper.cli.broom.run.sample_log import run_sample_log

    return run_sample_log(**given)

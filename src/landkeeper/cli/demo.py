"""`landkeeper demo`: both products at work on an AWS made up on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command("demo")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    default="landkeeper-demo.html",
    show_default=True,
    metavar="FILE",
    help="Where to write the report.",
)
@click.option("--keep", is_flag=True, help="Keep the simulated AWS running, and print how to use and stop it.")
def command(**given: Any) -> int:
    """Run both products against an AWS simulated on this machine.

    Starts simulators on loopback, creates a sample organization, deploys Landkeeper's stack, tracks every VPC, creates
    a VPC, launches instances with and without the required tags, prints what happened to them, and writes a report.
    Requires the extra `local`.
    """
    from landkeeper.cli.run.demo import run

    return run(**given)

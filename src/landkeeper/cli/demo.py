"""`landkeeper demo`: both products at work on an AWS made up on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command("demo")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the story.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    default="landkeeper-demo.html",
    show_default=True,
    metavar="FILE",
    help="Where the report of what it did goes.",
)
@click.option("--keep", is_flag=True, help="Leave the embedded AWS up, and print how to use and stop it.")
def command(**given: Any) -> int:
    """Both products at work on an AWS made up on this machine.

    Starts simulators on loopback, makes a sample organisation, deploys Landkeeper's own stack, tracks every VPC,
    makes one, launches instances tagged right and wrong, shows what became of them, and writes a report of it all.
    Needs the extra `local`.
    """
    from landkeeper.cli.run.demo import run

    return run(**given)

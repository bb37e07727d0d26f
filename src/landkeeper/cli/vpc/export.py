"""`vpc export`: every VPC with all of its attributes, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from landkeeper.cli.tags import tag_filter_option
from landkeeper.cli.vpc.options import answer_options


@click.command(name="export")
@click.option(
    "--format", "format_", type=click.Choice(["csv", "json", "parquet"]), default="csv", show_default=True,
    help="The output format. Parquet requires the extra `parquet`.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="PATH", help="[default: stdout]")
@tag_filter_option("VPCs")
@click.option("--deleted", is_flag=True, help="Include deleted VPCs.")
@answer_options
def export_command(**given: Any) -> int:
    """Export all VPCs with all attributes as CSV, JSON or Parquet."""
    from landkeeper.cli.vpc.run.export import run_export

    return run_export(**given)

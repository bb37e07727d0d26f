"""Options that commands of both products share."""

from __future__ import annotations

import click

format_option = click.option(
    "--format", "format_", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True,
    help="A table to read, or JSON or CSV for other programs.",
)  # fmt: skip

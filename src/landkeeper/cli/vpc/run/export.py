"""`vpc export`: every VPC with all of its attributes, for other programs."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from landkeeper.cli.output import Row, json_text, write_csv
from landkeeper.cli.terminal import aside
from landkeeper.cli.vpc.filters import vpc_tag_filters
from landkeeper.cli.vpc.known import exit_code, known_row, read_answers
from landkeeper.cli.vpc.query import Query
from landkeeper.org import UsageError, counted
from landkeeper.wiring.texts import replace_file

ExportFormat = Literal["csv", "json", "parquet"]

ATTRIBUTES = (
    "VpcId", "OwnerId", "AccountName", "Region", "Name", "CidrBlock", "CidrBlocks", "Ipv6CidrBlocks", "IsDefault",
    "State", "Tags", "SharedWith", "InstanceTenancy", "DhcpOptionsId", "CidrAssociations", "Subnets",
    "PeeringConnections", "TransitGatewayAttachments", "ReadBy", "FirstSeen", "LastChanged", "DeletedAt",
    "MissingSince", "Version", "ReadAt", "Stale",
)  # fmt: skip
"""The columns of CSV and Parquet, in this order."""


def run_export(*, query: Query, format_: ExportFormat, out: Path | None, tags: tuple[str, ...], deleted: bool) -> int:
    """Export all VPCs with all attributes as CSV, JSON or Parquet."""
    if format_ == "parquet" and out is None and sys.stdout.isatty():
        raise UsageError("Parquet cannot be written to a terminal: pass --out FILE")
    filters = vpc_tag_filters(tags)
    known = read_answers(query)
    chosen = [stored for stored in known.vpcs if all(fits(stored.vpc) for fits in filters)]
    rows = [known_row(known, stored) for stored in chosen if deleted or stored.is_live]
    for_terminal = out is None and sys.stdout.isatty()
    content = _parquet(rows) if format_ == "parquet" else _text(rows, format_, for_terminal=for_terminal).encode()
    if out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        replace_file(out, content)
        aside(f"{counted(len(rows), 'VPC')} written to {out}.")
    return exit_code(known)


def _text(rows: Sequence[Row], format_: ExportFormat, *, for_terminal: bool) -> str:
    if format_ == "json":
        return json_text(rows)
    text = io.StringIO()
    write_csv(text, rows, ATTRIBUTES, for_terminal=for_terminal)
    return text.getvalue()


def _parquet(rows: Sequence[Row]) -> bytes:
    try:
        from landkeeper.cli.vpc.parquet import parquet_bytes
    except ModuleNotFoundError as error:
        raise UsageError(
            "Parquet export requires the extra `parquet`: run pip install '.[parquet]' in the checkout"
        ) from error
    return parquet_bytes(rows)

"""Write figures to RESULTS.md: one section per benchmark, replaced by its next run."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")
_HEAD = (
    "# Results\n\n"
    "`make bench` writes this file.\n"
    "Each benchmark has a section with the date and the machine of its last run.\n"
    "A threshold is the limit that the project sets itself for a figure.\n"
)


def write_results(name: str, rows: Sequence[tuple[str, str]]) -> None:
    """Print the rows and write them to RESULTS.md as the section `name`."""
    for what, value in rows:
        sys.stdout.write(f"{name}: {what}: {value}\n")
    table = "".join(f"| {what} | {value} |\n" for what, value in rows)
    section = f"## {name}\n\n{_machine()}\n\n| what | value |\n|---|---|\n{table}"
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else _HEAD
    parts = [part.rstrip() + "\n" for part in re.split(r"(?m)^(?=## )", text)]
    kept = [part for part in parts[1:] if not part.startswith(f"## {name}\n")]
    RESULTS.write_text("\n".join([parts[0], *sorted([*kept, section])]), encoding="utf-8")


def _machine() -> str:
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{day}, {platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, {python}"

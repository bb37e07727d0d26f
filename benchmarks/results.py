"""Where figures are written down: a section of RESULTS.md for each benchmark, replaced by its next run."""

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
    "# Results\n\nWritten by `make bench`; a section for each benchmark, with the day and the machine it was run on.\n"
)


def write_results(name: str, rows: Sequence[tuple[str, str]]) -> None:
    """Print the rows and put them into RESULTS.md as the section of that name."""
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

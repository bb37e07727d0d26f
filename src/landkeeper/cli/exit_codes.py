"""What the command's exit codes mean."""

from __future__ import annotations

DONE = 0
USAGE = 2
"""Wrong usage or configuration."""
INCOMPLETE = 3
"""Done but not complete: something could not be read or ended, and the rest is written."""
FINDINGS = 4
"""Findings, only where `--check` asks for that, and for `doctor`."""

"""What the command's exit codes mean. docs/command.md has them in a table."""

from __future__ import annotations

DONE = 0
FAILED = 1
"""A store is locked, there are no credentials, an endpoint does not answer, a disk is full; or a defect."""
USAGE = 2
"""Wrong usage or configuration."""
INCOMPLETE = 3
"""Done but not complete: something could not be read or ended, and the rest is written."""
FINDINGS = 4
"""Findings, only where `--check` asks for that, and for `doctor`."""
STOPPED = 130
"""Ctrl-C, as shells have it: 128 and the number of the signal."""
CLOSED_PIPE = 141
"""Whoever reads the answer stopped reading, as in `| head`: 128 and the number of SIGPIPE."""

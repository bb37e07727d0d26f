"""`landkeeper broom sample-log`: a CloudTrail log file to try things with."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from landkeeper.cli.broom.output import warn
from landkeeper.cli.broom.policy.described_launch import described_launch
from landkeeper.cli.exit_codes import DONE
from landkeeper.cli.terminal import say
from landkeeper.org import UsageError
from landkeeper.wiring.broom.sample_log import make_sample_log
from landkeeper.wiring.texts import write_new_file


def run_sample_log(out: Path | None, **given: Any) -> int:
    """Write a CloudTrail log file with one launch."""
    sample = make_sample_log(described_launch(**given), datetime.now(UTC))
    if out is not None and str(out) == "-":
        if sys.stdout.isatty():
            raise UsageError("the log file is compressed and stdout is a terminal: pass --out FILE, or redirect stdout")
        sys.stdout.buffer.write(sample.content)
        return DONE
    path = out or Path(sample.name)
    write_new_file(path, sample.content)
    warn(f"a launch of {sample.instance_id}, which does not exist; try: landkeeper broom sweep --offline {path}")
    say(str(path))
    return DONE

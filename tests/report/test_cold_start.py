"""A function that makes no report does not load what only reports need."""

from __future__ import annotations

import subprocess
import sys


def test_the_trackers_function_starts_without_the_report() -> None:
    code = (
        "import sys, landkeeper.lambdas.tracker; print(*(n for n in sys.modules if n.startswith('landkeeper.report')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []

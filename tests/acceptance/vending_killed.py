"""A process that runs a command and gets SIGKILL when a chosen call to AWS was carried out.

`python -m tests.acceptance.vending_killed AT ARGUMENT...`: AT counts its attempts from 0.
"""

from __future__ import annotations

import sys

from tests.interrupted_calls import Interruption, watching

from landkeeper.cli import run

if __name__ == "__main__":
    with watching() as watch:
        watch.begin(int(sys.argv[1]), Interruption.KILLED_AFTER)
        sys.exit(run(sys.argv[2:]))

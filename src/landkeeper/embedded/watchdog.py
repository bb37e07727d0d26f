"""The program that ends a group of processes, and removes their folder, once the process that made the group is gone.

`embedded.process_group` starts it as the leader of the group, with a pipe as its standard input. The pipe ends with the
process at its other end, even with one that was killed and could end nothing itself. Arguments are folders to remove.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time

LEAVE = b"leave"
"""Read before the pipe ends, it lets everything go on."""
_ATTEMPTS = 50
_PAUSE_SECONDS = 0.1


def main() -> None:
    """Wait until the pipe ends, then end the group."""
    if sys.stdin.buffer.read() == LEAVE:
        return
    group = os.getpid()
    if os.getpgrp() != group:
        sys.exit("the watchdog does not lead a group of processes")
    if os.fork():
        # The signal to the group ends this process as well.
        signal.pause()
    os.setsid()
    os.killpg(group, signal.SIGKILL)
    for folder in sys.argv[1:]:
        _remove(folder)


def _remove(folder: str) -> None:
    """Remove the folder, in which a process that is about to end may still create a file."""
    for _ in range(_ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):  # noqa: PTH110 - started without more than it needs
            return
        time.sleep(_PAUSE_SECONDS)


if __name__ == "__main__":
    main()

"""Processes that end with the process that started them, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from landkeeper.embedded import watchdog


class ProcessGroup:
    """A process group, as a context manager: all in it, and what these have started, ends with the context.

    It ends too when this process is killed. A Ctrl-C at the terminal does not reach it.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Start the group's watchdog, which removes the folder if this process is killed."""
        self._watchdog = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-I", "-S", watchdog.__file__, *([] if folder is None else [str(folder)])],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )

    @property
    def id(self) -> int:
        """What `subprocess.Popen` takes as `process_group`."""
        return self._watchdog.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every process of the group."""
        # The watchdog has not been waited for, so that the number cannot be another group's by now.
        os.killpg(self.id, signal.SIGKILL)
        self._watchdog.communicate()

    def release(self) -> None:
        """Let the processes of the group outlive this one."""
        self._watchdog.communicate(watchdog.LEAVE)

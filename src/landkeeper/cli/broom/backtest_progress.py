"""The progress bar of `broom backtest`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from landkeeper.cli.output import stderr
from landkeeper.wiring.broom.backtest import Progress as Reading

_EVERY_SECONDS = 0.1


@contextmanager
def showing_progress() -> Iterator[Callable[[Reading], None]]:
    """A bar on stderr with files, bytes, events and the time that is left; nothing where that is no terminal."""
    console = stderr()
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (
        TextColumn("{task.fields[files]} files"),
        BarColumn(bar_width=None),
        DownloadColumn(),
        TextColumn("{task.fields[events]} events"),
        TimeRemainingColumn(compact=True),
    )
    # It is drawn when there is something new, and not by a thread: a process with threads cannot be copied.
    with Progress(*columns, console=console, transient=True, auto_refresh=False, expand=True) as bar:
        task = bar.add_task("", total=None, files="0", events="0")
        shown_at = 0.0

        def show(now: Reading) -> None:
            nonlocal shown_at
            if time.monotonic() - shown_at < _EVERY_SECONDS:
                return
            shown_at = time.monotonic()
            files = f"{now.files_done:,}/{now.files:,}"
            bar.update(task, completed=now.bytes_done, total=now.bytes, files=files, events=f"{now.events:,}")
            bar.refresh()

        yield show

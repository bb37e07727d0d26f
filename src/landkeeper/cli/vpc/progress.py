"""The progress bar of commands that go through accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from landkeeper.cli.output import stderr
from landkeeper.vpctracker.track import Progress as TrackProgress


@contextmanager
def showing_progress(vpcs: str = "VPCs", missed: str = "unreadable") -> Iterator[Callable[[TrackProgress], None]]:
    """A bar on stderr with accounts done, VPCs seen and unreadable so far; nothing where that is no terminal.

    `vpcs` and `missed` say what the two numbers are.
    """
    console = stderr()
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (
        TextColumn("Accounts"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(f"{{task.fields[vpcs]}} {vpcs}"),
        TextColumn(f"{{task.fields[unreadable]}} {missed}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, vpcs=0, unreadable=0)

        def show(now: TrackProgress) -> None:
            bar.update(task, completed=now.accounts_done, total=now.accounts, vpcs=now.vpcs, unreadable=now.unreadable)

        yield show

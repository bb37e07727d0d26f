"""The option `-o`: an answer in a file instead of on stdout."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_DEVICES = frozenset({"-", "/dev/stdout"})


class KeptAnswer(io.TextIOWrapper):
    """What a command has printed so far, until it is done and a file takes it."""

    def __init__(self) -> None:
        # Named, for it closes what is below it once nothing refers to it.
        self._content = io.BytesIO()
        super().__init__(self._content, encoding="utf-8", write_through=True)

    def text(self) -> str:
        """Return what was printed so far."""
        self.flush()
        return self._content.getvalue().decode()


def print_kept_answer() -> None:
    """Print on stderr what `-o` keeps from the terminal: nobody can agree to a plan that is not shown."""
    if isinstance(sys.stdout, KeptAnswer):
        sys.stderr.write(sys.stdout.text())


@contextmanager
def stdout_in(name: str) -> Iterator[None]:
    """What is printed on stdout is written to a file when the command is done. Where it fails the file stays.

    Whether the file can be written is checked before the command does anything. If it cannot in the end, as on a disk
    that is full by then, the answer goes to stdout: what the command has done may be named nowhere else.
    """
    from pathlib import Path

    from landkeeper.org import LandkeeperError
    from landkeeper.wiring.texts import check_writable, replace_file

    if name not in _DEVICES:
        check_writable(Path(name))
    before = sys.stdout
    answer = KeptAnswer()
    sys.stdout = answer
    try:
        yield
    finally:
        sys.stdout = before
    text = answer.text()
    if name in _DEVICES:
        before.write(text)
        return
    try:
        replace_file(Path(name), text.encode())
    except LandkeeperError:
        before.write(text)
        raise

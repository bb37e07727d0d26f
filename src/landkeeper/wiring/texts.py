"""The text of a policy or a configuration, wherever it is kept."""

from __future__ import annotations

from collections.abc import Callable

from landkeeper.aws.sessions import AccountSessions
from landkeeper.aws.texts import SCHEMES, read_remote_text
from landkeeper.settings import read_named_file


def read_text(where: str, sessions: Callable[[], AccountSessions], *, what: str) -> str:
    """The text at a path, `s3://bucket/key`, or `ssm:NAME`. Raises UsageError saying what is wrong with `what`."""
    if where.startswith(SCHEMES):
        return read_remote_text(where, sessions(), what=what)
    return read_named_file(where, what=what)

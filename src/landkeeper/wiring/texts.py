"""Texts that are kept: a policy or a configuration wherever it is, and files that are written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from landkeeper.org import UsageError
from landkeeper.settings import read_named_file

if TYPE_CHECKING:
    from landkeeper.aws.sessions import AccountSessions

_IN_AWS = ("s3://", "ssm:")


def read_text(where: str, sessions: Callable[[], AccountSessions], *, what: str) -> str:
    """The text at a path, `s3://bucket/key`, or `ssm:NAME`. Raises UsageError saying what is wrong with `what`."""
    if where.startswith(_IN_AWS):
        from landkeeper.aws.texts import read_remote_text

        return read_remote_text(where, sessions(), what=what)
    return read_named_file(where, what=what)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file of which the old content stays until all of the new one is there. Raises UsageError naming it."""
    new = path.with_name(f".{path.name}.part")
    try:
        try:
            new.write_bytes(content)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error

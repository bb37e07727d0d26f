"""Texts that are kept: a policy or a configuration wherever it is, and files that are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from landkeeper.org import UnavailableError, UsageError, decode_text

if TYPE_CHECKING:
    from pathlib import Path

    from landkeeper.aws.sessions import AccountSessions
    from landkeeper.org import AccountId


def is_in_aws(where: str) -> bool:
    """Whether that names an object in S3 or a parameter of Systems Manager, and no path."""
    return where.startswith(("s3://", "ssm:"))


def read_text(where: str, sessions: Callable[[], AccountSessions], *, what: str, owner: AccountId | None = None) -> str:
    """The text at a path, `s3://bucket/key`, or `ssm:NAME`. Raises UsageError saying what is wrong with `what`.

    `owner` is the account that a bucket has to belong to.
    """
    if is_in_aws(where):
        from landkeeper.aws.texts import read_remote_text

        return read_remote_text(where, sessions(), what=what, owner=owner)
    return read_named_file(where, what=what)


def read_named_file(file: str | Path, *, what: str) -> str:
    """The text of a file that a flag or a setting names. Raises UsageError saying what is wrong with `what`."""
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 - pathlib takes longer to import than most texts
            return decode_text(opened.read())
    except OSError as error:
        raise UsageError(f"the {what} {file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the {what} {file} is not text in UTF-8") from error


def write_new_file(path: Path, content: bytes) -> None:
    """Write a file that does not exist yet, whole or not at all.

    Raises UsageError naming it, UnavailableError where the disk is full.
    """
    try:
        with open(path, "xb") as opened:  # noqa: PTH123 - as above
            try:
                opened.write(content)
                opened.flush()
            except BaseException:
                path.unlink()
                raise
    except FileExistsError as error:
        raise UsageError(f"{path} exists and is not overwritten: choose another name") from error
    except OSError as error:
        raise _not_written(path, error) from error


def _not_written(path: Path, error: OSError) -> UsageError | UnavailableError:
    import errno

    kind = UnavailableError if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EIO} else UsageError
    return kind(f"{path} cannot be written: {error.strerror}")


def replace_file(path: Path, content: bytes) -> None:
    """Write a file of which the old content stays until all of the new one is there. Raises UsageError naming it.

    Raises UnavailableError where the disk is full.
    A new file is for its owner alone; one that is replaced keeps its mode. A symbolic link is replaced, not followed.
    What is no file, such as /dev/null or a named pipe, is written to and stays.
    """
    import os
    import stat
    import tempfile

    try:
        if _is_stream(path):
            with open(path, "wb") as opened:  # noqa: PTH123 - as above
                opened.write(content)
            return
        # A name that nobody can foresee, and an error where it exists: in a folder that others write to, nobody can
        # put a link there.
        descriptor, new = tempfile.mkstemp(".part", ".landkeeper-", path.parent)
        try:
            with open(descriptor, "wb") as opened:  # noqa: PTH123 - a descriptor
                opened.write(content)
                if path.is_file() and not path.is_symlink():
                    os.fchmod(descriptor, stat.S_IMODE(path.stat().st_mode))
            os.replace(new, path)  # noqa: PTH105 - the name is a string
        except BaseException:
            os.unlink(new)  # noqa: PTH108 - the name is a string
            raise
    except OSError as error:
        raise _not_written(path, error) from error


def check_writable(path: Path) -> None:
    """Raise what `replace_file` would raise if it cannot write there. No file is changed."""
    import errno
    import os
    import tempfile

    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not _is_stream(path):
            with tempfile.NamedTemporaryFile(prefix=".landkeeper-", suffix=".part", dir=path.parent):
                pass
    except OSError as error:
        raise _not_written(path, error) from error


def _is_stream(path: Path) -> bool:
    """Whether that is a terminal, a pipe or the like. A link counts only below /dev, where nobody else can put one."""
    if not path.exists() or (path.is_symlink() and path.parts[:2] != ("/", "dev")):
        return False
    return path.is_char_device() or path.is_fifo()

"""Open Landkeeper's SQLite files: new ones for their owner alone, and never a file of another program.

A file carries `APPLICATION_ID`. Files of earlier versions carry none: their tables identify them, and they are stamped
when they are next opened to write.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from landkeeper.org import well_formed

APPLICATION_ID = 0x4C4B5052
"""Which program a file belongs to (SQLite's documentation, "PRAGMA application_id")."""

_EARLIER_TABLES = {
    "vpcs": {"vpc_id", "owner_id", "version", "item"},
    "broom_cases": {"instance_id", "version", "item"},
}
"""The tables by which a file without an id is known, each with columns that it has had from the beginning."""


class _Connection(sqlite3.Connection):
    """A connection that takes text which is not Unicode: half of a pair of surrogates is stored as it is shown.

    Names of AWS's come in JSON, which can hold them, and so do words of a command line that are not UTF-8.
    """

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Execute the statement."""
        try:
            return super().execute(sql, parameters)
        except UnicodeEncodeError:
            return super().execute(sql, _well_formed(parameters))

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        """Execute the statement with each of the parameters."""
        return super().executemany(sql, map(_well_formed, parameters))


def _well_formed(parameters: Sequence[object]) -> tuple[object, ...]:
    return tuple(well_formed(value) if isinstance(value, str) else value for value in parameters)


class ForeignFileError(sqlite3.DatabaseError):
    """The file belongs to another program."""

    def __init__(self) -> None:
        """Name what is wrong; the caller names the file."""
        super().__init__("this is not a Landkeeper file (another program made it)")


def is_wrong_file(error: sqlite3.Error) -> bool:
    """Return whether another file has to be named: this one is no database, another program's, or cannot be there."""
    name = getattr(error, "sqlite_errorname", "")
    return isinstance(error, ForeignFileError) or name.startswith(("SQLITE_NOTADB", "SQLITE_CANTOPEN"))


def create_private_file(path: Path) -> None:
    """Create an empty file that only its owner may read, where there is none; SQLite's files beside it follow suit.

    A file that exists keeps its mode. Where none can be created, opening it says why.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def open_to_write(path: Path, timeout_seconds: float) -> sqlite3.Connection:
    """Return a connection to the file, which is created where there is none.

    Raises sqlite3.Error; ForeignFileError for a file of another program, which stays as it is.
    """
    create_private_file(path)
    connection = _connect(path, "mode=rw", timeout_seconds)
    try:
        _check(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def open_to_read(
    path: Path, timeout_seconds: float, is_current: Callable[[sqlite3.Connection], bool]
) -> sqlite3.Connection:
    """Return a connection through which nothing in the file, or beside it, changes.

    Where the file is not current, as one that lacks tables, the connection is to a copy in memory, which may be brought
    up to date. Raises as `open_to_write` does, and what `is_current` raises.
    """
    connection = _connect_to_read(path, timeout_seconds)
    try:
        connection.execute("BEGIN")
        _check(connection)
        if is_current(connection):
            connection.execute("COMMIT")
            return connection
        copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, factory=_Connection)
        connection.backup(copy)
    except BaseException:
        connection.close()
        raise
    connection.close()
    return copy


def is_stamped(connection: sqlite3.Connection) -> bool:
    """Return whether the file carries Landkeeper's id."""
    return _application_id(connection) == APPLICATION_ID


def stamp(connection: sqlite3.Connection) -> None:
    """Write Landkeeper's id into the file."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def refuse_writes(connection: sqlite3.Connection) -> None:
    """Let every write through this connection fail."""
    connection.execute("PRAGMA query_only = ON")


def has_table(connection: sqlite3.Connection, name: str, *columns: str) -> bool:
    """Return whether the file has a table of that name with at least these columns."""
    found = {row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (name,))}
    return bool(found) and found.issuperset(columns)


def _check(connection: sqlite3.Connection) -> None:
    """Raise ForeignFileError for a file of another program. An empty one belongs to nobody yet."""
    found = _application_id(connection)
    if found == APPLICATION_ID:
        return
    if found == 0:
        (objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not objects or any(has_table(connection, name, *columns) for name, columns in _EARLIER_TABLES.items()):
            return
    raise ForeignFileError


def _application_id(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA application_id").fetchone()[0])


def _connect(path: Path, mode: str, timeout_seconds: float) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=timeout_seconds,
        isolation_level=None,
        check_same_thread=False,
        factory=_Connection,
    )


def _connect_to_read(path: Path, timeout_seconds: float) -> sqlite3.Connection:
    """Return a connection that refuses to write.

    While there is a write-ahead log it can be read without a change to anything. Where there is none, a read-only
    connection would leave one behind, and one that may write removes it again. Where nothing can be made beside the
    file, nobody writes to it either (SQLite's documentation, "Read-Only Databases" in "Write-Ahead Logging").
    """
    if _has_log(path):
        return _connect_and_look(path, "mode=ro", timeout_seconds)
    try:
        return _connect_and_look(path, "mode=rw", timeout_seconds)
    except sqlite3.OperationalError as error:
        if not error.sqlite_errorname.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY")):
            raise
    return _connect_and_look(path, "mode=ro&immutable=1", timeout_seconds)


def _has_log(path: Path) -> bool:
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size > 0
    except OSError:
        return False


def _connect_and_look(path: Path, mode: str, timeout_seconds: float) -> sqlite3.Connection:
    """Return a connection of which it is known that the file can be read with it."""
    connection = _connect(path, mode, timeout_seconds)
    try:
        refuse_writes(connection)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection

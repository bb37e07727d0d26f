"""A SQLite file that many may read while one writes."""

from __future__ import annotations

import sqlite3
import time

_PAUSE_SECONDS = 0.005


def use_write_ahead_log(connection: sqlite3.Connection, wait_seconds: float) -> None:
    """Turn the file over to a write-ahead log, where it has none yet. Raises sqlite3.Error where that cannot be done.

    SQLite's own time limit does not hold here: of two that turn over the same new file, one is told at once that it
    is locked, lest they wait for each other (SQLite's documentation, "Register A Callback To Handle SQLITE_BUSY
    Errors"). The other is done in an instant, so asking again is enough.
    """
    give_up_at = time.monotonic() + wait_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > give_up_at:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return

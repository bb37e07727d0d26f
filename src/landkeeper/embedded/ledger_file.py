"""Broom's ledger in a SQLite file: the same cases as in DynamoDB, without a deployment."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from landkeeper.broom.case import Case, State, due_cases
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.stored_case import LedgerError, WrongLedgerError, case_to_record, parse_case
from landkeeper.broom.switch import SWITCH_KEY, ActionSwitch, parse_switch, switch_to_record
from landkeeper.embedded.database import (
    has_table,
    is_stamped,
    is_wrong_file,
    open_to_read,
    open_to_write,
    refuse_writes,
    stamp,
)

_LOCK_TIMEOUT_SECONDS = 10.0
_SCHEMA = (
    (
        "CREATE TABLE IF NOT EXISTS broom_cases (instance_id TEXT PRIMARY KEY, version INTEGER NOT NULL,"
        " item TEXT NOT NULL, expires_at INTEGER) WITHOUT ROWID"
    ),
    (
        "CREATE TABLE IF NOT EXISTS broom_counters (counter TEXT PRIMARY KEY, taken INTEGER NOT NULL,"
        " expires_at TEXT NOT NULL) WITHOUT ROWID"
    ),
    "CREATE TABLE IF NOT EXISTS broom_switches (switch TEXT PRIMARY KEY, item TEXT NOT NULL) WITHOUT ROWID",
)


_SELECT = "SELECT item FROM broom_cases WHERE (expires_at IS NULL OR expires_at > ?)"
"""Those cases whose time is not over."""


class LedgerFile:
    """Broom's `Ledger` in a SQLite file. Safe to use from several threads, and from several processes."""

    def __init__(
        self,
        path: Path,
        *,
        to_write: bool = True,
        keep: timedelta | None = None,
        lock_timeout_seconds: float = _LOCK_TIMEOUT_SECONDS,
    ) -> None:
        """Open the file. `to_write` creates it, and the tables in it, where there are none.

        A file that is opened to read stays as it is. Raises LedgerError where it is not a Landkeeper file, or cannot be
        opened. `keep` is how long cases stay once they are settled; None for good.
        """
        self._path = path
        self._keep = keep
        self._is_swept = False
        self._lock = threading.Lock()
        with self._explaining():
            self._connection = (
                open_to_write(path, lock_timeout_seconds)
                if to_write
                else open_to_read(path, lock_timeout_seconds, _is_current)
            )
        try:
            with self._explaining():
                if not _is_current(self._connection) or (to_write and not is_stamped(self._connection)):
                    self._create_tables()
                if not to_write:
                    refuse_writes(self._connection)
        except LedgerError:
            self._connection.close()
            raise

    def _create_tables(self) -> None:
        """Create what is missing, the column for expiry in an older file included, and stamp the file."""
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection as connection:
            for statement in _SCHEMA:
                connection.execute(statement)
            if not has_table(connection, "broom_cases", "expires_at"):
                connection.execute("ALTER TABLE broom_cases ADD COLUMN expires_at INTEGER")
            stamp(connection)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def find_cases(self, ids: Sequence[InstanceId]) -> Mapping[InstanceId, Case]:
        """Return the stored cases of these instances."""
        query = f"{_SELECT} AND instance_id = ?"
        with self._explaining(), self._lock:
            rows = [(id_, self._connection.execute(query, (_now(), id_)).fetchone()) for id_ in ids]
        return {id_: parse_case(self._parse(row[0])) for id_, row in rows if row is not None}

    def list_cases(
        self, state: State, *, due_after: datetime | None = None, due_before: datetime | None = None
    ) -> Iterator[Case]:
        """Yield the cases in a state, the next due first; with times, only those that are due between them."""
        with self._explaining(), self._lock:
            rows = self._connection.execute(_SELECT, (_now(),)).fetchall()
        yield from due_cases((parse_case(self._parse(row[0])) for row in rows), state, due_after, due_before)

    def write_case(self, case: Case) -> bool:
        """Write a case and return True if its version follows the stored one; else write nothing and return False."""
        self._forget_expired()
        write_id = uuid4().hex
        item = json.dumps({**case_to_record(case), "WriteId": write_id})
        expires_at = None
        if self._keep is not None and case.is_settled:
            expires_at = int((case.changed_at + self._keep).timestamp())
        if case.version == 1:
            is_written = self._changes(
                "INSERT INTO broom_cases (instance_id, version, item, expires_at) VALUES (?, 1, ?, ?)"
                " ON CONFLICT (instance_id) DO UPDATE SET version = 1, item = excluded.item,"
                " expires_at = excluded.expires_at WHERE expires_at <= ?",
                (case.instance_id, item, expires_at, _now()),
            )
        else:
            is_written = self._changes(
                "UPDATE broom_cases SET version = ?, item = ?, expires_at = ? WHERE instance_id = ? AND version = ?",
                (case.version, item, expires_at, case.instance_id, case.version - 1),
            )
        return is_written or self._has_written(case.instance_id, write_id)

    def _has_written(self, id_: InstanceId, write_id: str) -> bool:
        """Return whether the stored case is that very write: a statement that was repeated finds its own."""
        query = "SELECT item FROM broom_cases WHERE instance_id = ?"
        with self._explaining(), self._lock:
            row = self._connection.execute(query, (id_,)).fetchone()
        return row is not None and self._parse(row[0]).get("WriteId") == write_id

    def _forget_expired(self) -> None:
        """Remove expired cases and counters, once each time the file is opened to write."""
        if self._is_swept:
            return
        self._is_swept = True
        with self._explaining(), self._lock:
            self._connection.execute("DELETE FROM broom_cases WHERE expires_at <= ?", (_now(),))
            self._connection.execute("DELETE FROM broom_counters WHERE expires_at <= ?", (_utc().isoformat(),))

    def take(self, counter: str, limit: int, expires_at: datetime) -> bool:
        """Add one to a counter and return True if it stays within `limit`; else add nothing and return False."""
        if limit < 1:
            return False
        return self._changes(
            "INSERT INTO broom_counters (counter, taken, expires_at) VALUES (?, 1, ?)"
            " ON CONFLICT (counter) DO UPDATE SET taken = taken + 1, expires_at = excluded.expires_at WHERE taken < ?",
            (counter, expires_at.isoformat(), limit),
        )

    def read_switch(self) -> ActionSwitch:
        """Return the kill switch; one that was never turned is on."""
        query = "SELECT item FROM broom_switches WHERE switch = ?"
        with self._explaining(), self._lock:
            row = self._connection.execute(query, (SWITCH_KEY,)).fetchone()
        return parse_switch(self._parse(row[0])) if row is not None else ActionSwitch()

    def write_switch(self, switch: ActionSwitch) -> None:
        """Store the kill switch, whatever is stored now."""
        self._changes(
            "INSERT INTO broom_switches (switch, item) VALUES (?, ?)"
            " ON CONFLICT (switch) DO UPDATE SET item = excluded.item",
            (SWITCH_KEY, json.dumps(switch_to_record(switch))),
        )

    def _changes(self, statement: str, values: tuple[object, ...]) -> bool:
        with self._explaining(), self._lock:
            return self._connection.execute(statement, values).rowcount == 1

    def _parse(self, item: str) -> Mapping[str, Any]:
        try:
            record: Mapping[str, Any] = json.loads(item)
        except ValueError as error:
            raise LedgerError(f"'{self._path}' holds a record that is not JSON: {error}") from error
        return record

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            kind = WrongLedgerError if is_wrong_file(error) else LedgerError
            raise kind(f"the file '{self._path}' cannot be used as a ledger: {error}") from error


def _is_current(connection: sqlite3.Connection) -> bool:
    return has_table(connection, "broom_cases", "expires_at") and all(
        has_table(connection, name) for name in ("broom_counters", "broom_switches")
    )


def _utc() -> datetime:
    return datetime.now(UTC)


def _now() -> int:
    return int(_utc().timestamp())

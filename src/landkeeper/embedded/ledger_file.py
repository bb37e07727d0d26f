"""Broom's ledger in a SQLite file: the same cases as in DynamoDB, without a deployment."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from landkeeper.broom.case_record import LedgerError, case_to_record, parse_case
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.ledger import Case, State, due_cases

_LOCK_TIMEOUT_SECONDS = 10.0
_SCHEMA = (
    (
        "CREATE TABLE IF NOT EXISTS broom_cases (instance_id TEXT PRIMARY KEY, version INTEGER NOT NULL,"
        " item TEXT NOT NULL) WITHOUT ROWID"
    ),
    (
        "CREATE TABLE IF NOT EXISTS broom_counters (counter TEXT PRIMARY KEY, taken INTEGER NOT NULL,"
        " expires_at TEXT NOT NULL) WITHOUT ROWID"
    ),
)


class LedgerFile:
    """Broom's `Ledger` in a SQLite file. Safe to use from several threads, and from several processes."""

    def __init__(self, path: Path, *, lock_timeout_seconds: float = _LOCK_TIMEOUT_SECONDS) -> None:
        """Opens the file, and makes it where there is none. Raises LedgerError where that is not possible."""
        self._path = path
        self._lock = threading.Lock()
        with self._explaining():
            self._connection = sqlite3.connect(
                path, timeout=lock_timeout_seconds, isolation_level=None, check_same_thread=False
            )
        try:
            with self._explaining():
                for statement in _SCHEMA:
                    self._connection.execute(statement)
        except LedgerError:
            self._connection.close()
            raise

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def find_cases(self, ids: Sequence[InstanceId]) -> Mapping[InstanceId, Case]:
        """The cases there are of these instances, as last written."""
        query = "SELECT item FROM broom_cases WHERE instance_id = ?"
        with self._explaining(), self._lock:
            rows = [(id_, self._connection.execute(query, (id_,)).fetchone()) for id_ in ids]
        return {id_: parse_case(self._parse(row[0])) for id_, row in rows if row is not None}

    def list_cases(
        self, state: State, *, due_after: datetime | None = None, due_before: datetime | None = None
    ) -> Iterator[Case]:
        """The cases in a state, the one that is due first coming first; with times, those that are due between them."""
        with self._explaining(), self._lock:
            rows = self._connection.execute("SELECT item FROM broom_cases").fetchall()
        yield from due_cases((parse_case(self._parse(row[0])) for row in rows), state, due_after, due_before)

    def write_case(self, case: Case) -> bool:
        """Write a case whose version is one above the stored one. False, and nothing written, where it is not."""
        item = json.dumps(case_to_record(case))
        if case.version == 1:
            return self._changes(
                "INSERT INTO broom_cases (instance_id, version, item) VALUES (?, 1, ?) ON CONFLICT DO NOTHING",
                (case.instance_id, item),
            )
        return self._changes(
            "UPDATE broom_cases SET version = ?, item = ? WHERE instance_id = ? AND version = ?",
            (case.version, item, case.instance_id, case.version - 1),
        )

    def take(self, counter: str, limit: int, expires_at: datetime) -> bool:
        """Add one to a counter that may not go above `limit`. False, and nothing added, where it would."""
        if limit < 1:
            return False
        return self._changes(
            "INSERT INTO broom_counters (counter, taken, expires_at) VALUES (?, 1, ?)"
            " ON CONFLICT (counter) DO UPDATE SET taken = taken + 1, expires_at = excluded.expires_at WHERE taken < ?",
            (counter, expires_at.isoformat(), limit),
        )

    def _changes(self, statement: str, values: tuple[object, ...]) -> bool:
        with self._explaining(), self._lock:
            return self._connection.execute(statement, values).rowcount == 1

    def _parse(self, item: str) -> Mapping[str, Any]:
        try:
            record: Mapping[str, Any] = json.loads(item)
        except ValueError as error:
            raise LedgerError(f"'{self._path}' holds a case that is not JSON: {error}") from error
        return record

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise LedgerError(f"the file '{self._path}' cannot be used as a ledger: {error}") from error

"""The store of VPC Tracker in one SQLite file: the same records as in DynamoDB, without a deployment."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landkeeper.vpctracker.attributes import (
    Attributes,
    coverage_from_attributes,
    coverage_to_attributes,
    history_of,
    vpc_from_attributes,
    vpc_to_attributes,
)
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.ports import StoreError

if TYPE_CHECKING:
    from landkeeper.org import AccountId
    from landkeeper.vpctracker.inventory import Change, StoredVpc, VpcKey

SCHEMA_VERSION = 1
"""`PRAGMA user_version` of the files that this version writes."""

_LOCK_TIMEOUT_SECONDS = 10.0
_SCHEMA = (
    (
        "CREATE TABLE IF NOT EXISTS vpcs (vpc_id TEXT, owner_id TEXT, version INTEGER NOT NULL, item TEXT NOT NULL,"
        " PRIMARY KEY (vpc_id, owner_id)) WITHOUT ROWID"
    ),
    "CREATE INDEX IF NOT EXISTS vpcs_by_owner ON vpcs (owner_id)",
    (
        "CREATE TABLE IF NOT EXISTS vpc_history (vpc_id TEXT, at TEXT, item TEXT NOT NULL, PRIMARY KEY (vpc_id, at))"
        " WITHOUT ROWID"
    ),
    "CREATE TABLE IF NOT EXISTS vpc_coverage (account_id TEXT PRIMARY KEY, item TEXT NOT NULL) WITHOUT ROWID",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)


class VpcFile:
    """The tracker's `VpcStore` in a SQLite file. Safe to use from several threads, and from several processes."""

    def __init__(self, path: Path, *, lock_timeout_seconds: float = _LOCK_TIMEOUT_SECONDS) -> None:
        """Opens the file, and makes it where there is none. Raises StoreError where that is not possible."""
        self._path = path
        self._lock = threading.Lock()
        with self._explaining():
            self._connection = sqlite3.connect(
                path, timeout=lock_timeout_seconds, isolation_level=None, check_same_thread=False
            )
        try:
            self._prepare()
        except StoreError:
            self._connection.close()
            raise

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def read_owned(self, account: AccountId) -> Sequence[StoredVpc]:
        """What the account owns, deleted ones included."""
        rows = self._rows("SELECT item FROM vpcs WHERE owner_id = ? ORDER BY vpc_id", account)
        return [vpc_from_attributes(row) for row in rows]

    def read_items(self, keys: Collection[VpcKey]) -> Sequence[StoredVpc]:
        """Those of the keys that are stored."""
        query = "SELECT item FROM vpcs WHERE vpc_id = ? AND owner_id = ?"
        return [vpc_from_attributes(row) for key in sorted(keys) for row in self._rows(query, *key)]

    def read_all(self) -> Iterable[StoredVpc]:
        """Everything, deleted ones included."""
        return [vpc_from_attributes(row) for row in self._rows("SELECT item FROM vpcs ORDER BY owner_id, vpc_id")]

    def write_changes(self, changes: Sequence[Change]) -> Sequence[Change]:
        """Write each change with its history entry, in one transaction; answers those that came too late."""
        if not changes:
            return []
        with self._transaction():
            return [change for change in changes if not self._write(change)]

    def read_coverage(self, account: AccountId) -> Coverage:
        """What is known of the account; an empty Coverage for one that was never tried."""
        rows = self._rows("SELECT item FROM vpc_coverage WHERE account_id = ?", account)
        return coverage_from_attributes(rows[0]) if rows else Coverage(account)

    def write_coverage(self, coverage: Coverage) -> None:
        """Replace what is known of the account."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO vpc_coverage VALUES (?, ?)",
                (coverage.account, _json(coverage_to_attributes(coverage))),
            )

    def read_all_coverage(self) -> Iterable[Coverage]:
        """What is known of every account that was ever tried."""
        rows = self._rows("SELECT item FROM vpc_coverage ORDER BY account_id")
        return [coverage_from_attributes(row) for row in rows]

    def read_history(self, vpc: str) -> Sequence[Attributes]:
        """The history of one VPC as stored, oldest first."""
        return self._rows("SELECT item FROM vpc_history WHERE vpc_id = ? ORDER BY at", vpc)

    def _write(self, change: Change) -> bool:
        vpc = change.after.vpc
        item = _json(vpc_to_attributes(change.after))
        if change.expected_version == 0:
            done = self._connection.execute(
                "INSERT OR IGNORE INTO vpcs VALUES (?, ?, ?, ?)", (vpc.id, vpc.owner, change.after.version, item)
            )
        else:
            done = self._connection.execute(
                "UPDATE vpcs SET version = ?, item = ? WHERE vpc_id = ? AND owner_id = ? AND version = ?",
                (change.after.version, item, vpc.id, vpc.owner, change.expected_version),
            )
        if done.rowcount == 0:
            return False
        entry = history_of(change)
        self._connection.execute("INSERT INTO vpc_history VALUES (?, ?, ?)", (vpc.id, entry["At"], _json(entry)))
        return True

    def _prepare(self) -> None:
        with self._explaining():
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            self._connection.execute("PRAGMA journal_mode = WAL")
        if version > SCHEMA_VERSION:
            raise StoreError(f"{self._path} was written by a newer Landkeeper (schema {version}): update Landkeeper")
        if version < SCHEMA_VERSION or not self._has_tables():
            with self._transaction() as connection:
                for statement in _SCHEMA:
                    connection.execute(statement)

    def _has_tables(self) -> bool:
        with self._explaining():
            found = self._connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'vpc_coverage'")
            return bool(found.fetchone()[0])

    def _rows(self, query: str, *values: str) -> list[Attributes]:
        with self._lock, self._explaining():
            return [json.loads(row[0]) for row in self._connection.execute(query, values)]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._explaining():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {_reason(error)}") from error
        except json.JSONDecodeError as error:
            raise StoreError(f"{self._path}: an item in it is not JSON ({error})") from error


def _reason(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_NOTADB":
        return "this is not a Landkeeper file (not SQLite)"
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another program has locked it; try again when that is done"
    if name.startswith("SQLITE_CANTOPEN"):
        return "it cannot be opened or made there"
    if name.startswith("SQLITE_READONLY"):
        return "it cannot be written"
    return str(error)


def _json(item: Mapping[str, Any]) -> str:
    return json.dumps(item, ensure_ascii=False, separators=(",", ":"))

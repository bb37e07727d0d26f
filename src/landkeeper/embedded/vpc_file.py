"""The store of VPC Tracker in one SQLite file: the same records as in DynamoDB, without a deployment."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from landkeeper.embedded.database import (
    has_table,
    is_stamped,
    is_wrong_file,
    open_to_read,
    open_to_write,
    refuse_writes,
    stamp,
)
from landkeeper.embedded.write_ahead import use_write_ahead_log
from landkeeper.vpctracker.attributes import (
    Attributes,
    after_entries_at,
    coverage_from_attributes,
    coverage_to_attributes,
    history_of,
    vpc_from_attributes,
    vpc_to_attributes,
)
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.differences import describe_omissions
from landkeeper.vpctracker.ports import StoreError, WrongStoreError
from landkeeper.vpctracker.schema import SCHEMA_VERSION, NewerItemError, known_items, stamped, upgraded

if TYPE_CHECKING:
    from datetime import datetime

    from landkeeper.org import AccountId
    from landkeeper.vpctracker.differences import Change
    from landkeeper.vpctracker.inventory import StoredVpc, VpcKey
    from landkeeper.vpctracker.notices.news import Noticed

_LOCK_TIMEOUT_SECONDS = 10.0
_MIGRATIONS: Mapping[int, Sequence[str]] = {
    0: (
        (
            "CREATE TABLE IF NOT EXISTS vpcs (vpc_id TEXT, owner_id TEXT, version INTEGER NOT NULL, item TEXT NOT NULL,"
            " PRIMARY KEY (vpc_id, owner_id)) WITHOUT ROWID"
        ),
        "CREATE INDEX IF NOT EXISTS vpcs_by_owner ON vpcs (owner_id)",
        (
            "CREATE TABLE IF NOT EXISTS vpc_history (vpc_id TEXT, at TEXT, item TEXT NOT NULL,"
            " PRIMARY KEY (vpc_id, at)) WITHOUT ROWID"
        ),
        "CREATE TABLE IF NOT EXISTS vpc_coverage (account_id TEXT PRIMARY KEY, item TEXT NOT NULL) WITHOUT ROWID",
    ),
    1: (
        (
            "CREATE TABLE IF NOT EXISTS vpc_noticed (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL,"
            " item TEXT NOT NULL)"
        ),
    ),
}
"""What makes a file of that schema one of the next; `PRAGMA user_version` says which it is. Items carry theirs too."""

_COVERAGE_QUERY = "SELECT item FROM vpc_coverage WHERE account_id = ?"


def _log(sentence: str) -> None:
    import logging

    logging.getLogger(__name__).warning(sentence)


class VpcFile:
    """The tracker's `VpcStore` in a SQLite file. Safe to use from several threads, and from several processes."""

    _OTHER_TABLES: ClassVar[Sequence[str]] = ()
    """What a class below this one keeps in the file besides."""

    def __init__(
        self,
        path: Path,
        *,
        to_write: bool = True,
        lock_timeout_seconds: float = _LOCK_TIMEOUT_SECONDS,
        say: Callable[[str], object] = _log,
    ) -> None:
        """Open the file. `to_write` creates it where there is none, and brings an older one to the present schema.

        A file that is opened to read stays as it is, whatever its schema. `say` gets a sentence for items that are left
        out. Raises StoreError where the file is not a Landkeeper file, or is too new.
        """
        self._path = path
        self._say = say
        self._wait_seconds = lock_timeout_seconds
        self._lock = threading.Lock()
        with self._explaining():
            self._connection = (
                open_to_write(path, lock_timeout_seconds)
                if to_write
                else open_to_read(path, lock_timeout_seconds, self._is_current)
            )
        try:
            self._prepare(to_write=to_write)
        except StoreError:
            self._connection.close()
            raise

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def read_owned(self, account: AccountId) -> Sequence[StoredVpc]:
        """What the account owns, deleted ones included."""
        rows = self._rows("SELECT item FROM vpcs WHERE owner_id = ? ORDER BY vpc_id", account)
        return [vpc_from_attributes(row) for row in self._known(rows)]

    def read_items(self, keys: Collection[VpcKey]) -> Sequence[StoredVpc]:
        """Those of the keys that are stored. Raises StoreError for one that a newer Landkeeper wrote."""
        query = "SELECT item FROM vpcs WHERE vpc_id = ? AND owner_id = ?"
        return [vpc_from_attributes(upgraded(row)) for key in sorted(keys) for row in self._rows(query, *key)]

    def read_all(self) -> Iterable[StoredVpc]:
        """Everything, deleted ones included."""
        rows = self._rows("SELECT item FROM vpcs ORDER BY owner_id, vpc_id")
        return [vpc_from_attributes(row) for row in self._known(rows)]

    def read_all_attributes(self) -> Iterable[Attributes]:
        """Everything as it is stored, unchecked and of whatever schema."""
        return self._rows("SELECT item FROM vpcs ORDER BY owner_id, vpc_id")

    def write_changes(self, changes: Sequence[Change]) -> Sequence[Change]:
        """Write each change with its history entry, in one transaction; answers those that came too late."""
        if not changes:
            return []
        for sentence in describe_omissions(changes):
            self._say(sentence)
        with self._transaction():
            return [change for change in changes if not self._write(change)]

    def read_coverage(self, account: AccountId) -> Coverage:
        """What is known of the account; an empty Coverage for one that was never tried."""
        rows = self._rows(_COVERAGE_QUERY, account)
        return coverage_from_attributes(upgraded(rows[0])) if rows else Coverage(account)

    def write_coverage(self, coverage: Coverage) -> bool:
        """Replace what is known of the account, one version on; False where somebody else wrote it meanwhile."""
        item = as_json(stamped(coverage_to_attributes(replace(coverage, version=coverage.version + 1))))
        with self._transaction() as connection:
            for row in connection.execute(_COVERAGE_QUERY, (coverage.account,)):
                if int(upgraded(json.loads(row[0])).get("Version", 0)) != coverage.version:
                    return False
            connection.execute("INSERT OR REPLACE INTO vpc_coverage VALUES (?, ?)", (coverage.account, item))
        return True

    def read_all_coverage(self) -> Iterable[Coverage]:
        """What is known of every account that was ever tried."""
        rows = self._rows("SELECT item FROM vpc_coverage ORDER BY account_id")
        return [coverage_from_attributes(row) for row in self._known(rows)]

    def read_history(self, vpc: str) -> Sequence[Attributes]:
        """The history of one VPC as stored, oldest first."""
        return list(self._known(self._rows("SELECT item FROM vpc_history WHERE vpc_id = ? ORDER BY at", vpc)))

    def read_all_history(self, since: datetime | None = None) -> Iterable[Attributes]:
        """The history of every VPC: by VPC, and of each the oldest first; only what came after `since`, if given."""
        after = "" if since is None else after_entries_at(since)
        return list(self._known(self._rows("SELECT item FROM vpc_history WHERE at > ? ORDER BY vpc_id, at", after)))

    def read_noticed(self) -> Noticed:
        """What the topic was told so far; an empty Noticed where nothing ever was."""
        from landkeeper.vpctracker.notices.news import Noticed

        rows = self._rows("SELECT item FROM vpc_noticed")
        return Noticed(frozenset(rows[0]["Told"]), rows[0]["Version"]) if rows else Noticed()

    def write_noticed(self, noticed: Noticed) -> bool:
        """Replace what is stored if that is of the version before; False when somebody else wrote meanwhile."""
        item = as_json({"Told": sorted(noticed.told), "Version": noticed.version})
        with self._transaction() as connection:
            done = connection.execute(
                "INSERT INTO vpc_noticed SELECT 1, ?, ? WHERE ? = coalesce((SELECT version FROM vpc_noticed), 0) + 1"
                " ON CONFLICT DO UPDATE SET version = excluded.version, item = excluded.item",
                (noticed.version, item, noticed.version),
            )
        return done.rowcount == 1

    def _write(self, change: Change) -> bool:
        vpc = change.after.vpc
        item = as_json(stamped(vpc_to_attributes(change.after)))
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
        entry = stamped(history_of(change))
        self._connection.execute("INSERT INTO vpc_history VALUES (?, ?, ?)", (vpc.id, entry["At"], as_json(entry)))
        return True

    def _prepare(self, *, to_write: bool) -> None:
        with self._explaining():
            if to_write:
                use_write_ahead_log(self._connection, self._wait_seconds)
            if self._is_current(self._connection) and (is_stamped(self._connection) or not to_write):
                return
        with self._transaction() as connection:
            # Asked again: another process may have brought the file up to date meanwhile, or further.
            for step in range(self._schema(connection), SCHEMA_VERSION):
                for statement in _MIGRATIONS[step]:
                    connection.execute(statement)
            for statement in self._OTHER_TABLES:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            stamp(connection)
        if not to_write:
            refuse_writes(self._connection)

    def _is_current(self, connection: sqlite3.Connection) -> bool:
        """Whether the file has all tables of the present schema. Raises NewerItemError for one of a later schema."""
        return self._schema(connection) == SCHEMA_VERSION

    def _schema(self, connection: sqlite3.Connection) -> int:
        """Return the schema of the tracker's tables in the file, 0 where it has none.

        Raises NewerItemError for a later one.
        """
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise NewerItemError(str(self._path), version)
        return int(version) if has_table(connection, "vpc_coverage") else 0

    def _known(self, rows: Iterable[Attributes]) -> Iterator[Attributes]:
        return known_items(rows, self._say)

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
            kind = WrongStoreError if is_wrong_file(error) else StoreError
            raise kind(f"{self._path}: {_reason(error)}") from error
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


def as_json(item: Mapping[str, Any]) -> str:
    """The item as it is stored."""
    return json.dumps(item, ensure_ascii=False, separators=(",", ":"))

"""What was found in log files, kept in a SQLite file: the second policy on the same logs does not read them again.

It is a convenience. Whatever is wrong with the file, the logs are read then; nothing fails because of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from landkeeper.broom.cloudtrail.scan import Scanned
from landkeeper.broom.cloudtrail.scan_text import read_scanned, write_scanned
from landkeeper.embedded.database import create_private_file
from landkeeper.embedded.write_ahead import use_write_ahead_log

_SCHEMA = """
CREATE TABLE IF NOT EXISTS scanned (
  name TEXT PRIMARY KEY, stamp TEXT NOT NULL, reader TEXT NOT NULL, digest BLOB NOT NULL, found TEXT NOT NULL
) WITHOUT ROWID
"""
_ASKED_AT_ONCE = 500
_BUSY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class KeptScan:
    """A file, and what was found in it."""

    name: str
    """Its path, or its address in S3."""
    stamp: str
    """What changes when the file does."""
    digest: bytes
    """The same for files of the same content."""
    scanned: Scanned


class ScanCache:
    """Keeps scans. What was kept by other code (`reader`), or of a file that has changed, is not found."""

    def __init__(self, file: Path, reader: str) -> None:
        """Open or make the file. One that is not a cache, or broken, is made anew."""
        self._file = file
        self._reader = reader
        self.trouble = ""
        """Why nothing is kept, or not everything; empty where all is well."""
        self._db = self._open() or self._open_anew()

    def find(self, wanted: Iterable[tuple[str, str]]) -> Iterator[KeptScan]:
        """Those of the files, each a name and a stamp, that were kept."""
        stamps = dict(wanted)
        names = list(stamps)
        for start in range(0, len(names), _ASKED_AT_ONCE):
            for name, stamp, digest, found in self._select(names[start : start + _ASKED_AT_ONCE]):
                scanned = read_scanned(found) if stamp == stamps[name] else None
                if scanned is not None:
                    yield KeptScan(name, stamp, digest, scanned)

    def keep(self, scans: Sequence[KeptScan]) -> None:
        """Keep these."""
        rows = [(scan.name, scan.stamp, self._reader, scan.digest, write_scanned(scan.scanned)) for scan in scans]
        if self._db is None:
            return
        try:
            with self._db:
                self._db.executemany("INSERT OR REPLACE INTO scanned VALUES (?, ?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self) -> None:
        """Let go of the file."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _select(self, names: Sequence[str]) -> list[tuple[str, str, bytes, str]]:
        if self._db is None:
            return []
        marks = ", ".join("?" * len(names))
        query = f"SELECT name, stamp, digest, found FROM scanned WHERE reader = ? AND name IN ({marks})"  # noqa: S608
        try:
            return self._db.execute(query, (self._reader, *names)).fetchall()
        except sqlite3.Error as error:
            self._give_up(error)
            return []

    def _open(self) -> sqlite3.Connection | None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            create_private_file(self._file)
            db = sqlite3.connect(self._file, timeout=_BUSY_SECONDS)
            try:
                use_write_ahead_log(db, _BUSY_SECONDS)
                db.execute("PRAGMA synchronous = NORMAL")
                db.execute(_SCHEMA)
                db.execute("SELECT name, stamp, reader, digest, found FROM scanned LIMIT 1").fetchone()
            except sqlite3.Error:
                db.close()
                raise
        except (sqlite3.Error, OSError) as error:
            self.trouble = str(error)
            return None
        self.trouble = ""
        return db

    def _open_anew(self) -> sqlite3.Connection | None:
        """The same in place of a file that is of no use; one that is merely busy, or not ours to write, stays."""
        if "locked" in self.trouble or "readonly" in self.trouble or not self._file.is_file():
            return None
        try:
            self._file.unlink()
        except OSError:
            return None
        return self._open()

    def _give_up(self, error: sqlite3.Error) -> None:
        self.trouble = str(error)
        self.close()

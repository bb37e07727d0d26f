"""Several that open the same new file at once all get it."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from tests.waiting import HANG_SECONDS

from landkeeper.embedded.vpc_file import VpcFile
from landkeeper.embedded.write_ahead import use_write_ahead_log


def test_everybody_who_opens_a_new_file_at_once_gets_it(tmp_path: Path) -> None:
    """Without the second try, one round in thirty fails here."""
    openers = 3
    together = threading.Barrier(openers)

    def open_file(path: Path) -> VpcFile:
        together.wait(HANG_SECONDS)
        return VpcFile(path, lock_timeout_seconds=HANG_SECONDS)

    with ThreadPoolExecutor(openers) as pool:
        for number in range(100):
            files = list(pool.map(open_file, [tmp_path / f"{number}.db"] * openers))
            assert [list(file.read_all()) for file in files] == [[]] * openers
            for file in files:
                file.close()


def test_who_keeps_a_file_locked_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "locked.db"
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as owner,
        closing(sqlite3.connect(path, timeout=0)) as other,
    ):
        owner.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            use_write_ahead_log(other, 0.05)
        owner.execute("COMMIT")
        use_write_ahead_log(other, 0.05)
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)

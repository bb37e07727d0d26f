"""What was found in log files, kept in a file that may be anything."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests import past_logs as past

from landkeeper.broom.cloudtrail.records import PAST_EVENTS
from landkeeper.broom.cloudtrail.scan import scan_log
from landkeeper.embedded.scan_cache import KeptScan, ScanCache

SCANNED = scan_log(past.log(past.launch("i-1")), wanted=PAST_EVENTS)


def kept(name: str = "a", stamp: str = "1") -> KeptScan:
    return KeptScan(name, stamp, b"digest", SCANNED)


@contextmanager
def opened(file: Path, reader: str = "r1") -> Iterator[ScanCache]:
    with closing(ScanCache(file, reader)) as cache:
        yield cache


def test_what_was_kept_is_found_by_its_name_and_stamp_for_the_same_reader(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "cache.db"
    with opened(file) as cache:
        cache.keep([kept(), kept("b")])
        cache.keep([kept("b", "2")])
    with opened(file) as cache:
        assert {each.name: each.stamp for each in cache.find([("a", "1"), ("b", "2"), ("c", "1")])} == {
            "a": "1",
            "b": "2",
        }
        assert list(cache.find([("b", "1")])) == []
        assert list(cache.find([("a", "1")])) == [kept()]
        assert cache.trouble == ""
    with opened(file, "r2") as cache:
        assert list(cache.find([("a", "1")])) == []


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "cache.db"
    before = os.umask(0o022)
    try:
        with opened(file) as cache:
            cache.keep([kept()])
            assert {stat.S_IMODE(each.stat().st_mode) for each in file.parent.iterdir()} == {0o600}
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_thousands_of_names_can_be_asked_for(tmp_path: Path) -> None:
    with opened(tmp_path / "cache.db") as cache:
        cache.keep([kept(str(number)) for number in range(1200)])
        assert len(list(cache.find((str(number), "1") for number in range(1300)))) == 1200


@pytest.mark.parametrize("content", [b"not a database" * 99, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_broken_file_is_made_anew(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "cache.db"
    file.write_bytes(content)
    with opened(file) as cache:
        cache.keep([kept()])
        assert list(cache.find([("a", "1")])) == [kept()]


def test_a_file_of_another_shape_is_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "cache.db"
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE scanned (id INTEGER)")
    with opened(file) as cache:
        cache.keep([kept()])
        assert list(cache.find([("a", "1")])) == [kept()]


def test_an_entry_that_cannot_be_read_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "cache.db"
    with opened(file) as cache:
        cache.keep([kept(), kept("b")])
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("UPDATE scanned SET found = 'x' WHERE name = 'a'")
    with opened(file) as cache:
        assert [each.name for each in cache.find([("a", "1"), ("b", "1")])] == ["b"]


def test_where_nothing_can_be_written_nothing_is_kept_and_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for file in (tmp_path / "file" / "cache.db", tmp_path):
        with opened(file) as cache:
            cache.keep([kept()])
            assert list(cache.find([("a", "1")])) == []
            assert cache.trouble
    assert tmp_path.is_dir()


def test_a_file_that_somebody_else_writes_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "cache.db"
    with opened(file) as cache:
        cache.keep([kept()])
    with closing(sqlite3.connect(file, isolation_level=None)) as other, opened(file) as cache:
        other.execute("BEGIN IMMEDIATE")
        cache.keep([kept("b")])
        assert "locked" in cache.trouble
        assert list(cache.find([("a", "1")])) == []
        other.execute("COMMIT")
    with opened(file) as cache:
        assert [each.name for each in cache.find([("a", "1"), ("b", "1")])] == ["a"]


def test_a_file_that_breaks_while_it_is_open_is_said_to(tmp_path: Path) -> None:
    file = tmp_path / "cache.db"
    with opened(file) as cache, closing(sqlite3.connect(file)) as other:
        other.execute("DROP TABLE scanned")
        assert list(cache.find([("a", "1")])) == []
        assert "no such table" in cache.trouble

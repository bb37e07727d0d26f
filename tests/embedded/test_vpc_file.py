"""The tracker's SQLite file: what is not one, who else has it, and what it looks like from outside."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.embedded.vpc_file import VpcFile
from landkeeper.org import UsageError
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.differences import Appeared
from landkeeper.vpctracker.inventory import StoredVpc, Vpc
from landkeeper.vpctracker.ports import StoreError, WrongStoreError
from landkeeper.vpctracker.schema import SCHEMA_VERSION

_APPEARED = Appeared(StoredVpc(Vpc(vpc_ids(1), ACCOUNTS[0], REGIONS[0], "10.0.0.0/16"), START, START, 1))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "landkeeper.db"


@pytest.fixture
def other(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program that has the same file open."""
    with closing(VpcFile(path)) as file:
        file.write_changes([_APPEARED])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def test_a_file_keeps_what_was_written_when_it_is_opened_again(path: Path) -> None:
    with closing(VpcFile(path)) as file:
        file.write_changes([_APPEARED])
    with closing(VpcFile(path)) as file:
        assert list(file.read_all()) == [_APPEARED.after]


def test_a_file_says_its_schema_and_lets_others_read_while_it_writes(other: sqlite3.Connection) -> None:
    assert other.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_what_is_not_sqlite_is_refused(path: Path) -> None:
    path.write_text("this is a letter to my mother, and no database of any kind\n" * 20)
    with pytest.raises(WrongStoreError, match=r"landkeeper\.db: this is not a Landkeeper file \(not SQLite\)"):
        VpcFile(path)


def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongStoreError, match="it cannot be opened or made there"):
        VpcFile(tmp_path / "missing" / "landkeeper.db")


def test_a_file_of_a_newer_landkeeper_is_refused(path: Path, other: sqlite3.Connection) -> None:
    other.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(StoreError, match="written by a newer Landkeeper"):
        VpcFile(path)


def test_a_file_that_another_product_of_the_house_made_gets_the_trackers_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE broom_cases (instance_id TEXT, version INTEGER, item TEXT)")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    with closing(VpcFile(path)) as file:
        assert list(file.read_all()) == []


def test_a_locked_file_is_named_and_nothing_is_half_written(path: Path, other: sqlite3.Connection) -> None:
    with closing(VpcFile(path, lock_timeout_seconds=0.05)) as file:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another program has locked it") as caught:
            file.write_coverage(Coverage(ACCOUNTS[0]))
        assert not isinstance(caught.value, UsageError)
        assert len(list(file.read_all())) == 1
        other.execute("ROLLBACK")
        file.write_coverage(Coverage(ACCOUNTS[0]))


def test_an_error_in_the_middle_takes_the_whole_transaction_back(path: Path, other: sqlite3.Connection) -> None:
    other.execute("DROP TABLE vpc_history")
    second = Appeared(StoredVpc(Vpc(vpc_ids(2), ACCOUNTS[0], REGIONS[0], "10.1.0.0/16"), START, START, 1))
    with closing(VpcFile(path)) as file:
        with pytest.raises(StoreError, match="no such table: vpc_history"):
            file.write_changes([second])
        assert list(file.read_all()) == [_APPEARED.after]


def test_an_item_that_is_not_json_is_named(path: Path, other: sqlite3.Connection) -> None:
    other.execute("UPDATE vpcs SET item = 'not json'")
    with closing(VpcFile(path)) as file, pytest.raises(StoreError, match="an item in it is not JSON"):
        file.read_all()


def test_a_file_that_may_not_be_written_is_refused(path: Path, other: sqlite3.Connection) -> None:
    with closing(VpcFile(path)) as file:
        file._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(StoreError, match="it cannot be written"):
            file.write_coverage(Coverage(ACCOUNTS[0]))

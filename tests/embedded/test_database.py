"""SQLite files: whose they are, who may read them, and that reading changes nothing."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.broom_world import LAUNCHED_AT, launch
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.broom.case import Case, State, move, open_case
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.stored_case import LedgerError, case_to_record
from landkeeper.embedded.database import APPLICATION_ID
from landkeeper.embedded.ledger_file import LedgerFile
from landkeeper.embedded.pool_file import PoolFile
from landkeeper.embedded.vpc_file import VpcFile
from landkeeper.org import UsageError, well_formed
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.differences import Appeared
from landkeeper.vpctracker.inventory import StoredVpc, Vpc
from landkeeper.vpctracker.pools.items import PoolWrite
from landkeeper.vpctracker.ports import StoreError
from landkeeper.vpctracker.schema import SCHEMA_VERSION, NewerItemError

_APPEARED = Appeared(StoredVpc(Vpc(vpc_ids(1), ACCOUNTS[0], REGIONS[0], "10.0.0.0/16"), START, START, 1))
_STORES: tuple[Callable[..., Any], ...] = (VpcFile, PoolFile, LedgerFile)
_FOREIGN = {
    "another program's id": (
        "PRAGMA application_id = 252006674",
        "CREATE TABLE vpcs (vpc_id, owner_id, version, item)",
    ),
    "tables of others": ("CREATE TABLE places (id INTEGER)", "PRAGMA user_version = 2"),
    "a table that is called as one of ours": ("CREATE TABLE vpcs (id INTEGER, name TEXT)",),
    "a view alone": ("CREATE VIEW broom AS SELECT 1",),
    "a write-ahead log": ("PRAGMA journal_mode = WAL", "CREATE TABLE places (id INTEGER)"),
}

every_store = pytest.mark.parametrize("store", _STORES, ids=["vpcs", "pools", "cases"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "landkeeper.db"


@pytest.fixture
def tracked(path: Path) -> Path:
    """A file of the tracker, with a VPC in it."""
    with closing(VpcFile(path)) as file:
        file.write_changes([_APPEARED])
    return path


@pytest.fixture
def lower_umask() -> Iterator[None]:
    """What most machines have: without more ado, everybody may read what is created."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def a_case(id_: str = "i-1") -> Case:
    made = launch(id_)
    return move(open_case(made, made.instances[0], LAUNCHED_AT), State.JUDGED, LAUNCHED_AT, live_tags={}, rule="code")


def execute(path: Path, *statements: str) -> list[Any]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return [connection.execute(statement).fetchall() for statement in statements]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file there, and what is in it."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@every_store
@pytest.mark.parametrize("to_write", [True, False], ids=["write", "read"])
@pytest.mark.parametrize("foreign", _FOREIGN)
def test_a_file_of_another_program_is_refused_and_stays_as_it_is(
    path: Path, store: Callable[..., Any], foreign: str, *, to_write: bool
) -> None:
    execute(path, *_FOREIGN[foreign])
    before = contents(path.parent)
    with pytest.raises(UsageError, match=r"this is not a Landkeeper file \(another program made it\)"):
        store(path, to_write=to_write)
    assert contents(path.parent) == before


@pytest.mark.usefixtures("lower_umask")
@every_store
def test_a_new_file_and_what_is_beside_it_are_for_their_owner_alone(path: Path, store: Callable[..., Any]) -> None:
    with closing(store(path)), closing(VpcFile(path)) as file:
        file.write_changes([_APPEARED])
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == dict.fromkeys(("landkeeper.db", "landkeeper.db-wal", "landkeeper.db-shm"), 0o600)
    assert execute(path, "PRAGMA application_id") == [[(APPLICATION_ID,)]]


def test_a_file_that_its_owner_shares_stays_shared(tracked: Path) -> None:
    tracked.chmod(0o640)
    with closing(VpcFile(tracked)) as file:
        file.write_coverage(Coverage(ACCOUNTS[0]))
    assert stat.S_IMODE(tracked.stat().st_mode) == 0o640


@every_store
def test_reading_changes_nothing_and_leaves_nothing_behind(tracked: Path, store: Callable[..., Any]) -> None:
    before = contents(tracked.parent)
    with closing(store(tracked, to_write=False)) as file, pytest.raises(sqlite3.OperationalError, match="readonly"):
        file._connection.execute("CREATE TABLE more (id INTEGER)")
    assert contents(tracked.parent) == before


@every_store
@pytest.mark.parametrize("is_there", [True, False])
def test_an_empty_file_is_read_as_one_and_a_missing_one_is_not_made(
    path: Path, store: Callable[..., Any], *, is_there: bool
) -> None:
    if is_there:
        path.touch()
        with closing(store(path, to_write=False)) as file:
            listed = file.find_cases([InstanceId("i-1")]) if isinstance(file, LedgerFile) else file.read_all()
            assert list(listed) == []
        assert contents(path.parent) == {"landkeeper.db": b""}
    else:
        with pytest.raises((StoreError, LedgerError), match="open"):
            store(path, to_write=False)
        assert contents(path.parent) == {}


def test_what_is_being_written_is_read_from_the_log_beside_the_file(tracked: Path) -> None:
    with closing(VpcFile(tracked)) as writer:
        writer.write_coverage(Coverage(ACCOUNTS[1]))
        before = contents(tracked.parent)
        with closing(PoolFile(tracked, to_write=False)) as file:
            assert [coverage.account for coverage in file.read_all_coverage()] == [ACCOUNTS[1]]
            assert list(file.find_pool_items([("POOLS", "META")])) == []
        assert {name: content for name, content in contents(tracked.parent).items() if not name.endswith("-shm")} == {
            name: content for name, content in before.items() if not name.endswith("-shm")
        }


def test_a_file_beside_which_nothing_can_be_made_is_read(tracked: Path) -> None:
    # Stands for a folder that may not be written, which the superuser always may.
    tracked.with_name("landkeeper.db-shm").mkdir()
    with closing(VpcFile(tracked, to_write=False)) as file:
        assert list(file.read_all()) == [_APPEARED.after]


def test_a_file_without_an_id_is_read_as_it_is_and_stamped_when_it_is_written(tracked: Path) -> None:
    execute(tracked, "PRAGMA application_id = 0")
    before = contents(tracked.parent)
    with closing(VpcFile(tracked, to_write=False)) as file:
        assert list(file.read_all()) == [_APPEARED.after]
    assert contents(tracked.parent) == before
    with closing(VpcFile(tracked)) as file:
        assert list(file.read_all()) == [_APPEARED.after]
    assert execute(tracked, "PRAGMA application_id") == [[(APPLICATION_ID,)]]


def test_a_file_of_an_earlier_schema_is_read_whole_and_stays_of_it(tracked: Path) -> None:
    execute(tracked, "DROP TABLE vpc_noticed", "PRAGMA user_version = 1", "PRAGMA application_id = 0")
    before = contents(tracked.parent)
    with closing(PoolFile(tracked, to_write=False)) as file:
        assert list(file.read_all()) == [_APPEARED.after]
        assert file.read_noticed().version == 0
        with pytest.raises(StoreError, match="it cannot be written"):
            file.write_coverage(Coverage(ACCOUNTS[0]))
    assert contents(tracked.parent) == before


def test_a_ledger_of_before_expiry_is_read_and_stays_as_it_is(path: Path) -> None:
    case = a_case()
    with closing(sqlite3.connect(path)) as old, old:
        old.execute("CREATE TABLE broom_cases (instance_id TEXT PRIMARY KEY, version INTEGER NOT NULL,"
                    " item TEXT NOT NULL) WITHOUT ROWID")  # fmt: skip
        old.execute("INSERT INTO broom_cases VALUES (?, 1, ?)", (case.instance_id, json.dumps(case_to_record(case))))
    before = contents(path.parent)
    with closing(LedgerFile(path, to_write=False)) as ledger:
        assert ledger.find_cases([case.instance_id]) == {case.instance_id: case}
        with pytest.raises(LedgerError, match="readonly"):
            ledger.write_case(a_case("i-2"))
    assert contents(path.parent) == before


@pytest.mark.parametrize("to_write", [True, False])
def test_a_file_of_a_newer_landkeeper_is_refused_and_stays_as_it_is(tracked: Path, *, to_write: bool) -> None:
    execute(tracked, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = contents(tracked.parent)
    with pytest.raises(NewerItemError):
        VpcFile(tracked, to_write=to_write)
    assert contents(tracked.parent) == before


def test_a_locked_file_is_not_read_as_one_that_nobody_writes(path: Path) -> None:
    LedgerFile(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerError, match="locked") as caught:
            LedgerFile(path, to_write=False, lock_timeout_seconds=0.05)
        assert not isinstance(caught.value, UsageError)


def test_both_products_share_a_file_whichever_made_it(path: Path) -> None:
    with closing(LedgerFile(path)) as ledger:
        assert ledger.write_case(a_case())
    with closing(PoolFile(path)) as file:
        file.write_changes([_APPEARED])
    with closing(LedgerFile(path, to_write=False)) as ledger, closing(PoolFile(path, to_write=False)) as file:
        assert len(ledger.find_cases([InstanceId("i-1")])) == len(list(file.read_all())) == 1


def test_text_that_is_not_unicode_is_kept_as_it_is_shown(tmp_path: Path) -> None:
    with closing(VpcFile(tmp_path / "a.db")) as store:
        vpc = replace(_APPEARED.after.vpc, account_name="la\ud800ke")
        assert store.write_changes([Appeared(replace(_APPEARED.after, vpc=vpc))]) == []
        assert [well_formed(stored.vpc.account_name) for stored in store.read_all()] == ["la\\ud800ke"]
        assert list(store.read_history("vpc-\udcff")) == []
    with closing(PoolFile(tmp_path / "a.db")) as pools:
        gone = {("caf\udce9", "RES#1")}
        assert pools.write_pools(PoolWrite({}, deletes=tuple(gone)))
        assert list(pools.find_pool_items(gone)) == []

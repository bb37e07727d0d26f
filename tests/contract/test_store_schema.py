"""Schema versions in the tracker's stores: older items and files are taken on, newer ones are named and left alone."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.servers import home_sessions
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids
from tests.vpctracker.test_fit import huge_vpc

from landkeeper.aws.items import from_item, to_item
from landkeeper.aws.vpctracker.vpc_table import COVERAGE, HISTORY, VpcTable, create_tables
from landkeeper.embedded.vpc_file import VpcFile
from landkeeper.org import Account
from landkeeper.vpctracker.attributes import Attributes, coverage_to_attributes, history_of, vpc_to_attributes
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.differences import Appeared, Changed, Complete
from landkeeper.vpctracker.inventory import StoredVpc, Vpc
from landkeeper.vpctracker.notices.news import Noticed
from landkeeper.vpctracker.notices.ports import NoticeStore
from landkeeper.vpctracker.ports import StoreError
from landkeeper.vpctracker.schema import SCHEMA_VERSION
from landkeeper.vpctracker.track import track_account

_names = (f"Schema{number}" for number in itertools.count())


@dataclass
class Shelf:
    """A store, and a way around it to what is kept there."""

    store: NoticeStore
    said: list[str]
    put: Callable[[str, Attributes], None]
    """Puts an item into `vpcs`, `history`, `coverage` or `noticed` as it is."""
    get: Callable[[str], list[Attributes]]


@pytest.fixture(params=["file", pytest.param("dynamodb", marks=pytest.mark.embedded)])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    said: list[str] = []
    if request.param == "file":
        with closing(VpcFile(tmp_path / "landkeeper.db", say=said.append)) as file:
            yield _file_shelf(file, said)
    else:
        request.getfixturevalue("aws_environment")
        client = home_sessions().home("dynamodb")
        name = next(_names)
        create_tables(client, name)
        yield _table_shelf(client, name, said)


def _file_shelf(file: VpcFile, said: list[str]) -> Shelf:
    connection = file._connection

    def put(kind: str, item: Attributes) -> None:
        text = json.dumps(item)
        match kind:
            case "vpcs":
                row: tuple[Any, ...] = (item["VpcId"], item["OwnerId"], item["Version"], text)
            case "history":
                row = (item["VpcId"], item["At"], text)
            case _:
                row = (item["AccountId"], text)
        marks = ", ".join("?" * len(row))
        connection.execute(f"REPLACE INTO {_TABLES[kind]} VALUES ({marks})", row)  # noqa: S608

    def get(kind: str) -> list[Attributes]:
        return [json.loads(row[0]) for row in connection.execute(f"SELECT item FROM {_TABLES[kind]}")]  # noqa: S608

    return Shelf(file, said, put, get)


_TABLES = {"vpcs": "vpcs", "history": "vpc_history", "coverage": "vpc_coverage", "noticed": "vpc_noticed"}


def _table_shelf(client: Any, name: str, said: list[str]) -> Shelf:
    tables = {"vpcs": name, "history": name + HISTORY, "coverage": name + COVERAGE, "noticed": name + COVERAGE}

    def put(kind: str, item: Attributes) -> None:
        client.put_item(TableName=tables[kind], Item=to_item(item))

    def get(kind: str) -> list[Attributes]:
        return [from_item(item) for item in client.scan(TableName=tables[kind])["Items"]]

    return Shelf(VpcTable(client, name, say=said.append), said, put, get)


def _stored(number: int) -> StoredVpc:
    return StoredVpc(Vpc(vpc_ids(number), ACCOUNTS[0], REGIONS[0], "10.0.0.0/16"), START, START, 1)


def _first(item: Attributes) -> Attributes:
    """The item as the first version of Landkeeper wrote it."""
    later = {"SchemaVersion", "PeeringConnections", "TransitGatewayAttachments", "FailedRuns", "OrganizationId"}
    if "OwnerId" not in item:
        later |= {"Membership", "Version"}
    return {name: value for name, value in item.items() if name not in later}


def _newer(item: Attributes) -> Attributes:
    return {**item, "SchemaVersion": SCHEMA_VERSION + 1}


def test_every_item_says_its_schema(shelf: Shelf) -> None:
    shelf.store.write_changes([Appeared(_stored(1))])
    shelf.store.write_coverage(Coverage(ACCOUNTS[0]))
    for kind in ("vpcs", "history", "coverage"):
        assert [item["SchemaVersion"] for item in shelf.get(kind)] == [SCHEMA_VERSION]


def test_items_of_the_first_version_are_read_and_become_new_when_they_are_written(shelf: Shelf) -> None:
    appeared = Appeared(_stored(1))
    shelf.put("vpcs", _first(vpc_to_attributes(appeared.after)))
    shelf.put("history", _first(history_of(appeared)))
    shelf.put("coverage", _first(coverage_to_attributes(Coverage(ACCOUNTS[0], "lake", START))))
    assert list(shelf.store.read_all()) == [appeared.after]
    assert list(shelf.store.read_items([appeared.after.vpc.key])) == [appeared.after]
    assert [entry["Kind"] for entry in shelf.store.read_all_history()] == ["appeared"]
    assert shelf.store.read_coverage(ACCOUNTS[0]) == Coverage(ACCOUNTS[0], "lake", START)
    assert "SchemaVersion" not in shelf.get("vpcs")[0]
    later = replace(appeared.after, vpc=replace(appeared.after.vpc, name="pond"), version=2)
    assert list(shelf.store.write_changes([Changed(appeared.after, later)])) == []
    shelf.store.write_coverage(Coverage(ACCOUNTS[0], "lake", START))
    assert [item["SchemaVersion"] for item in (*shelf.get("vpcs"), *shelf.get("coverage"))] == [SCHEMA_VERSION] * 2
    assert shelf.said == []


def test_readers_name_newer_items_and_leave_them_out(shelf: Shelf) -> None:
    shelf.store.write_changes([Appeared(_stored(1))])
    shelf.put("vpcs", _newer(vpc_to_attributes(_stored(2))))
    shelf.put("history", _newer(history_of(Appeared(_stored(2)))))
    shelf.put("coverage", _newer(coverage_to_attributes(Coverage(ACCOUNTS[1]))))
    assert list(shelf.store.read_all()) == [_stored(1)]
    assert list(shelf.store.read_owned(ACCOUNTS[0])) == [_stored(1)]
    assert [entry["VpcId"] for entry in shelf.store.read_all_history()] == [vpc_ids(1)]
    assert list(shelf.store.read_history(vpc_ids(2))) == []
    assert list(shelf.store.read_all_coverage()) == []
    update = f"was written by a newer Landkeeper (schema {SCHEMA_VERSION + 1}): update Landkeeper"
    assert set(shelf.said) == {
        f"left out: the item {vpc_ids(2)} of {ACCOUNTS[0]} {update}",
        f"left out: the history entry 2026-03-01T12:00:00Z#00000001 of {vpc_ids(2)} {update}",
        f"left out: the coverage of {ACCOUNTS[1]} {update}",
    }


def test_writers_are_told_of_a_newer_item_and_do_not_replace_it(shelf: Shelf) -> None:
    newer = _newer(vpc_to_attributes(_stored(1)))
    shelf.put("vpcs", newer)

    class Reader:
        def read_account(self, account: Account, regions: object = None) -> Any:
            return {REGIONS[0]: Complete((replace(_stored(1).vpc, name="changed"), _stored(2).vpc))}

    with pytest.raises(StoreError, match=f"the item {vpc_ids(1)} of {ACCOUNTS[0]} was written by a newer Landkeeper"):
        track_account(Account(ACCOUNTS[0]), Reader(), shelf.store, clock=lambda: START + timedelta(hours=1))
    assert newer in shelf.get("vpcs")
    assert {entry["VpcId"] for entry in shelf.get("history")} <= {vpc_ids(2)}


def test_newer_coverage_is_not_replaced(shelf: Shelf) -> None:
    newer = _newer(coverage_to_attributes(Coverage(ACCOUNTS[0])))
    shelf.put("coverage", newer)
    for call in (lambda: shelf.store.read_coverage(ACCOUNTS[0]), lambda: _write(shelf, Coverage(ACCOUNTS[0], "mine"))):
        with pytest.raises(StoreError, match=f"the coverage of {ACCOUNTS[0]} was written by a newer Landkeeper"):
            call()
    assert shelf.get("coverage") == [newer]


def _write(shelf: Shelf, coverage: Coverage) -> None:
    shelf.store.write_coverage(coverage)


def test_what_was_told_is_conditional_on_its_version_and_no_account(shelf: Shelf) -> None:
    assert shelf.store.read_noticed() == Noticed()
    assert shelf.store.write_noticed(Noticed(frozenset({1, 2**48 - 1}), 1))
    assert not shelf.store.write_noticed(Noticed(frozenset({3}), 1))
    assert not shelf.store.write_noticed(Noticed(frozenset({3}), 3))
    assert shelf.store.read_noticed() == Noticed(frozenset({1, 2**48 - 1}), 1)
    assert shelf.store.write_noticed(Noticed(frozenset(), 2))
    assert shelf.store.read_noticed() == Noticed(frozenset(), 2)
    assert list(shelf.store.read_all_coverage()) == []


def test_more_than_an_item_holds_can_have_been_told(shelf: Shelf) -> None:
    many = Noticed(frozenset(range(0, 120_000 * 7, 7)), 1)
    assert shelf.store.write_noticed(many)
    assert shelf.store.read_noticed() == many
    assert shelf.store.write_noticed(Noticed(frozenset({7}), 2))
    assert shelf.store.read_noticed() == Noticed(frozenset({7}), 2)
    assert list(shelf.store.read_all_coverage()) == []


_FILE_OF_VERSION_1 = (
    (
        "CREATE TABLE vpcs (vpc_id TEXT, owner_id TEXT, version INTEGER NOT NULL, item TEXT NOT NULL,"
        " PRIMARY KEY (vpc_id, owner_id)) WITHOUT ROWID"
    ),
    "CREATE INDEX vpcs_by_owner ON vpcs (owner_id)",
    ("CREATE TABLE vpc_history (vpc_id TEXT, at TEXT, item TEXT NOT NULL, PRIMARY KEY (vpc_id, at)) WITHOUT ROWID"),
    "CREATE TABLE vpc_coverage (account_id TEXT PRIMARY KEY, item TEXT NOT NULL) WITHOUT ROWID",
    "PRAGMA user_version = 1",
    (
        """INSERT INTO vpcs VALUES ('vpc-00000000000000001', '111122223333', 1, '{"VpcId":"vpc-00000000000000001","""
        """"OwnerId":"111122223333","CidrBlock":"10.0.0.0/16","IsDefault":false,"State":"available","""
        """"Region":"eu-west-1","AccountName":"","Name":"","CidrBlocks":["10.0.0.0/16"],"CidrAssociations":[],"""
        """"Ipv6CidrBlocks":[],"Tags":{},"InstanceTenancy":"default","DhcpOptionsId":"","SharedWith":[],"Subnets":[],"""
        """"ReadBy":"","FirstSeen":"2026-03-01T12:00:00Z","LastChanged":"2026-03-01T12:00:00Z","Version":1}')"""
    ),
    (
        """INSERT INTO vpc_coverage VALUES ('111122223333', '{"AccountId":"111122223333","AccountName":"lake","""
        """"Regions":{"eu-west-1":{"CompleteAt":"2026-03-01T12:00:00Z"}},"SharedVpcs":[],"""
        """"TriedAt":"2026-03-01T12:00:00Z"}')"""
    ),
)


def test_a_file_of_the_first_version_is_brought_up_to_date_with_everything_in_it(tmp_path: Path) -> None:
    path = tmp_path / "landkeeper.db"
    with closing(sqlite3.connect(path)) as connection:
        for statement in _FILE_OF_VERSION_1:
            connection.execute(statement)
        connection.commit()
    with closing(VpcFile(path)) as file:
        assert list(file.read_all()) == [_stored(1)]
        assert file.read_coverage(ACCOUNTS[0]).regions[REGIONS[0]].complete_at == START
        assert file.read_noticed() == Noticed()
        assert file.write_noticed(Noticed(frozenset({1}), 1))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    with closing(VpcFile(path)) as file:
        assert file.read_noticed() == Noticed(frozenset({1}), 1)


def test_a_huge_vpc_does_not_break_the_run_and_keeps_its_blocks(shelf: Shelf) -> None:
    account, other = Account(ACCOUNTS[0]), _stored(2).vpc

    class Reader:
        vpc = huge_vpc(3_000)

        def read_account(self, account: Account, regions: object = None) -> Any:
            return {REGIONS[0]: Complete((self.vpc, other))}

    reader = Reader()
    for hours, subnets in enumerate((3_000, 900, 850, 3_000)):
        reader.vpc = huge_vpc(subnets)
        clock = START + timedelta(hours=hours)
        outcome = track_account(account, reader, shelf.store, clock=lambda now=clock: now)  # type: ignore[misc]
        assert outcome.unreadable == ()
    first, second = shelf.store.read_owned(account.id)
    assert (first.vpc.omitted, first.vpc.subnets, first.vpc.cidr_blocks) == (("Subnets",), (), ("10.0.0.0/16",))
    assert second.vpc.key == other.key
    assert first.version == 4
    assert len(list(shelf.store.read_history(first.vpc.id))) == 4
    assert set(shelf.said) == {
        f"{first.vpc.id} of {ACCOUNTS[0]} is too large for an item: it is kept without its Subnets"
    }

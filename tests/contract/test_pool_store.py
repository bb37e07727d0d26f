"""What every store of pools keeps to: memory, a SQLite file, and DynamoDB as MiniStack has it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest
from tests.memory_pools import MemoryPools
from tests.servers import home_sessions
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.aws.vpctracker.pool_table import PoolTable
from landkeeper.aws.vpctracker.vpc_table import POOLS, VpcTable, create_tables
from landkeeper.embedded.pool_file import PoolFile
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.differences import Appeared
from landkeeper.vpctracker.inventory import DELETED, CidrAssociation, StoredVpc, Subnet, Vpc
from landkeeper.vpctracker.pools.ipam import IpamAllocation, IpamPool, select_pools
from landkeeper.vpctracker.pools.ipam_import import Imported, import_pools
from landkeeper.vpctracker.pools.items import (
    LIST,
    META,
    PoolWrite,
    gone_item,
    pool_to_item,
    pools_from_items,
    reservation_from_item,
    reservation_key,
    reservation_to_item,
    state_from_items,
    version_of,
)
from landkeeper.vpctracker.pools.operations import Actor
from landkeeper.vpctracker.pools.pool import Kind, Pool, Reservation
from landkeeper.vpctracker.pools.ports import PoolStore, TrackedStore
from landkeeper.vpctracker.ports import StoreError
from landkeeper.vpctracker.schema import NewerItemError

_names = (f"Pools{number}" for number in itertools.count())
_POOL = Pool(
    "prod", parse_block("10.0.0.0/8"), "default", REGIONS[0], made_at=START, made_by="arn:jane",
    ipam_pool="ipam-pool-0123456789abcdef0",
)  # fmt: skip


class Store(PoolStore, TrackedStore, Protocol):
    """Both ports, which every one of them implements."""


@pytest.fixture(params=["memory", "file", pytest.param("dynamodb", marks=pytest.mark.embedded)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A new store of each kind."""
    if request.param == "memory":
        yield MemoryPools()
    elif request.param == "file":
        file = PoolFile(tmp_path / "landkeeper.db")
        yield file
        file.close()
    else:
        request.getfixturevalue("aws_environment")
        name = next(_names)
        create_tables(home_sessions().home("dynamodb"), name)
        yield PoolTable(home_sessions().home("dynamodb"), name)


def _reservation(number: int, **others: Any) -> Reservation:
    block = parse_block(f"10.{number}.0.0/20")
    return replace(
        Reservation(f"res-{number:03}", "prod", block, Kind.ALLOCATION, START, purpose="Ångström 名"), **others
    )


def test_a_new_store_has_no_pools(store: Store) -> None:
    assert list(store.read_pool_items(LIST)) == []
    assert list(store.find_pool_items({("prod", META)})) == []
    assert list(store.find_pool_items(())) == []
    assert list(store.read_live_vpcs()) == []
    assert list(store.read_all_coverage()) == []


def test_what_is_written_is_read_as_it_was(store: Store) -> None:
    full = _reservation(
        1, room=parse_block("10.1.0.0/18"), account=ACCOUNTS[0], region=REGIONS[1], request_id="x", expires_at=START,
        made_by="arn:jane", resource="vpc-1",
    )  # fmt: skip
    plain = _reservation(0, kind=Kind.ELSEWHERE)
    items = (pool_to_item(_POOL), *map(reservation_to_item, (full, plain)))
    assert store.write_pools(PoolWrite({LIST: 0, "prod": 0}, puts=items))
    assert pools_from_items(store.read_pool_items(LIST)) == (_POOL,)
    state = state_from_items(_POOL, store.read_pool_items("prod"))
    assert (state.version, state.reservations) == (1, (plain, full))
    found = store.find_pool_items({("prod", "RES#res-001"), ("prod", "RES#res-999")})
    assert list(map(reservation_from_item, found)) == [full]


def test_a_write_of_another_version_writes_nothing_of_it(store: Store) -> None:
    first, second = map(reservation_to_item, (_reservation(1), _reservation(2)))
    assert store.write_pools(PoolWrite({"prod": 0}, puts=(first,)))
    assert not store.write_pools(PoolWrite({"prod": 0}, puts=(second,)))
    assert not store.write_pools(PoolWrite({"prod": 2}, puts=(second,)))
    assert not store.write_pools(PoolWrite({"other": 0, "prod": 7}, puts=(second,)))
    assert list(store.read_pool_items("other")) == []
    assert [one.id for one in state_from_items(_POOL, store.read_pool_items("prod")).reservations] == ["res-001"]
    assert version_of(store.read_pool_items("prod")) == 1


def test_what_is_gone_is_no_longer_read_with_the_pool_and_stays_on_record(store: Store) -> None:
    one = _reservation(1)
    store.write_pools(PoolWrite({"prod": 0}, puts=(reservation_to_item(one),)))
    gone = gone_item(one, "released", "arn:jane", START)
    assert store.write_pools(PoolWrite({"prod": 1}, puts=(gone,), deletes=(reservation_key(one),)))
    assert [item["Item"] for item in store.read_pool_items("prod")] == [META]
    (kept,) = store.find_pool_items({("prod", gone["Item"])})
    assert (kept["Gone"], kept["GoneBy"], kept["CidrBlock"]) == ("released", "arn:jane", "10.1.0.0/20")


def test_an_interrupted_import_is_completed_by_the_next_one(store: Store) -> None:
    """In a store whose third write fails."""

    class Failing:
        read_pool_items, find_pool_items, left = store.read_pool_items, store.find_pool_items, 2

        def write_pools(self, write: PoolWrite) -> bool:
            self.left -= 1
            if self.left < 0:
                raise StoreError("the store does not answer")
            return store.write_pools(write)

    selection = select_pools([IpamPool("ipam-pool-1", "prod", cidrs=("10.0.0.0/8",))])
    given = [IpamAllocation(f"alloc-{number}", "ipam-pool-1", f"10.{number}.0.0/16", "custom") for number in range(200)]
    ids = itertools.count()
    actor = Actor("jane", lambda: START, lambda: f"res-{next(ids)}", lambda: iter(()))
    with pytest.raises(StoreError):
        import_pools(Failing(), selection, given, "default", actor)
    assert pools_from_items(store.read_pool_items(LIST)) == ()
    assert import_pools(store, selection, given, "default", actor) == Imported(1, 110, 90, ())
    assert import_pools(store, selection, given, "default", actor) == Imported(0, 0, 201, ())


def test_a_pool_of_thousands_of_reservations_is_read_whole(store: Store) -> None:
    """More than a page of DynamoDB's, which is 1 MB."""
    made = [_reservation(number % 256, id=f"res-{number:05}", purpose="x" * 900) for number in range(1_500)]
    for version, start in enumerate(range(0, len(made), 50)):
        assert store.write_pools(
            PoolWrite({"prod": version}, puts=tuple(map(reservation_to_item, made[start : start + 50])))
        )
    assert len(state_from_items(_POOL, store.read_pool_items("prod")).reservations) == len(made)


@pytest.mark.parametrize("store", ["file", pytest.param("dynamodb", marks=pytest.mark.embedded)], indirect=True)
def test_live_vpcs_come_with_their_blocks_and_tags_and_deleted_ones_do_not(store: Store) -> None:
    associations = (CidrAssociation("a", "10.1.0.0/16", "disassociating"),)
    subnets = (Subnet("subnet-1", "euw1-az1", "10.0.0.0/24", 251),)
    live = Vpc(vpc_ids(1), ACCOUNTS[0], REGIONS[0], "10.0.0.0/16", account_name="lake", tags={"Env": "prod"},
               cidr_associations=associations, subnets=subnets)  # fmt: skip
    gone = replace(live, id=vpc_ids(2), state=DELETED)
    tracker = store._vpcs if isinstance(store, PoolTable) else store
    assert isinstance(tracker, PoolFile | VpcTable)
    for vpc in (live, gone):
        assert tracker.write_changes([Appeared(StoredVpc(vpc, START, START, 1))]) == []
    assert tracker.write_coverage(Coverage(ACCOUNTS[0], "lake"))
    (found,) = store.read_live_vpcs()
    assert (found.id, found.owner, found.region, found.account_name) == (live.id, live.owner, live.region, "lake")
    assert (found.taken_blocks, found.tags) == (("10.0.0.0/16", "10.1.0.0/16"), {"Env": "prod"})
    assert [one.account_name for one in store.read_all_coverage()] == ["lake"]


@pytest.mark.parametrize("store", ["file", pytest.param("dynamodb", marks=pytest.mark.embedded)], indirect=True)
def test_every_vpc_with_an_address_of_a_block_is_among_those_of_that_block(store: Store) -> None:
    second = (
        CidrAssociation("a", "192.168.0.0/16", "associated"), CidrAssociation("b", "10.4.0.0/24", "associating"),
    )  # fmt: skip
    inside = [
        Vpc(vpc_ids(1), ACCOUNTS[0], REGIONS[0], "10.4.1.0/24"),
        Vpc(vpc_ids(2), ACCOUNTS[0], REGIONS[0], "10.4.0.0/16", cidr_associations=second[:1]),
        Vpc(vpc_ids(3), ACCOUNTS[1], REGIONS[0], "192.168.0.0/16", cidr_associations=second),
    ]
    outside = Vpc(vpc_ids(4), ACCOUNTS[1], REGIONS[0], "172.31.0.0/16", is_default=True)
    many = [Vpc(vpc_ids(at), ACCOUNTS[1], REGIONS[1], f"10.4.{at}.0/28") for at in range(10, 60)]
    tracker = store._vpcs if isinstance(store, PoolTable) else store
    assert isinstance(tracker, PoolFile | VpcTable)
    appeared = [Appeared(StoredVpc(vpc, START, START, 1)) for vpc in (*inside, outside, *many)]
    assert tracker.write_changes(appeared) == []
    for block in ("10.4.0.0/16", "10.4.0.0/20", "10.0.0.0/8"):
        found = {vpc.id for vpc in store.read_live_vpcs(parse_block(block))}
        assert {vpc.id for vpc in (*inside, *many)} <= found
    assert {vpc.id for vpc in store.read_live_vpcs()} == {one.after.vpc.id for one in appeared}
    if isinstance(store, PoolTable):
        assert outside.id not in found, "what need not be sent is not"


@pytest.mark.parametrize("store", ["file", pytest.param("dynamodb", marks=pytest.mark.embedded)], indirect=True)
def test_an_item_of_a_newer_landkeeper_is_not_passed_over(store: Store) -> None:
    assert store.write_pools(PoolWrite({"prod": 0}, puts=(reservation_to_item(_reservation(1)),)))
    _make_newer(store)
    with pytest.raises(NewerItemError, match="RES#res-001 of prod"):
        store.read_pool_items("prod")


def _make_newer(store: Store) -> None:
    match store:
        case PoolFile():
            with store._transaction() as connection:
                connection.execute(
                    "UPDATE vpc_pools SET item = replace(item, '\"SchemaVersion\":', '\"SchemaVersion\":9')"
                    " WHERE item_id <> 'META'"
                )
        case PoolTable():
            store._client.update_item(
                TableName=store._name, Key={"PoolId": {"S": "prod"}, "Item": {"S": "RES#res-001"}},
                UpdateExpression="SET SchemaVersion = :newer", ExpressionAttributeValues={":newer": {"N": "99"}},
            )  # fmt: skip
        case _:
            raise AssertionError(store)


@pytest.mark.embedded
def test_a_table_that_is_not_there_is_named(aws_environment: object) -> None:
    table = PoolTable(home_sessions().home("dynamodb"), "Nowhere")
    for call in (
        table.check, lambda: table.read_pool_items("prod"), lambda: table.find_pool_items({("prod", META)}),
        lambda: table.write_pools(PoolWrite({"prod": 0})),
    ):  # fmt: skip
        with pytest.raises(StoreError, match=f"Nowhere{POOLS}.*--create-tables"):
            call()

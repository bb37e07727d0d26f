"""A write that got through although its answer was lost: botocore sends it again, and it counts as written, once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.interrupted_calls import Interruption, Watch, watching
from tests.servers import home_sessions
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.aws.vpctracker.pool_table import PoolTable
from landkeeper.aws.vpctracker.vpc_table import COVERAGE, VpcTable, create_tables
from landkeeper.embedded.simulators import Embedded
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.differences import Appeared
from landkeeper.vpctracker.inventory import StoredVpc, Vpc
from landkeeper.vpctracker.notices.news import Noticed
from landkeeper.vpctracker.pools.items import META, PoolWrite

pytestmark = pytest.mark.embedded

_names = (f"Lost{number}" for number in itertools.count())


@dataclass(frozen=True, slots=True)
class World:
    """A table, and what loses the answers of its calls."""

    client: Any
    name: str
    watch: Watch

    def lose_the_next_answer(self) -> None:
        self.watch.begin(0, Interruption.LOST)


@pytest.fixture
def world(aws_environment: Embedded) -> Iterator[World]:
    with watching() as watch:
        client, name = home_sessions().home("dynamodb"), next(_names)
        create_tables(client, name)
        yield World(client, name, watch)


def _appeared(number: int) -> Appeared:
    vpc = Vpc(vpc_ids(number), ACCOUNTS[0], REGIONS[0], "10.0.0.0/16")
    return Appeared(StoredVpc(vpc, START, START, 1))


def test_changes_of_vpcs_count_as_written_and_have_one_entry_in_history(world: World) -> None:
    table = VpcTable(world.client, world.name)
    world.lose_the_next_answer()
    assert table.write_changes([_appeared(1), _appeared(2)]) == []
    assert world.watch.attempts == ["dynamodb:TransactWriteItems"] * 2
    assert [stored.version for stored in table.read_all()] == [1, 1]
    assert len(list(table.read_all_history())) == 2


@pytest.mark.parametrize("before", [Coverage(ACCOUNTS[0]), Coverage(ACCOUNTS[0], "known")])
def test_coverage_counts_as_written(world: World, before: Coverage) -> None:
    table = VpcTable(world.client, world.name)
    if before.account_name:
        assert table.write_coverage(before)
        before = table.read_coverage(ACCOUNTS[0])
    world.lose_the_next_answer()
    assert table.write_coverage(before)
    assert world.watch.attempts == ["dynamodb:PutItem", "dynamodb:PutItem", "dynamodb:GetItem"]
    assert table.read_coverage(ACCOUNTS[0]).version == before.version + 1


def test_coverage_that_somebody_else_wrote_the_same_way_is_theirs(world: World) -> None:
    mine, theirs = VpcTable(world.client, world.name), VpcTable(world.client, world.name)
    assert theirs.write_coverage(Coverage(ACCOUNTS[0], "same"))
    assert not mine.write_coverage(Coverage(ACCOUNTS[0], "same"))
    world.client.delete_item(TableName=world.name + COVERAGE, Key={"AccountId": {"S": ACCOUNTS[0]}})
    assert not mine.write_coverage(Coverage(ACCOUNTS[0], "same", version=1))


def test_what_was_told_counts_as_written(world: World) -> None:
    table = VpcTable(world.client, world.name)
    world.lose_the_next_answer()
    assert table.write_noticed(Noticed(frozenset({1}), 1))
    assert world.watch.attempts == ["dynamodb:TransactWriteItems"] * 2
    assert table.read_noticed() == Noticed(frozenset({1}), 1)


def test_a_reservation_counts_as_written_and_raises_the_version_once(world: World) -> None:
    pools = PoolTable(world.client, world.name)
    item = {"PoolId": "pool", "Item": "RES#1", "CidrBlock": "10.0.0.0/16"}
    world.lose_the_next_answer()
    assert pools.write_pools(PoolWrite({"pool": 0}, puts=(item,)))
    assert world.watch.attempts == ["dynamodb:TransactWriteItems"] * 2
    (meta, _) = pools.read_pool_items("pool")
    assert (meta["Item"], meta["Version"]) == (META, 1)

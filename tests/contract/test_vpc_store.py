"""What every store of the tracker keeps to: memory, a SQLite file, and DynamoDB as MiniStack has it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest
from tests.memory_store import MemoryStore
from tests.servers import home_sessions
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.aws.vpctracker.vpc_table import VpcTable, create_tables
from landkeeper.embedded.vpc_file import VpcFile
from landkeeper.org import Account, AccountId, Failure, FailureReason
from landkeeper.vpctracker.attributes import Attributes, vpc_from_attributes
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.differences import Appeared, Changed, Complete, diff_account
from landkeeper.vpctracker.inventory import CidrAssociation, StoredVpc, Subnet, Vpc, VpcKey
from landkeeper.vpctracker.ports import VpcStore
from landkeeper.vpctracker.schema import upgraded

_names = (f"Contract{number}" for number in itertools.count())


class Store(VpcStore, Protocol):
    """A store whose history a test can read."""

    def read_history(self, vpc: str) -> Sequence[Attributes]: ...


@pytest.fixture(params=["memory", "file", pytest.param("dynamodb", marks=pytest.mark.embedded)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A new store of each kind."""
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "file":
        file = VpcFile(tmp_path / "landkeeper.db")
        yield file
        file.close()
    else:
        request.getfixturevalue("aws_environment")
        client = home_sessions().home("dynamodb")
        name = next(_names)
        create_tables(client, name)
        yield VpcTable(client, name)


def _appeared(number: int, owner: AccountId = ACCOUNTS[0]) -> Appeared:
    vpc = Vpc(
        id=vpc_ids(number),
        owner=owner,
        region=REGIONS[0],
        cidr_block="10.0.0.0/16",
        is_default=number % 2 == 0,
        name="Ångström 名",
        cidr_associations=(CidrAssociation("vpc-cidr-assoc-1", "10.0.0.0/16", "associated"),),
        tags={"Name": "Ångström 名", "Empty": ""},
        shared_with=(ACCOUNTS[1],),
        subnets=(Subnet("subnet-1", "euw1-az1", "10.0.0.0/24", 251),),
        read_by=owner,
    )
    return Appeared(StoredVpc(vpc, START, START, 1))


def _renamed(before: StoredVpc, name: str) -> Changed:
    later = before.last_changed + timedelta(minutes=1)
    after = replace(before, vpc=replace(before.vpc, name=name), last_changed=later, version=before.version + 1)
    return Changed(before, after)


def test_a_new_store_is_empty(store: Store) -> None:
    assert list(store.read_all()) == []
    assert list(store.read_owned(ACCOUNTS[0])) == []
    assert list(store.read_items({VpcKey(vpc_ids(1), ACCOUNTS[0])})) == []
    assert list(store.read_items(())) == []
    assert list(store.read_all_coverage()) == []
    assert store.read_coverage(ACCOUNTS[0]) == Coverage(ACCOUNTS[0])
    assert list(store.write_changes([])) == []


def test_what_is_written_is_read_as_it_was(store: Store) -> None:
    first, second, third = _appeared(1), _appeared(2), _appeared(3, ACCOUNTS[1])
    assert list(store.write_changes([first, second, third])) == []
    assert list(store.read_all()) == [first.after, second.after, third.after]
    assert {one.vpc.key for one in store.read_owned(ACCOUNTS[0])} == {first.after.vpc.key, second.after.vpc.key}
    keys = {third.after.vpc.key, VpcKey(vpc_ids(9), ACCOUNTS[1])}
    assert list(store.read_items(keys)) == [third.after]


def test_a_change_replaces_the_item_and_leaves_an_entry_in_history(store: Store) -> None:
    appeared = _appeared(1)
    changed = _renamed(appeared.after, "pond")
    store.write_changes([appeared])
    assert list(store.write_changes([changed])) == []
    assert list(store.read_all()) == [changed.after]
    entries = store.read_history(vpc_ids(1))
    assert [(entry["Kind"], entry["Version"]) for entry in entries] == [("appeared", 1), ("changed", 2)]
    assert entries[1]["After"]["Name"] == "pond"
    assert entries[1]["Before"]["Name"] == "Ångström 名"


def test_two_changes_in_one_second_stay_two_in_history(store: Store) -> None:
    appeared = _appeared(1)
    at_once = replace(_renamed(appeared.after, "pond").after, last_changed=START)
    store.write_changes([appeared])
    store.write_changes([Changed(appeared.after, at_once)])
    assert len(store.read_history(vpc_ids(1))) == 2


def test_what_comes_too_late_is_answered_and_not_written_and_leaves_no_entry(store: Store) -> None:
    appeared = _appeared(1)
    store.write_changes([appeared])
    newer, too_late = _renamed(appeared.after, "newer"), _renamed(appeared.after, "too late")
    store.write_changes([newer])
    assert list(store.write_changes([too_late])) == [too_late]
    assert list(store.write_changes([appeared])) == [appeared]
    never_there = _renamed(_appeared(7).after, "never there")
    assert list(store.write_changes([never_there])) == [never_there]
    assert list(store.read_all()) == [newer.after]
    assert len(store.read_history(vpc_ids(1))) == 2
    assert list(store.read_history(vpc_ids(7))) == []


def test_one_that_comes_too_late_takes_no_other_with_it(store: Store) -> None:
    known = [_appeared(number) for number in range(0, 130, 13)]
    store.write_changes(known)
    everything = [_appeared(number) for number in range(130)]
    refused = store.write_changes(everything)
    assert {change.after.vpc.id for change in refused} == {change.after.vpc.id for change in known}
    assert len(list(store.read_all())) == 130
    assert len(store.read_items({change.after.vpc.key for change in everything})) == 130
    assert all(len(store.read_history(vpc_ids(number))) == 1 for number in (0, 1, 129))


def test_coverage_is_replaced_whole(store: Store) -> None:
    failure = Failure(FailureReason.SCP_DENY, "UnauthorizedOperation", "explicit deny")
    regions = {REGIONS[0]: RegionCoverage(START), REGIONS[1]: RegionCoverage(None, START, failure)}
    first = Coverage(ACCOUNTS[1], "team", START, None, regions, frozenset({VpcKey(vpc_ids(1), ACCOUNTS[0])}))
    second = Coverage(ACCOUNTS[0], "other", START, failure)
    assert store.write_coverage(first)
    assert store.write_coverage(second)
    assert list(store.read_all_coverage()) == [second, first]
    known = store.read_coverage(ACCOUNTS[1])
    assert store.write_coverage(replace(known, regions={}, shared=frozenset()))
    assert store.read_coverage(ACCOUNTS[1]) == replace(first, regions={}, shared=frozenset())


def test_coverage_that_somebody_else_has_written_meanwhile_is_not_replaced(store: Store) -> None:
    assert store.write_coverage(Coverage(ACCOUNTS[0], "first"))
    assert not store.write_coverage(Coverage(ACCOUNTS[0], "second"))
    mine, theirs = store.read_coverage(ACCOUNTS[0]), store.read_coverage(ACCOUNTS[0])
    assert store.write_coverage(replace(theirs, account_name="theirs"))
    assert not store.write_coverage(replace(mine, account_name="mine"))
    assert store.read_coverage(ACCOUNTS[0]).account_name == "theirs"


def test_trackers_that_write_at_once_lose_nothing(store: Store) -> None:
    """Eight writers raise the same counters, each in the way of the others; every acknowledged step must be there."""
    store.write_changes([_appeared(number) for number in range(3)])
    keys = [VpcKey(vpc_ids(number), ACCOUNTS[0]) for number in range(3)]

    def write(writer: int) -> int:
        acknowledged = 0
        for step in range(5):
            changes = [_renamed(one, f"{writer} {step}") for one in store.read_items(keys)]
            acknowledged += len(changes) - len(store.write_changes(changes))
        return acknowledged

    with ThreadPoolExecutor(8) as pool:
        acknowledged = sum(pool.map(write, range(8)))
    versions = [one.version for one in store.read_items(keys)]
    assert sum(versions) - 3 == acknowledged
    assert acknowledged >= 15
    assert [len(store.read_history(key.vpc)) for key in keys] == versions


def test_a_difference_survives_the_way_through_the_store(store: Store) -> None:
    account, vpc = Account(ACCOUNTS[0], "lake"), _appeared(1).after.vpc
    reads = {REGIONS[0]: Complete((vpc,))}
    store.write_changes(diff_account((), reads, account, START))
    assert diff_account(store.read_owned(account.id), reads, account, START) == ()
    store.write_changes(diff_account(store.read_owned(account.id), {REGIONS[0]: Complete(())}, account, START))
    (gone,) = store.read_all()
    assert not gone.is_live
    assert gone.deleted_at == START


def test_history_since_a_moment_has_what_came_later_and_no_entry_of_that_second(store: Store) -> None:
    first = _appeared(1)
    store.write_changes([first])
    seen = first.after
    for hours in (1, 2):
        after = replace(seen, vpc=replace(seen.vpc, name=f"after {hours}"), version=seen.version + 1,
                        last_changed=seen.last_changed + timedelta(hours=1))  # fmt: skip
        assert store.write_changes([Changed(seen, after)]) == []
        seen = after
    assert [entry["Version"] for entry in store.read_all_history()] == [1, 2, 3]
    assert [entry["Version"] for entry in store.read_all_history(START)] == [2, 3]
    assert [entry["Version"] for entry in store.read_all_history(START + timedelta(hours=1))] == [3]
    assert list(store.read_all_history(START + timedelta(hours=2))) == []


def test_everything_is_there_as_it_is_stored(store: Store) -> None:
    changes = [_appeared(1), _appeared(2)]
    store.write_changes(changes)
    stored = {item["VpcId"]: item for item in store.read_all_attributes()}
    assert stored.keys() == {change.after.vpc.id for change in changes}
    for change in changes:
        assert vpc_from_attributes(upgraded(stored[change.after.vpc.id])) == change.after

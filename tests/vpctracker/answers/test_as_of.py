"""The state at any earlier time comes back from the history, as it was stored then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.memory_store import MemoryStore
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.org import Account
from landkeeper.vpctracker.answers.as_of import first_record, reconstruct_items
from landkeeper.vpctracker.answers.listing import read_known
from landkeeper.vpctracker.attributes import Attributes, StoredItemError
from landkeeper.vpctracker.differences import Complete, diff_account
from landkeeper.vpctracker.inventory import Vpc
from landkeeper.vpctracker.schema import SCHEMA_VERSION, NewerItemError

_OWNER = Account(ACCOUNTS[0], "lake")


def _read(store: MemoryStore, hours: int, vpcs: Mapping[int, str]) -> None:
    seen = tuple(Vpc(vpc_ids(number), _OWNER.id, REGIONS[0], "10.0.0.0/16", name=name) for number, name in vpcs.items())
    now = START + timedelta(hours=hours)
    changes = diff_account(store.read_owned(_OWNER.id), {REGIONS[0]: Complete(seen)}, _OWNER, now)
    assert store.write_changes(changes) == []


@given(st.lists(st.dictionaries(st.integers(0, 4), st.sampled_from("abc")), min_size=1, max_size=8), st.booleans())
def test_every_moment_is_given_back_as_it_was(reads: list[dict[int, str]], within_a_second: bool) -> None:
    store = MemoryStore()
    snapshots = []
    for hours, vpcs in enumerate(reads):
        _read(store, hours, vpcs)
        snapshots.append(tuple(store.read_all()))
    late = timedelta(microseconds=999_999 if within_a_second else 0)
    for hours, snapshot in enumerate(snapshots):
        for moment in (START + timedelta(hours=hours) + late, START + timedelta(hours=hours, minutes=59)):
            known = read_known(store, moment)
            assert set(map(_name, known.vpcs)) == set(map(_name, snapshot))
            assert {one.vpc.key: one for one in known.vpcs} == {one.vpc.key: one for one in snapshot}
            assert known.left_out == ()
    assert read_known(store, START - timedelta(seconds=1)).vpcs == ()
    assert read_known(store).vpcs == snapshots[-1]


def _name(one: Any) -> tuple[str, str, str]:
    return one.vpc.id, one.vpc.name, one.vpc.state


@pytest.fixture
def renamed() -> MemoryStore:
    """A store with one VPC that was changed twice, an hour after each other."""
    store = MemoryStore()
    for hours, name in enumerate("abc"):
        _read(store, hours, {1: name})
    return store


def test_an_entry_that_is_newer_than_the_item_was_written_in_between_and_counts_for_nothing(
    renamed: MemoryStore,
) -> None:
    before = list(renamed.read_all_attributes())
    _read(renamed, 3, {1: "d"})
    (item,) = reconstruct_items(before, renamed.read_all_history(), START + timedelta(hours=1))
    assert isinstance(item, dict)
    assert item["Name"] == "b"


def test_a_gap_in_the_history_leaves_the_item_out_by_name(renamed: MemoryStore) -> None:
    history = [entry for entry in renamed.read_all_history() if entry["Version"] != 2]
    (found,) = reconstruct_items(renamed.read_all_attributes(), history, START - timedelta(hours=1))
    assert isinstance(found, StoredItemError)
    assert f"{vpc_ids(1)} of {_OWNER.id} cannot be read: its history has no entry for version 2" in str(found)


def test_a_gap_is_left_out_of_the_answer(renamed: MemoryStore) -> None:
    renamed.history = [entry for entry in renamed.history if entry["Version"] != 2]
    known = read_known(renamed, START - timedelta(hours=1))
    assert (known.vpcs, len(known.left_out)) == ((), 1)


def test_the_first_record_is_the_first_time_that_anything_was_seen(renamed: MemoryStore) -> None:
    assert read_known(renamed).first_record == "2026-03-01T12:00:00Z"
    assert first_record([]) is None
    assert first_record([{"VpcId": "vpc-1"}]) is None


class _WithBadItems(MemoryStore):
    def read_all_attributes(self) -> list[Attributes]:
        (good,) = super().read_all_attributes()
        return [
            {**good, "VpcId": vpc_ids(8), "CidrBlock": "10.0.0.0/33"},
            {**good, "VpcId": vpc_ids(9), "SchemaVersion": SCHEMA_VERSION + 1},
            good,
        ]


def test_bad_items_and_those_of_a_newer_schema_are_named_and_the_rest_is_answered() -> None:
    store = _WithBadItems()
    _read(store, 0, {1: "a"})
    known = read_known(store)
    assert [one.vpc.name for one in known.vpcs] == ["a"]
    malformed, newer = known.left_out
    assert isinstance(malformed, StoredItemError)
    assert vpc_ids(8) in str(malformed)
    assert "'10.0.0.0/33' is not a CIDR block" in str(malformed)
    assert isinstance(newer, NewerItemError)
    assert vpc_ids(9) in str(newer)


def test_nothing_is_called_stale_at_an_earlier_time(renamed: MemoryStore) -> None:
    now, then = read_known(renamed), read_known(renamed, START)
    assert now.about(now.vpcs[0]).why_stale == "its account has never been read"
    assert not then.about(then.vpcs[0]).is_stale

"""Tracking accounts into a store."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.memory_store import MemoryStore
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.org import Account, AccountId, Failure, FailureReason, Region
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.differences import Change, Complete, RegionRead, Unreadable
from landkeeper.vpctracker.inventory import Vpc, VpcKey
from landkeeper.vpctracker.ports import StoreError
from landkeeper.vpctracker.track import Progress, TrackOutcome, UnreadablePlace, track, track_account

_ACCOUNTS = tuple(Account(account, f"team {number}") for number, account in enumerate(ACCOUNTS))
_HERE, _THERE = REGIONS
_DENIED = Failure(FailureReason.SCP_DENY, "UnauthorizedOperation")
_NO_ROLE = Failure(FailureReason.ROLE_NOT_ASSUMABLE, "AccessDenied")


def _clock() -> datetime:
    return START


def _hours_later(hours: int) -> datetime:
    return START + timedelta(hours=hours)


class World:
    """An organization as its accounts see it; the tracker's `VpcReader`."""

    def __init__(self, *vpcs: Vpc) -> None:
        self.vpcs = list(vpcs)
        self.shut: set[AccountId] = set()
        self.denied: set[tuple[AccountId, Region]] = set()

    def read_account(
        self, account: Account, regions: Collection[Region] | None = None
    ) -> Mapping[Region, RegionRead] | Failure:
        if account.id in self.shut:
            return _NO_ROLE
        return {region: self._read(account.id, region) for region in regions or REGIONS}

    def _read(self, account: AccountId, region: Region) -> RegionRead:
        if (account, region) in self.denied:
            return Unreadable(_DENIED)
        shown = [vpc for vpc in self.vpcs if vpc.region == region and account in {vpc.owner, *vpc.shared_with}]
        return Complete(tuple(replace(vpc, shared_with=()) for vpc in shown))


class Unconnected(World):
    """A world where nobody may read connections."""

    def _read(self, account: AccountId, region: Region) -> RegionRead:
        read = super()._read(account, region)
        return replace(read, connections_failure=_DENIED) if isinstance(read, Complete) else read


class OvertakenStore(MemoryStore):
    """A store where another run is `times` times faster with the same VPCs."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def write_changes(self, changes: Sequence[Change]) -> Sequence[Change]:
        if changes and self.times:
            self.times -= 1
            super().write_changes(changes)
            for change in changes:
                held = self.items[change.after.vpc.key]
                other = replace(held, vpc=replace(held.vpc, name=f"by another {self.times}"), version=held.version + 1)
                self.items[change.after.vpc.key] = other
            return changes
        return super().write_changes(changes)


class ContestedStore(MemoryStore):
    """A store where another run writes down what it knows of an account `times` times, each time a little sooner."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def write_coverage(self, coverage: Coverage) -> bool:
        if self.times:
            self.times -= 1
            theirs = self.read_coverage(coverage.account)
            regions = {**theirs.regions, _THERE: RegionCoverage(START)}
            assert super().write_coverage(replace(theirs, regions=regions))
        return super().write_coverage(coverage)


class MeanwhileStore(MemoryStore):
    """A store in which `before` happens once, right before the call of that name."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[str, Callable[[], object]] = {}

    def write_changes(self, changes: Sequence[Change]) -> Sequence[Change]:
        self.before.pop("write_changes", lambda: None)()
        return super().write_changes(changes)

    def write_coverage(self, coverage: Coverage) -> bool:
        self.before.pop("write_coverage", lambda: None)()
        return super().write_coverage(coverage)


class RefusingStore(MemoryStore):
    """A store in which another run always comes first."""

    def write_changes(self, changes: Sequence[Change]) -> Sequence[Change]:
        return changes


class BrokenStore(MemoryStore):
    """A store that does not take anything."""

    def write_changes(self, changes: Sequence[Change]) -> Sequence[Change]:
        raise StoreError("the store is full")


def _vpc(number: int, owner: int = 0, region: Region = _HERE, shared_with: tuple[int, ...] = ()) -> Vpc:
    participants = tuple(ACCOUNTS[one] for one in shared_with)
    return Vpc(vpc_ids(number), ACCOUNTS[owner], region, f"10.{number}.0.0/16", shared_with=participants)


def _track(world: World, store: MemoryStore, *, workers: int = 4) -> TrackOutcome:
    return track(_ACCOUNTS, world, store, clock=_clock, max_workers=workers)


def test_everything_that_the_accounts_see_is_stored() -> None:
    world, store = World(_vpc(1), _vpc(2, 1, _THERE), _vpc(3, 2)), MemoryStore()
    outcome = _track(world, store)
    assert set(store.items) == {vpc.key for vpc in world.vpcs}
    assert outcome == TrackOutcome(3, 3, 3, {"appeared": 3, "changed": 0, "disappeared": 0}, ())


def test_a_second_run_on_the_same_world_changes_nothing() -> None:
    world, store = World(_vpc(1), _vpc(2, 1, shared_with=(0, 2))), MemoryStore()
    _track(world, store)
    items, history = dict(store.items), list(store.history)
    outcome = _track(world, store)
    assert outcome.changes == {"appeared": 0, "changed": 0, "disappeared": 0}
    assert (store.items, store.history) == (items, history)


def test_accounts_and_regions_that_cannot_be_read_are_named_and_do_not_stop_the_rest() -> None:
    world, store = World(_vpc(1), _vpc(2, 1), _vpc(3, 2), _vpc(4, 2, _THERE)), MemoryStore()
    _track(world, store)
    world.vpcs.clear()
    world.shut.add(ACCOUNTS[1])
    world.denied.add((ACCOUNTS[2], _HERE))
    outcome = _track(world, store)
    assert outcome.unreadable == (
        UnreadablePlace(_ACCOUNTS[1], None, _NO_ROLE),
        UnreadablePlace(_ACCOUNTS[2], _HERE, _DENIED),
    )
    assert (outcome.accounts, outcome.accounts_read, outcome.changes["disappeared"]) == (3, 2, 2)
    assert {key.vpc for key, one in store.items.items() if one.is_live} == {vpc_ids(2), vpc_ids(3)}
    assert store.coverage[ACCOUNTS[1]].failure == _NO_ROLE
    assert store.coverage[ACCOUNTS[2]].regions[_HERE].failure == _DENIED
    assert store.coverage[ACCOUNTS[2]].regions[_THERE].complete_at == START


def test_connections_that_cannot_be_read_make_the_run_incomplete_and_the_region_complete() -> None:
    world, store = Unconnected(_vpc(1)), MemoryStore()
    outcome = _track(world, store)
    assert outcome.unreadable == ()
    assert outcome.unconnected[0] == UnreadablePlace(_ACCOUNTS[0], _HERE, _DENIED)
    assert len(outcome.unconnected) == 6
    assert not outcome.is_complete
    assert _track(World(_vpc(1)), MemoryStore()).is_complete
    assert store.coverage[ACCOUNTS[0]].is_complete


def test_some_regions_can_be_read_again_without_the_others() -> None:
    world, store = World(_vpc(1), _vpc(2, region=_THERE)), MemoryStore()
    _track(world, store)
    world.vpcs = [_vpc(3)]
    outcome = track_account(
        _ACCOUNTS[0], world, store, clock=partial(_hours_later, 1), regions=(_HERE,), confirm_deletions=False
    )
    assert outcome.missed == {_HERE: _hours_later(1)}
    assert outcome.changes == {"appeared": 1, "changed": 1}
    missing = {key.vpc: one.missing_since for key, one in store.items.items()}
    assert missing == {vpc_ids(1): _hours_later(1), vpc_ids(2): None, vpc_ids(3): None}
    assert {region: one.complete_at for region, one in store.coverage[ACCOUNTS[0]].regions.items()} == {
        _HERE: _hours_later(1), _THERE: START,
    }  # fmt: skip
    assert store.coverage[ACCOUNTS[0]].tried_at == START
    again = track_account(
        _ACCOUNTS[0], world, store, clock=partial(_hours_later, 2), regions=(_HERE,), confirm_deletions=False
    )
    assert (again.missed, again.changes) == ({}, {"disappeared": 1})


def test_an_unreadable_place_reads_as_account_region_and_reason() -> None:
    assert str(UnreadablePlace(_ACCOUNTS[0], _HERE, _DENIED)) == (
        "team 0 (111122223333) eu-west-1: denied by a service control policy (UnauthorizedOperation)"
    )
    assert str(UnreadablePlace(Account(ACCOUNTS[0]), None, _NO_ROLE)) == (
        "111122223333: role not assumable (AccessDenied)"
    )


def test_an_account_of_which_no_region_could_be_read_does_not_count_as_read() -> None:
    world, store = World(_vpc(1)), MemoryStore()
    world.denied |= {(ACCOUNTS[0], _HERE), (ACCOUNTS[0], _THERE)}
    assert _track(world, store).accounts_read == 2


def test_a_shared_vpc_is_one_item_and_counts_once() -> None:
    world, store = World(_vpc(1, 0, shared_with=(1, 2))), MemoryStore()
    outcome = _track(world, store)
    assert outcome.vpcs == 1
    (stored,) = store.items.values()
    assert (stored.vpc.owner, stored.vpc.shared_with) == (ACCOUNTS[0], (ACCOUNTS[1], ACCOUNTS[2]))
    assert stored.vpc.account_name == "team 0"


def test_a_shared_vpc_of_an_owner_that_cannot_be_read_counts_too() -> None:
    world, store = World(_vpc(1, 0, shared_with=(1, 2)), _vpc(2, 1)), MemoryStore()
    world.shut.add(ACCOUNTS[0])
    assert _track(world, store).vpcs == 2


def test_sharing_that_ended_is_noticed_by_the_next_complete_read() -> None:
    world, store = World(_vpc(1, 0, shared_with=(1,))), MemoryStore()
    _track(world, store)
    world.vpcs[0] = _vpc(1, 0)
    world.denied.add((ACCOUNTS[1], _HERE))
    _track(world, store)
    assert store.items[world.vpcs[0].key].vpc.shared_with == (ACCOUNTS[1],)
    world.denied.clear()
    _track(world, store)
    assert store.items[world.vpcs[0].key].vpc.shared_with == ()
    assert store.coverage[ACCOUNTS[1]].shared == frozenset()


def test_sharing_is_remembered_before_the_item_names_the_participant() -> None:
    world, store = World(_vpc(1, 0, shared_with=(1,))), BrokenStore()
    with pytest.raises(StoreError):
        track_account(_ACCOUNTS[1], world, store, clock=_clock)
    assert store.coverage[ACCOUNTS[1]].shared == {VpcKey(vpc_ids(1), ACCOUNTS[0])}
    assert store.coverage[ACCOUNTS[1]].tried_at is None


def test_what_another_run_wrote_meanwhile_is_read_again_and_corrected() -> None:
    world, store = World(_vpc(1), _vpc(2)), OvertakenStore(2)
    outcome = track_account(_ACCOUNTS[0], world, store, clock=_clock)
    assert outcome.unreadable == ()
    assert [one.vpc.name for one in store.items.values()] == ["", ""]
    assert outcome.changes["changed"] == 2
    assert store.coverage[ACCOUNTS[0]].is_complete


def test_an_item_that_vanished_meanwhile_is_written_anew() -> None:
    world, store = World(_vpc(1)), MemoryStore()
    _track(world, store)

    class Vanishing(MemoryStore):
        def write_changes(self, changes: Sequence[Change]) -> Sequence[Change]:
            if changes and self.items:
                self.items.clear()
            return super().write_changes(changes)

    emptied = Vanishing()
    emptied.items = {key: replace(one, vpc=replace(one.vpc, name="old")) for key, one in store.items.items()}
    outcome = track_account(_ACCOUNTS[0], world, emptied, clock=_clock)
    assert outcome.changes == {"appeared": 1}


def test_a_region_that_another_run_keeps_writing_is_not_called_complete() -> None:
    world, store = World(_vpc(1), _vpc(2, 0, _THERE)), OvertakenStore(99)
    outcome = track_account(_ACCOUNTS[0], world, store, clock=_clock)
    assert [place.region for place in outcome.unreadable] == [_HERE, _THERE]
    assert "another run" in str(outcome.unreadable[0])
    assert not store.coverage[ACCOUNTS[0]].is_complete


def _ticking() -> Callable[[], datetime]:
    seconds = itertools.count(1)
    return lambda: START + timedelta(seconds=next(seconds))


def test_what_was_written_while_a_later_read_came_to_its_end_is_read_again() -> None:
    """The VPC was renamed and named back, and only the first name was seen by the run that writes first."""
    world, store, clock = World(_vpc(1)), MeanwhileStore(), _ticking()
    track_account(_ACCOUNTS[0], world, store, clock=clock)
    old = world.vpcs[0]
    reads: list[Collection[Region] | None] = []

    class Watched(World):
        def read_account(
            self, account: Account, regions: Collection[Region] | None = None
        ) -> Mapping[Region, RegionRead] | Failure:
            reads.append(regions)
            return super().read_account(account, regions)

    def another_run() -> None:
        watched.vpcs = [old]
        track_account(_ACCOUNTS[0], World(old), store, clock=clock)

    watched = Watched(replace(old, name="for a moment"))
    store.before["write_coverage"] = another_run
    outcome = track_account(_ACCOUNTS[0], watched, store, clock=clock)
    assert store.items[old.key].vpc.name == ""
    assert reads == [None, {_HERE}]
    assert (outcome.changes, outcome.unreadable, outcome.was_read) == ({"changed": 1}, (), True)


def test_a_region_that_cannot_be_read_again_is_unreadable_for_that_reason() -> None:
    class ShutAfterwards(World):
        def read_account(
            self, account: Account, regions: Collection[Region] | None = None
        ) -> Mapping[Region, RegionRead] | Failure:
            read = super().read_account(account, regions)
            self.shut.add(account.id)
            return read

    outcome = track_account(_ACCOUNTS[0], ShutAfterwards(_vpc(1)), OvertakenStore(1), clock=_clock)
    assert outcome.unreadable == (UnreadablePlace(_ACCOUNTS[0], _HERE, _NO_ROLE),)


def test_participants_that_are_named_at_the_same_moment_are_all_named() -> None:
    world, store, clock = World(_vpc(1, 0, shared_with=(1, 2))), MeanwhileStore(), _ticking()
    track_account(_ACCOUNTS[0], world, store, clock=clock)
    store.before["write_changes"] = lambda: track_account(_ACCOUNTS[2], world, store, clock=clock)
    track_account(_ACCOUNTS[1], world, store, clock=clock)
    assert store.items[world.vpcs[0].key].vpc.shared_with == ACCOUNTS[1:]


def test_a_participant_that_never_gets_its_turn_says_so() -> None:
    world, store = World(_vpc(1, 0, shared_with=(1,))), MemoryStore()
    track_account(_ACCOUNTS[0], world, store, clock=_clock)
    refusing = RefusingStore()
    refusing.items = store.items
    outcome = track_account(_ACCOUNTS[1], world, refusing, clock=_clock)
    assert [place.region for place in outcome.unreadable] == [_HERE]


def test_what_another_run_knows_by_now_is_kept() -> None:
    store = ContestedStore(times=2)
    track_account(Account(ACCOUNTS[0]), World(_vpc(1)), store, clock=_clock, regions=[_HERE])
    assert store.read_coverage(ACCOUNTS[0]).regions.keys() == {_HERE, _THERE}


def test_a_run_that_never_gets_to_write_what_it_knows_says_so() -> None:
    with pytest.raises(StoreError, match="other runs keep writing the data of account 111122223333"):
        track_account(Account(ACCOUNTS[0]), World(), ContestedStore(times=99), clock=_clock)


def test_a_store_that_fails_ends_the_run() -> None:
    with pytest.raises(StoreError, match="the store is full"):
        _track(World(_vpc(1)), BrokenStore())


def test_a_run_that_is_stopped_does_not_go_on_with_the_accounts_that_wait() -> None:
    accounts = [Account(AccountId(f"{number:012d}")) for number in range(1, 41)]
    store = MemoryStore()

    def stop(progress: Progress) -> None:
        if progress.accounts_done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        track(accounts, World(), store, clock=_clock, max_workers=1, on_progress=stop)
    assert 1 <= len(store.coverage) <= 3


def test_progress_is_told_at_the_start_and_after_every_account() -> None:
    world, told = World(_vpc(1), _vpc(2, 1)), list[Progress]()
    world.shut.add(ACCOUNTS[2])
    track(_ACCOUNTS, world, MemoryStore(), clock=_clock, max_workers=1, on_progress=told.append)
    assert told[0] == Progress(0, 3, 0, 0)
    assert [one.accounts_done for one in told] == [0, 1, 2, 3]
    assert told[-1] == Progress(3, 3, 2, 1)


def test_more_accounts_than_are_under_way_at_once_are_all_tracked() -> None:
    accounts = [Account(AccountId(f"{number:012d}")) for number in range(1, 41)]
    vpcs = [Vpc(vpc_ids(number), one.id, _HERE, "10.0.0.0/16") for number, one in enumerate(accounts)]
    store = MemoryStore()
    outcome = track(accounts, World(*vpcs), store, clock=_clock, max_workers=2)
    assert (outcome.accounts_read, len(store.items)) == (40, 40)


def test_no_accounts_are_nothing_to_do() -> None:
    outcome = track([], World(), MemoryStore(), clock=_clock)
    assert outcome == TrackOutcome(0, 0, 0, {"appeared": 0, "changed": 0, "disappeared": 0}, ())


@st.composite
def _worlds(draw: st.DrawFn) -> World:
    numbers = draw(st.lists(st.integers(0, 9), unique=True, max_size=6))
    world = World()
    for number in numbers:
        # A VPC stays with its owner and in its region, whatever else becomes of it.
        participants = draw(st.sets(st.integers(0, 2))) - {number % 3}
        world.vpcs.append(_vpc(number, number % 3, REGIONS[number % 2], tuple(sorted(participants))))
    world.shut = draw(st.sets(st.sampled_from(ACCOUNTS), max_size=1))
    world.denied = draw(st.sets(st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(REGIONS)), max_size=2))
    return world


@given(st.lists(_worlds(), max_size=4), _worlds(), st.permutations(_ACCOUNTS))
def test_whatever_happened_before_a_run_that_reads_all_stores_the_world_as_it_is(
    earlier: list[World], last: World, order: list[Account]
) -> None:
    store = MemoryStore()
    for number, world in enumerate([*earlier, last]):
        if world is last:
            world.shut, world.denied = set(), set()
        for account in order:
            track_account(account, world, store, clock=partial(_hours_later, number))
    live = {one.vpc.key: one.vpc.shared_with for one in store.items.values() if one.is_live}
    # A participant that was read before the owner brought the VPC back is added the next time.
    for account in order:
        track_account(account, last, store, clock=partial(_hours_later, 24))
    assert set(live) == {vpc.key for vpc in last.vpcs}
    shared = {one.vpc.key: one.vpc.shared_with for one in store.items.values() if one.is_live}
    assert shared == {vpc.key: vpc.shared_with for vpc in last.vpcs}

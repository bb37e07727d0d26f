"""Several trackers at once on one store: nothing is lost, whoever comes first."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.memory_store import MemoryStore
from tests.servers import home_sessions
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids
from tests.waiting import HANG_SECONDS

from landkeeper.aws.vpctracker.vpc_table import VpcTable, create_tables
from landkeeper.embedded.vpc_file import VpcFile
from landkeeper.org import Account, Region
from landkeeper.vpctracker.attributes import Attributes, vpc_to_attributes
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.differences import Complete, RegionRead
from landkeeper.vpctracker.inventory import Vpc, VpcId
from landkeeper.vpctracker.ports import VpcStore
from landkeeper.vpctracker.track import track_account

ACCOUNT = Account(ACCOUNTS[0], "lake")
_VPCS = 12
_ROUNDS = 60
_names = (f"Contention{number}" for number in itertools.count())


class World:
    """An account whose VPCs come, change and go while it is being read."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a story, not a secret
        self._lock = threading.Lock()
        self._vpcs: dict[VpcId, Vpc] = {}

    def turn(self) -> None:
        """Something happens to one VPC. Ids of VPCs that went do come back here, unlike EC2's."""
        with self._lock:
            number, word = self._random.randrange(_VPCS), self._random.randrange(10**6)
            vpc = Vpc(vpc_ids(number), ACCOUNT.id, REGIONS[0], f"10.{number}.0.0/16", name=str(word))
            if self._random.random() < 0.2:
                self._vpcs.pop(vpc.id, None)
            else:
                self._vpcs[vpc.id] = vpc

    def read_account(self, account: Account, regions: Collection[Region] | None = None) -> Mapping[Region, RegionRead]:
        assert account == ACCOUNT
        assert set(regions or REGIONS) >= {REGIONS[0]}
        with self._lock:
            return {REGIONS[0]: Complete(tuple(self._vpcs.values()))}

    def names(self) -> dict[VpcId, str]:
        return {vpc.id: vpc.name for vpc in self._vpcs.values()}


class Meeting:
    """A world whose first reader waits until the other tracker has read as well."""

    def __init__(self, world: World, both: threading.Barrier) -> None:
        self._world = world
        self._both: threading.Barrier | None = both

    def read_account(self, account: Account, regions: Collection[Region] | None = None) -> Mapping[Region, RegionRead]:
        read, both, self._both = self._world.read_account(account, regions), self._both, None
        if both is not None:
            both.wait(HANG_SECONDS)
        return read


@pytest.fixture(params=["memory", "file", pytest.param("dynamodb", marks=pytest.mark.embedded)])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], VpcStore]]:
    """Opens the same store anew for each tracker, as processes of their own would."""
    if request.param == "memory":
        store = MemoryStore()
        yield lambda: store
    elif request.param == "file":
        opened: list[VpcFile] = []

        def open_file() -> VpcFile:
            opened.append(VpcFile(tmp_path / "landkeeper.db", lock_timeout_seconds=HANG_SECONDS))
            return opened[-1]

        yield open_file
        for file in opened:
            file.close()
    else:
        request.getfixturevalue("aws_environment")
        name = next(_names)
        create_tables(home_sessions().home("dynamodb"), name)
        yield lambda: VpcTable(home_sessions().home("dynamodb"), name)


def _ticking() -> Callable[[], datetime]:
    seconds = itertools.count(1)
    return lambda: START + timedelta(seconds=next(seconds))


def test_two_trackers_of_a_moving_account_end_with_what_they_read_last(open_store: Callable[[], VpcStore]) -> None:
    """Each has read before the other writes, time after time: one of the two writes what is not so any more."""
    world, clock, both = World(7), _ticking(), threading.Barrier(2)

    def keep_tracking(_: int) -> None:
        store = open_store()
        for _ in range(_ROUNDS):
            world.turn()
            track_account(ACCOUNT, Meeting(world, both), store, clock=clock)
        both.wait(HANG_SECONDS)
        track_account(ACCOUNT, world, store, clock=clock)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(keep_tracking, range(2)))
    store = open_store()
    assert {one.vpc.id: one.vpc.name for one in store.read_all() if one.is_live} == world.names()
    _check_history(store)


def _check_history(store: VpcStore) -> None:
    """Every version of every VPC left one entry, and each entry takes on where the one before it ended."""
    stored = {one.vpc.id: one for one in store.read_all()}
    histories: dict[VpcId, list[Attributes]] = {vpc: list(store.read_history(vpc)) for vpc in stored}
    for vpc, entries in histories.items():
        by_version = sorted(entries, key=lambda entry: int(entry["Version"]))
        assert [entry["Version"] for entry in by_version] == list(range(1, stored[vpc].version + 1))
        state: Attributes = {}
        for entry in by_version:
            assert {name: state[name] for name in entry["Before"]} == entry["Before"]
            state = {name: value for name, value in state.items() if name not in entry["Before"]} | entry["After"]
        assert state == vpc_to_attributes(stored[vpc])
    assert sum(map(len, histories.values())) == len(list(store.read_all_history()))


class Slow:
    """Two regions, the first of which is read at once; before the second is, `meanwhile` happens."""

    def __init__(self, clock: Callable[[], datetime], *vpcs: Vpc) -> None:
        self._clock = clock
        self.vpcs = list(vpcs)
        self.meanwhile: Callable[[], object] | None = None

    def read_account(self, account: Account, regions: Collection[Region] | None = None) -> Mapping[Region, RegionRead]:
        reads: dict[Region, RegionRead] = {}
        for region in REGIONS if regions is None else sorted(regions):
            began = self._clock()
            reads[region] = Complete(tuple(vpc for vpc in self.vpcs if vpc.region == region), began=began)
            meanwhile, self.meanwhile = self.meanwhile, None
            if meanwhile is not None:
                meanwhile()
        return reads


def _new_vpc(number: int, name: str = "") -> Vpc:
    return Vpc(vpc_ids(number), ACCOUNT.id, REGIONS[0], f"10.{number}.0.0/16", name=name)


@pytest.mark.parametrize("confirm_deletions", [True, False])
def test_a_slow_read_does_not_take_away_what_another_run_has_stored_since_it_began(
    open_store: Callable[[], VpcStore], *, confirm_deletions: bool
) -> None:
    """Also where the slow one is the read after an event, which takes nothing away but marks what it does not see."""
    clock, store = _ticking(), open_store()
    world = Slow(clock)

    def another_run() -> None:
        world.vpcs.append(_new_vpc(1))
        track_account(ACCOUNT, world, open_store(), clock=clock)

    world.meanwhile = another_run
    regions = None if confirm_deletions else REGIONS
    outcome = track_account(ACCOUNT, world, store, clock=clock, regions=regions, confirm_deletions=confirm_deletions)
    (stored,) = store.read_all()
    assert (stored.is_live, stored.missing_since, stored.version) == (True, None, 1)
    assert (outcome.changes, outcome.missed, outcome.unreadable) == ({}, {}, ())


def test_a_slow_read_does_not_undo_a_change_that_another_run_has_stored_since_it_began(
    open_store: Callable[[], VpcStore],
) -> None:
    clock, store = _ticking(), open_store()
    world = Slow(clock, _new_vpc(1, "old"))
    track_account(ACCOUNT, world, store, clock=clock)

    def another_run() -> None:
        world.vpcs = [_new_vpc(1, "new")]
        track_account(ACCOUNT, world, open_store(), clock=clock)

    world.meanwhile = another_run
    track_account(ACCOUNT, world, store, clock=clock)
    (stored,) = store.read_all()
    assert (stored.vpc.name, stored.version) == ("new", 2)
    _check_history(store)


def test_a_slow_read_does_not_undo_what_another_run_found_unchanged(open_store: Callable[[], VpcStore]) -> None:
    """The VPC was renamed and named back: the other run wrote nothing, and its complete read alone says so."""
    clock, store = _ticking(), open_store()
    world = Slow(clock, _new_vpc(1, "old"))
    track_account(ACCOUNT, world, store, clock=clock)

    def another_run() -> None:
        world.vpcs = [_new_vpc(1, "old")]
        track_account(ACCOUNT, world, open_store(), clock=clock)

    world.vpcs, world.meanwhile = [_new_vpc(1, "for a moment")], another_run
    track_account(ACCOUNT, world, store, clock=clock)
    (stored,) = store.read_all()
    assert (stored.vpc.name, stored.version) == ("old", 1)


def test_a_slow_read_moves_no_time_back(open_store: Callable[[], VpcStore]) -> None:
    clock, store = _ticking(), open_store()
    world = Slow(clock)
    at_the_other_run: list[Coverage] = []

    def another_run() -> None:
        track_account(ACCOUNT, world, open_store(), clock=clock)
        at_the_other_run.append(store.read_coverage(ACCOUNT.id))

    world.meanwhile = another_run
    track_account(ACCOUNT, world, store, clock=clock)
    (theirs,), now = at_the_other_run, store.read_coverage(ACCOUNT.id)
    here, there = REGIONS
    assert now.regions[here] == theirs.regions[here]
    assert now.tried_at == theirs.tried_at
    # Of the second region the slow read is the later one.
    before, after = theirs.regions[there].complete_at, now.regions[there].complete_at
    assert before is not None
    assert after is not None
    assert before < after


_TRACKER = """
import sys
from datetime import timedelta
from pathlib import Path
from landkeeper.embedded.vpc_file import VpcFile
from landkeeper.vpctracker.track import track_account
from tests.contract.test_store_contention import ACCOUNT, World
from tests.strategies import START
from tests.waiting import HANG_SECONDS
path, seed = Path(sys.argv[1]), int(sys.argv[2])
store, world = VpcFile(path, lock_timeout_seconds=HANG_SECONDS), World(seed)
for step in range(60):
    world.turn()
    track_account(ACCOUNT, world, store, clock=lambda: START + timedelta(seconds=step))
store.close()
"""


def test_processes_share_a_file_and_lose_nothing(tmp_path: Path) -> None:
    """Three processes that see different worlds overwrite one another all the time; no step goes missing."""
    path = tmp_path / "landkeeper.db"
    commands = [[sys.executable, "-c", _TRACKER, str(path), str(seed)] for seed in range(3)]
    running = [subprocess.Popen(command) for command in commands]
    assert [process.wait(HANG_SECONDS) for process in running] == [0, 0, 0]
    world = World(9)
    for _ in range(50):
        world.turn()
    with closing(VpcFile(path)) as store:
        _check_history(store)
        track_account(ACCOUNT, world, store, clock=lambda: START + timedelta(days=1))
        assert {one.vpc.id: one.vpc.name for one in store.read_all() if one.is_live} == world.names()
        _check_history(store)


class Counting:
    """A store that counts what is written through it."""

    def __init__(self, store: VpcStore) -> None:
        self._store = store
        self.written: list[str] = []

    def __getattr__(self, name: str) -> object:
        call = getattr(self._store, name)
        if not name.startswith("write_"):
            return call

        def counted(given: object) -> object:
            if given:
                self.written.append(name)
            return call(given)

        return counted


def test_a_second_run_on_an_unchanged_account_writes_nothing_but_its_coverage(
    open_store: Callable[[], VpcStore],
) -> None:
    world, store = World(3), open_store()
    for _ in range(40):
        world.turn()
    track_account(ACCOUNT, world, store, clock=lambda: START)
    before = list(store.read_all())
    counting = Counting(store)
    track_account(ACCOUNT, world, counting, clock=lambda: START + timedelta(hours=1))  # type: ignore[arg-type]
    assert counting.written == ["write_coverage"]
    assert list(store.read_all()) == before
    assert store.read_coverage(ACCOUNT.id).tried_at == START + timedelta(hours=1)
    assert store.read_coverage(ACCOUNT.id).is_complete

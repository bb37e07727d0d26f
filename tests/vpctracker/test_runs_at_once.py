"""Two or three runs at once, whatever the order and the speed of their calls, and wherever they end.

A run is paused before each of its calls: a rule lets one go on for a few of them, another one ends it there for good.
Each call takes effect at one moment, and the clock shows another second each time that it is looked at.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.memory_pools import MemoryPools
from tests.memory_store import MemoryStore
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids
from tests.waiting import HANG_SECONDS

from landkeeper.org import Account, AccountId, Region
from landkeeper.vpctracker.attributes import vpc_to_attributes
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.config import TrackerConfig
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.differences import Change, Complete, RegionRead
from landkeeper.vpctracker.inventory import StoredVpc, Vpc, VpcId, VpcKey
from landkeeper.vpctracker.pools.operations import Actor, Request, Reserved, allocate, create_pool
from landkeeper.vpctracker.pools.pool import Pool
from landkeeper.vpctracker.pools.tracked import tracked_in
from landkeeper.vpctracker.track import track_account

_OWNER, _PARTICIPANT = Account(ACCOUNTS[0], "owner"), Account(ACCOUNTS[1], "participant")
_BLOCKS = 8
_MOST_RUNS = 3
_CALLS = ("any call", "answer of a region", "read_owned", "write_changes", "write_coverage", "the end")


class GoneError(BaseException):
    """Stands for the end of the process: nothing may catch it."""


class Run:
    """Work in a thread of its own that goes on only when it is told to."""

    def __init__(self, work: Callable[[Run], object]) -> None:
        self.next_call = ""
        self.is_over = False
        self.error: BaseException | None = None
        self._is_killed = False
        self._may_go, self._has_stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._do, args=(work,), daemon=True)
        self._thread.start()

    def pause(self, call: str) -> None:
        """Wait for the next step; called before each call of the work's."""
        self.next_call = call
        self._has_stopped.release()
        self._may_go.acquire()
        if self._is_killed:
            raise GoneError

    def step(self) -> None:
        """Let it make one more call."""
        if not self.is_over:
            self._may_go.release()
            assert self._has_stopped.acquire(timeout=HANG_SECONDS)

    def kill(self) -> None:
        """End it where it stands."""
        self._is_killed = True
        self.step()
        self._thread.join(HANG_SECONDS)

    def _do(self, work: Callable[[Run], object]) -> None:
        self._may_go.acquire()
        try:
            if not self._is_killed:
                work(self)
        except GoneError:
            pass
        except BaseException as error:  # noqa: BLE001 - it is raised where the steps are made
            self.error = error
        self.is_over = True
        self._has_stopped.release()


@dataclass
class World:
    """The VPCs that there are, and the time."""

    vpcs: dict[VpcId, Vpc] = field(default_factory=dict)
    made_at: dict[VpcId, datetime] = field(default_factory=dict)
    seconds: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def now(self) -> datetime:
        return START + timedelta(seconds=next(self.seconds))

    def seen_by(self, account: AccountId, region: Region) -> tuple[Vpc, ...]:
        shown = (vpc for vpc in self.vpcs.values() if vpc.region == region and account in {vpc.owner, *vpc.shared_with})
        return tuple(replace(vpc, shared_with=()) for vpc in shown)


class SteppedReader:
    """The tracker's `VpcReader`: a region is seen as it is at some moment after its read began."""

    def __init__(self, world: World, run: Run) -> None:
        self._world, self._run = world, run

    def read_account(self, account: Account, regions: Collection[Region] | None = None) -> Mapping[Region, RegionRead]:
        reads: dict[Region, RegionRead] = {}
        for region in sorted(REGIONS if regions is None else regions):
            self._run.pause("begin of a region")
            began = self._world.now()
            self._run.pause("answer of a region")
            reads[region] = Complete(self._world.seen_by(account.id, region), began=began)
        return reads


class SteppedStore:
    """The calls of a `VpcStore` that tracking makes, a step each."""

    def __init__(self, store: MemoryStore, run: Run) -> None:
        self._store, self._run = store, run

    def read_owned(self, account: AccountId) -> Sequence[StoredVpc]:
        self._run.pause("read_owned")
        return self._store.read_owned(account)

    def read_items(self, keys: Collection[VpcKey]) -> Sequence[StoredVpc]:
        self._run.pause("read_items")
        return self._store.read_items(keys)

    def write_changes(self, changes: Sequence[Change]) -> Sequence[Change]:
        self._run.pause("write_changes")
        return self._store.write_changes(changes)

    def read_coverage(self, account: AccountId) -> Coverage:
        self._run.pause("read_coverage")
        return self._store.read_coverage(account)

    def write_coverage(self, coverage: Coverage) -> bool:
        self._run.pause("write_coverage")
        return self._store.write_coverage(coverage)


class RunsAtOnce(RuleBasedStateMachine):
    """Runs of an owner and of an account that some of its VPCs are shared with."""

    def __init__(self) -> None:
        super().__init__()
        self.world, self.store = World(), MemoryStore()
        self.runs: list[Run] = []
        self.was_killed = False
        self.numbers = itertools.count(1)
        self.complete_at: dict[tuple[AccountId, Region], datetime] = {}

    @precondition(lambda self: len(self.runs) < _MOST_RUNS)
    @rule(
        account=st.sampled_from((_OWNER, _OWNER, _PARTICIPANT)),
        regions=st.none() | st.sampled_from(REGIONS).map(lambda region: (region,)),
        confirm_deletions=st.booleans(),
    )
    def begin(self, account: Account, regions: Collection[Region] | None, *, confirm_deletions: bool) -> None:
        def work(run: Run) -> None:
            track_account(
                account, SteppedReader(self.world, run), SteppedStore(self.store, run),  # type: ignore[arg-type]
                clock=self.world.now, regions=regions, confirm_deletions=confirm_deletions,
            )  # fmt: skip

        self.runs.append(Run(work))

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0, _MOST_RUNS - 1), until=st.sampled_from(_CALLS))
    def go_on(self, which: int, until: str) -> None:
        """Go on until right before such a call, or to the end."""
        run = self.runs[which % len(self.runs)]
        run.step()
        while not run.is_over and until not in {run.next_call, "any call"}:
            run.step()
            self._note_times()
        if run.error is not None:
            raise run.error
        self.runs = [run for run in self.runs if not run.is_over]

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0, _MOST_RUNS - 1))
    def kill(self, which: int) -> None:
        self.runs.pop(which % len(self.runs)).kill()
        self.was_killed = True

    @rule(
        what=st.sampled_from(("make", "make", "change", "delete")),
        which=st.integers(0, 20),
        name=st.sampled_from(("new", "other")),
        is_shared=st.booleans(),
    )
    def something_happens(self, what: str, which: int, name: str, *, is_shared: bool) -> None:
        """Names come back, and shares do; the ids of VPCs that are gone do not."""
        shared_with = (_PARTICIPANT.id,) if is_shared else ()
        if what == "make":
            id_, block = vpc_ids(next(self.numbers)), f"10.{which % _BLOCKS}.0.0/16"
            self.world.vpcs[id_] = Vpc(id_, _OWNER.id, REGIONS[which % 2], block, name=name, shared_with=shared_with)
            self.world.made_at[id_] = self.world.now()
        elif self.world.vpcs:
            vpc = list(self.world.vpcs.values())[which % len(self.world.vpcs)]
            if what == "delete":
                del self.world.vpcs[vpc.id]
            else:
                self.world.vpcs[vpc.id] = replace(vpc, name=name, shared_with=shared_with)

    @precondition(lambda self: 0 < len(self.runs) < _MOST_RUNS)
    @rule(
        what=st.sampled_from(("make", "change", "delete")),
        which=st.integers(0, 20),
        until=st.sampled_from(("write_coverage", "the end")),
    )
    def another_run_finds_news(self, what: str, which: int, until: str) -> None:
        """What the others are waiting through, more often than chance would have it."""
        self.something_happens(what=what, which=which, name="other", is_shared=False)
        self.begin(account=_OWNER, regions=None, confirm_deletions=True)
        self.go_on(which=len(self.runs) - 1, until=until)

    @rule()
    def allocate_a_block(self) -> None:
        """No block of a live VPC that a run has ever stored is given away."""
        tracked = [self.store.items[vpc.key].vpc for vpc in self.world.vpcs.values() if vpc.key in self.store.items]
        taken = {vpc.cidr_block for vpc in tracked}
        given = _allocate(self.store)
        assert given is None or str(given.reservation.block) not in taken

    @invariant()
    def no_live_vpc_is_taken_for_gone(self) -> None:
        for vpc in self.world.vpcs.values():
            stored = self.store.items.get(vpc.key)
            assert stored is None or stored.is_live

    @invariant()
    def a_region_is_complete_only_as_far_as_its_vpcs_are_stored(self) -> None:
        for vpc in self.world.vpcs.values():
            covered = self.store.read_coverage(vpc.owner).regions.get(vpc.region)
            if covered is not None and covered.complete_at is not None:
                assert vpc.key in self.store.items or covered.complete_at <= self.world.made_at[vpc.id]

    @invariant()
    def history_is_in_order_and_whole(self) -> None:
        for key, stored in self.store.items.items():
            entries = self.store.read_history(key.vpc)
            assert [entry["Version"] for entry in entries] == list(range(1, stored.version + 1))
            state: dict[str, object] = {}
            for entry in entries:
                state = {name: value for name, value in state.items() if name not in entry["Before"]} | entry["After"]
            assert state == vpc_to_attributes(stored)

    def teardown(self) -> None:
        """Whatever was left undone, the next complete read of each account mends it.

        But for this: where a run ends right after it has named a participant of a VPC that is no longer shared, and
        another one has found that meanwhile, the name stays.
        """
        while self.runs:
            self.go_on(which=0, until="the end")
        for account in (_OWNER, _PARTICIPANT):
            self.begin(account=account, regions=None, confirm_deletions=True)
            self.go_on(which=0, until="the end")
            assert self.store.read_coverage(account.id).is_complete
        live = {known.vpc.id: known.vpc for known in self.store.items.values() if known.is_live}
        assert {(vpc.id, vpc.name) for vpc in live.values()} == {(vpc.id, vpc.name) for vpc in self.world.vpcs.values()}
        for vpc in self.world.vpcs.values():
            named = set(live[vpc.id].shared_with)
            assert named >= set(vpc.shared_with) if self.was_killed else named == set(vpc.shared_with)

    def _note_times(self) -> None:
        for account, coverage in self.store.coverage.items():
            for region, covered in coverage.regions.items():
                if covered.complete_at is not None:
                    before = self.complete_at.get((account, region), covered.complete_at)
                    assert before <= covered.complete_at
                    self.complete_at[account, region] = covered.complete_at


def _allocate(store: MemoryStore) -> Reserved | None:
    """A block of a pool that nobody else has anything of, by what is tracked; None where it is full."""
    pools, config = MemoryPools(), TrackerConfig()
    actor = Actor("test", lambda: START, lambda: "res-1", lambda: iter(()))
    create_pool(pools, Pool("pool", parse_block("10.0.0.0/13")), actor)
    vpcs = [known.vpc for known in store.items.values() if known.is_live]
    request = Request("pool", 16, _OWNER.id, "a test", accept_unread=True)
    answer = allocate(pools, request, lambda space, _: tracked_in(space, vpcs, {}, config), actor)
    return answer if isinstance(answer, Reserved) else None


TestRunsAtOnce = RunsAtOnce.TestCase
TestRunsAtOnce.settings = settings(max_examples=200, stateful_step_count=60, deadline=None)

"""Tags that change at any moment, slow calls, lost answers and kills: no instance is ended by what is no longer true.

A state machine draws the story. Its bar: nothing is stopped or terminated whose tags complied at the read right before
the call, and that read began at most five seconds before the call arrived; nothing is done in silence.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from tests.broom_world import ACCOUNT, LAUNCHED_AT, REGION, Clock, launch, policy

from landkeeper.broom.actions import ACT_SINCE
from landkeeper.broom.audit import audit_overdue, audit_place
from landkeeper.broom.case import Case
from landkeeper.broom.dry_run import CollectedReports, ScratchLedger
from landkeeper.broom.instance_state import FRESH, ActionResult, BatchFailed, Done, LiveInstance, Refused, TooLate
from landkeeper.broom.launch_report import Report
from landkeeper.broom.launches import InstanceId, Launch, Tags, Untagging
from landkeeper.broom.new_launches import sweep_first_seen
from landkeeper.broom.policy.requirements import find_fault
from landkeeper.broom.ports import Place, SweepPorts
from landkeeper.broom.removed_tags import sweep_untagged
from landkeeper.broom.sweeping.sweep import Sweep
from landkeeper.org import AccountId, Failure, FailureReason, Region

PLACES: tuple[Place, ...] = ((ACCOUNT, REGION), (AccountId("444455556666"), Region("us-east-1")))
CONFIRMED = policy("""
version: 1
rules:
  - {name: code, require: {tag: Code, values: [LOL]}, action: terminate}
  - {name: owner, require: {tag: Owner}, action: stop}
confirm_after: 60s
""")
HASTY = replace(CONFIRMED, confirm_after=timedelta(0))
TAGGINGS: tuple[Tags, ...] = ({}, {"Code": "LOL", "Owner": "jane"}, {"Code": "LOL"}, {"Code": "bad", "Owner": "jane"})
LOST = Failure(FailureReason.TIMED_OUT, "ReadTimeoutError")
IDS = tuple(InstanceId(f"i-{number}") for number in range(8))


class KilledError(Exception):
    """The run ends here."""


@dataclass(frozen=True, slots=True)
class Read:
    """The last read of an instance."""

    began_at: datetime
    tags: Tags


@dataclass(slots=True)
class World:
    """Everything outside a sweep, in which things happen during every call."""

    drawn: random.Random = field(default_factory=random.Random)
    clock: Clock = field(default_factory=Clock)
    instances: dict[InstanceId, LiveInstance] = field(default_factory=dict)
    places: dict[InstanceId, Place] = field(default_factory=dict)
    ledger: ScratchLedger = field(default_factory=ScratchLedger)
    topic: CollectedReports = field(default_factory=CollectedReports)
    due: dict[InstanceId, datetime] = field(default_factory=dict)
    reads: dict[InstanceId, Read] = field(default_factory=dict)
    ended: dict[InstanceId, str] = field(default_factory=dict)
    """What Broom has stopped or terminated, with what that is called in a report."""
    is_calm: bool = False
    """Whether nothing happens and every call is answered at once."""
    calls_left: int | None = None

    def ports(self) -> SweepPorts:
        """The ports of a sweep."""
        return SweepPorts(self, self, DisturbedLedger(self), DisturbedTopic(self), self, self.clock)

    @contextmanager
    def during_call(self) -> Iterator[None]:
        """Let time pass, tags change and the run end, before a call and after it."""
        self._disturb()
        yield
        self._disturb()

    def _disturb(self) -> None:
        if self.is_calm:
            return
        if self.calls_left is not None:
            self.calls_left -= 1
            if self.calls_left < 0:
                raise KilledError
        self.clock.pass_time(seconds=self.drawn.choice((0, 0, 0, 0.5, 1, 3, 7)))
        if self.instances and self.drawn.random() < 0.35:
            self.retag(self.drawn.choice(sorted(self.instances)), self.drawn.choice(TAGGINGS))

    def retag(self, id_: InstanceId, tags: Tags) -> None:
        """Give an instance these tags and no others."""
        self.instances[id_] = replace(self.instances[id_], tags=tags)

    def read_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId]
    ) -> Mapping[InstanceId, LiveInstance] | Failure:
        began_at = self.clock.now
        with self.during_call():
            if self._draws(0.05):
                return Failure(FailureReason.THROTTLED)
            found = {id_: live for id_, live in self.list_all(account, region).items() if id_ in ids}
        self.reads |= {id_: Read(began_at, live.tags) for id_, live in found.items()}
        return found

    def list_all(self, account: AccountId, region: Region) -> Mapping[InstanceId, LiveInstance]:
        """All instances of a place."""
        return {id_: live for id_, live in self.instances.items() if self.places[id_] == (account, region)}

    def list_running(self, account: AccountId, region: Region) -> Mapping[InstanceId, LiveInstance] | Failure:
        with self.during_call():
            return {id_: live for id_, live in self.list_all(account, region).items() if live.state == "running"}

    def find_launched(self, account: AccountId, region: Region, client_token: str) -> Mapping[InstanceId, LiveInstance]:
        return {}

    def read_group_tags(self, account: AccountId, region: Region, groups: Collection[str]) -> Mapping[str, Tags]:
        return {}

    def terminate_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId], *, within: timedelta = FRESH
    ) -> Mapping[InstanceId, ActionResult]:
        return self._act(ids, "shutting-down", "destroyed", within)

    def stop_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId], *, within: timedelta = FRESH
    ) -> Mapping[InstanceId, ActionResult]:
        return self._act(ids, "stopping", "stopped", within)

    def _act(
        self, ids: Sequence[InstanceId], state: str, word: str, within: timedelta
    ) -> Mapping[InstanceId, ActionResult]:
        called_at = self.clock.now
        with self.during_call():
            if self.clock.now - called_at > within:
                return dict.fromkeys(ids, TooLate())
            if self._draws(0.2):
                return dict.fromkeys(ids, BatchFailed(Failure(FailureReason.OTHER, "OperationNotPermitted")))
            self._check(ids, word)
            for id_ in ids:
                if not self.instances[id_].has_ended:
                    self.instances[id_] = replace(self.instances[id_], state=state)
                    self.ended[id_] = word
        if self._draws(0.4):
            return dict.fromkeys(ids, Refused(LOST, is_unknown=True))
        return dict.fromkeys(ids, Done())

    def _check(self, ids: Sequence[InstanceId], word: str) -> None:
        """The bar of this module."""
        for id_ in ids:
            read = self.reads[id_]
            assert self.clock.now - read.began_at <= timedelta(seconds=5), "an old read"
            code, owner = (find_fault(broken.require, read.tags) for broken in CONFIRMED.rules)
            assert code is not None if word == "destroyed" else code is None and owner is not None, "tags that complied"

    def _draws(self, probability: float) -> bool:
        return not self.is_calm and self.drawn.random() < probability

    def send_due_cases(self, ids: Sequence[InstanceId], delay_seconds: int) -> Failure | None:
        with self.during_call():
            self.due |= dict.fromkeys(ids, self.clock.now + timedelta(seconds=delay_seconds))
        return None

    def reported(self) -> set[tuple[InstanceId, str]]:
        """Every instance with each outcome that was reported of it."""
        documents = [json.loads(report.json) for report in self.topic.reports]
        return {(found["InstanceId"], found["Outcome"]) for document in documents for found in document["Instances"]}


class DisturbedLedger(ScratchLedger):
    """The world's ledger, in which a call takes its time."""

    def __init__(self, world: World) -> None:
        super().__init__(world.ledger)
        self._world = world

    def write_case(self, case: Case) -> bool:
        with self._world.during_call():
            return self._world.ledger.write_case(case)


class DisturbedTopic(CollectedReports):
    """The world's topic, in which a call takes its time."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def publish_report(self, report: Report) -> Failure | None:
        with self._world.during_call():
            return self._world.topic.publish_report(report)


SEEDS = st.integers(0, 2**32)
KILLS = st.none() | st.none() | st.integers(0, 30)


class Machine(RuleBasedStateMachine):
    """Launches, deliveries, due cases, removed tags and audits, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.launches: list[Launch] = []

    @initialize(place=st.sampled_from(PLACES), count=st.integers(1, 3), tags=st.sampled_from(TAGGINGS))
    def begin(self, place: Place, count: int, tags: Tags) -> None:
        self.run_instances(place, count, tags)

    @rule(place=st.sampled_from(PLACES), count=st.integers(1, 3), tags=st.sampled_from(TAGGINGS))
    def run_instances(self, place: Place, count: int, tags: Tags) -> None:
        ids = IDS[len(self.world.instances) :][:count]
        for id_ in ids:
            live = LiveInstance(id_, "running", tags, launched_at=LAUNCHED_AT)
            self.world.instances[id_], self.world.places[id_] = live, place
        if ids:
            event_id = f"event-{len(self.launches)}"
            self.launches.append(launch(*ids, event_id=event_id, account=place[0], region=place[1]))

    @rule(number=st.integers(0, 7), tags=st.sampled_from(TAGGINGS))
    def tag_instance(self, number: int, tags: Tags) -> None:
        if number < len(self.world.instances):
            self.world.retag(IDS[number], tags)

    @rule()
    def tag_all_instances(self) -> None:
        """Have every instance comply: what was done to it before must be reported all the same."""
        for id_ in self.world.instances:
            self.world.retag(id_, {"Code": "LOL", "Owner": "jane"})

    @rule(seconds=st.sampled_from([1, 61, 301, 1801]))
    def pass_time(self, seconds: float) -> None:
        self.world.clock.pass_time(seconds=seconds)

    @rule(seed=SEEDS, kill=KILLS, is_new=st.booleans(), comply=st.booleans())
    def deliver(self, seed: int, kill: int | None, is_new: bool, comply: bool) -> None:
        """Deliver all launches, and a minute later what waits for its second read."""
        if is_new:
            self._run(seed, kill, lambda sweep: sweep_first_seen(sweep, self.launches))
        else:
            self._run(seed, kill, lambda sweep: sweep.handle_launches(self.launches))
        self.world.clock.pass_time(seconds=61)
        self.resume(seed, kill)
        if comply:
            self.tag_all_instances()

    @rule(seed=SEEDS, kill=KILLS)
    def resume(self, seed: int, kill: int | None) -> None:
        now = self.world.clock.now
        due = [id_ for id_, due_at in self.world.due.items() if due_at <= now]
        self.world.due = {id_: due_at for id_, due_at in self.world.due.items() if due_at > now}
        self._run(seed, kill, lambda sweep: sweep.resume_cases(due))

    @rule(seed=SEEDS, kill=KILLS, number=st.integers(0, 7))
    def remove_tags(self, seed: int, kill: int | None, number: int) -> None:
        if number < len(self.world.instances):
            self.world.retag(IDS[number], {})
            untagging = Untagging(self.world.clock.now, frozenset([IDS[number]]), frozenset())
            self._run(seed, kill, lambda sweep: sweep_untagged(sweep, [untagging]))

    @rule(seed=SEEDS, kill=KILLS)
    def audit(self, seed: int, kill: int | None) -> None:
        self._run(seed, kill, audit_overdue)
        for place in PLACES:
            self._run(seed, kill, partial(audit_place, place=place, act_since=ACT_SINCE))

    def _run(self, seed: int, kill: int | None, work: Callable[[Sweep], Any]) -> None:
        """Do the work, in half of the runs by a policy that waits for no second read."""
        self.world.drawn, self.world.calls_left = random.Random(seed), kill  # noqa: S311 - drawn, not secret
        try:
            work(Sweep(HASTY if seed % 2 else CONFIRMED, self.world.ports()))
        except KilledError:
            pass
        finally:
            self.world.calls_left = None

    def teardown(self) -> None:
        """Once it is calm, every story comes to an end, and everything that was done has been reported."""
        self.world.is_calm = True
        for _ in range(6):
            self._run(0, None, lambda sweep: sweep.handle_launches(self.launches))
            self.audit(0, None)
            self.world.clock.pass_time(minutes=11)
        reported = self.world.reported()
        for id_, word in self.world.ended.items():
            assert {(id_, word), (id_, "unknown")} & reported, f"{id_} was {word} in silence"
        for id_, live in self.world.instances.items():
            if live.state == "running" and any(find_fault(broken.require, live.tags) for broken in CONFIRMED.rules):
                assert id_ in {reported_id for reported_id, _ in reported}, f"{id_} got away"


def test_nothing_is_stopped_or_terminated_whose_tags_complied_right_before_the_call() -> None:
    chosen = settings(max_examples=200, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Machine, settings=chosen)

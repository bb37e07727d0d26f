"""One report for each launch, however many runs are at it at the same time."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.broom_world import CONFIRMED, I1, I2, I3, STRICT, World, launch, policy
from tests.waiting import HANG_SECONDS

from landkeeper.broom.case import LEASE, Case, Outcome, State, hold_report, offer_report
from landkeeper.broom.dry_run import ScratchLedger
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.policy.rules import Policy
from landkeeper.broom.ports import SweepPorts
from landkeeper.broom.report_lease import agree_on_report
from landkeeper.broom.sweeping.requeueing import due_together
from landkeeper.broom.sweeping.sweep import Sweep

Run = Callable[[SweepPorts], object]


@dataclass
class Turns:
    """Lets one of several runs at a time go on to its next call, in an order that is drawn."""

    drawn: random.Random
    waiting: set[int] = field(default_factory=set)
    turn: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, who: int) -> None:
        """Wait for this run's next turn."""
        with self.changed:
            if self.turn == who:
                self._pass_on()
            self.changed.wait_for(lambda: self.turn == who)

    def leave(self, who: int) -> None:
        """This run is through."""
        with self.changed:
            self.waiting.discard(who)
            if self.turn == who:
                self._pass_on()

    def _pass_on(self) -> None:
        if self.waiting:
            self.turn = self.drawn.choice(sorted(self.waiting))
        self.changed.notify_all()


@dataclass
class _Turning:
    """Something outside whose every call waits for its turn."""

    target: Any
    turns: Turns
    who: int

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            self.turns.take(self.who)
            return getattr(self.target, name)(*given, **named)

        return call


def run_together(world: World, runs: Sequence[Run], drawn: random.Random) -> None:
    """Have runs at work at the same time, call by call in an order that is drawn."""
    turns = Turns(drawn, set(range(len(runs))))

    def work(who: int) -> None:
        there = (world.ec2, world.ec2, world.ledger, world.topic, world.queue)
        turning = cast("tuple[Any, Any, Any, Any, Any]", tuple(_Turning(each, turns, who) for each in there))
        try:
            runs[who](SweepPorts(*turning, world.clock))
        finally:
            turns.leave(who)

    threads = [threading.Thread(target=work, args=(who,)) for who in range(len(runs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG_SECONDS)
    assert not any(thread.is_alive() for thread in threads)


def _feeds(count: int, checked: Policy) -> list[Run]:
    one = launch("i-1", "i-2", "i-3")
    return [lambda ports: Sweep(checked, ports).handle_launches([one])] * count


def _messages(world: World, checked: Policy) -> list[Run]:
    """What comes back out of the queue, after the longest of its delays."""
    sent, world.queue.sent = world.queue.sent, []
    world.clock.pass_time(seconds=max((delay for _, delay in sent), default=0))
    return [
        lambda ports, ids=ids: Sweep(checked, ports).resume_cases(ids)  # type: ignore[misc]
        for ids, _ in sent
    ]


def _told(world: World) -> list[list[str]]:
    return [
        sorted(each["InstanceId"] for each in json.loads(report.json)["Instances"]) for report in world.topic.reports
    ]


@given(st.integers(0, 2**32), st.integers(2, 4), st.sampled_from([STRICT, CONFIRMED]))
def test_runs_at_the_same_launch_send_one_report_of_all_of_it(seed: int, feeds: int, text: str) -> None:
    world, checked, drawn = World(), policy(text), random.Random(seed)  # noqa: S311 - drawn, not secret
    world.ec2.run("i-1")
    world.ec2.run("i-2", Code="LOL")
    world.ec2.run("i-3", Code="nope")
    runs = _feeds(feeds, checked)
    for _ in range(6):
        run_together(world, runs, drawn)
        runs = _messages(world, checked)
    assert runs == []
    assert _told(world) == [["i-1", "i-3"]]
    assert [world.case(id_).state for id_ in (I1, I2, I3)] == [State.REPORTED, State.COMPLIANT, State.REPORTED]


@pytest.fixture
def world() -> World:
    return World()


def _concluded(world: World, *ids: InstanceId, held: bool) -> list[Case]:
    """Cases that are done but for their report."""
    for id_ in ids:
        world.ec2.run(id_)
    world.sweep(launch(*ids), under=policy(STRICT.replace("terminate", "notify")))
    world.topic.reports.clear()
    cases = [replace(world.case(id_), state=State.ACTED, reported_at=None) for id_ in ids]
    cases = [hold_report(case, world.clock() + LEASE if held else None) for case in cases]
    assert all(world.ledger.write_case(case) for case in cases)
    return cases


def test_what_a_run_concluded_by_itself_is_reported_without_asking(world: World) -> None:
    class Silent(ScratchLedger):
        def find_cases(self, ids: Sequence[InstanceId]) -> Any:
            raise AssertionError("nothing is to be asked")

    cases = _concluded(world, I1, I3, held=True)
    assert agree_on_report(Silent(), cases, (), world.clock()).taken == tuple(cases)


def test_a_report_that_nobody_holds_is_taken_first(world: World) -> None:
    cases = _concluded(world, I1, I3, held=False)
    agreed = agree_on_report(world.ledger, cases, (), world.clock())
    assert [case.instance_id for case in agreed.taken] == [I1, I3]
    assert all(world.case(id_).is_leased(world.clock()) for id_ in (I1, I3))
    again = agree_on_report(world.ledger, cases, (), world.clock())
    assert (again.taken, [case.instance_id for case in again.later]) == ((), [I1, I3])


def test_while_another_run_is_busy_with_the_launch_the_report_is_left_to_it(world: World) -> None:
    [ours, theirs] = _concluded(world, I1, I3, held=True)
    agreed = agree_on_report(world.ledger, [ours], [I3], world.clock())
    assert agreed.taken == ()
    assert [(case.instance_id, case.due_at) for case in agreed.later] == [
        (I1, world.clock() + LEASE),
        (I3, world.clock() + LEASE),
    ]
    assert not world.case(I1).is_leased(world.clock())
    assert world.ledger.write_case(offer_report(theirs))
    assert [case.instance_id for case in agree_on_report(world.ledger, [], [I1, I3], world.clock()).taken] == [I1, I3]


def test_an_instance_that_was_judged_a_moment_ago_is_waited_for_and_a_forgotten_one_is_not(world: World) -> None:
    [ours, theirs] = _concluded(world, I1, I3, held=False)
    judged = replace(theirs, state=State.JUDGED, outcome=None, version=theirs.version + 1, changed_at=world.clock())
    assert world.ledger.write_case(judged)
    assert agree_on_report(world.ledger, [ours], [I3], world.clock()).taken == ()
    later = world.clock() + LEASE + timedelta(seconds=1)
    assert [case.instance_id for case in agree_on_report(world.ledger, [ours], [I3], later).taken] == [I1]


def test_of_what_is_offered_only_what_could_be_taken_is_reported(world: World) -> None:
    class Contested(ScratchLedger):
        lost: InstanceId

        def write_case(self, case: Case) -> bool:
            return case.instance_id != self.lost and super().write_case(case)

    cases = _concluded(world, I1, I3, held=False)
    contested = Contested(world.ledger)
    contested.lost = I3
    assert [case.instance_id for case in agree_on_report(contested, cases, (), world.clock()).taken] == [I1]
    contested = Contested(world.ledger)
    contested.lost = I1
    agreed = agree_on_report(contested, cases, (), world.clock())
    assert (agreed.taken, [case.instance_id for case in agreed.later]) == ((), [I1, I3])


def test_a_run_that_ends_before_its_report_leaves_it_to_whoever_comes_after_the_lease(world: World) -> None:
    _concluded(world, I1, held=True)
    assert world.sweep(launch("i-1")).waiting == 1
    assert (world.topic.reports, world.queue.sent) == ([], [((I1,), 300)])
    world.clock.pass_time(seconds=300)
    world.look_again(I1)
    assert _told(world) == [["i-1"]]
    assert world.case().outcome is Outcome.NOTIFIED


def test_cases_of_one_launch_that_are_due_at_other_times_come_back_by_themselves(world: World) -> None:
    text = CONFIRMED.replace("action: terminate", "action: terminate\n    grace: 20m\n    when: {instance_types: [m*]}")
    text = text.replace(
        "confirm_after", "  - {name: owner, require: {tag: Owner}, action: notify, grace: 5m}\nconfirm_after"
    )
    one = launch("i-1", "i-3")
    big = replace(one.instances[0], type="m7i.large")
    world.ec2.run("i-1")
    world.ec2.run("i-3")
    world.sweep(replace(one, instances=(big, one.instances[1])), under=policy(text))
    assert [ids for ids, _ in world.queue.sent] == [(I3,), (I1,)]


def test_nothing_that_waits_comes_back_in_no_message(world: World) -> None:
    assert list(due_together([], world.clock())) == []

"""Launches taken for new: the same comes of them as of others, and it costs less where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from tests.broom_world import I1, I2, I3, LAUNCHED_AT, STRICT, World, launch, policy

from landkeeper.broom.case import Case, State
from landkeeper.broom.launches import InstanceId, Launch
from landkeeper.broom.new_launches import WriteFirstLedger, sweep_first_seen
from landkeeper.broom.policy.rules import Policy
from landkeeper.broom.ports import Ledger
from landkeeper.broom.sweeping.result import SweepResult
from landkeeper.broom.sweeping.sweep import Sweep
from landkeeper.broom.switch import ActionSwitch, Turn
from landkeeper.org import Failure, FailureReason


class AskedLedger(WriteFirstLedger):
    """Passes everything on, and notes what it is asked for."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.asked: list[InstanceId] = []
        self.find_cases(())

    def find_cases(self, ids: Sequence[InstanceId]) -> Mapping[InstanceId, Case]:
        self.asked += ids
        return super().find_cases(ids)


@pytest.fixture
def world() -> World:
    made = World()
    made.ec2.run("i-1")
    made.ec2.run("i-2", Code="LOL")
    made.ec2.run("i-3", Code="nope")
    return made


def first_seen(world: World, *launches: Launch, under: Policy | None = None) -> SweepResult:
    return sweep_first_seen(Sweep(under or policy(), world.ports()), launches)


def test_new_launches_are_dealt_with_and_the_ledger_is_not_asked(world: World) -> None:
    asked = AskedLedger(world.ledger)
    sweep = Sweep(policy(), replace(world.ports(), ledger=asked))
    swept = sweep_first_seen(sweep, [launch("i-1", "i-2", "i-3")])
    assert world.ec2.ended == [I1, I3]
    assert [world.case(id_).state for id_ in (I1, I2, I3)] == [State.REPORTED, State.COMPLIANT, State.REPORTED]
    assert len(world.topic.reports) == 1
    assert (swept.failures, swept.waiting) == ([], 0)
    assert asked.asked == []
    sweep.handle_launches([launch("i-2")])
    assert asked.asked == [I2]


def test_what_was_dealt_with_before_stays_as_it_is(world: World) -> None:
    world.sweep(launch("i-1", "i-2"))
    before = [world.case(id_) for id_ in (I1, I2)]
    swept = first_seen(world, launch("i-1", "i-2"))
    assert [world.case(id_) for id_ in (I1, I2)] == before
    assert (world.ec2.ended, len(world.topic.reports)) == ([I1], 1)
    assert swept.notes[I1].because.startswith("rule code")
    assert not swept.try_again


def test_what_waited_is_carried_on_and_what_is_new_beside_it_is_begun(world: World) -> None:
    slow = policy(STRICT.replace("confirm_after: 0s", "confirm_after: 60s"))
    world.sweep(launch("i-1"), under=slow)
    assert world.case(I1).state is State.WAITING
    world.clock.pass_time(seconds=61)
    swept = first_seen(world, launch("i-1"), launch("i-2", event_id="event-2"), under=slow)
    assert (world.case(I1).state, world.case(I2).state) == (State.REPORTED, State.COMPLIANT)
    assert (world.ec2.ended, len(world.topic.reports)) == ([I1], 1)
    assert swept.notes.keys() == {I1, I2}


def test_an_account_that_does_not_answer_brings_back_nothing_that_is_done_with(world: World) -> None:
    world.sweep(launch("i-2"))
    world.ec2.unreadable = Failure(FailureReason.THROTTLED)
    swept = first_seen(world, launch("i-2"))
    assert (swept.failures, swept.try_again) == ([], False)
    assert world.case(I2).state is State.COMPLIANT
    assert first_seen(world, launch("i-3")).try_again


def test_limits_and_lists_are_the_ledgers_own(world: World) -> None:
    world.sweep(launch("i-2"))
    unasked = WriteFirstLedger(world.ledger)
    assert [case.instance_id for case in unasked.list_cases(State.COMPLIANT)] == [I2]
    assert unasked.take("HOUR#1", 1, LAUNCHED_AT)
    assert not world.ledger.take("HOUR#1", 1, LAUNCHED_AT)
    off = ActionSwitch((Turn(is_on=False, by="jane", at=LAUNCHED_AT),))
    unasked.write_switch(off)
    assert unasked.read_switch() == world.ledger.read_switch() == off
    assert unasked.find_cases([I2]) == {}
    assert unasked.find_cases([I2]) == {I2: world.case(I2)}
    assert not unasked.write_case(replace(world.case(I2), version=5))
    assert unasked.known == set()

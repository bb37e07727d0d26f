"""A plan is a dry run: what it says is conditional, and whoever agrees to it agrees to no more than it shows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.broom_world import CONFIRMED, I1, I2, I3, STRICT, World, launch, policy

from landkeeper.broom.case import Outcome, State
from landkeeper.broom.dry_run import (
    CollectedReports,
    NoQueue,
    RehearsedActions,
    ScratchLedger,
    describe_action,
    has_effect,
    planned_actions,
)
from landkeeper.broom.launches import InstanceId, Launch
from landkeeper.broom.policy.rules import Penalty, Policy
from landkeeper.broom.ports import SweepPorts
from landkeeper.broom.sweeping.result import ActionKind, SweepResult
from landkeeper.broom.sweeping.sweep import Sweep
from landkeeper.broom.switch import ActionSwitch, Turn


@pytest.fixture
def world() -> World:
    world = World()
    world.ec2.run("i-1")
    world.ec2.run("i-2", Code="LOL")
    world.ec2.run("i-3", Code="nope")
    return world


def plan(world: World, *launches: Launch, under: Policy | None = None) -> tuple[SweepResult, CollectedReports]:
    reports, scratch = CollectedReports(), ScratchLedger(world.ledger)
    ports = SweepPorts(world.ec2, RehearsedActions(), scratch, reports, NoQueue(), world.clock, is_dry_run=True)
    return Sweep(under or policy(), ports).handle_launches(launches), reports


@pytest.mark.parametrize(
    ("action", "outcome", "sentence"),
    [
        ("terminate", Outcome.WOULD_TERMINATE, "This instance would be terminated."),
        ("stop", Outcome.WOULD_STOP, "This instance would be stopped."),
        ("notify", Outcome.WOULD_REPORT, "This instance would not be touched: this would be a notice only."),
    ],
)
def test_a_dry_run_says_what_would_be(world: World, action: str, outcome: Outcome, sentence: str) -> None:
    result, reports = plan(world, launch("i-1"), under=policy(terminate=action))
    assert (result.notes[I1].outcome, planned_actions(result.notes.values())) == (outcome, {I1: Penalty(action)})
    assert sentence in reports.reports[0].text
    assert "destroyed" not in repr((result, reports.reports))
    assert world.ledger.find_cases([I1]) == {}


def test_a_dry_run_says_what_would_be_held(world: World) -> None:
    result, reports = plan(world, launch("i-1"), under=policy(STRICT + "limits: {terminations_per_hour: 0}"))
    assert result.notes[I1].outcome is Outcome.WOULD_HOLD
    assert "This instance would not be touched: it would be held back (the limit of 0" in reports.reports[0].text
    assert planned_actions(result.notes.values()) == {}


def test_what_an_earlier_run_did_is_no_part_of_a_plan(world: World) -> None:
    world.sweep(launch("i-1", "i-2"))
    world.sweep(launch("i-3", event_id="event-2"), under=policy(terminate="notify"))
    result, _ = plan(world, launch("i-1", "i-2", "i-3"))
    assert [result.notes[id_].outcome for id_ in (I1, I2, I3)] == [None] * 3
    assert result.notes[I1].action is ActionKind.KEEP
    assert result.notes[I1].because.endswith("the ledger has it as reported since 2026-01-01T10:00:30Z: terminated")
    assert result.notes[I3].because.endswith(": notified")
    assert "destroyed" not in repr(result)
    assert not has_effect(result.notes.values())


@pytest.mark.parametrize(
    ("action", "outcome", "words"),
    [
        ("terminate", "would be terminated", "would be terminated"),
        ("terminate", "destroyed", "terminate: destroyed"),
        ("terminate", "would be held", "would be held"),
        ("keep", "", "keep"),
    ],
)
def test_what_would_be_done_is_said_once(action: str, outcome: str, words: str) -> None:
    assert describe_action(action, outcome) == words


def test_a_plan_has_an_effect_where_something_would_be_done_or_written(world: World) -> None:
    assert has_effect(plan(world, launch("i-1"))[0].notes.values())
    assert has_effect(plan(world, launch("i-1"), under=policy(CONFIRMED))[0].notes.values()), "a case that waits"
    assert not has_effect(plan(world, launch("i-2"))[0].notes.values())
    world.ledger.write_switch(ActionSwitch((Turn(is_on=False, by="jane", at=world.clock.now),)))
    assert has_effect(plan(world, launch("i-1"))[0].notes.values()), "a report that actions are off"


def agreed(world: World, approved: dict[InstanceId, Penalty], text: str = STRICT) -> SweepResult:
    return Sweep(policy(text), world.ports(), approved=approved).handle_launches([launch("i-1", "i-2", "i-3")])


def test_what_is_agreed_to_is_done_and_nothing_beside_it(world: World) -> None:
    result = agreed(world, {I1: Penalty.TERMINATE, I2: Penalty.TERMINATE})
    assert world.ec2.ended == [I1], "i-2 complies by now"
    assert result.notes[I3].because == "terminate was not in the plan: run the command again"
    assert (result.notes[I3].action, result.failures) == (
        ActionKind.KEEP,
        ["i-3 in 111122223333 eu-west-1: terminate was not in the plan: run the command again"],
    )
    assert I3 not in world.ledger.find_cases([I3])
    world.sweep(launch("i-1", "i-3"))
    assert world.ec2.ended == [I1, I3]


def test_another_action_than_the_one_agreed_to_is_not_carried_out(world: World) -> None:
    agreed(world, {I1: Penalty.NOTIFY, I3: Penalty.STOP})
    assert (world.ec2.ended, world.ec2.stopped, world.topic.reports) == ([], [], [])


def test_a_case_under_way_that_the_plan_does_not_name_stays_as_it_is(world: World) -> None:
    world.sweep(launch("i-1"), under=policy(CONFIRMED))
    waiting = world.case()
    world.clock.pass_time(minutes=2)
    Sweep(policy(), world.ports(), approved={}).resume_cases([I1])
    assert (world.ec2.ended, world.case()) == ([], waiting)
    assert replace(waiting, state=State.WAITING) == waiting

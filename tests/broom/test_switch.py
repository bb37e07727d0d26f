"""The kill switch in the ledger: whoever acts reads it first, and where it cannot be read nothing is done."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.broom_world import CONFIRMED, I1, I3, LAUNCHED_AT, STRICT, World, launch, policy

from landkeeper.broom.actions import Keep, Terminate, decide
from landkeeper.broom.case import Outcome, State, open_case
from landkeeper.broom.dry_run import ScratchLedger
from landkeeper.broom.instance_state import LiveInstance
from landkeeper.broom.new_launches import sweep_first_seen
from landkeeper.broom.policy.rules import Penalty
from landkeeper.broom.stored_case import LedgerError
from landkeeper.broom.sweeping.sweep import Sweep
from landkeeper.broom.switch import ActionSwitch, Turn, parse_switch, switch_to_record, turned
from landkeeper.org import Failure, FailureReason

OFF = Turn(is_on=False, by="arn:aws:iam::111122223333:user/jane", at=LAUNCHED_AT, reason="too many at once")
ON = Turn(is_on=True, by="joe", at=LAUNCHED_AT + timedelta(hours=1))
WHY = "actions are turned off by arn:aws:iam::111122223333:user/jane at 2026-01-01T10:00:00Z: too many at once"


@pytest.fixture
def world() -> World:
    world = World()
    world.ec2.run("i-1")
    world.ec2.run("i-3", Code="nope")
    return world


def turn(world: World, *turns: Turn) -> None:
    for entry in turns:
        world.ledger.write_switch(turned(world.ledger.read_switch(), entry))


def test_a_switch_that_was_never_turned_is_on_and_the_last_turn_counts() -> None:
    assert ActionSwitch().is_on
    off = turned(ActionSwitch(), OFF)
    assert (off.is_on, turned(off, ON).is_on, turned(off, ON).turns) == (False, True, (OFF, ON))
    assert str(ON) == "turned on by joe at 2026-01-01T11:00:00Z"
    for _ in range(40):
        off = turned(off, OFF)
    assert len(off.turns) == 20


def test_a_switch_that_waits_for_consent_is_off_until_somebody_has_turned_it_on(world: World) -> None:
    opt_in = ActionSwitch(is_opt_in=True)
    assert (opt_in.is_on, turned(opt_in, ON).is_on, turned(opt_in, OFF).is_on) == (False, True, False)
    assert (str(opt_in), str(ActionSwitch()), str(turned(opt_in, ON))) == ("not turned on yet", "on", str(ON))
    Sweep(policy(), world.ports(), is_opt_in=True).handle_launches([launch("i-1")])
    assert (world.ec2.ended, world.case().state, world.case().outcome) == ([], State.JUDGED, Outcome.ACTIONS_OFF)
    (report,) = world.topic.reports
    assert "This instance has not been touched: actions are not turned on yet." in report.text
    turn(world, ON)
    Sweep(policy(), world.ports(), is_opt_in=True).handle_launches([launch("i-1")])
    assert world.ec2.ended == [I1]


def test_a_switch_is_read_as_it_was_stored() -> None:
    switch = ActionSwitch((OFF, ON))
    assert parse_switch(switch_to_record(switch)) == switch


@pytest.mark.parametrize("turns", [None, [], [{}], 3, [{"Actions": "maybe", "By": "", "At": "", "Reason": ""}]])
def test_a_stored_switch_that_cannot_be_read_is_an_error_and_not_on(turns: object) -> None:
    with pytest.raises(LedgerError, match="switch for actions cannot be read"):
        parse_switch({"InstanceId": "SWITCH#actions", "Turns": turns})


def test_what_would_be_ended_or_stopped_stays_judged_and_notices_go_on(world: World) -> None:
    turn(world, OFF)
    mixed = STRICT.replace("confirm_after", "  - {name: o, require: {tag: O}, action: notify}\nconfirm_after")
    world.ec2.run("i-2", Code="LOL")
    world.sweep(launch("i-1", "i-2"), under=policy(mixed))
    assert (world.ec2.ended, world.case().state, world.case().outcome) == ([], State.JUDGED, Outcome.ACTIONS_OFF)
    (report,) = world.topic.reports
    assert f"This instance has not been touched: {WHY}." in report.text
    assert "this is a notice only" in report.text
    world.sweep(launch("i-1"))
    assert len(world.topic.reports) == 1, "told once"
    turn(world, ON)
    world.sweep(launch("i-1"))
    assert (world.ec2.ended, world.case().error) == ([I1], "")


def test_a_case_that_waits_is_held_by_a_switch_that_was_turned_meanwhile(world: World) -> None:
    checked = policy(CONFIRMED)
    world.sweep(launch("i-1"), under=checked)
    turn(world, OFF)
    world.clock.pass_time(minutes=2)
    world.look_again(I1, under=checked)
    assert (world.ec2.ended, world.case().outcome) == ([], Outcome.ACTIONS_OFF)


def test_a_new_launch_goes_by_the_switch_too(world: World) -> None:
    turn(world, OFF)
    sweep_first_seen(Sweep(policy(), world.ports()), [launch("i-1")])
    assert (world.ec2.ended, world.case().outcome) == ([], Outcome.ACTIONS_OFF)


class Broken(ScratchLedger):
    """A ledger whose switch cannot be read while `is_broken`."""

    is_broken = True

    def read_switch(self) -> ActionSwitch:
        if self.is_broken:
            raise LedgerError("the table does not answer")
        return super().read_switch()


def test_a_switch_that_cannot_be_read_holds_everything_and_the_message_comes_again(world: World) -> None:
    world.ledger = Broken()
    swept = world.sweep(launch("i-1"))
    assert (world.ec2.ended, world.topic.reports, world.case().state) == ([], [], State.JUDGED)
    assert swept.try_again
    (failure,) = swept.failures
    assert "nothing is done, because the ledger does not say whether actions are turned on" in failure
    assert "the table does not answer" in failure
    world.ledger.is_broken = False
    world.sweep(launch("i-1"))
    assert world.ec2.ended == [I1]


def test_an_action_under_way_stays_one_while_the_switch_cannot_be_read() -> None:
    one = launch("i-1")
    case = replace(open_case(one, one.instances[0], LAUNCHED_AT), state=State.ACTING, action=Penalty.TERMINATE)
    live = LiveInstance(I1, "running", {}, "")
    unread = Failure(FailureReason.OTHER, message="gone")
    kept = decide(policy(), case, live, LAUNCHED_AT, actions_on=True, switch=unread).action
    assert isinstance(kept, Keep)
    assert (kept.state, kept.try_again) == (State.ACTING, True)
    assert isinstance(decide(policy(), case, live, LAUNCHED_AT, actions_on=True).action, Terminate)


class Turning(ScratchLedger):
    """A ledger whose switch somebody turns off after the first case was begun."""

    def write_case(self, case: object) -> bool:
        is_written = super().write_case(case)  # type: ignore[arg-type]
        if getattr(case, "state", None) is State.ACTING:
            self.write_switch(ActionSwitch((OFF,)))
        return is_written


def test_a_read_that_became_too_old_asks_the_switch_again(world: World) -> None:
    world.ledger = Turning()
    slow = replace(world.ports(), clock=lambda: _later(world))
    Sweep(policy(), slow).handle_launches([launch("i-1", "i-3")])
    assert (world.ec2.ended, world.case(I3).outcome) == ([], Outcome.ACTIONS_OFF)


def _later(world: World) -> datetime:
    world.clock.pass_time(seconds=2)
    return world.clock.now


def test_a_switch_without_anything_to_act_on_is_not_read(world: World) -> None:
    world.ledger = Broken()
    world.ec2.run("i-2", Code="LOL")
    assert world.sweep(launch("i-2")).failures == []
    assert world.sweep(launch("i-1"), under=policy(terminate="notify")).failures == []


def test_the_switch_of_a_scratch_ledger_is_that_of_the_one_beneath(world: World) -> None:
    turn(world, OFF)
    scratch = ScratchLedger(world.ledger)
    assert not scratch.read_switch().is_on
    scratch.write_switch(ActionSwitch((ON,)))
    assert (scratch.read_switch().is_on, world.ledger.read_switch().is_on) == (True, False)

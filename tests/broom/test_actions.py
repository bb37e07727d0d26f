"""What is decided about a case, and what is waited for before anything is destroyed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.broom_world import LAUNCHED_AT, STRICT, launch, policy

from landkeeper.broom.actions import YOUNG, Action, Keep, Notify, Stop, Terminate, Wait, decide, is_worth_retrying
from landkeeper.broom.case import Case, Outcome, State, open_case
from landkeeper.broom.instance_state import Absent, LiveInstance, Seen
from landkeeper.broom.launches import InstanceId, Tags
from landkeeper.broom.policy.rules import Penalty
from landkeeper.org import Failure, FailureReason

CONFIRMED = STRICT.replace("confirm_after: 0s", "confirm_after: 60s")
SOON = LAUNCHED_AT + timedelta(seconds=30)
OLD = LAUNCHED_AT + YOUNG
DENIED = Failure(FailureReason.MISSING_PERMISSION, "UnauthorizedOperation")


def case(tags: Tags | None = None, **changes: object) -> Case:
    one = launch("i-1", tags=tags)
    return replace(open_case(one, one.instances[0], LAUNCHED_AT), **changes)  # type: ignore[arg-type]


def live(state: str = "running", operator: str = "", **tags: str) -> LiveInstance:
    return LiveInstance(InstanceId("i-1"), state, tags, operator)


def decided(
    seen: Seen, *, text: str = STRICT, of: Case | None = None, now: datetime = SOON, actions_on: bool = True
) -> Action:
    return decide(policy(text), of or case(), seen, now, actions_on=actions_on).action


def test_a_bad_instance_is_dealt_with_as_the_rule_says() -> None:
    because = "rule code: tag Code is missing"
    assert decided(live()) == Terminate(because)
    assert decided(live(), text=STRICT.replace("terminate", "stop")) == Stop(because)
    assert decided(live(), text=STRICT.replace("terminate", "notify")) == Notify(because)


def test_live_tags_decide_and_not_those_in_the_log() -> None:
    assert isinstance(decided(live(Code="LOL")), Keep)
    assert isinstance(decided(live(), of=case({"Code": "LOL"})), Terminate)


def test_good_and_exempt_instances_are_kept() -> None:
    assert decided(live(Code="LOL")) == Keep(State.COMPLIANT, "it meets every rule that applies")
    exempting = STRICT + "exempt: [{tag: Keep}]\n"
    assert decided(live(Keep=""), text=exempting) == Keep(State.EXEMPT, "exempt by tag Keep")


def test_an_instance_that_a_service_operates_is_never_touched() -> None:
    assert decided(live(operator="eks.amazonaws.com")) == Keep(State.EXEMPT, "it is operated by eks.amazonaws.com")


def test_the_second_look_comes_at_least_a_minute_after_the_first() -> None:
    first = decided(live(), text=CONFIRMED)
    assert isinstance(first, Wait)
    assert first.until == SOON + timedelta(seconds=60)
    seen_once = case(first_fault_at=SOON)
    just_before = SOON + timedelta(seconds=59)
    assert isinstance(decided(live(), text=CONFIRMED, of=seen_once, now=just_before), Wait)
    assert isinstance(decided(live(), text=CONFIRMED, of=seen_once, now=SOON + timedelta(seconds=60)), Terminate)


def test_an_old_instance_needs_no_second_look() -> None:
    assert isinstance(decided(live(), text=CONFIRMED, now=OLD), Terminate)
    assert isinstance(decided(live(), text=CONFIRMED, now=OLD - timedelta(seconds=1)), Wait)


def test_a_notice_needs_no_second_look() -> None:
    assert isinstance(decided(live(), text=CONFIRMED.replace("terminate", "notify")), Notify)


def test_tags_in_the_log_that_ec2_does_not_show_are_waited_for() -> None:
    tagged = case({"Code": "LOL"}, first_fault_at=LAUNCHED_AT)
    wait = decided(live(), text=CONFIRMED, of=tagged, now=LAUNCHED_AT + timedelta(minutes=9, seconds=30))
    assert isinstance(wait, Wait)
    assert wait.until == OLD
    assert "which EC2 may not show yet" in wait.because
    assert isinstance(decided(live(), text=CONFIRMED, of=tagged, now=OLD), Terminate)


def test_grace_is_waited_for() -> None:
    graceful = STRICT.replace("action: terminate", "action: terminate\n    grace: 15m")
    wait = decided(live(), text=graceful)
    assert isinstance(wait, Wait)
    assert wait.until == LAUNCHED_AT + timedelta(minutes=15)
    assert isinstance(decided(live(), text=graceful, now=wait.until), Terminate)


def test_the_kill_switch_stops_actions_and_not_notices() -> None:
    kept = decided(live(), actions_on=False)
    assert kept == Keep(State.JUDGED, "rule code: tag Code is missing; actions are turned off", Outcome.ACTIONS_OFF)
    assert isinstance(decided(live(), text=STRICT.replace("terminate", "notify"), actions_on=False), Notify)


def test_a_young_instance_that_ec2_does_not_show_is_waited_for_and_an_old_one_is_gone() -> None:
    assert isinstance(decided(Absent()), Wait)
    gone = decided(Absent(), now=OLD)
    assert gone == Keep(State.GONE, "EC2 does not know the instance any more", Outcome.ALREADY_GONE)
    assert decided(Absent(), of=case({"Code": "LOL"}), now=OLD) == replace(gone, outcome=None)


@pytest.mark.parametrize("state", ["shutting-down", "terminated"])
def test_an_instance_that_has_ended_is_gone(state: str) -> None:
    gone = decided(live(state))
    assert gone == Keep(State.GONE, f"the instance is {state}", Outcome.ALREADY_GONE)
    assert decided(live(state), of=case(live_tags={"Code": "LOL"})) == replace(gone, outcome=None)


def test_whoever_takes_over_from_a_crash_looks_first() -> None:
    acting = case(state=State.ACTING, action=Penalty.TERMINATE)
    assert decided(live("terminated"), of=acting) == Keep(State.ACTED, "the instance is terminated", Outcome.DESTROYED)
    assert isinstance(decided(live(), of=acting), Terminate)
    stopping = case(state=State.ACTING, action=Penalty.STOP)
    assert decided(live("terminated"), of=stopping) == Keep(
        State.GONE, "the instance is terminated", Outcome.ALREADY_GONE
    )


def test_what_cannot_be_read_is_tried_again_and_then_reported() -> None:
    first = decided(DENIED)
    assert isinstance(first, Keep)
    assert (first.state, first.outcome, first.try_again) == (State.FAILED, None, True)
    assert first.because == "the instance could not be read: permission missing (UnauthorizedOperation)"
    last = decided(DENIED, of=case(attempts=2))
    assert isinstance(last, Keep)
    assert (last.outcome, last.try_again) == (Outcome.REFUSED, False)
    good = decided(DENIED, of=case({"Code": "LOL"}, attempts=2))
    assert isinstance(good, Keep)
    assert good.outcome is None


def test_a_refusal_for_good_is_not_tried_again() -> None:
    assert not is_worth_retrying(DENIED, 1)
    throttled = Failure(FailureReason.THROTTLED)
    assert is_worth_retrying(throttled, 2)
    assert not is_worth_retrying(throttled, 3)

"""A sweep: every bad instance dealt with once and reported, whatever happens in between."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.broom_world import (
    CONFIRMED,
    EVENTS,
    I1,
    I2,
    I3,
    LAUNCHED_AT,
    STRICT,
    FakeEc2,
    FakeQueue,
    World,
    launch,
    policy,
)

from landkeeper.broom.case import Case, Outcome, State
from landkeeper.broom.cloudtrail.found import FoundLaunch, Harvest
from landkeeper.broom.dry_run import CollectedReports, NoQueue, RehearsedActions, ScratchLedger
from landkeeper.broom.instance_state import FRESH, ActionResult, Done, Gone, LiveInstance, Refused
from landkeeper.broom.launch_report import Report
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.limits import RunLimit
from landkeeper.broom.offline import find_unnamed, judge_offline, judged_by_sweep
from landkeeper.broom.ports import SweepPorts
from landkeeper.broom.sweeping.sweep import Sweep
from landkeeper.org import AccountId, Failure, FailureReason, Region


@pytest.fixture
def world() -> World:
    made = World()
    made.ec2.run("i-1")
    made.ec2.run("i-2", Code="LOL")
    made.ec2.run("i-3", Code="nope")
    return made


def test_a_launch_that_is_delivered_anew_is_one_with_its_added_instances(world: World) -> None:
    swept = world.sweep(launch("i-1"), launch("i-1", "i-3", update_id="event-2"))
    assert world.ec2.ended == [I1, I3]
    assert [instance.id for instance in swept.launches["event-1"].instances] == [I1, I3]
    (report,) = world.topic.reports
    assert [instance["InstanceId"] for instance in json.loads(report.json)["Instances"]] == [I1, I3]


def test_bad_instances_end_good_ones_stay_and_each_launch_is_reported_once(world: World) -> None:
    swept = world.sweep(launch("i-1", "i-2", "i-3"), launch("i-2", event_id="event-2"))
    assert world.ec2.ended == [I1, I3]
    assert [world.case(id_).state for id_ in (I1, I2, I3)] == [State.REPORTED, State.COMPLIANT, State.REPORTED]
    (report,) = world.topic.reports
    assert [each["InstanceId"] for each in json.loads(report.json)["Instances"]] == [I1, I3]
    assert (swept.failures, swept.waiting) == ([], 0)
    assert swept.notes[I1].outcome == "destroyed"
    assert world.case(I2).event_ids == ("event-1", "event-2")


def test_a_launch_that_turns_up_again_changes_nothing(world: World) -> None:
    one = launch("i-1", "i-2")
    world.sweep(one)
    again = world.sweep(one, replace(one, event_id="event-2"))
    assert world.ec2.ended == [I1]
    assert len(world.topic.reports) == 1
    assert again.notes[I1].because == (
        "rule code: tag Code is missing; the ledger has it as reported since 2026-01-01T10:00:30Z"
    )
    assert (again.notes[I1].outcome, again.notes[I2].verdict) == ("destroyed", "compliant")


def test_stop_and_notify_do_just_that(world: World) -> None:
    world.sweep(launch("i-1"), under=policy(terminate="stop"))
    world.sweep(launch("i-3"), under=policy(terminate="notify"))
    assert (world.ec2.ended, world.ec2.stopped) == ([], [I1])
    assert [world.case(id_).outcome for id_ in (I1, I3)] == [Outcome.STOPPED, Outcome.NOTIFIED]
    assert "This instance has been stopped." in world.topic.reports[0].text


def test_the_second_look_is_put_off_and_then_taken(world: World) -> None:
    strict = policy(CONFIRMED)
    assert world.sweep(launch("i-1", "i-3"), under=strict).waiting == 2
    assert world.queue.sent == [((I1, I3), 60)]
    assert world.case().state is State.WAITING
    world.ec2.run("i-3", Code="GGG")
    world.clock.pass_time(seconds=60)
    world.look_again(I1, I3, InstanceId("i-unknown"), under=strict)
    assert world.ec2.ended == [I1]
    assert world.case(I3).state is State.COMPLIANT


def test_a_long_grace_is_waited_for(world: World) -> None:
    graceful = policy(STRICT.replace("action: terminate", "action: terminate\n    grace: 1h"))
    world.sweep(launch("i-1"), under=graceful)
    assert world.queue.sent == [((I1,), 3570)]
    assert world.case().due_at == LAUNCHED_AT + timedelta(hours=1)


def test_a_queue_that_refuses_is_a_failure(world: World) -> None:
    world.queue.failure = Failure(FailureReason.TIMED_OUT)
    swept = world.sweep(launch("i-1"), under=policy(CONFIRMED))
    assert swept.try_again
    assert swept.failures == ["cases could not be put off: timed out"]


def test_the_kill_switch_reports_once_and_acts_when_it_is_turned_on(world: World) -> None:
    world.sweep(launch("i-1"), actions_on=False)
    world.sweep(launch("i-1"), actions_on=False)
    assert (world.ec2.ended, world.case().state) == ([], State.JUDGED)
    (report,) = world.topic.reports
    assert "This instance has not been touched: actions are turned off." in report.text
    world.sweep(launch("i-1"))
    assert world.ec2.ended == [I1]
    assert "This instance has been destroyed." in world.topic.reports[1].text


def test_what_was_reported_as_untouched_is_not_reported_again_when_it_ends_by_itself(world: World) -> None:
    world.sweep(launch("i-1"), actions_on=False)
    world.ec2.run("i-1", state="terminated")
    world.sweep(launch("i-1"), actions_on=False)
    assert (world.case().state, len(world.topic.reports)) == (State.GONE, 1)


def test_a_run_ends_no_more_than_its_limit(world: World) -> None:
    swept = world.sweep(
        launch("i-1", "i-3"), under=policy(STRICT + "limits: {terminations_per_run: 1}"), run=RunLimit(1)
    )
    assert world.ec2.ended == [I1]
    assert (world.case(I3).state, swept.notes[I3].outcome) == (State.HELD, "held")
    assert "held back (the limit of 1 termination in one run is reached)" in world.topic.reports[0].text
    world.sweep(launch("i-3"))
    assert world.ec2.ended == [I1]


def test_an_hour_ends_no_more_than_its_limit(world: World) -> None:
    limited = policy(STRICT + "limits: {terminations_per_hour: 1}")
    world.sweep(launch("i-1"), under=limited)
    world.sweep(launch("i-3"), under=limited)
    assert world.ec2.ended == [I1]
    assert world.case(I3).error == "the limit of 1 termination in one hour is reached"
    world.ec2.run("i-4")
    world.clock.pass_time(hours=1)
    world.sweep(launch("i-4"), under=limited)
    assert world.ec2.ended == [I1, InstanceId("i-4")]


def test_an_account_that_is_over_its_limit_holds_nobody_elses(world: World) -> None:
    class Ec2OfTwo(FakeEc2):
        """Its instances are in two accounts."""

        def read_instances(
            self, account: AccountId, region: Region, ids: Sequence[InstanceId]
        ) -> Mapping[InstanceId, LiveInstance]:
            return {id_: self.instances[id_] for id_ in ids}

        def terminate_instances(
            self, account: AccountId, region: Region, ids: Sequence[InstanceId], *, within: timedelta = FRESH
        ) -> Mapping[InstanceId, ActionResult]:
            self.ended += ids
            return dict.fromkeys(ids, Done())

    world.ec2 = Ec2OfTwo(world.ec2.instances)
    limited = policy(STRICT + "limits: {terminations_per_hour: 2, terminations_per_hour_per_account: 1}")
    world.sweep(launch("i-1", "i-2", "i-3", tags={}), under=limited)
    world.ec2.run("i-4")
    world.sweep(launch("i-4", event_id="event-2", account=AccountId("444455556666")), under=limited)
    assert world.ec2.ended == [I1, InstanceId("i-4")]
    held = "the limit of 1 termination in one hour in account 111122223333 is reached"
    assert world.case(I3).error == held


def test_an_auto_scaling_group_loses_two_instances_an_hour_and_is_held(world: World) -> None:
    ids = [f"i-group{number}" for number in range(3)]
    for id_ in ids:
        world.ec2.run(id_, aws__autoscaling__groupName="web")
    world.sweep(launch(*ids))
    assert len(world.ec2.ended) == 2
    held = world.case(InstanceId("i-group2"))
    assert held.error == "Auto Scaling group web has lost 2 instances within this hour already"


def test_a_protected_instance_is_reported_as_such(world: World) -> None:
    world.ec2.refusals[I1] = Refused(Failure(FailureReason.OTHER, "OperationNotPermitted"), is_protected=True)
    swept = world.sweep(launch("i-1", "i-3"))
    assert world.ec2.ended == [I3]
    assert (world.case().state, world.case().outcome) == (State.FAILED, Outcome.PROTECTED)
    assert swept.failures == ["i-1 in 111122223333 eu-west-1: terminate did not work: error (OperationNotPermitted)"]
    assert not swept.try_again
    assert "it is protected" in world.topic.reports[0].text


def test_a_throttled_termination_is_tried_again_until_it_is_reported(world: World) -> None:
    world.ec2.refusals[I1] = Refused(Failure(FailureReason.THROTTLED))
    assert [world.sweep(launch("i-1")).try_again for _ in range(4)] == [True, True, False, False]
    assert world.case().outcome is Outcome.REFUSED
    assert len(world.topic.reports) == 1


class Vanishing(FakeEc2):
    """EC2 that shows an instance, and does not know it when it is to be terminated: so many times."""

    times = 1

    def terminate_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId], *, within: timedelta = FRESH
    ) -> Mapping[InstanceId, ActionResult]:
        self.times -= 1
        if self.times >= 0:
            return dict.fromkeys(ids, Gone())
        return FakeEc2.terminate_instances(self, account, region, ids, within=within)


def test_a_young_instance_that_ec2_does_not_know_at_the_call_is_tried_again(world: World) -> None:
    world.ec2 = Vanishing(world.ec2.instances)
    swept = world.sweep(launch("i-1"))
    assert (world.case().state, swept.notes[I1].action, swept.waiting) == (State.WAITING, "wait", 1)
    assert (world.queue.sent, world.topic.reports) == ([((I1,), 60)], [])
    world.clock.pass_time(seconds=60)
    world.look_again(I1)
    assert (world.ec2.ended, world.case().outcome) == ([I1], Outcome.DESTROYED)


def test_an_old_instance_that_vanished_before_the_call_is_gone(world: World) -> None:
    world.ec2 = Vanishing(world.ec2.instances)
    world.clock.pass_time(minutes=10)
    world.sweep(launch("i-1"))
    assert (world.case().state, world.case().outcome) == (State.GONE, Outcome.ALREADY_GONE)
    assert "This instance was already gone." in world.topic.reports[0].text


def test_an_account_that_cannot_be_read_is_tried_again_then_reported(world: World) -> None:
    world.ec2.unreadable = Failure(FailureReason.ROLE_NOT_ASSUMABLE)
    assert [world.sweep(launch("i-1")).try_again for _ in range(4)] == [True, True, False, False]
    (report,) = world.topic.reports
    assert "This instance is still there: the instance could not be read: role not assumable." in report.text


def test_a_good_instance_in_an_unreadable_account_is_never_reported(world: World) -> None:
    world.ec2.unreadable = Failure(FailureReason.ROLE_NOT_ASSUMABLE)
    for _ in range(4):
        world.sweep(launch("i-2", tags={"Code": "LOL"}))
    assert world.topic.reports == []
    world.ec2.unreadable = None
    world.sweep(launch("i-2", tags={"Code": "LOL"}))
    assert world.case(I2).state is State.COMPLIANT


def test_a_report_is_sent_until_it_is_accepted(world: World) -> None:
    class Closed(CollectedReports):
        def publish_report(self, report: Report) -> Failure | None:
            return Failure(FailureReason.NOT_FOUND, "NotFound")

    accepting, world.topic = world.topic, Closed()
    assert world.sweep(launch("i-1")).failures == [
        "the report of launch event-1 was not accepted: not found (NotFound)"
    ]
    assert world.case().state is State.ACTED
    world.topic = accepting
    world.sweep(launch("i-1"))
    assert (world.case().state, len(accepting.reports)) == (State.REPORTED, 1)
    assert world.ec2.ended == [I1]


class KilledError(Exception):
    """The function was ended in the middle of something."""


@dataclass
class Killer:
    """Lets so many calls through, and then ends the run: before or after the call that is one too many."""

    calls: int
    after: bool

    def around(self, world: World) -> SweepPorts:
        ec2, ledger, topic, queue = (
            _Wrapped(each, self) for each in (world.ec2, world.ledger, world.topic, world.queue)
        )
        return SweepPorts(
            cast("FakeEc2", ec2),
            cast("FakeEc2", ec2),
            cast("ScratchLedger", ledger),
            cast("CollectedReports", topic),
            cast("FakeQueue", queue),
            world.clock,
        )


class _Wrapped:
    def __init__(self, target: Any, killer: Killer) -> None:
        self._target = target
        self._killer = killer

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            self._killer.calls -= 1
            if self._killer.calls < 0 and not self._killer.after:
                raise KilledError
            answer = getattr(self._target, name)(*given, **named)
            if self._killer.calls < 0:
                raise KilledError
            return answer

        return call


@given(st.lists(st.tuples(st.integers(0, 14), st.booleans()), max_size=4), st.booleans())
def test_killed_anywhere_and_delivered_again_there_is_one_outcome(
    kills: list[tuple[int, bool]], is_confirmed: bool
) -> None:
    world = World()
    world.ec2.run("i-1")
    world.ec2.run("i-2", Code="LOL")
    world.ec2.run("i-3", Code="nope")
    checked = policy(CONFIRMED if is_confirmed else STRICT)
    one = launch("i-1", "i-2", "i-3")
    killed = 0
    for calls, after in kills:
        killer = Killer(calls, after)
        ports = killer.around(world)
        try:
            Sweep(checked, ports).handle_launches([one])
        except KilledError:
            killed += 1
        world.clock.pass_time(minutes=6)
    for _ in range(3):
        world.sweep(one, under=checked)
        world.clock.pass_time(minutes=6)
    assert sorted(world.ec2.ended) == [I1, I3]
    assert [world.case(id_).state for id_ in (I1, I2, I3)] == [State.REPORTED, State.COMPLIANT, State.REPORTED]
    told = [each["InstanceId"] for report in world.topic.reports for each in json.loads(report.json)["Instances"]]
    assert set(told) == {I1, I3}
    assert all(told.count(id_) <= 1 + killed for id_ in (I1, I3))


def test_a_case_in_other_hands_is_left_to_them(world: World) -> None:
    killer = Killer(6, after=False)
    ports = killer.around(world)
    with pytest.raises(KilledError):
        Sweep(policy(), ports).handle_launches([launch("i-1")])
    assert world.case().state is State.ACTING
    assert world.sweep(launch("i-1")).waiting == 1
    assert world.queue.sent == [((I1,), 300)]
    assert len(world.ec2.ended) <= 1


@pytest.mark.parametrize("text", [STRICT, CONFIRMED, STRICT + "limits: {terminations_per_hour: 0}"])
def test_a_case_that_another_run_wrote_meanwhile_is_theirs(world: World, text: str) -> None:
    class Contested(ScratchLedger):
        def write_case(self, case: Case) -> bool:
            return False

    world.ledger = Contested()
    world.sweep(launch("i-1", "i-2"), under=policy(text))
    assert (world.ec2.ended, world.topic.reports, world.queue.sent) == ([], [], [])


def test_a_dry_run_says_the_same_and_changes_nothing(world: World) -> None:
    world.sweep(launch("i-3"))
    scratch = ScratchLedger(world.ledger)
    ports = SweepPorts(world.ec2, RehearsedActions(), scratch, CollectedReports(), NoQueue(), world.clock)
    found = [FoundLaunch(launch("i-1", "i-2", "i-3"), "file", False)]
    swept = Sweep(policy(), ports).handle_launches([found[0].launch])
    (judged,) = judged_by_sweep(found, swept)
    assert [(each.verdict, each.action) for each in judged.instances] == [
        ("violation", "terminate"),
        ("compliant", "keep"),
        ("violation", "terminate"),
    ]
    assert judged.instances[2].tags == {"Code": "nope"}
    assert world.ec2.ended == [I3]
    assert I1 not in world.ledger.find_cases([I1])
    world.ec2.run("i-9")
    Sweep(policy(terminate="stop"), ports).handle_launches([launch("i-9")])
    assert world.ec2.stopped == []


def test_what_was_not_read_is_shown_with_the_tags_of_the_log(world: World) -> None:
    found = [FoundLaunch(launch("i-unknown", tags={"A": "b"}), "file", False)]
    swept = world.sweep(found[0].launch)
    (judged,) = judged_by_sweep(found, swept)
    assert (judged.instances[0].verdict, judged.instances[0].action) == ("unknown", "wait")
    assert judged.instances[0].tags == {"A": "b"}
    assert world.queue.sent == [((InstanceId("i-unknown"),), 60)]


def test_a_harvest_counts_what_is_no_launch_and_marks_repeats() -> None:
    harvest = Harvest()
    data = (EVENTS / "log_file.json").read_bytes()
    for name in ("a.json", "b.json"):
        harvest.add_file(name, data)
    harvest.add_file("c.json", b"nothing")
    assert [each.is_repeat for each in harvest.launches] == [False] * 3 + [True] * 3
    assert harvest.ignored == {"the launch failed (Client.DryRunOperation)": 2, "not a RunInstances call": 2}
    assert [str(fault) for fault in harvest.faults] == ["c.json: not JSON: Expecting value: line 1 column 1 (char 0)"]
    judged = judge_offline(
        policy(STRICT + "exempt: [{tag: 'aws:autoscaling:groupName'}]"), harvest.launches[:3], LAUNCHED_AT
    )
    assert [(each.verdict, each.action) for one in judged for each in one.instances] == [
        ("violation", "terminate"),
        ("violation", "terminate"),
        ("exempt", "keep"),
        ("compliant", "keep"),
    ]


def test_a_scratch_ledger_refuses_what_is_not_the_next_version(world: World) -> None:
    world.sweep(launch("i-1"))
    stored = world.case()
    assert not world.ledger.write_case(stored)
    assert not world.ledger.write_case(replace(stored, version=stored.version + 2))
    assert world.ledger.write_case(replace(stored, version=stored.version + 1))


def test_without_a_queue_a_case_waits_in_the_ledger(world: World) -> None:
    ports = replace(world.ports(), queue=NoQueue())
    swept = Sweep(policy(CONFIRMED), ports).handle_launches([launch("i-1")])
    assert (swept.waiting, swept.failures, world.case().state) == (1, [], State.WAITING)


def test_offline_a_launch_without_instances_is_named() -> None:
    blank = replace(launch(), client_token="token-1", where="record 1")
    found = [FoundLaunch(blank, "file", False), FoundLaunch(launch("i-1"), "file", False)]
    (fault,) = find_unnamed(found)
    assert str(fault) == (
        "file: record 1: CloudTrail left out the instances of launch event-1 for their number; EC2 knows them by "
        "client token token-1, and was not asked"
    )


def test_a_harvest_keeps_what_took_tags_off() -> None:
    harvest = Harvest()
    record = {**json.loads((EVENTS / "run_instances.json").read_text(encoding="utf-8")), "eventName": "DeleteTags"}
    record["requestParameters"] = {"resourcesSet": {"items": [{"resourceId": "i-1"}]}}
    harvest.add_file("a.json", json.dumps(record).encode())
    assert [each.instance_ids for each in harvest.untaggings] == [{"i-1"}]
    assert harvest.ignored == {"not a RunInstances call": 1}


def test_what_ec2_completes_of_a_launch_is_shown(world: World) -> None:
    world.ec2.launched["token-1"] = [I1]
    found = [FoundLaunch(replace(launch(), client_token="token-1"), "file", False)]
    (judged,) = judged_by_sweep(found, world.sweep(found[0].launch))
    assert [(each.instance.id, each.outcome) for each in judged.instances] == [(I1, "destroyed")]
    unknown = [FoundLaunch(replace(launch(event_id="event-2"), client_token="token-2"), "file", False)]
    (judged,) = judged_by_sweep(unknown, world.sweep(unknown[0].launch))
    assert judged.instances == ()


def test_what_there_is_no_time_for_is_left_as_it_is_and_counted(world: World) -> None:
    """The first instance is begun and brought to its end; the rest, and other batches, are for the next run."""
    ids = [f"i-{number}" for number in range(1, 151)]
    for id_ in ids:
        world.ec2.run(id_)
    left = [True, True]
    ports = replace(world.ports(), has_time=lambda: bool(left) and left.pop())
    result = Sweep(policy(), ports).handle_launches([launch(*ids)])
    assert (result.not_begun, world.ec2.ended) == (149, [I1])
    assert world.case().state is State.REPORTED
    assert set(world.ledger.find_cases([InstanceId(id_) for id_ in ids])) == {I1}
    assert world.sweep(launch(*ids)).not_begun == 0
    assert len(world.ec2.ended) == 150

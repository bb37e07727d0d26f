"""Instances are acted on by the tags that they have at the call: place by place, and by reads that are fresh."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from tests.broom_world import I1, I2, I3, STRICT, Clock, FakeEc2, World, launch, policy

from landkeeper.broom.case import Outcome, State
from landkeeper.broom.instance_state import FRESH, ActionResult, BatchFailed, LiveInstance, Refused, TooLate
from landkeeper.broom.launches import InstanceId, Tags
from landkeeper.broom.sweeping.place import MOST_IN_A_BATCH
from landkeeper.org import AccountId, Failure, FailureReason, Region

OTHER = AccountId("444455556666")
STOPPING = policy(terminate="stop")
LOST = Failure(FailureReason.TIMED_OUT, "ReadTimeoutError")


@dataclass(slots=True)
class ScriptedEc2(FakeEc2):
    """EC2 that takes its time, and in which things happen between calls."""

    clock: Clock = field(default_factory=Clock)
    read_seconds: float = 0
    group_seconds: float = 0
    reads: list[tuple[InstanceId, ...]] = field(default_factory=list)
    calls: list[tuple[InstanceId, ...]] = field(default_factory=list)
    withins: list[timedelta] = field(default_factory=list)
    after_read: Callable[[int], None] = lambda number: None
    """What happens after so many reads."""
    answers: list[ActionResult] = field(default_factory=list)
    """What EC2 answers to the next calls, for all of their instances; to others what it does."""

    def read_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId]
    ) -> Mapping[InstanceId, LiveInstance] | Failure:
        found = self.unreadable or {id_: self.instances[id_] for id_ in ids if id_ in self.instances}
        self.reads.append(tuple(ids))
        self.clock.pass_time(seconds=self.read_seconds)
        self.after_read(len(self.reads))
        return found

    def read_group_tags(
        self, account: AccountId, region: Region, groups: Collection[str]
    ) -> Mapping[str, Tags] | Failure:
        self.clock.pass_time(seconds=self.group_seconds)
        return {}

    def terminate_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId], *, within: timedelta = FRESH
    ) -> Mapping[InstanceId, ActionResult]:
        return self._call(ids, "terminated", self.ended, within)

    def stop_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId], *, within: timedelta = FRESH
    ) -> Mapping[InstanceId, ActionResult]:
        return self._call(ids, "stopped", self.stopped, within)

    def _call(
        self, ids: Sequence[InstanceId], state: str, acted: list[InstanceId], within: timedelta
    ) -> Mapping[InstanceId, ActionResult]:
        self.calls.append(tuple(ids))
        self.withins.append(within)
        if self.answers:
            return dict.fromkeys(ids, self.answers.pop(0))
        return {id_: FakeEc2._end(self, id_, state, acted) for id_ in ids}


@pytest.fixture
def ec2(world: World) -> ScriptedEc2:
    ec2 = ScriptedEc2(clock=world.clock)
    world.ec2 = ec2
    for id_ in (I1, I2, I3):
        ec2.run(id_)
    return ec2


@pytest.fixture
def world() -> World:
    return World()


def _tag(ec2: ScriptedEc2, id_: InstanceId) -> None:
    ec2.instances[id_] = replace(ec2.instances[id_], tags={"Code": "LOL"})


def test_an_account_that_answers_slowly_does_not_age_the_reads_of_others(world: World, ec2: ScriptedEc2) -> None:
    def answer(number: int) -> None:
        if number == 2:
            world.clock.pass_time(seconds=8)
            _tag(ec2, I1)

    ec2.after_read = answer
    world.sweep(launch("i-1"), launch("i-2", event_id="event-2", account=OTHER))
    # The first place was through before the second one was read; the second one's read was old, and was made again.
    assert (ec2.reads, ec2.ended) == ([(I1,), (I2,), (I2,)], [I1, I2])


def test_an_instance_that_was_tagged_since_its_read_is_kept(world: World, ec2: ScriptedEc2) -> None:
    ec2.group_seconds = 6
    ec2.run("i-1", aws__autoscaling__groupName="web")
    ec2.after_read = lambda number: _tag(ec2, I1) if number == 1 else None
    swept = world.sweep(launch("i-1"))
    assert (ec2.ended, world.case().state) == ([], State.COMPLIANT)
    assert (swept.notes[I1].verdict, swept.notes[I1].action, world.topic.reports) == ("compliant", "keep", [])


@pytest.mark.parametrize(("state", "expected"), [("terminated", Outcome.ALREADY_GONE), ("stopped", Outcome.DESTROYED)])
def test_what_ended_by_itself_meanwhile_was_not_ended_by_broom(
    world: World, ec2: ScriptedEc2, state: str, expected: Outcome
) -> None:
    ec2.read_seconds = 6

    def answer(number: int) -> None:
        ec2.read_seconds = 0
        if number == 1:
            ec2.run("i-1", state=state)

    ec2.after_read = answer
    world.sweep(launch("i-1"))
    assert world.case().outcome is expected


def test_where_every_read_is_slow_nothing_is_done_and_that_is_said(world: World, ec2: ScriptedEc2) -> None:
    ec2.read_seconds = 6
    swept = world.sweep(launch("i-1"))
    assert (ec2.ended, ec2.calls, len(ec2.reads)) == ([], [], 4)
    assert "EC2 answered so slowly" in swept.failures[0]
    assert (world.case().state, swept.notes[I1].action) == (State.WAITING, "wait")
    assert world.queue.sent == [((I1,), 60)]
    ec2.read_seconds = 0
    world.clock.pass_time(minutes=1)
    world.look_again(I1)
    assert ec2.ended == [I1]


def test_a_notice_needs_no_fresh_read(world: World, ec2: ScriptedEc2) -> None:
    ec2.read_seconds = 60
    world.sweep(launch("i-1"), under=policy(terminate="notify"))
    assert (len(ec2.reads), world.case().outcome) == (1, Outcome.NOTIFIED)


def test_what_has_to_be_done_by_now_is_what_is_done(world: World, ec2: ScriptedEc2) -> None:
    milder = policy(STRICT.replace("confirm", "  - {name: owner, require: {tag: Owner}, action: stop}\nconfirm"))

    def answer(number: int) -> None:
        if number == 1:
            _tag(ec2, I1)
            world.clock.pass_time(seconds=6)

    ec2.after_read = answer
    world.sweep(launch("i-1"), under=milder)
    assert (ec2.calls, world.case().state) == ([], State.WAITING)
    assert "tag Owner is missing, which is new" in world.case().story[-1].because
    assert world.queue.sent == [((I1,), 0)]
    world.look_again(I1, under=milder)
    assert (ec2.ended, ec2.stopped) == ([], [I1])


def test_a_call_says_until_when_it_may_be_sent(world: World, ec2: ScriptedEc2) -> None:
    ec2.read_seconds = 2
    world.sweep(launch("i-1"))
    assert ec2.withins == [timedelta(seconds=3)]


def test_a_call_that_was_not_sent_in_time_is_put_off(world: World, ec2: ScriptedEc2) -> None:
    ec2.answers = [TooLate()]
    world.sweep(launch("i-1"))
    assert (ec2.ended, world.case().state, world.queue.sent) == ([], State.WAITING, [((I1,), 60)])


def test_after_a_failed_batch_each_instance_is_judged_again(world: World, ec2: ScriptedEc2) -> None:
    ec2.answers = [BatchFailed(Failure(FailureReason.OTHER, "OperationNotPermitted"))]

    def answer(number: int) -> None:
        if number == 1:
            # Part of the batch works, and somebody tags an instance of the rest.
            _tag(ec2, I1)
            ec2.run("i-2", state="shutting-down")

    ec2.after_read = answer
    world.sweep(launch("i-1", "i-2", "i-3"))
    assert (ec2.calls, ec2.ended) == ([(I1, I2, I3), (I3,)], [I3])
    assert [world.case(id_).state for id_ in (I1, I2, I3)] == [State.COMPLIANT, State.REPORTED, State.REPORTED]
    assert world.case(I2).outcome is Outcome.DESTROYED


def test_a_batch_of_one_that_fails_is_refused(world: World, ec2: ScriptedEc2) -> None:
    ec2.answers = [BatchFailed(Failure(FailureReason.THROTTLED))]
    assert world.sweep(launch("i-1")).try_again
    assert world.case().state is State.FAILED


def test_many_instances_are_taken_in_batches_that_are_read_and_acted_on_in_turn(world: World, ec2: ScriptedEc2) -> None:
    ids = [InstanceId(f"i-many{number}") for number in range(MOST_IN_A_BATCH + 1)]
    for id_ in ids:
        ec2.run(id_)
    world.sweep(launch(*ids))
    assert [len(read) for read in ec2.reads] == [len(call) for call in ec2.calls] == [MOST_IN_A_BATCH, 1]
    assert (len(ec2.ended), len(world.topic.reports)) == (MOST_IN_A_BATCH + 1, 1)


@pytest.mark.parametrize(("under", "state", "outcome"), [
    (STOPPING, "stopping", Outcome.STOPPED), (STOPPING, "stopped", Outcome.STOPPED),
    (policy(), "shutting-down", Outcome.DESTROYED),
])  # fmt: skip
def test_an_action_whose_answer_was_lost_is_looked_up_and_reported_whatever_the_tags_are_by_now(
    world: World, ec2: ScriptedEc2, under: object, state: str, outcome: Outcome
) -> None:
    ec2.answers = [Refused(LOST, is_unknown=True)]
    swept = world.sweep(launch("i-1"), under=under)  # type: ignore[arg-type]
    assert (swept.try_again, world.case().state, world.queue.sent) == (True, State.ACTING, [((I1,), 60)])
    ec2.run("i-1", state=state, Code="LOL")
    world.clock.pass_time(minutes=1)
    world.look_again(I1, under=under)  # type: ignore[arg-type]
    assert (world.case().state, world.case().outcome, len(world.topic.reports)) == (State.REPORTED, outcome, 1)


def test_an_action_under_way_survives_that_the_instance_is_not_seen_or_cannot_be_read(
    world: World, ec2: ScriptedEc2
) -> None:
    ec2.answers = [Refused(LOST, is_unknown=True)]
    world.sweep(launch("i-1"), under=STOPPING)
    live = ec2.instances.pop(I1)
    world.clock.pass_time(minutes=1)
    world.look_again(I1, under=STOPPING)
    assert (world.case().state, world.queue.sent[-1]) == (State.ACTING, ((I1,), 60))
    world.clock.pass_time(minutes=1)
    ec2.unreadable = Failure(FailureReason.THROTTLED)
    assert world.look_again(I1, under=STOPPING).try_again
    assert world.case().state is State.ACTING
    ec2.unreadable = None
    ec2.instances[I1] = replace(live, state="stopped", tags={"Code": "LOL"})
    world.look_again(I1, under=STOPPING)
    assert (world.case().outcome, len(world.topic.reports)) == (Outcome.STOPPED, 1)


def test_what_became_of_an_action_is_said_to_be_unknown_where_it_cannot_be_found_out(
    world: World, ec2: ScriptedEc2
) -> None:
    ec2.answers = [Refused(LOST, is_unknown=True)] * 3
    for _ in range(3):
        world.sweep(launch("i-1"))
        world.clock.pass_time(minutes=1)
    assert (world.case().state, world.case().outcome) == (State.FAILED, Outcome.UNKNOWN)
    assert "may have been changed: what became of it could not be read" in world.topic.reports[0].text
    ec2.answers = [Refused(LOST, is_unknown=True)]
    world.sweep(launch("i-2", event_id="event-2"))
    ec2.unreadable = Failure(FailureReason.ROLE_NOT_ASSUMABLE)
    for _ in range(2):
        world.clock.pass_time(minutes=1)
        world.look_again(I2)
    assert (world.case(I2).state, world.case(I2).outcome) == (State.FAILED, Outcome.UNKNOWN)


def test_what_still_runs_after_a_lost_answer_is_judged_by_its_tags(world: World, ec2: ScriptedEc2) -> None:
    ec2.answers = [Refused(LOST, is_unknown=True)] * 2
    world.sweep(launch("i-1", "i-2"))
    _tag(ec2, I1)
    world.clock.pass_time(minutes=1)
    world.look_again(I1, I2)
    assert world.case(I1).state is State.COMPLIANT
    world.clock.pass_time(minutes=1)
    world.look_again(I2)
    assert (ec2.ended, world.case(I2).outcome) == ([I2], Outcome.DESTROYED)


def test_an_action_under_way_is_put_off_without_being_forgotten(world: World, ec2: ScriptedEc2) -> None:
    ec2.answers = [Refused(LOST, is_unknown=True), TooLate()]
    world.sweep(launch("i-1"))
    world.clock.pass_time(minutes=1)
    world.look_again(I1)
    assert (world.case().state, world.queue.sent[-1]) == (State.ACTING, ((I1,), 60))

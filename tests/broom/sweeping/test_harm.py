"""The rules against harm, each with what happens where it would be broken."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.broom_world import LAUNCHED_AT, STRICT, Clock, FakeEc2, FakeQueue, launch, policy

from landkeeper.broom.case import Case, Outcome, State, release
from landkeeper.broom.cloudtrail.principals.identity import UNKNOWN_PRINCIPAL
from landkeeper.broom.dry_run import CollectedReports, ScratchLedger
from landkeeper.broom.instance_state import Refused
from landkeeper.broom.launches import InstanceId, Launch, Untagging
from landkeeper.broom.policy.rules import Policy
from landkeeper.broom.ports import SweepPorts
from landkeeper.broom.sweeping.result import SweepResult
from landkeeper.broom.sweeping.sweep import Sweep
from landkeeper.org import Failure, FailureReason, Principal

I1, I2 = InstanceId("i-1"), InstanceId("i-2")
CONFIRMED = STRICT.replace("confirm_after: 0s", "confirm_after: 60s")
GONE = Failure(FailureReason.NOT_FOUND, "NotFound", "no such topic")


class Topic(CollectedReports):
    """A topic that may be gone."""

    failure: Failure | None = None

    def check(self) -> Failure | None:
        return self.failure


class World:
    """One bad instance, and everything outside a sweep."""

    def __init__(self) -> None:
        self.ec2, self.ledger, self.topic = FakeEc2(), ScratchLedger(), Topic()
        self.queue, self.clock = FakeQueue(), Clock()
        self.ec2.run("i-1")
        self.ports = SweepPorts(self.ec2, self.ec2, self.ledger, self.topic, self.queue, self.clock)

    def sweep(self, launched: Launch | None = None, *, under: Policy | None = None) -> SweepResult:
        return Sweep(under or policy(), self.ports).handle_launches([launched or launch("i-1")])

    def look_again(self, *ids: InstanceId, under: Policy | None = None) -> SweepResult:
        return Sweep(under or policy(), self.ports).resume_cases(ids or [I1])

    def case(self, id_: InstanceId = I1) -> Case:
        return self.ledger.find_cases([id_])[id_]


@pytest.fixture
def world() -> World:
    return World()


def test_two_bad_reads_sixty_seconds_apart_come_before_the_end(world: World) -> None:
    checked = policy(CONFIRMED)
    world.sweep(under=checked)
    world.clock.pass_time(seconds=59)
    world.look_again(under=checked)
    assert world.ec2.ended == []
    world.clock.pass_time(seconds=1)
    world.look_again(under=checked)
    assert world.ec2.ended == [I1]


def test_tags_that_the_log_shows_are_waited_for(world: World) -> None:
    checked = policy(CONFIRMED)
    world.sweep(launch("i-1", tags={"Code": "LOL"}), under=checked)
    for _ in range(8):
        world.clock.pass_time(minutes=1)
        world.look_again(under=checked)
    assert world.ec2.ended == []
    world.clock.pass_time(minutes=2)
    world.look_again(under=checked)
    assert world.ec2.ended == [I1]


def test_who_takes_over_looks_first_and_takes_from_no_limit_again(world: World) -> None:
    limited = policy(STRICT + "limits: {terminations_per_hour: 1}")
    world.ec2.refusals[I1] = Refused(Failure(FailureReason.TIMED_OUT))
    world.sweep(under=limited)
    acting = replace(world.case(), state=State.ACTING, version=world.case().version + 1, lease_until=LAUNCHED_AT)
    assert world.ledger.write_case(acting)
    world.ec2.refusals.clear()
    world.look_again(under=limited)
    assert (world.ec2.ended, world.case().state) == ([I1], State.REPORTED)


def test_what_a_service_operates_is_left_alone(world: World) -> None:
    world.ec2.run("i-1", operator="eks.amazonaws.com")
    world.sweep()
    assert (world.ec2.ended, world.case().state) == ([], State.EXEMPT)


def test_the_third_child_of_a_group_within_an_hour_is_held(world: World) -> None:
    ids = [f"i-{number}" for number in range(3)]
    for id_ in ids:
        world.ec2.run(id_, aws__autoscaling__groupName="web")
    world.sweep(launch(*ids))
    assert len(world.ec2.ended) == 2
    assert world.case(I2).outcome is Outcome.HELD
    assert "Auto Scaling group web launches another one in its place." in world.topic.reports[0].text


def test_what_an_operator_lets_go_of_the_same_limits_do_not_hold_again(world: World) -> None:
    limited = policy(STRICT + "limits: {terminations_per_hour: 0}")
    world.sweep(under=limited)
    assert world.case().state is State.HELD
    world.sweep(under=limited)
    assert world.ec2.ended == []
    released = release(world.case(), "arn:aws:iam::111122223333:user/op", world.clock())
    assert released is not None
    assert world.ledger.write_case(released)
    world.look_again(under=limited)
    assert (world.ec2.ended, world.case().state) == ([I1], State.REPORTED)
    assert world.case().released_by == "arn:aws:iam::111122223333:user/op"
    assert "released by arn:aws:iam::111122223333:user/op" in [step.because for step in world.case().story]


def test_a_young_child_of_a_group_is_judged_with_what_the_group_tags(world: World) -> None:
    world.ec2.run("i-1", aws__autoscaling__groupName="web")
    world.ec2.group_tags = {"web": {"Code": "LOL"}}
    swept = world.sweep()
    assert "its Auto Scaling group gives it tags that comply" in swept.notes[I1].because
    assert world.case().state is State.WAITING
    world.clock.pass_time(minutes=10)
    world.look_again()
    assert world.ec2.ended == [I1]


@pytest.mark.parametrize("group_tags", [{"web": {"Code": "nope"}}, {}, Failure(FailureReason.MISSING_PERMISSION)])
def test_a_group_that_does_not_help_leaves_its_children_to_their_own_tags(world: World, group_tags: object) -> None:
    world.ec2.run("i-1", aws__autoscaling__groupName="web")
    world.ec2.group_tags = group_tags  # type: ignore[assignment]
    world.sweep()
    assert world.ec2.ended == [I1]


def test_nothing_ends_without_a_place_to_report_to(world: World) -> None:
    world.topic.failure = GONE
    swept = world.sweep()
    assert swept.try_again
    assert "there is no place to report to" in swept.failures[0]
    assert (world.ec2.ended, world.case().state) == ([], State.JUDGED)
    acting = replace(world.case(), state=State.ACTING, version=world.case().version + 1)
    assert world.ledger.write_case(acting)
    world.look_again()
    assert world.ec2.ended == []
    world.topic.failure = None
    world.look_again()
    assert (world.ec2.ended, world.case().state) == ([I1], State.REPORTED)


def test_nothing_ends_silently_unless_the_policy_says_that_reports_are_optional(world: World) -> None:
    world.topic.failure = GONE
    world.sweep(under=policy(STRICT + "report: optional\n"))
    assert world.ec2.ended == [I1]


def test_a_notice_needs_no_place_beforehand(world: World) -> None:
    world.topic.failure = GONE
    world.sweep(under=policy(terminate="notify"))
    assert world.case().state is State.REPORTED


def test_nobody_is_punished_for_what_an_exempt_principal_may_have_launched(world: World) -> None:
    exempting = policy(STRICT + "exempt: [{principal: '*/Deployer/*'}]")
    world.sweep(launch("i-1", principal=UNKNOWN_PRINCIPAL), under=exempting)
    assert (world.ec2.ended, world.case().outcome) == ([], Outcome.NOTIFIED)
    assert "so notify instead of terminate" in world.case().how


def test_a_share_of_what_runs_is_the_most_that_ends_in_an_hour(world: World) -> None:
    ids = [f"i-{number}" for number in range(10)]
    for id_ in ids:
        world.ec2.run(id_)
    shared = policy(STRICT + "limits: {terminations_share: 30%}")
    world.sweep(launch(*ids[:5]), under=shared)
    assert len(world.ec2.ended) == 3
    held = world.case(InstanceId("i-3"))
    assert held.error == "the limit of 30% of the 10 instances that run in the account and region is reached"


def test_without_knowing_how_many_run_a_share_holds_everything(world: World) -> None:
    shared = policy(STRICT + "limits: {terminations_share: 50%}")

    class Uncounted(FakeEc2):
        def list_running(self, account: object, region: object) -> Failure:
            return Failure(FailureReason.THROTTLED)

    reader = Uncounted(world.ec2.instances)
    Sweep(shared, replace(world.ports, reader=reader)).handle_launches([launch("i-1")])
    assert world.ec2.ended == []
    assert world.case().error.startswith("how many instances run there could not be read")


def test_an_instance_store_cannot_be_stopped_and_that_is_said(world: World) -> None:
    world.ec2.instances[I1] = replace(world.ec2.instances[I1], has_instance_store_root=True)
    world.sweep(under=policy(terminate="stop"))
    assert world.ec2.stopped == []
    assert "This instance is still there: its root device is an instance store" in world.topic.reports[0].text


def test_what_ec2_can_never_do_is_reported_at_once(world: World) -> None:
    world.ec2.refusals[I1] = Refused(
        Failure(FailureReason.OTHER, "UnsupportedOperation", "one-time Spot"), is_final=True
    )
    assert not world.sweep(under=policy(terminate="stop")).try_again
    assert world.case().outcome is Outcome.REFUSED


def test_instances_that_the_log_leaves_out_are_looked_up(world: World) -> None:
    blank = replace(launch(), client_token="token-1")
    young = world.sweep(blank)
    assert young.try_again
    assert "is not known to EC2 by its client token" in young.failures[0]
    world.ec2.launched["token-1"] = [I1]
    world.sweep(blank)
    assert world.ec2.ended == [I1]
    world.clock.pass_time(minutes=10)
    world.ec2.launched.clear()
    assert not world.sweep(blank).try_again
    world.ec2.unreadable = Failure(FailureReason.THROTTLED)
    assert "could not be looked up: throttled out" in world.sweep(blank).failures[0]


def test_a_launch_by_a_service_is_put_down_to_whom_a_later_record_names(world: World) -> None:
    spot = Principal("AWSService", "EC2 Spot", "", "111122223333", "spot.amazonaws.com")
    world.ec2.run("i-1", Code="LOL")
    checked = policy(STRICT.replace("action: terminate", "action: terminate\n    grace: 1h"))
    world.ec2.run("i-1")
    world.sweep(launch("i-1", principal=spot), under=checked)
    world.sweep(launch("i-1", event_id="event-2"), under=checked)
    assert (world.case().principal.name, world.case().event_ids) == ("jane", ("event-1", "event-2"))
    world.sweep(launch("i-1", event_id="event-3", principal=spot), under=checked)
    assert world.case().principal.name == "jane"


def test_a_case_tells_its_story(world: World) -> None:
    checked = policy(CONFIRMED)
    world.sweep(under=checked)
    world.clock.pass_time(seconds=60)
    world.look_again(under=checked)
    assert [step.state for step in world.case().story] == [
        State.WAITING, State.JUDGED, State.ACTING, State.ACTED, State.REPORTED,
    ]  # fmt: skip
    assert world.case().story[0].because == (
        "rule code: tag Code is missing; a confirming read at 2026-01-01T10:01:30Z has to confirm that"
    )
    assert world.case().story[-1].at == LAUNCHED_AT + timedelta(seconds=90)


@pytest.mark.parametrize(
    ("tags", "successor"),
    [
        ({"aws:autoscaling:groupName": "web"}, "Auto Scaling group web launches another one in its place."),
        ({"aws:ec2:fleet-id": "fleet-1"}, "EC2 Fleet fleet-1 may launch another one in its place."),
        ({"karpenter.sh/nodepool": "default"}, "Karpenter's node pool default may launch another one in its place."),
        ({}, ""),
    ],
)
def test_who_launches_another_one_is_known_by_tags(world: World, tags: dict[str, str], successor: str) -> None:
    assert replace(world.ec2.instances[I1], tags=tags).successor == successor


def test_a_persistent_spot_request_launches_another_one(world: World) -> None:
    live = replace(world.ec2.instances[I1], spot_request="sir-1", is_persistent_spot=True)
    assert live.successor == "Spot request sir-1 is persistent and launches another one in its place."


@pytest.mark.parametrize(("minutes", "state"), [(1, State.REPORTED), (-1, State.WAITING)])
def test_tags_of_the_log_that_were_taken_off_since_are_not_waited_for(world: World, minutes: int, state: State) -> None:
    checked = policy(CONFIRMED)
    off = Untagging(LAUNCHED_AT + timedelta(minutes=minutes), frozenset([I1]), frozenset(["Code"]))
    tagged = launch("i-1", tags={"Code": "LOL"})
    for _ in range(2):
        Sweep(checked, world.ports).handle_launches([tagged], [off])
        world.clock.pass_time(seconds=60)
    assert world.case().state is state

"""An audit: what no log told of, and what should have come back by now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from tests.broom_world import ACCOUNT, CONFIRMED, LAUNCHED_AT, REGION, STRICT, Clock, FakeEc2, FakeQueue, launch, policy

from landkeeper.broom.audit import Audited, AuditResult, audit_everything, audit_overdue, audit_place
from landkeeper.broom.case import Case, Outcome, State
from landkeeper.broom.dry_run import CollectedReports, ScratchLedger
from landkeeper.broom.instance_state import Refused
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.policy.rules import Policy
from landkeeper.broom.ports import Place, SweepPorts
from landkeeper.broom.sweeping.result import SweepResult
from landkeeper.broom.sweeping.sweep import Sweep
from landkeeper.broom.switch import Turn, turned
from landkeeper.org import AccountId, Failure, FailureReason

I1, I2, I3 = InstanceId("i-1"), InstanceId("i-2"), InstanceId("i-3")
GRACEFUL = STRICT.replace("action: terminate", "action: terminate\n    grace: 1h")


class World:
    """Two instances, one of them bad, of which no log told."""

    def __init__(self) -> None:
        self.ec2, self.ledger, self.topic = FakeEc2(), ScratchLedger(), CollectedReports()
        self.clock = Clock(LAUNCHED_AT + timedelta(hours=2))
        self.ports = SweepPorts(self.ec2, self.ec2, self.ledger, self.topic, FakeQueue(), self.clock)
        self.run("i-1")
        self.run("i-2", Code="LOL")

    def run(self, id_: str, **tags: str) -> None:
        self.ec2.run(id_, **tags)
        live = replace(self.ec2.instances[InstanceId(id_)], image_id="ami-1", type="t3.micro", launched_at=LAUNCHED_AT)
        self.ec2.instances[InstanceId(id_)] = live

    def audit(
        self, *, under: Policy | None = None, act_since: timedelta | None = None, rejudge: bool = False
    ) -> Audited:
        sweep = Sweep(under or policy(), self.ports)
        return audit_place(sweep, (ACCOUNT, REGION), act_since=act_since, rejudge_settled=rejudge)

    def take_up(self, *, under: Policy | None = None) -> SweepResult:
        return audit_overdue(Sweep(under or policy(), self.ports))

    def case(self, id_: InstanceId = I1) -> Case:
        return self.ledger.find_cases([id_])[id_]


@pytest.fixture
def world() -> World:
    return World()


def test_a_bad_instance_of_which_no_log_told_is_dealt_with_and_reported(world: World) -> None:
    audited = world.audit()
    assert (world.ec2.ended, audited.running) == ([I1], 2)
    (finding,) = audited.findings
    assert (finding.result.instance.id, finding.account, finding.result.outcome) == (I1, ACCOUNT, "destroyed")
    assert "User (unknown) created an instance" in world.topic.reports[0].text
    assert "Image Id: ami-1\n" in world.topic.reports[0].text
    assert I2 not in world.ledger.find_cases([I2])
    assert world.audit().findings == ()


def test_a_young_instance_is_left_to_its_log(world: World) -> None:
    world.clock.now = LAUNCHED_AT + timedelta(minutes=29)
    assert world.audit().findings == ()
    world.clock.pass_time(minutes=1)
    assert len(world.audit().findings) == 1


def test_what_is_old_and_unknown_is_reported_and_not_touched(world: World) -> None:
    world.audit(act_since=timedelta(hours=1))
    assert (world.ec2.ended, world.case().outcome) == ([], Outcome.NOTIFIED)
    assert "too old for a scheduled audit to touch, so notify instead of terminate" in world.topic.reports[0].text


def test_a_case_that_was_reported_is_left_alone_and_counted(world: World) -> None:
    mild = policy(terminate="notify")
    Sweep(mild, world.ports).handle_launches([launch("i-1")])
    audited = world.audit(under=mild)
    assert (audited.findings, audited.swept.left_out) == ((), {"settled by an earlier case (notified)": 1})
    assert (audited.running, audited.compliant) == (2, 1)
    assert len(world.topic.reports) == 1


def test_a_stricter_policy_finds_what_an_earlier_one_only_reported(world: World) -> None:
    Sweep(policy(terminate="notify"), world.ports).handle_launches([launch("i-1")])
    (finding,) = world.audit().findings
    assert (finding.result.outcome, world.ec2.ended) == (Outcome.DESTROYED, [I1])
    assert "(checked again: it was notified at 2026-01-01T12:00:00Z)" in world.topic.reports[1].text
    world.ec2.run("i-1")
    audited = world.audit(under=policy(terminate="stop"), rejudge=True)
    assert (audited.findings, audited.swept.left_out) == ((), {"terminated before": 1}), "never ended twice"


@pytest.mark.parametrize(
    ("first", "then", "is_found"),
    [
        ("terminate", "terminate # the same in other words", False),
        ("notify", "notify\n    when: {regions: [eu-*]}", False),
        ("notify", "notify # {tag: Code}", False),
        ("stop", "notify", False),
        ("notify", "stop", True),
    ],
)
def test_another_policy_opens_a_case_again_only_where_it_asks_for_more(
    world: World, first: str, then: str, *, is_found: bool
) -> None:
    Sweep(policy(terminate=first), world.ports).handle_launches([launch("i-1")])
    world.ec2.run("i-1")
    world.run("i-1")
    assert bool(world.audit(under=policy(terminate=then)).findings) is is_found
    assert world.audit(under=policy(terminate=then)).findings == ()


def test_another_rule_is_another_fault(world: World) -> None:
    mild = policy(terminate="notify")
    Sweep(mild, world.ports).handle_launches([launch("i-1")])
    owner = "  - {name: owner, require: {tag: Owner}, action: notify}\nconfirm_after"
    found = world.audit(under=policy(terminate="notify", confirm_after=owner)).findings
    assert [finding.result.instance.id for finding in found] == [I1, I2]
    assert "tag Code is missing; rule owner: tag Owner is missing" in world.topic.reports[1].text


def test_a_scheduled_audit_tells_of_an_old_case_once_under_each_policy(world: World) -> None:
    world.audit(under=policy(terminate="notify"), act_since=timedelta(hours=1))
    for _ in range(3):
        world.audit(act_since=timedelta(hours=1))
    # The stricter rule comes down to a notice for an instance that old, which it has had.
    assert (len(world.topic.reports), world.ec2.ended) == (1, [])
    (finding,) = world.audit(rejudge=True).findings
    assert (finding.result.outcome, world.ec2.ended) == (Outcome.DESTROYED, [I1])


def test_settled_cases_are_judged_again_on_request_and_held_ones_are_not(world: World) -> None:
    world.run("i-3")
    world.ec2.refusals[I1] = Refused(Failure(FailureReason.OTHER), is_protected=True)
    Sweep(policy(), world.ports).handle_launches([launch("i-1")])
    limited = policy(STRICT + "limits: {terminations_per_hour: 0}")
    Sweep(limited, world.ports).handle_launches([launch("i-3", event_id="event-2")])
    world.ec2.refusals.clear()
    assert world.audit(under=limited).findings == ()
    (finding,) = world.audit(rejudge=True).findings
    assert (finding.result.instance.id, world.ec2.ended) == (I1, [I1])
    assert world.audit(rejudge=True).swept.left_out == {"held for a person": 1}


def test_a_case_that_its_launcher_exempts_is_no_finding_of_a_stricter_policy(world: World) -> None:
    Sweep(policy(terminate="notify"), world.ports).handle_launches([launch("i-1")])
    exempting = policy(STRICT + "exempt: [{principal: '*:user/jane'}]")
    assert world.audit(under=exempting).swept.left_out == {"settled by an earlier case (notified)": 1}


def test_what_an_audit_does_nothing_about_is_counted_by_reason(world: World) -> None:
    world.run("i-3")
    world.run("i-4")
    world.run("i-5")
    world.run("i-6", spare="")
    world.ec2.refusals[InstanceId("i-4")] = Refused(Failure(FailureReason.OTHER), is_protected=True)
    limited = policy(STRICT + "limits: {terminations_per_hour: 0}")
    Sweep(limited, world.ports).handle_launches([launch("i-1", "i-3")])
    Sweep(policy(), world.ports).handle_launches([launch("i-4", event_id="event-2")])
    for id_ in (I2, InstanceId("i-5")):
        world.ec2.instances[id_] = replace(world.ec2.instances[id_], launched_at=world.clock.now)
    audited = world.audit(under=policy(STRICT + "exempt: [{tag: spare}]"))
    assert audited.swept.left_out == {
        "held for a person": 2, "failed and reported": 1, "younger than 30 minutes": 1, "exempt by the policy": 1,
    }  # fmt: skip
    assert (audited.running, audited.compliant) == (6, 1), "what is young and complies is judged"


@pytest.mark.parametrize(("settled", "because"), [
    ("Code", "checked again: it was compliant at 2026-01-01T12:00:00Z"),
    ("spare", "checked again: it was exempt at 2026-01-01T12:00:00Z"),
])  # fmt: skip
def test_an_instance_that_lost_its_tags_after_it_was_settled_is_judged_again(
    world: World, settled: str, because: str
) -> None:
    checked = policy(CONFIRMED + "exempt: [{tag: spare}]\n")
    world.run("i-1", **{settled: "LOL"})
    Sweep(checked, world.ports).handle_launches([launch("i-1", tags={settled: "LOL"})])
    world.run("i-1")
    (finding,) = world.audit(under=checked).findings
    # However old the instance is, two reads come before the end.
    assert (finding.result.action, world.case().state, world.ec2.ended) == ("wait", State.WAITING, [])
    world.clock.pass_time(minutes=1)
    Sweep(checked, world.ports).resume_cases([I1])
    assert (world.ec2.ended, world.case().state) == ([I1], State.REPORTED)
    assert because in world.case().how


def test_a_scheduled_audit_only_reports_what_lost_its_tags_when_it_was_old(world: World) -> None:
    world.run("i-1", Code="LOL")
    Sweep(policy(), world.ports).handle_launches([launch("i-1")])
    world.run("i-1")
    world.audit(act_since=timedelta(hours=1))
    assert (world.ec2.ended, world.case().outcome) == ([], Outcome.NOTIFIED)
    assert "too old for a scheduled audit to touch" in world.case().how


def test_an_instance_that_runs_although_the_ledger_has_it_as_gone_is_judged_again(world: World) -> None:
    live = world.ec2.instances.pop(I1)
    Sweep(policy(), world.ports).handle_launches([launch("i-1")])
    assert (world.case().state, len(world.topic.reports)) == (State.GONE, 1)
    world.ec2.instances[I1] = live
    world.audit()
    assert (world.ec2.ended, world.case().outcome) == ([I1], Outcome.DESTROYED)
    assert "(checked again: the ledger had it as gone, and it runs)" in world.topic.reports[1].text


@dataclass(frozen=True, slots=True)
class Scope:
    """Accounts and regions as a test names them."""

    places: Mapping[AccountId, Sequence[Place] | Failure]

    def find_accounts(self) -> Sequence[AccountId]:
        return tuple(self.places)

    def find_places(self, account: AccountId) -> Sequence[Place] | Failure:
        return self.places[account]


def test_an_audit_of_everything_takes_up_what_is_overdue_and_counts_what_it_read(world: World) -> None:
    world.clock.now = LAUNCHED_AT
    world.run("i-3")
    Sweep(policy(GRACEFUL), world.ports).handle_launches([launch("i-3")])
    world.clock.pass_time(hours=2)
    closed = AccountId("444455556666")
    scope = Scope({ACCOUNT: [(ACCOUNT, REGION)], closed: Failure(FailureReason.ROLE_NOT_ASSUMABLE)})
    result = audit_everything(Sweep(policy(), world.ports), scope)
    assert [found.result.instance.id for found in result.findings] == [I3, I1]
    assert result.failures == ("444455556666 could not be audited: role not assumable",)
    assert [(place.account.id, place.region, place.failure.reason) for place in result.unreadable] == [
        (closed, None, FailureReason.ROLE_NOT_ASSUMABLE)
    ]
    assert result.other_failures == ()
    assert (result.running, result.places, result.unread, result.left_out) == (2, 1, 1, {})
    assert (result.compliant, result.violations, result.is_complete) == (1, 2, False)


@pytest.mark.parametrize(
    ("left_out", "unread", "is_complete"),
    [({}, 0, True), ({"exempt by the policy": 2}, 0, True), ({"held for a person": 1}, 0, False), ({}, 1, False)],
)
def test_an_audit_that_left_nothing_out_is_complete(
    left_out: Mapping[str, int], unread: int, *, is_complete: bool
) -> None:
    assert AuditResult((), (), 3, 1, unread, Counter(left_out)).is_complete is is_complete


def test_a_group_that_is_exempt_by_principal_is_exempt_without_a_log(world: World) -> None:
    world.run("i-1", aws__autoscaling__groupName="web")
    exempting = policy(STRICT + "exempt: [{principal: '*/AWSServiceRoleForAutoScaling/*'}]")
    assert world.audit(under=exempting).findings == ()
    assert len(world.audit().findings) == 1


def test_the_service_role_of_a_group_is_in_the_partition_of_its_instance(world: World) -> None:
    world.run("i-1", aws__autoscaling__groupName="web")
    world.ec2.instances[I1] = replace(world.ec2.instances[I1], partition="aws-cn")
    exempting = policy(STRICT + "exempt: [{principal: 'arn:aws-cn:iam::*'}]")
    assert world.audit(under=exempting).findings == ()


def test_a_region_that_cannot_be_read_is_named_and_a_disabled_one_is_not(world: World) -> None:
    world.ec2.unreadable = Failure(FailureReason.MISSING_PERMISSION)
    assert world.audit().swept.failures == ["111122223333 eu-west-1 could not be audited: permission missing"]
    unread = world.audit().unread
    assert unread is not None
    assert (unread.account.id, unread.region, unread.failure) == (ACCOUNT, REGION, world.ec2.unreadable)
    world.ec2.unreadable = Failure(FailureReason.REGION_DISABLED)
    assert world.audit().swept.failures == []


def test_a_case_whose_message_was_lost_is_taken_up(world: World) -> None:
    world.clock.now = LAUNCHED_AT
    Sweep(policy(GRACEFUL), world.ports).handle_launches([launch("i-1")])
    world.clock.pass_time(minutes=64)
    world.take_up(under=policy(GRACEFUL))
    assert world.case().state is State.WAITING
    world.clock.pass_time(minutes=1)
    world.take_up(under=policy(GRACEFUL))
    assert (world.ec2.ended, world.case().state) == ([I1], State.REPORTED)


def test_a_report_that_nobody_took_is_made_again(world: World) -> None:
    class Full(CollectedReports):
        def publish_report(self, report: object) -> Failure:
            return Failure(FailureReason.THROTTLED)

    Sweep(policy(), replace(world.ports, reports=Full())).handle_launches([launch("i-1")])
    assert world.case().state is State.ACTED
    world.clock.pass_time(minutes=6)
    world.take_up()
    assert (world.case().state, len(world.topic.reports)) == (State.REPORTED, 1)
    world.clock.pass_time(minutes=6)
    assert world.take_up().notes == {}


def test_what_the_kill_switch_left_is_dealt_with_once_it_is_on_again(world: World) -> None:
    Sweep(policy(), world.ports, actions_on=False).handle_launches([launch("i-1")])
    world.clock.pass_time(minutes=6)
    world.take_up()
    assert world.ec2.ended == [I1]


def turn_off(ledger: ScratchLedger, *, is_on: bool = False) -> None:
    turn = Turn(is_on=is_on, by="jane", at=LAUNCHED_AT, reason="too many")
    ledger.write_switch(turned(ledger.read_switch(), turn))


def test_an_audit_goes_by_the_switch_in_the_ledger(world: World) -> None:
    turn_off(world.ledger)
    (finding,) = world.audit().findings
    assert (finding.result.outcome, world.ec2.ended) == (Outcome.ACTIONS_OFF, [])
    assert "actions are turned off by jane at 2026-01-01T10:00:00Z: too many" in world.topic.reports[0].text
    turn_off(world.ledger, is_on=True)
    world.audit()
    assert (world.ec2.ended, world.case().error) == ([I1], "")

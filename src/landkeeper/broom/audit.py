"""Auditing: everything that runs against the policy, and the cases that should have come back by now.

It is the net under the logs, the queue and the schedules: instances of which no log told, cases whose message was lost,
reports that were not accepted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from landkeeper.broom.case import AUDIT_EVENT, Case, State, reopen
from landkeeper.broom.cloudtrail.identity import UNKNOWN_PRINCIPAL
from landkeeper.broom.instance_state import LiveInstance
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.policy.rules import Policy
from landkeeper.broom.policy.verdict import Violation, evaluate
from landkeeper.broom.ports import AuditScope, Place
from landkeeper.broom.sweep import Sweep
from landkeeper.broom.sweep_result import InstanceResult, SweepResult
from landkeeper.org import AccountId, Failure, FailureReason, Principal, Region, format_time

PATIENCE = timedelta(minutes=30)
"""How old an instance must be before an audit looks at it: until then its log may still be on its way."""
OVERDUE = timedelta(minutes=5)
"""How long after its time a case counts as one that has not come back by itself."""
_LOOKED_BACK = timedelta(days=2)
_MOST_DUE = 500
_LEFT_OUT = {State.HELD: "held for a person", State.FAILED: "failed and reported"}
_OPEN = (State.WAITING, State.JUDGED, State.ACTING)
_MAYBE_UNREPORTED = (State.ACTED, State.HELD, State.FAILED, State.GONE)


@dataclass(frozen=True, slots=True)
class Finding:
    """What an audit found out about one instance, and did."""

    account: AccountId
    region: Region
    result: InstanceResult


@dataclass(frozen=True, slots=True)
class Audited:
    """What came of the audit of one account and region."""

    swept: SweepResult
    findings: tuple[Finding, ...] = ()
    running: int = 0
    """How many instances run there."""
    is_read: bool = True
    """Whether they could be listed."""


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What an audit of several accounts came to."""

    findings: tuple[Finding, ...]
    failures: tuple[str, ...]
    running: int
    places: int
    """How many regions of accounts were read."""
    unread: int
    """How many were not, and accounts of which not even the regions are known. Disabled regions count for nothing."""
    left_out: Counter[str]
    """How many running instances nothing was done about, by the reason: those that comply are not among them."""


def audit_everything(sweep: Sweep, scope: AuditScope) -> AuditResult:
    """Resume overdue cases, and audit every account, one region after the other.

    Raise UsageError where the accounts cannot be listed.
    """
    overdue = audit_overdue(sweep)
    cases = sweep.ports.ledger.find_cases(tuple(overdue.notes))
    found = [Finding(cases[id_].account, cases[id_].region, result) for id_, result in overdue.notes.items()]
    audited = [place for account in scope.find_accounts() for place in audit_account(sweep, scope, account)]
    return AuditResult(
        findings=(*found, *(finding for place in audited for finding in place.findings)),
        failures=(*overdue.failures, *(failure for place in audited for failure in place.swept.failures)),
        running=sum(place.running for place in audited),
        places=sum(place.is_read for place in audited),
        unread=sum(bool(place.swept.failures) and not place.is_read for place in audited),
        left_out=sum((place.swept.left_out for place in audited), Counter[str]()),
    )


def audit_account(
    sweep: Sweep, scope: AuditScope, account: AccountId, *, act_since: timedelta | None = None
) -> Iterator[Audited]:
    """Audit every region of an account, one after the other."""
    places = scope.find_places(account)
    if isinstance(places, Failure):
        result = SweepResult()
        result.fail(f"{account} could not be audited: {places}", try_again=False)
        yield Audited(result, is_read=False)
        return
    for place in places:
        yield audit_place(sweep, place, act_since=act_since)


def audit_place(sweep: Sweep, place: Place, *, act_since: timedelta | None = None) -> Audited:
    """Judge what runs in an account and region by its tags, and handle what breaks the policy.

    A case that was settled as compliant, exempt or gone is opened again. What was acted on or reported before is not:
    it is counted as left out. Instances that are older than `act_since` and that no log reported, or whose case is
    opened again, are reported, and nothing else is done to them.
    """
    policy, ports = sweep.policy, sweep.ports
    now = ports.clock()
    running = ports.reader.list_running(*place)
    if isinstance(running, Failure):
        result = SweepResult()
        if running.reason is not FailureReason.REGION_DISABLED:
            result.fail(f"{place[0]} {place[1]} could not be audited: {running}", try_again=False)
        return Audited(result, is_read=False)
    old_enough = [live for live in running.values() if _is_of_age(live, now)]
    suspects = [_open(live, place, now, act_since) for live in old_enough]
    suspects = [case for case in suspects if isinstance(_judge(policy, case, running, now), Violation)]
    known = ports.ledger.find_cases([case.instance_id for case in suspects])
    cases = [_take_up(known.get(case.instance_id, case), now, act_since) for case in suspects]
    result = sweep.handle_cases([case for case in cases if not case.is_settled])
    result.left_out = _left_out(cases, young=len(running) - len(old_enough))
    findings = (Finding(*place, result.notes[case.instance_id]) for case in cases if not case.is_settled)
    return Audited(result, tuple(findings), len(running))


def _take_up(case: Case, now: datetime, act_since: timedelta | None) -> Case:
    """Return the case, opened again where it was settled as one that needs no action and its instance breaks a rule."""
    if case.state is State.GONE:
        because = "the ledger had it as gone, and it runs"
    else:
        because = f"it was {case.state} at {format_time(case.changed_at)}"
    is_old = act_since is not None and now - case.event_time > act_since
    notify_only = "it is too old for a scheduled audit to touch" if is_old else ""
    return reopen(case, now, because, notify_only=notify_only) or case


def _left_out(cases: Iterable[Case], *, young: int) -> Counter[str]:
    """Count the running instances that nothing was done about, by the reason."""
    settled = Counter(_LEFT_OUT.get(case.state, "reported before") for case in cases if case.is_settled)
    return +Counter({f"younger than {PATIENCE // timedelta(minutes=1)} minutes": young}) + settled


def audit_overdue(sweep: Sweep) -> SweepResult:
    """Resume the cases that should have come back by now, and those that nobody has reported."""
    overdue = list(islice(_find_overdue(sweep), _MOST_DUE))
    # The index that found them may be behind the table.
    return sweep.resume_cases([case.instance_id for case in overdue])


def _find_overdue(sweep: Sweep) -> Iterator[Case]:
    before = sweep.ports.clock() - OVERDUE
    for state in _OPEN:
        yield from sweep.ports.ledger.list_cases(state, due_before=before)
    for state in _MAYBE_UNREPORTED:
        recent = sweep.ports.ledger.list_cases(state, due_after=before - _LOOKED_BACK, due_before=before)
        yield from (case for case in recent if case.awaits_only_report)


def _is_of_age(live: LiveInstance, now: datetime) -> bool:
    return live.launched_at is None or now - live.launched_at >= PATIENCE


def _judge(policy: Policy, case: Case, running: Mapping[InstanceId, LiveInstance], now: datetime) -> object:
    return evaluate(policy, case.subject, running[case.instance_id].tags, now)


def _open(live: LiveInstance, place: Place, now: datetime, act_since: timedelta | None) -> Case:
    account, region = place
    launched_at = live.launched_at or now
    is_old = act_since is not None and now - launched_at > act_since
    return Case(
        instance_id=live.id,
        account=account,
        region=region,
        event_ids=(f"{AUDIT_EVENT}{account}-{region}-{now:%Y%m%dT%H%M%SZ}",),
        event_time=launched_at,
        principal=_principal(live, account),
        image_id=live.image_id,
        instance_type=live.type,
        logged_tags={},
        opened_at=now,
        changed_at=now,
        notify_only="no log told of its launch, and it is too old for a scheduled audit to touch" if is_old else "",
    )


def _principal(live: LiveInstance, account: AccountId) -> Principal:
    """Return Auto Scaling for an instance of an Auto Scaling group, else the unknown principal."""
    if not live.group:
        return UNKNOWN_PRINCIPAL
    role = "AWSServiceRoleForAutoScaling"
    arn = f"arn:{live.partition}:iam::{account}:role/aws-service-role/autoscaling.amazonaws.com/{role}"
    return Principal("AWSService", "Auto Scaling", "", account, "autoscaling.amazonaws.com", arn)

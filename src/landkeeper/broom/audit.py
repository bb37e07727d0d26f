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

from landkeeper.broom.actions import in_doubt
from landkeeper.broom.case import AUDIT_EVENT, Case, Outcome, State, rejudge, reopen
from landkeeper.broom.cloudtrail.principals.identity import UNKNOWN_PRINCIPAL
from landkeeper.broom.instance_state import LiveInstance
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.policy.rules import SEVERITY, Penalty, Policy
from landkeeper.broom.policy.verdict import Compliant, Exempt, Verdict, Violation, evaluate
from landkeeper.broom.ports import AuditScope, Place
from landkeeper.broom.sweeping.result import InstanceResult, SweepResult, VerdictKind
from landkeeper.broom.sweeping.sweep import Sweep
from landkeeper.org import Account, AccountId, Failure, FailureReason, Principal, Region, format_time

PATIENCE = timedelta(minutes=30)
"""How old an instance must be before an audit looks at it: until then its log may still be on its way."""
OVERDUE = timedelta(minutes=5)
"""How long after its time a case counts as one that has not come back by itself."""
_LOOKED_BACK = timedelta(days=2)
_MOST_DUE = 500
_LEFT_OUT = {State.HELD: "held for a person", State.FAILED: "failed and reported"}
_TOO_YOUNG = f"younger than {PATIENCE // timedelta(minutes=1)} minutes"
EXEMPT = "exempt by the policy"
"""The one reason for which an instance may be left out of an audit that is complete."""
_OPEN = (State.WAITING, State.JUDGED, State.ACTING)
_MAYBE_UNREPORTED = (State.ACTED, State.HELD, State.FAILED, State.GONE)


@dataclass(frozen=True, slots=True)
class Finding:
    """What an audit found out about one instance, and did."""

    account: AccountId
    region: Region
    result: InstanceResult


@dataclass(frozen=True, slots=True)
class UnreadPlace:
    """An account, or one region of it, that could not be audited."""

    account: Account
    region: Region | None
    """None where the account's regions are not known."""
    failure: Failure

    def __str__(self) -> str:
        where = f"{self.account.id} {self.region}" if self.region else self.account.id
        return f"{where} could not be audited: {self.failure}"


@dataclass(frozen=True, slots=True)
class Audited:
    """What came of the audit of one account and region."""

    swept: SweepResult
    findings: tuple[Finding, ...] = ()
    running: int = 0
    """How many instances run there."""
    compliant: int = 0
    """How many of them comply with the policy by their live tags."""
    is_read: bool = True
    """Whether they could be listed."""
    unread: UnreadPlace | None = None
    """Why they could not be listed; None too where the region is disabled."""


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
    """How many running instances were not judged, or nothing was done about, by the reason."""
    compliant: int = 0
    """How many running instances comply."""
    unreadable: tuple[UnreadPlace, ...] = ()
    """The places that could not be audited. They are among the failures too."""

    @property
    def violations(self) -> int:
        """How many instances that were handled violate the policy."""
        return sum(finding.result.verdict is VerdictKind.VIOLATION for finding in self.findings)

    @property
    def other_failures(self) -> tuple[str, ...]:
        """What went wrong beside the places that could not be audited."""
        unreadable = set(map(str, self.unreadable))
        return tuple(failure for failure in self.failures if failure not in unreadable)

    @property
    def is_complete(self) -> bool:
        """Whether it looked at everything, and left no instance that violates the policy as it is."""
        return not self.failures and not self.unread and not any(reason != EXEMPT for reason in self.left_out)


def audit_everything(sweep: Sweep, scope: AuditScope, *, rejudge_settled: bool = False) -> AuditResult:
    """Resume overdue cases, and audit every account, one region after the other.

    `rejudge_settled` judges by the policy at hand what an earlier case has settled. Raise UsageError where the accounts
    cannot be listed.
    """
    overdue = audit_overdue(sweep)
    cases = sweep.ports.ledger.find_cases(tuple(overdue.notes))
    found = [Finding(cases[id_].account, cases[id_].region, result) for id_, result in overdue.notes.items()]
    audited = [
        place
        for account in scope.find_accounts()
        for place in audit_account(sweep, scope, account, rejudge_settled=rejudge_settled)
    ]
    return AuditResult(
        findings=(*found, *(finding for place in audited for finding in place.findings)),
        failures=(*overdue.failures, *(failure for place in audited for failure in place.swept.failures)),
        running=sum(place.running for place in audited),
        places=sum(place.is_read for place in audited),
        unread=sum(bool(place.swept.failures) and not place.is_read for place in audited),
        left_out=sum((place.swept.left_out for place in audited), Counter[str]()),
        compliant=sum(place.compliant for place in audited),
        unreadable=tuple(place.unread for place in audited if place.unread is not None),
    )


def audit_account(
    sweep: Sweep,
    scope: AuditScope,
    account: AccountId,
    *,
    act_since: timedelta | None = None,
    rejudge_settled: bool = False,
) -> Iterator[Audited]:
    """Audit every region of an account, one after the other."""
    places = scope.find_places(account)
    if isinstance(places, Failure):
        yield _unread(UnreadPlace(Account(account), None, places))
        return
    for place in places:
        yield audit_place(sweep, place, act_since=act_since, rejudge_settled=rejudge_settled)


def audit_place(
    sweep: Sweep, place: Place, *, act_since: timedelta | None = None, rejudge_settled: bool = False
) -> Audited:
    """Judge what runs in an account and region by its tags, and handle what breaks the policy.

    A case that was settled as compliant, exempt or gone is opened again. One that was reported is opened again where
    the policy has changed since and says something else of it, or where `rejudge_settled` says so; otherwise it is
    counted as left out. Instances that are older than `act_since` and that no log reported, or whose case is opened
    again, are reported, and nothing else is done to them.
    """
    policy, ports = sweep.policy, sweep.ports
    now = ports.clock()
    running = ports.reader.list_running(*place)
    if isinstance(running, Failure):
        if running.reason is FailureReason.REGION_DISABLED:
            return Audited(SweepResult(), is_read=False)
        return _unread(UnreadPlace(Account(place[0]), place[1], running))
    opened = {live.id: _open(live, place, now, act_since) for live in running.values()}
    verdicts = {id_: _judge(policy, case, running, now) for id_, case in opened.items()}
    suspects = [id_ for id_, verdict in verdicts.items() if isinstance(verdict, Violation)]
    of_age = [id_ for id_ in suspects if _is_of_age(running[id_], now)]
    known = ports.ledger.find_cases(of_age)
    again = _Again(policy, now, act_since, rejudge_settled)
    cases = [again.take_up(known.get(id_, opened[id_]), running[id_]) for id_ in of_age]
    result = sweep.handle_cases([case for case in cases if not case.is_settled])
    result.left_out = _left_out(cases, verdicts.values(), young=len(suspects) - len(of_age))
    findings = (Finding(*place, result.notes[case.instance_id]) for case in cases if not case.is_settled)
    compliant = sum(isinstance(verdict, Compliant) for verdict in verdicts.values())
    return Audited(result, tuple(findings), len(running), compliant)


def _unread(place: UnreadPlace) -> Audited:
    result = SweepResult()
    result.fail(str(place), try_again=False)
    return Audited(result, is_read=False, unread=place)


@dataclass(frozen=True, slots=True)
class _Again:
    """By what an audit opens settled cases again, whose instances break a rule."""

    policy: Policy
    now: datetime
    act_since: timedelta | None
    rejudge_settled: bool

    def take_up(self, case: Case, live: LiveInstance) -> Case:
        """Return the case, opened again where there is a reason to."""
        is_old = self.act_since is not None and self.now - case.event_time > self.act_since
        notify_only = "it is too old for a scheduled audit to touch" if is_old else ""
        before = "the ledger had it as gone, and it runs"
        if case.state is not State.GONE:
            before = f"it was {case.outcome or case.state} at {format_time(case.changed_at)}"
        after = rejudge(case, self.now, before, notify_only=notify_only)
        if after is None:
            return reopen(case, self.now, before, notify_only=notify_only) or case
        return after if self.rejudge_settled or self._says_more(case, after, live) else case

    def _says_more(self, case: Case, after: Case, live: LiveInstance) -> bool:
        """Return whether the policy is another one than that of the case, and names another fault or does more."""
        if case.policy == self.policy.digest:
            return False
        verdict = evaluate(self.policy, after.subject, live.tags, self.now)
        if not isinstance(verdict, Violation):
            return False
        action = in_doubt(self.policy, after, verdict).action
        is_stricter = SEVERITY[action] > SEVERITY[case.action or Penalty.NOTIFY]
        return is_stricter or (verdict.rule, verdict.how) != (case.rule, case.how[: len(verdict.how)])


def _left_out(cases: Iterable[Case], verdicts: Iterable[Verdict], *, young: int) -> Counter[str]:
    """Count the running instances that were not judged, or nothing was done about, by the reason."""
    exempt = sum(isinstance(verdict, Exempt) for verdict in verdicts)
    settled = Counter(_reason_for(case) for case in cases if case.is_settled)
    return +Counter({_TOO_YOUNG: young, EXEMPT: exempt}) + settled


def _reason_for(case: Case) -> str:
    if case.outcome is Outcome.DESTROYED:
        return "terminated before"
    return _LEFT_OUT.get(case.state, f"settled by an earlier case ({case.outcome or case.state})")


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


def _judge(policy: Policy, case: Case, running: Mapping[InstanceId, LiveInstance], now: datetime) -> Verdict:
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

"""What to do about a case, as data. Nothing here does it: `decide` is pure, an executor acts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from landkeeper.broom.case import Case, Outcome, State
from landkeeper.broom.cloudtrail.principals.identity import UNKNOWN_PRINCIPAL
from landkeeper.broom.instance_state import Absent, LiveInstance, Seen
from landkeeper.broom.launches import Tags
from landkeeper.broom.policy.rules import Penalty, Policy
from landkeeper.broom.policy.verdict import Compliant, Exempt, Subject, Verdict, Violation, evaluate
from landkeeper.broom.switch import ActionSwitch
from landkeeper.org import Failure, FailureReason, format_time

YOUNG = timedelta(minutes=10)
"""Until this age EC2 may not show an instance, or its tags, although they are there."""
ACT_SINCE = timedelta(days=1)
"""How old an instance may be for what nobody expected, such as an audit's find, to do more than notify."""
LOOK_AGAIN_AFTER = timedelta(seconds=60)
MOST_ATTEMPTS = 3
"""After so many failed calls a case is reported as it stands instead of being tried again."""

_UNTURNED = ActionSwitch()
_PERMANENT = frozenset({FailureReason.SCP_DENY, FailureReason.MISSING_PERMISSION, FailureReason.ACCOUNT_SUSPENDED})


@dataclass(frozen=True, slots=True)
class Terminate:
    """End the instance."""

    because: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop the instance."""

    because: str


@dataclass(frozen=True, slots=True)
class Notify:
    """Leave the instance alone, and tell."""

    because: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again at this time."""

    until: datetime
    because: str


@dataclass(frozen=True, slots=True)
class Keep:
    """Leave the instance alone; its case moves to `state`. With an outcome somebody has to be told."""

    state: State
    because: str
    outcome: Outcome | None = None
    try_again: bool = False
    """Whether a call failed that may work the next time."""
    error: str = ""
    """What the report gives as the reason for the outcome."""


Action = Terminate | Stop | Notify | Wait | Keep


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and the verdict it follows from; None where there was nothing to judge."""

    action: Action
    verdict: Verdict | None = None


def decide(
    policy: Policy,
    case: Case,
    seen: Seen,
    now: datetime,
    *,
    actions_on: bool,
    switch: ActionSwitch | Failure = _UNTURNED,
    group_tags: Tags | None = None,
    units: frozenset[str] | Failure | None = None,
) -> Decision:
    """Return what to do about a case, given what was just read of its instance.

    `actions_on` is the caller's own kill switch and `switch` the ledger's: where either is off, or the ledger's could
    not be read, what would be stopped or terminated stays judged. `group_tags` are those that its Auto Scaling group
    puts on the instances it launches. `units` are as in `Subject`: without them a violation may be `is_unplaced`, and
    is to be decided on again with them.
    """
    subject = replace(case.subject, units=units)
    decision = _decide(policy, case, subject, seen, now, group_tags=group_tags or {})
    if not isinstance(decision.action, Terminate | Stop):
        return decision
    return replace(decision, action=_switched(case, decision.action, switch, actions_on=actions_on))


def _decide(policy: Policy, case: Case, subject: Subject, seen: Seen, now: datetime, *, group_tags: Tags) -> Decision:
    match seen:
        case Failure():
            return _unread(policy, case, subject, seen, now)
        case Absent():
            return _absent(policy, case, subject, now)
        case LiveInstance():
            if seen.has_ended:
                return _ended(policy, case, subject, now, f"the instance is {seen.state}")
            if seen.has_stopped and case.is_under_way and case.action is Penalty.STOP:
                # Whatever its tags are by now: a run that crashed while it was stopping it told nobody.
                return Decision(Keep(State.ACTED, f"the instance is {seen.state}", Outcome.STOPPED))
            if seen.operator:
                return Decision(Keep(State.EXEMPT, f"it is operated by {seen.operator}"))
            return _judge(policy, case, subject, seen, now, group_tags=group_tags)
        case _:
            assert_never(seen)


def is_worth_retrying(failure: Failure, attempts: int) -> bool:
    """Return whether an action that failed for the `attempts`-th time may be tried again."""
    return failure.reason not in _PERMANENT and attempts < MOST_ATTEMPTS


def _unread(policy: Policy, case: Case, subject: Subject, failure: Failure, now: datetime) -> Decision:
    because = f"the instance could not be read: {failure}"
    if case.is_under_way:
        if case.attempts + 1 < MOST_ATTEMPTS:
            return Decision(Keep(State.ACTING, because, try_again=True))
        return Decision(Keep(State.FAILED, because, Outcome.UNKNOWN))
    logged = evaluate(policy, subject, case.logged_tags, now)
    if case.attempts + 1 < MOST_ATTEMPTS:
        return Decision(Keep(State.FAILED, because, try_again=True), logged)
    outcome = Outcome.REFUSED if isinstance(logged, Violation) else None
    return Decision(Keep(State.FAILED, because, outcome), logged)


def _absent(policy: Policy, case: Case, subject: Subject, now: datetime) -> Decision:
    if now - case.event_time < YOUNG:
        return Decision(Wait(now + LOOK_AGAIN_AFTER, "EC2 does not show the instance yet"))
    return _ended(policy, case, subject, now, "EC2 does not know the instance any more")


def _ended(policy: Policy, case: Case, subject: Subject, now: datetime, because: str) -> Decision:
    """Return the decision on an instance that has ended: a run that crashed while it was acting ended it."""
    if case.is_under_way and case.action is Penalty.TERMINATE:
        return Decision(Keep(State.ACTED, because, Outcome.DESTROYED))
    tags = case.logged_tags if case.live_tags is None else case.live_tags
    verdict = evaluate(policy, subject, tags, now)
    outcome = Outcome.ALREADY_GONE if isinstance(verdict, Violation) else None
    return Decision(Keep(State.GONE, because, outcome), verdict)


def _judge(
    policy: Policy,
    case: Case,
    subject: Subject,
    live: LiveInstance,
    now: datetime,
    *,
    group_tags: Tags,
) -> Decision:
    verdict = evaluate(policy, subject, live.tags, now)
    match verdict:
        case Compliant():
            return Decision(Keep(State.COMPLIANT, verdict.because), verdict)
        case Exempt():
            return Decision(Keep(State.EXEMPT, verdict.because), verdict)
        case Violation():
            verdict = in_doubt(policy, case, _reopened(case, verdict))
            wait = _reason_to_wait(policy, case, verdict, now)
            if wait is None and group_tags and now - case.event_time < YOUNG:
                wait = _wait_for_group(policy, case, verdict, {**group_tags, **live.tags}, now)
            return Decision(wait or _penalty(verdict, live), verdict)
        case _:
            assert_never(verdict)


def _reopened(case: Case, violation: Violation) -> Violation:
    if not case.reopened_because:
        return violation
    return replace(violation, how=f"{violation.how} (checked again: {case.reopened_because})")


def in_doubt(policy: Policy, case: Case, violation: Violation) -> Violation:
    """Return the violation, reduced to a notice if there is a reason to be careful with the instance."""
    is_exempting = any(exemption.kind == "principal" for exemption in policy.exempt)
    why = case.notify_only
    if not why and is_exempting and case.principal.kind == UNKNOWN_PRINCIPAL.kind:
        why = "nobody knows who launched it, and the policy exempts principals"
    if not why or violation.action is Penalty.NOTIFY:
        return violation
    how = f"{violation.how} ({why}, so notify instead of {violation.action})"
    return replace(violation, how=how, action=Penalty.NOTIFY)


def _reason_to_wait(policy: Policy, case: Case, violation: Violation, now: datetime) -> Wait | None:
    """Return a wait for the grace period, for tags that EC2 does not show yet, or for the confirming read."""
    grace_ends = case.event_time + violation.grace
    if now < grace_ends:
        return Wait(grace_ends, f"{violation.because}; it may be tagged until {format_time(grace_ends)}")
    if not policy.confirm_after or now - case.known_since >= YOUNG:
        return None
    if case.reopened_at is None and not isinstance(evaluate(policy, case.subject, case.logged_tags, now), Violation):
        return Wait(
            min(now + LOOK_AGAIN_AFTER, case.event_time + YOUNG),
            f"{violation.because}; the log shows tags that comply, which EC2 may not show yet",
        )
    if violation.action is Penalty.NOTIFY:
        return None
    confirming_read = (case.first_fault_at or now) + policy.confirm_after
    if now < confirming_read:
        return Wait(
            confirming_read,
            f"{violation.because}; a confirming read at {format_time(confirming_read)} has to confirm that",
        )
    return None


def _wait_for_group(policy: Policy, case: Case, violation: Violation, tags: Tags, now: datetime) -> Wait | None:
    """Return a wait if the Auto Scaling group of a young instance is set to give it compliant tags."""
    if isinstance(evaluate(policy, case.subject, tags, now), Violation):
        return None
    return Wait(
        min(now + LOOK_AGAIN_AFTER, case.event_time + YOUNG),
        f"{violation.because}; its Auto Scaling group gives it tags that comply, which EC2 may not show yet",
    )


def _switched(case: Case, action: Terminate | Stop, switch: ActionSwitch | Failure, *, actions_on: bool) -> Action:
    """Return the action where every kill switch is on, and else what happens in its place."""
    if not actions_on:
        return Keep(State.JUDGED, f"{action.because}; actions are turned off", Outcome.ACTIONS_OFF)
    if isinstance(switch, Failure):
        why = f"nothing is done, because the ledger does not say whether actions are turned on: {switch}"
        # An action whose outcome is not known yet stays one: whoever comes next has to look for what came of it.
        state = State.ACTING if case.is_under_way else State.JUDGED
        return Keep(state, f"{action.because}; {why}", try_again=True)
    if switch.is_on:
        return action
    why = f"actions are {switch}"
    return Keep(State.JUDGED, f"{action.because}; {why}", Outcome.ACTIONS_OFF, error=why)


def _penalty(violation: Violation, live: LiveInstance) -> Action:
    if violation.action is Penalty.NOTIFY:
        return Notify(violation.because)
    if violation.action is Penalty.TERMINATE:
        return Terminate(violation.because)
    if live.has_instance_store_root:
        return Keep(State.FAILED, "its root device is an instance store, and such an instance cannot be stopped",
                    Outcome.REFUSED)  # fmt: skip
    return Stop(violation.because)

"""What a policy would have done to the launches of the past: Broom's own decisions, taken at the times of the log.

Each instance goes through `landkeeper.broom.actions.decide`, the first time at its launch and then whenever that says
to look again, with the tags that the log shows it had by then. Terminations go through the limits in the order of their
times. Nothing is called, and what only AWS knows is left out: `HitWarning` says for which instances that may matter.

What Broom itself did at the time is taken as not done: the policy is asked about the instance as if it still ran.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from landkeeper.broom.actions import Decision, Keep, Wait, decide
from landkeeper.broom.backtest.history import PastInstance
from landkeeper.broom.backtest.own_actions import BROOM_ROLES, find_other_ends, find_own_action
from landkeeper.broom.dry_run import ScratchLedger
from landkeeper.broom.instance_state import LiveInstance
from landkeeper.broom.launches import End, Tags, Termination
from landkeeper.broom.limits import Gate, RunLimit
from landkeeper.broom.policy.rules import Limits, Penalty, Policy
from landkeeper.broom.policy.verdict import Exempt, Violation
from landkeeper.org import Failure, FailureReason


class Fate(StrEnum):
    """What would have become of an instance, or did before the policy could."""

    TERMINATED = "terminated"
    STOPPED = "stopped"
    NOTIFIED = "notified"
    HELD = "held"
    """It would have been terminated, had a limit not been used up: a person would have had to release it."""
    GONE = "gone"
    """It broke a rule, and somebody terminated it, or EC2 took its Spot capacity back, before its time was over."""
    COMPLIANT = "compliant"
    EXEMPT = "exempt"


_FATES = {Penalty.TERMINATE: Fate.TERMINATED, Penalty.STOP: Fate.STOPPED, Penalty.NOTIFY: Fate.NOTIFIED}
_SPOT = "spot.amazonaws.com"
_STOPPING = frozenset({"stop", "hibernate"})
"""How an interruption leaves a Spot Instance that may run again."""

HITS = (Fate.TERMINATED, Fate.HELD, Fate.STOPPED, Fate.NOTIFIED)
"""Hits: the policy would have acted, or asked a person to act."""


class HitWarning(StrEnum):
    """Why the policy may have treated an instance differently from what the log shows."""

    NO_TAGS_LOGGED = "launched for a Spot request whose tags the log does not show"
    FROM_TEMPLATE = "launched from a template, whose tags the log may not show"
    BY_SERVICE = "launched by a service, which may tag it otherwise"
    UNITS_UNKNOWN = "the organizational units of its account are unknown"
    STILL_DUE = "its decision was not due yet when the logs were read"
    ODD_RECORD = "something in the record of its launch could not be read"
    ENDED_BY_BROOM = "Broom terminated it before this policy's time was over, and tags may have followed"
    INTERRUPTED = "EC2 interrupted it, and may have stopped or hibernated it instead of terminating it"


@dataclass(frozen=True, slots=True)
class PastFate:
    """A past instance, and what the policy would have done."""

    past: PastInstance
    fate: Fate
    at: datetime
    """When the decision would have been made."""
    tags: Tags
    """The tags that the instance had then."""
    rule: str
    """The broken rule; empty if there is none."""
    because: str
    warnings: tuple[HitWarning, ...] = ()
    own_action: Termination | None = None
    """What Broom itself did to it at the time; None where the logs do not tell of anything."""

    @property
    def is_hit(self) -> bool:
        """Whether the policy would have done something to it, or asked a person to."""
        return self.fate in HITS


def backtest(
    policy: Policy,
    instances: Iterable[PastInstance],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    read_at: datetime,
    broom_roles: Collection[str] = BROOM_ROLES,
) -> tuple[PastFate, ...]:
    """What the policy would have done to each instance launched from `since` on and before `until`, oldest first.

    What the `broom_roles` stopped and terminated is what Broom itself did.
    """
    selected = (
        past
        for past in instances
        if (since is None or past.case.event_time >= since) and (until is None or past.case.event_time < until)
    )
    return tuple(_hold(policy, [_replay(policy, past, read_at, broom_roles) for past in selected]))


def window(policy: Policy) -> timedelta:
    """How long after its launch the policy may still wait for the tags of an instance."""
    return max([policy.confirm_after, *(rule.grace for rule in policy.rules)])


def with_grace(policy: Policy, grace: timedelta | None) -> Policy:
    """The policy with this grace for every rule; None leaves each its own."""
    if grace is None:
        return policy
    return replace(policy, rules=tuple(replace(rule, grace=grace) for rule in policy.rules))


def unknown_limits(policy: Policy) -> tuple[str, ...]:
    """The limits of the policy that a log cannot tell of, as words that follow "not applied:"."""
    named = {
        "terminations_per_run": policy.limits.terminations_per_run,
        "terminations_share": policy.limits.terminations_share,
    }
    return tuple(name for name, limit in named.items() if limit is not None)


def _replay(policy: Policy, past: PastInstance, read_at: datetime, broom_roles: Collection[str]) -> PastFate:
    own = find_own_action(past.endings, broom_roles)
    past = replace(past, endings=find_other_ends(past.endings, own, broom_roles))
    now, first_fault_at = past.case.event_time, None
    while True:
        decision, tags = _look(policy, past, now, first_fault_at)
        if not isinstance(decision.action, Wait):
            found = replace(_fate_of(past, decision, now, tags), own_action=own)
            is_unplaced = isinstance(decision.verdict, Violation) and decision.verdict.is_unplaced
            return replace(found, warnings=_warnings(found, read_at, is_unplaced=is_unplaced))
        first_fault_at = first_fault_at or now
        now = decision.action.until


def _look(policy: Policy, past: PastInstance, now: datetime, first_fault_at: datetime | None) -> tuple[Decision, Tags]:
    tags = past.tags_at(now)
    has_ended = any(ending.event_time <= now for ending in past.endings)
    seen = LiveInstance(past.case.instance_id, "terminated" if has_ended else "running", tags)
    # The log shows what EC2 does: nothing is waited for that EC2 would only show later.
    case = replace(past.case, logged_tags=tags, first_fault_at=first_fault_at)
    return decide(policy, case, seen, now, actions_on=True), tags


def _fate_of(past: PastInstance, decision: Decision, at: datetime, tags: Tags) -> PastFate:
    fate = _fate(decision)
    broken = decision.verdict if isinstance(decision.verdict, Violation) else None
    because = broken.because if broken is not None else decision.action.because
    rule = broken.rule if broken is not None and fate is not Fate.GONE else ""
    return PastFate(past, fate, at, tags, rule, because)


def _fate(decision: Decision) -> Fate:
    match decision.verdict:
        case Violation(action=penalty):
            return Fate.GONE if isinstance(decision.action, Keep) else _FATES[penalty]
        case Exempt():
            return Fate.EXEMPT
        case _:
            return Fate.COMPLIANT


def _warnings(found: PastFate, read_at: datetime, *, is_unplaced: bool) -> tuple[HitWarning, ...]:
    if found.fate is Fate.GONE:
        return (HitWarning.INTERRUPTED,) if _may_return(found.past, found.at) else ()
    if not found.is_hit:
        return ()
    service, own = found.past.case.principal.invoked_by, found.own_action
    holds = {
        HitWarning.NO_TAGS_LOGGED: service == _SPOT,
        HitWarning.FROM_TEMPLATE: bool(found.past.launch_template),
        HitWarning.BY_SERVICE: service not in {"", _SPOT},
        HitWarning.UNITS_UNKNOWN: is_unplaced,
        HitWarning.STILL_DUE: found.at > read_at,
        HitWarning.ODD_RECORD: found.past.has_faults,
        HitWarning.ENDED_BY_BROOM: own is not None and own.end is End.TERMINATED and own.event_time < found.at,
    }
    return tuple(warning for warning, is_so in holds.items() if is_so)


def _may_return(past: PastInstance, at: datetime) -> bool:
    """Return whether the instance was only stopped or hibernated by then, as far as the logs tell."""
    ends = [ending for ending in past.endings if ending.event_time <= at]
    is_interrupted = all(ending.end is End.INTERRUPTED for ending in ends)
    return is_interrupted and (past.interruption in _STOPPING or any(ending.may_return for ending in ends))


def _hold(policy: Policy, fates: Sequence[PastFate]) -> list[PastFate]:
    """The same with those held that a limit would have held."""
    limits = policy.limits
    knowable = Limits(
        limits.terminations_per_hour, terminations_per_hour_per_account=limits.terminations_per_hour_per_account
    )
    gate = Gate(knowable, RunLimit(), ScratchLedger(), lambda _: _NOT_COUNTED)
    held: dict[str, str] = {}
    for fate in sorted(fates, key=lambda past_fate: (past_fate.at, past_fate.past.case.instance_id)):
        if fate.fate is Fate.TERMINATED:
            live = LiveInstance(fate.past.case.instance_id, "running", fate.tags)
            why = gate.find_hold(fate.past.case, live, fate.at)
            if why is not None:
                held[fate.past.case.instance_id] = why
    return [_held(past_fate, held.get(past_fate.past.case.instance_id)) for past_fate in fates]


def _held(found: PastFate, why: str | None) -> PastFate:
    return found if why is None else replace(found, fate=Fate.HELD, because=f"{found.because}; {why}")


_NOT_COUNTED = Failure(FailureReason.OTHER, message="a log does not tell how many instances run")

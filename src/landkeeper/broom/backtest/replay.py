"""What a policy would have done to the launches of the past: Broom's own decisions, taken at the times of the log.

Each instance goes through `landkeeper.broom.actions.decide`, the first time at its launch and then whenever that says
to look again, with the tags that the log shows it had by then. Terminations go through the limits in the order of their
times. Nothing is called, and what only AWS knows is left out: `HitWarning` says for which instances that may matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from landkeeper.broom.actions import Decision, Keep, Wait, decide
from landkeeper.broom.backtest.history import PastInstance
from landkeeper.broom.dry_run import ScratchLedger
from landkeeper.broom.instance_state import LiveInstance
from landkeeper.broom.launches import Tags
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
    """It broke a rule, and its owner terminated it before its time was over."""
    COMPLIANT = "compliant"
    EXEMPT = "exempt"


_FATES = {Penalty.TERMINATE: Fate.TERMINATED, Penalty.STOP: Fate.STOPPED, Penalty.NOTIFY: Fate.NOTIFIED}
_SPOT = "spot.amazonaws.com"

HITS = (Fate.TERMINATED, Fate.HELD, Fate.STOPPED, Fate.NOTIFIED)
"""Hits: the policy would have acted, or asked a person to act."""


class HitWarning(StrEnum):
    """Why the policy may have treated an instance differently from what the log shows."""

    NO_TAGS_LOGGED = "launched for a Spot request whose tags the log does not show"
    FROM_TEMPLATE = "launched from a template, whose tags the log may not show"
    BY_SERVICE = "launched by a service, which may tag it otherwise"
    UNITS_UNKNOWN = "the organizational units of its account are unknown"
    STILL_DUE = "its decision was not due yet when the logs were read"


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
) -> tuple[PastFate, ...]:
    """What the policy would have done to each instance launched from `since` on and before `until`, oldest first."""
    selected = (
        past
        for past in instances
        if (since is None or past.case.event_time >= since) and (until is None or past.case.event_time < until)
    )
    return tuple(_hold(policy, [_replay(policy, past, read_at) for past in selected]))


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


def _replay(policy: Policy, past: PastInstance, read_at: datetime) -> PastFate:
    now, first_fault_at = past.case.event_time, None
    while True:
        decision, tags = _look(policy, past, now, first_fault_at)
        if not isinstance(decision.action, Wait):
            return _fate_of(past, decision, now, tags, read_at)
        first_fault_at = first_fault_at or now
        now = decision.action.until


def _look(policy: Policy, past: PastInstance, now: datetime, first_fault_at: datetime | None) -> tuple[Decision, Tags]:
    tags = past.tags_at(now)
    has_ended = past.ended_at is not None and past.ended_at <= now
    seen = LiveInstance(past.case.instance_id, "terminated" if has_ended else "running", tags)
    # The log shows what EC2 does: nothing is waited for that EC2 would only show later.
    case = replace(past.case, logged_tags=tags, first_fault_at=first_fault_at)
    return decide(policy, case, seen, now, actions_on=True), tags


def _fate_of(past: PastInstance, decision: Decision, at: datetime, tags: Tags, read_at: datetime) -> PastFate:
    fate = _fate(decision)
    broken = decision.verdict if isinstance(decision.verdict, Violation) else None
    because = broken.because if broken is not None else decision.action.because
    rule = broken.rule if broken is not None and fate is not Fate.GONE else ""
    found = PastFate(past, fate, at, tags, rule, because)
    is_unplaced = broken is not None and broken.is_unplaced
    return replace(found, warnings=_warnings(found, read_at, is_unplaced=is_unplaced)) if found.is_hit else found


def _fate(decision: Decision) -> Fate:
    match decision.verdict:
        case Violation(action=penalty):
            return Fate.GONE if isinstance(decision.action, Keep) else _FATES[penalty]
        case Exempt():
            return Fate.EXEMPT
        case _:
            return Fate.COMPLIANT


def _warnings(found: PastFate, read_at: datetime, *, is_unplaced: bool) -> tuple[HitWarning, ...]:
    case = found.past.case
    service = case.principal.invoked_by
    holds = {
        HitWarning.NO_TAGS_LOGGED: service == _SPOT,
        HitWarning.FROM_TEMPLATE: bool(found.past.launch_template),
        HitWarning.BY_SERVICE: service not in {"", _SPOT},
        HitWarning.UNITS_UNKNOWN: is_unplaced,
        HitWarning.STILL_DUE: found.at > read_at,
    }
    return tuple(warning for warning, is_so in holds.items() if is_so)


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

"""What came of a sweep: a result for each instance, and what could not be done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from landkeeper.broom.actions import Action, Decision, Keep, Notify, Stop, Terminate, Wait
from landkeeper.broom.case import Case, Outcome, State
from landkeeper.broom.instance_state import LiveInstance, Seen
from landkeeper.broom.launches import InstanceId, Launch, LaunchedInstance, Tags
from landkeeper.broom.policy.rules import Penalty
from landkeeper.broom.policy.verdict import Compliant, Exempt, Verdict, Violation
from landkeeper.org import format_time


class VerdictKind(StrEnum):
    """What the policy says about an instance."""

    COMPLIANT = "compliant"
    EXEMPT = "exempt"
    VIOLATION = "violation"
    UNKNOWN = "unknown"
    """There was nothing to judge."""


class ActionKind(StrEnum):
    """What is done about an instance, or would be."""

    KEEP = "keep"
    NOTIFY = "notify"
    STOP = "stop"
    TERMINATE = "terminate"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class InstanceResult:
    """An instance, what the policy says about it, and what is done or would be."""

    instance: LaunchedInstance
    tags: Tags
    """The tags it was judged by: those that EC2 showed; those of the log where it was not read."""
    verdict: VerdictKind
    action: ActionKind
    because: str
    outcome: Outcome | None = None
    """What came of it where a rule was broken and something was done."""
    is_stored: bool = False
    """Whether this is what the ledger has from before, and nothing was found out or done now."""


@dataclass(slots=True)
class SweepResult:
    """What came of a sweep."""

    notes: dict[InstanceId, InstanceResult] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    """What could not be done, a sentence each."""
    try_again: bool = False
    """Whether some of it may work the next time, so that the message must come again."""
    waiting: int = 0
    """How many instances are looked at again later."""
    not_begun: int = 0
    """How many instances were left as they are because there was no time for them: the message must come again."""
    left_out: Counter[str] = field(default_factory=Counter)
    """How many running instances an audit did nothing about, by the reason."""
    launches: dict[str, Launch] = field(default_factory=dict)
    """The launches by event id, with what EC2 knows and the log left out: instances, and who asked for them."""

    def take_in(self, other: SweepResult) -> None:
        """Add what came of another sweep of the same run."""
        self.notes |= other.notes
        self.failures += other.failures
        self.try_again = self.try_again or other.try_again
        self.waiting += other.waiting
        self.not_begun += other.not_begun
        self.left_out += other.left_out
        self.launches |= other.launches

    def fail(self, sentence: str, *, try_again: bool) -> None:
        """Note something that could not be done."""
        self.failures.append(sentence)
        self.try_again = self.try_again or try_again


def judged_result(case: Case, decision: Decision, seen: Seen) -> InstanceResult:
    """Return the result of an instance that was just judged."""
    verdict = kinds_of(decision.verdict)[0] if decision.verdict is not None else VerdictKind.UNKNOWN
    tags = seen.tags if isinstance(seen, LiveInstance) else case.logged_tags
    return InstanceResult(_instance(case), tags, verdict, _kind_of(decision.action), decision.action.because)


def stored_result(case: Case, *, is_dry_run: bool = False) -> InstanceResult:
    """Return the result of an instance whose case the ledger has as it stands.

    A dry run does nothing more about it: what came of it before is in the reason alone.
    """
    kinds = {State.COMPLIANT: VerdictKind.COMPLIANT, State.EXEMPT: VerdictKind.EXEMPT}
    verdict = kinds.get(case.state, VerdictKind.VIOLATION)
    action = PENALTY_KINDS[case.action] if case.outcome is not None and case.action is not None else ActionKind.KEEP
    rule = f"rule {case.rule}: {case.how}; " if case.rule else ""
    because = f"{rule}the ledger has it as {case.state} since {format_time(case.changed_at)}"
    tags = case.logged_tags if case.live_tags is None else case.live_tags
    outcome = case.outcome
    if is_dry_run and outcome is not None:
        because = f"{because}: {'terminated' if outcome is Outcome.DESTROYED else outcome}"
        action, outcome = ActionKind.KEEP, None
    return InstanceResult(_instance(case), tags, verdict, action, because, outcome, is_stored=True)


def kinds_of(verdict: Verdict) -> tuple[VerdictKind, ActionKind]:
    """Return the kind of the verdict, and of the action that follows from it."""
    match verdict:
        case Compliant():
            return VerdictKind.COMPLIANT, ActionKind.KEEP
        case Exempt():
            return VerdictKind.EXEMPT, ActionKind.KEEP
        case Violation(action=action):
            return VerdictKind.VIOLATION, PENALTY_KINDS[action]
        case _:
            assert_never(verdict)


PENALTY_KINDS = {
    Penalty.NOTIFY: ActionKind.NOTIFY, Penalty.STOP: ActionKind.STOP, Penalty.TERMINATE: ActionKind.TERMINATE,
}  # fmt: skip


def _kind_of(action: Action) -> ActionKind:
    match action:
        case Terminate():
            return ActionKind.TERMINATE
        case Stop():
            return ActionKind.STOP
        case Notify():
            return ActionKind.NOTIFY
        case Wait():
            return ActionKind.WAIT
        case Keep():
            return ActionKind.KEEP
        case _:
            assert_never(action)


def _instance(case: Case) -> LaunchedInstance:
    return LaunchedInstance(case.instance_id, case.image_id, case.instance_type, case.logged_tags)

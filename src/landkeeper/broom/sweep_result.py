"""What came of a sweep, in words: a note on each instance, and what could not be done."""

from __future__ import annotations

from dataclasses import dataclass, field

from landkeeper.broom.actions import Decision
from landkeeper.broom.case import Case, State
from landkeeper.broom.instance_state import LiveInstance, Seen
from landkeeper.broom.launches import InstanceId, Launch, Tags
from landkeeper.broom.policy.offline import words_of
from landkeeper.org import format_time


@dataclass(frozen=True, slots=True)
class InstanceResult:
    """What a sweep found out about an instance and did, in words."""

    verdict: str
    """`compliant`, `exempt`, `violation`, or `unknown`."""
    action: str
    """`keep`, `notify`, `stop`, `terminate`, or `wait`."""
    because: str
    outcome: str = ""
    """What came of it where a rule was broken: `destroyed`, `held`, …"""
    tags: Tags | None = None
    """The tags that EC2 showed; None where the instance was not read."""
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
    launches: dict[str, Launch] = field(default_factory=dict)
    """The launches by event id, with what EC2 knows and the log left out: instances, and who asked for them."""

    def take_in(self, other: SweepResult) -> None:
        """Add what came of another sweep of the same run."""
        self.notes |= other.notes
        self.failures += other.failures
        self.try_again = self.try_again or other.try_again
        self.waiting += other.waiting
        self.launches |= other.launches

    def fail(self, sentence: str, *, try_again: bool) -> None:
        """Note something that could not be done."""
        self.failures.append(sentence)
        self.try_again = self.try_again or try_again


def note_on(decision: Decision, seen: Seen) -> InstanceResult:
    """The note on an instance that was just judged."""
    verdict = words_of(decision.verdict)[0] if decision.verdict is not None else "unknown"
    tags = seen.tags if isinstance(seen, LiveInstance) else None
    return InstanceResult(verdict, type(decision.action).__name__.lower(), decision.action.because, tags=tags)


def note_on_stored(case: Case) -> InstanceResult:
    """The note on an instance whose case the ledger has as it stands."""
    verdict = {State.COMPLIANT: "compliant", State.EXEMPT: "exempt"}.get(case.state, "violation")
    action = str(case.action) if case.outcome is not None and case.action is not None else "keep"
    rule = f"rule {case.rule}: {case.how}; " if case.rule else ""
    because = f"{rule}the ledger has it as {case.state} since {format_time(case.changed_at)}"
    return InstanceResult(
        verdict, action, because, outcome=str(case.outcome or ""), tags=case.live_tags, is_stored=True
    )

"""How far a sweep over the cases of one account and region has come."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

from landkeeper.broom.case import LEASE, Case
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.ports import Ledger
from landkeeper.broom.sweeping.result import SweepResult


@dataclass(slots=True)
class Progress:
    """What is written so far, and what is still to be reported or requeued."""

    ledger: Ledger
    result: SweepResult = field(default_factory=SweepResult)
    to_report: list[Case] = field(default_factory=list)
    later: list[Case] = field(default_factory=list)
    """The cases to look at again, each at its `due_at`."""
    elsewhere: defaultdict[str, set[InstanceId]] = field(default_factory=lambda: defaultdict(set))
    """By launch, the instances that other runs are working on."""

    def write(self, case: Case) -> Case | None:
        """Write the case and return it; None where another run was faster, which then sees to the rest."""
        if self.ledger.write_case(case):
            return case
        self.elsewhere[case.event_ids[0]].add(case.instance_id)
        return None

    def conclude(self, case: Case) -> None:
        """Write a case that needs no more work but perhaps a report, which this run holds from here on."""
        written = self.write(replace(case, lease_until=case.changed_at + LEASE) if case.needs_report else case)
        if written is None or written.outcome is None:
            return
        note = self.result.notes[case.instance_id]
        self.result.notes[case.instance_id] = replace(note, outcome=written.outcome)
        if written.needs_report:
            self.to_report.append(written)

    def put_off(self, case: Case) -> None:
        """Write a case that is to be looked at again at its `due_at`, or at the end of its lease."""
        written = self.write(case)
        if written is not None:
            self.later.append(replace(written, due_at=written.next_at))

    def fail(self, case: Case, sentence: str, *, try_again: bool) -> None:
        """Note what could not be done about an instance."""
        self.result.fail(f"{case.instance_id} in {case.account} {case.region}: {sentence}", try_again=try_again)

"""Launches that are most likely heard of for the first time, such as those that EventBridge brings within seconds.

To ask the ledger for cases that are not there is a quarter of what a launch that complies costs. So it is not asked: a
case is written on the condition that there is none, as every new case is, and before anything is done to its instance.
Where there is one after all nothing was done, and the launch is swept again, on what the ledger has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from landkeeper.broom.case import Case, State
from landkeeper.broom.launches import InstanceId, Launch, Untagging
from landkeeper.broom.ports import Ledger
from landkeeper.broom.sweeping.result import SweepResult
from landkeeper.broom.sweeping.sweep import Sweep
from landkeeper.broom.switch import ActionSwitch


class WriteFirstLedger:
    """A ledger that takes what it is first asked for to be new, and notes which of it was there already."""

    def __init__(self, ledger: Ledger) -> None:
        """`ledger` has the truth: all that is written goes there, and all that is asked later."""
        self.known: set[InstanceId] = set()
        self._ledger = ledger
        self._was_asked = False

    def find_cases(self, ids: Sequence[InstanceId]) -> Mapping[InstanceId, Case]:
        """Return nothing at the first call."""
        if self._was_asked:
            return self._ledger.find_cases(ids)
        self._was_asked = True
        return {}

    def list_cases(
        self, state: State, *, due_after: datetime | None = None, due_before: datetime | None = None
    ) -> Iterator[Case]:
        """Yield the cases in a state, as the ledger has them."""
        return self._ledger.list_cases(state, due_after=due_after, due_before=due_before)

    def write_case(self, case: Case) -> bool:
        """Write a case; a new one that is there already is noted."""
        is_written = self._ledger.write_case(case)
        if not is_written and case.version == 1:
            self.known.add(case.instance_id)
        return is_written

    def take(self, counter: str, limit: int, expires_at: datetime) -> bool:
        """Add one to a counter of the ledger."""
        return self._ledger.take(counter, limit, expires_at)

    def read_switch(self) -> ActionSwitch:
        """Return the ledger's kill switch."""
        return self._ledger.read_switch()

    def write_switch(self, switch: ActionSwitch) -> None:
        """Store the kill switch in the ledger."""
        self._ledger.write_switch(switch)


def sweep_first_seen(sweep: Sweep, launches: Sequence[Launch], untaggings: Sequence[Untagging] = ()) -> SweepResult:
    """Handle launches as `Sweep.handle_launches` does; cheaper where they are new, and dearer where they are not."""
    if not all(launch.instances for launch in launches):
        # Whose the instances are that the log leaves out, only the ledger tells.
        return sweep.handle_launches(launches, untaggings)
    ledger = WriteFirstLedger(sweep.ports.ledger)
    result = replace(sweep, ports=replace(sweep.ports, ledger=ledger)).handle_launches(launches, untaggings)
    if not ledger.known:
        return result
    again = [launch for launch in launches if any(instance.id in ledger.known for instance in launch.instances)]
    known = sweep.handle_launches(again, untaggings)
    if ledger.known.issuperset(result.notes):
        # What failed for cases that are done with has not failed.
        return known
    result.take_in(known)
    return result

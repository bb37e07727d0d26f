"""A dry run: stand-ins that a sweep acts on without any effect outside."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from landkeeper.broom.case import Case, Outcome, State, due_cases
from landkeeper.broom.instance_state import FRESH, ActionResult, Done
from landkeeper.broom.launch_report import Report
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.policy.rules import Penalty
from landkeeper.broom.ports import Ledger
from landkeeper.broom.sweeping.result import ActionKind, InstanceResult
from landkeeper.broom.switch import ActionSwitch
from landkeeper.org import AccountId, Failure, Region


class ScratchLedger:
    """A ledger in memory, on top of another one that is read and never written."""

    def __init__(self, beneath: Ledger | None = None) -> None:
        """`beneath` is what the cases are known from; None for an empty ledger."""
        self._beneath = beneath
        self._cases: dict[InstanceId, Case] = {}
        self._taken: Counter[str] = Counter()
        self._switch: ActionSwitch | None = None
        self._lock = threading.Lock()

    def find_cases(self, ids: Sequence[InstanceId]) -> Mapping[InstanceId, Case]:
        """Return the cases as this sweep left them, else as the ledger beneath has them."""
        known = dict(self._beneath.find_cases(ids)) if self._beneath is not None else {}
        return known | {id_: self._cases[id_] for id_ in ids if id_ in self._cases}

    def list_cases(
        self, state: State, *, due_after: datetime | None = None, due_before: datetime | None = None
    ) -> Iterator[Case]:
        """Yield the cases in a state, as this sweep left them, else as the ledger beneath has them."""
        beneath = self._beneath.list_cases(state) if self._beneath is not None else ()
        cases = {case.instance_id: case for case in beneath} | self._cases
        yield from due_cases(cases.values(), state, due_after, due_before)

    def write_case(self, case: Case) -> bool:
        """Keep the case in memory."""
        with self._lock:
            stored = self.find_cases([case.instance_id]).get(case.instance_id)
            if case.version != (stored.version if stored is not None else 0) + 1:
                return False
            self._cases[case.instance_id] = case
            return True

    def take(self, counter: str, limit: int, expires_at: datetime) -> bool:
        """Count in memory."""
        with self._lock:
            if self._taken[counter] >= limit:
                return False
            self._taken[counter] += 1
            return True

    def read_switch(self) -> ActionSwitch:
        """Return the kill switch as it was turned here, else as the ledger beneath has it."""
        if self._switch is None:
            return self._beneath.read_switch() if self._beneath is not None else ActionSwitch()
        return self._switch

    def write_switch(self, switch: ActionSwitch) -> None:
        """Keep the kill switch in memory."""
        self._switch = switch


class RehearsedActions:
    """Says that everything was done, and does nothing."""

    def terminate_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId], *, within: timedelta = FRESH
    ) -> Mapping[InstanceId, ActionResult]:
        """Return that every instance would be terminated."""
        return dict.fromkeys(ids, Done())

    def stop_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId], *, within: timedelta = FRESH
    ) -> Mapping[InstanceId, ActionResult]:
        """Return that every instance would be stopped."""
        return dict.fromkeys(ids, Done())


class CollectedReports:
    """Keeps the reports, for whoever shows them."""

    def __init__(self) -> None:
        """Nothing has been reported yet."""
        self.reports: list[Report] = []

    def check(self) -> Failure | None:
        """Return None: reports are always kept."""
        return None

    def publish_report(self, report: Report) -> Failure | None:
        """Keep the report."""
        self.reports.append(report)
        return None


class NoQueue:
    """Brings nothing back: the case waits in the ledger until its instance turns up again."""

    def send_due_cases(self, ids: Sequence[InstanceId], delay_seconds: int) -> Failure | None:
        """Leave the cases where they are."""
        return None


_PLANNED = {
    Outcome.WOULD_TERMINATE: Penalty.TERMINATE,
    Outcome.WOULD_STOP: Penalty.STOP,
    Outcome.WOULD_REPORT: Penalty.NOTIFY,
}
_REPORTED = frozenset({*_PLANNED, Outcome.WOULD_HOLD, Outcome.ACTIONS_OFF, Outcome.ALREADY_GONE})


def planned_actions(results: Iterable[InstanceResult]) -> Mapping[InstanceId, Penalty]:
    """Return what a dry run would have done to each instance. A run that was agreed to on its strength does no more."""
    return {
        result.instance.id: _PLANNED[result.outcome]
        for result in results
        if result.outcome in _PLANNED and not result.is_stored
    }


def describe_action(action: str, outcome: str) -> str:
    """Return what is done about an instance and what came of it, in words; what would come of it stands alone."""
    if outcome in {*_PLANNED, Outcome.WOULD_HOLD}:
        return outcome
    return f"{action}: {outcome}" if outcome else action


def has_effect(results: Iterable[InstanceResult]) -> bool:
    """Return whether a run like this dry run would act, report, or write down that an instance is to be looked at."""
    return any(
        not result.is_stored and (result.outcome in _REPORTED or result.action is ActionKind.WAIT) for result in results
    )

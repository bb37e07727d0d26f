"""The sweep of one account and region: its cases are read, judged, acted on and reported before the next one's turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from landkeeper.broom.case import LEASE, Case, Outcome, State, move
from landkeeper.broom.instance_state import LiveInstance, Seen
from landkeeper.broom.limits import Gate
from landkeeper.broom.policy.rules import Penalty
from landkeeper.broom.ports import Place
from landkeeper.broom.sweeping.enforcement import Begun, Enforcement
from landkeeper.broom.sweeping.judging import PlaceRead, SweepTerms, read_place, settle
from landkeeper.broom.sweeping.progress import Progress
from landkeeper.broom.sweeping.reporting import report_launches
from landkeeper.broom.sweeping.requeueing import requeue_cases
from landkeeper.broom.sweeping.result import ActionKind, SweepResult, stored_result
from landkeeper.org import Failure

MOST_IN_A_BATCH = 100
"""How many instances are read, judged and acted on together: few enough for the read to be fresh at the call."""


class PlaceSweep:
    """One sweep over the cases of an account and region."""

    def __init__(self, terms: SweepTerms, place: Place) -> None:
        """`place` is where all the cases are."""
        self._terms = terms
        self._ports = terms.ports
        self._place = place
        self._gate = Gate(terms.policy.limits, terms.run_limit, terms.ports.ledger, self._count_running)
        self._progress = Progress(terms.ports.ledger)
        self._enforcement = Enforcement(terms, place, self._progress)
        self._running: int | Failure | None = None
        self._report_check: list[Failure | None] = []

    def handle_cases(self, cases: Iterable[Case]) -> SweepResult:
        """Take every case as far as it can go now."""
        to_read = iter(self._sort_out(cases))
        while batch := list(islice(to_read, MOST_IN_A_BATCH)):
            if self._ports.has_time():
                self._handle_batch(batch)
            else:
                self._progress.result.not_begun += len(batch)
        report_launches(self._progress, self._ports)
        requeue_cases(self._progress, self._ports)
        return self._progress.result

    def _sort_out(self, cases: Iterable[Case]) -> list[Case]:
        """Return the cases to look at; what is settled, unreported or in other hands goes its own way."""
        now = self._ports.clock()
        to_read = []
        for case in cases:
            self._progress.result.notes[case.instance_id] = stored_result(case, is_dry_run=self._ports.is_dry_run)
            if case.is_leased(now):
                self._progress.elsewhere[case.event_ids[0]].add(case.instance_id)
                self._progress.later.append(replace(case, due_at=case.lease_until))
            elif case.awaits_only_report:
                self._progress.to_report.append(case)
            elif not case.is_settled:
                to_read.append(case)
        return to_read

    def _handle_batch(self, cases: Sequence[Case]) -> None:
        ids = [case.instance_id for case in cases]
        read = read_place(self._ports, self._place, ids)
        self._enforcement.enforce(list(self._begin_all(cases, read)), read)

    def _begin_all(self, cases: Sequence[Case], read: PlaceRead) -> Iterator[Begun]:
        for case in cases:
            if not self._ports.has_time():
                self._progress.result.not_begun += 1
                continue
            judged = settle(self._terms, case, read, self._progress)
            if judged is None:
                continue
            found, decision = judged
            if not self._terms.approves(found):
                self._leave(found)
                continue
            begun = self._begin(found, read.find(case.instance_id), decision.action.because)
            if begun is not None:
                # A run before this one may have made the call and ended before it could write that down.
                yield Begun(begun, may_have_been_called=case.is_under_way)

    def _leave(self, case: Case) -> None:
        """Leave an instance as it is that the plan does not name, and its case as the ledger has it."""
        why = f"{case.action} was not in the plan: run the command again"
        self._progress.fail(case, why, try_again=False)
        notes = self._progress.result.notes
        notes[case.instance_id] = replace(notes[case.instance_id], action=ActionKind.KEEP, because=why)

    def _begin(self, case: Case, seen: Seen, because: str) -> Case | None:
        """Move a case to `acting`, unless something holds it. None where nothing is to be done now."""
        now = self._ports.clock()
        # Whoever takes over from a run that crashed does not take from the limits a second time.
        if case.state is not State.ACTING:
            judged = self._progress.write(move(case, State.JUDGED, now, because))
            if judged is None or self._is_held(judged, seen, now):
                return None
            case = judged
        elif self._lacks_report(case):
            return None
        fresh = {"outcome": None, "reported_at": None, "error": ""}
        return self._progress.write(move(case, State.ACTING, now, str(case.action), lease_until=now + LEASE, **fresh))

    def _is_held(self, case: Case, seen: Seen, now: datetime) -> bool:
        if self._lacks_report(case):
            return True
        # What an operator has released is not held again.
        if case.action is not Penalty.TERMINATE or case.released_by or not isinstance(seen, LiveInstance):
            return False
        hold = self._gate.find_hold(case, seen, now)
        if hold is not None:
            outcome = Outcome.WOULD_HOLD if self._ports.is_dry_run else Outcome.HELD
            self._progress.conclude(move(case, State.HELD, now, hold, outcome=outcome, error=hold))
        return hold is not None

    def _lacks_report(self, case: Case) -> bool:
        """Return whether it must stay as it is because nobody would hear of it."""
        if case.action is Penalty.NOTIFY or not self._terms.policy.report_required:
            return False
        if not self._report_check:
            self._report_check.append(self._ports.reports.check())
        failure = self._report_check[0]
        if failure is not None:
            why = f"there is no place to report to, and without one nothing is ended or stopped: {failure}"
            self._progress.fail(case, why, try_again=True)
            notes = self._progress.result.notes
            notes[case.instance_id] = replace(notes[case.instance_id], because=why)
        return failure is not None

    def _count_running(self, case: Case) -> int | Failure:
        if self._running is None:
            running = self._ports.reader.list_running(case.account, case.region)
            self._running = running if isinstance(running, Failure) else len(running)
        return self._running

"""Stopping and terminating: each call right after a read of the tags, and what EC2 answers to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from landkeeper.broom.actions import LOOK_AGAIN_AFTER, YOUNG, is_worth_retrying
from landkeeper.broom.case import Case, Outcome, State, move
from landkeeper.broom.instance_state import ActionResult, BatchFailed, Done, Gone, Refused, TooLate
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.policy.rules import Penalty
from landkeeper.broom.ports import Place
from landkeeper.broom.sweeping.judging import PlaceRead, SweepTerms, read_place, settle
from landkeeper.broom.sweeping.progress import Progress
from landkeeper.broom.sweeping.result import ActionKind

MOST_READS = 3
"""How often the instances are read again, where the reads take so long that they are not fresh at the call."""
_OUTCOMES = {Penalty.TERMINATE: Outcome.DESTROYED, Penalty.STOP: Outcome.STOPPED, Penalty.NOTIFY: Outcome.NOTIFIED}
_WOULD_BE = {
    Penalty.TERMINATE: Outcome.WOULD_TERMINATE, Penalty.STOP: Outcome.WOULD_STOP, Penalty.NOTIFY: Outcome.WOULD_REPORT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Begun:
    """A case that was moved to `acting`."""

    case: Case
    may_have_been_called: bool
    """Whether EC2 may have done it already, so that an instance that has ended was ended by Broom."""


class Enforcement:
    """Acts on the instances of one account and region, and writes down what came of it."""

    def __init__(self, terms: SweepTerms, place: Place, progress: Progress) -> None:
        """`progress` is that of the sweep."""
        self._terms = terms
        self._ports = terms.ports
        self._place = place
        self._progress = progress

    def enforce(self, begun: Iterable[Begun], read: PlaceRead) -> None:
        """Act on the instances, by what `read` said about them or by a fresh read."""
        batches: defaultdict[Penalty, list[Begun]] = defaultdict(list)
        for entry in begun:
            batches[entry.case.action or Penalty.NOTIFY].append(entry)
        for penalty, batch in batches.items():
            unsettled = self._act(penalty, batch, read)
            if unsettled:
                self._act_one_by_one(penalty, unsettled)

    def _act_one_by_one(self, penalty: Penalty, batch: Sequence[Begun]) -> None:
        """Act on what is left after a call that failed as a whole: part of it may have worked."""
        read = self._read(batch)
        for entry in self._judge_again(batch, read):
            self._act(penalty, [entry], read)

    def _read(self, batch: Sequence[Begun]) -> PlaceRead:
        ids = [entry.case.instance_id for entry in batch]
        return read_place(self._ports, self._place, ids)

    def _act(self, penalty: Penalty, batch: Sequence[Begun], read: PlaceRead) -> list[Begun]:
        """Act on what is still to be acted on by a read that is fresh at the call.

        Return the instances of which it is not known yet what came of them.
        """
        for _ in range(MOST_READS):
            if penalty is Penalty.NOTIFY or read.is_fresh(self._ports.clock()):
                return self._call(penalty, batch, read)
            read = self._read(batch)
            batch = self._judge_again(batch, read)
            if not batch:
                return []
        for entry in batch:
            self._put_off_late(entry)
        return []

    def _judge_again(self, batch: Iterable[Begun], read: PlaceRead) -> list[Begun]:
        """Return the cases for which the same is still to be done."""
        remaining = []
        for entry in batch:
            before = entry.case if entry.may_have_been_called else replace(entry.case, state=State.JUDGED)
            judged = settle(self._terms, before, read, self._progress)
            if judged is None:
                continue
            found, decision = judged
            if found.action is entry.case.action:
                remaining.append(replace(entry, case=replace(found, state=State.ACTING)))
            else:
                self._put_off(entry, self._ports.clock(), f"{decision.action.because}, which is new")
        return remaining

    def _put_off(self, entry: Begun, until: datetime, because: str) -> None:
        """Have the case come back as if it had not been begun."""
        case, now = entry.case, self._ports.clock()
        notes = self._progress.result.notes
        notes[case.instance_id] = replace(notes[case.instance_id], action=ActionKind.WAIT, because=because)
        if entry.may_have_been_called:
            self._progress.put_off(move(case, State.ACTING, now, because, lease_until=until))
        else:
            self._progress.put_off(move(case, State.WAITING, now, because, due_at=until))

    def _put_off_late(self, entry: Begun) -> None:
        because = "EC2 answered so slowly that its tags were not certain any more at the call"
        self._progress.fail(entry.case, because, try_again=False)
        self._put_off(entry, self._ports.clock() + LOOK_AGAIN_AFTER, because)

    def _call(self, penalty: Penalty, batch: Sequence[Begun], read: PlaceRead) -> list[Begun]:
        """Act on the instances in one call; return those of which it is not known yet what came of them."""
        results = self._execute(penalty, [entry.case.instance_id for entry in batch], read)
        unsettled = []
        for entry in batch:
            result = results[entry.case.instance_id]
            if isinstance(result, BatchFailed) and len(batch) > 1:
                unsettled.append(replace(entry, may_have_been_called=True))
            else:
                self._take_result(entry, result)
        return unsettled

    def _execute(
        self, penalty: Penalty, ids: Sequence[InstanceId], read: PlaceRead
    ) -> Mapping[InstanceId, ActionResult]:
        within = read.good_until - self._ports.clock()
        match penalty:
            case Penalty.TERMINATE:
                return self._ports.actions.terminate_instances(*self._place, ids, within=within)
            case Penalty.STOP:
                return self._ports.actions.stop_instances(*self._place, ids, within=within)
            case Penalty.NOTIFY:
                return dict.fromkeys(ids, Done())
            case _:
                assert_never(penalty)

    def _take_result(self, entry: Begun, result: ActionResult) -> None:
        case, now = entry.case, self._ports.clock()
        match result:
            case Done():
                outcome = (_WOULD_BE if self._ports.is_dry_run else _OUTCOMES)[case.action or Penalty.NOTIFY]
                because = "only a notice is given" if case.action is Penalty.NOTIFY else f"EC2 took it: {outcome}"
                self._progress.conclude(move(case, State.ACTED, now, because, outcome=outcome, acted_at=now))
            case Gone():
                self._take_absence(entry)
            case TooLate():
                self._put_off_late(entry)
            case BatchFailed(failure):
                self._take_refusal(case, Refused(failure))
            case Refused():
                self._take_refusal(case, result)
            case _:
                assert_never(result)

    def _take_absence(self, entry: Begun) -> None:
        """Believe that there is no such instance, unless it is so young that EC2 may not know it everywhere yet.

        Source: Amazon EC2 API Reference, "Eventual consistency".
        """
        case, now = entry.case, self._ports.clock()
        if now - case.event_time < YOUNG:
            self._put_off(entry, now + LOOK_AGAIN_AFTER, "EC2 does not know the instance yet")
            return
        because = "EC2 does not know the instance any more"
        self._progress.conclude(move(case, State.GONE, now, because, outcome=Outcome.ALREADY_GONE))

    def _take_refusal(self, case: Case, refused: Refused) -> None:
        attempts, failure, now = case.attempts + 1, refused.failure, self._ports.clock()
        is_over = refused.is_protected or refused.is_final or not is_worth_retrying(failure, attempts)
        self._progress.fail(case, f"{case.action} did not work: {failure}", try_again=not is_over)
        changes = {"error": str(failure), "attempts": attempts}
        if refused.is_unknown and not is_over:
            # The instance is looked at before anything else is done: EC2 may have done it all the same.
            until = now + LOOK_AGAIN_AFTER
            self._progress.put_off(move(case, State.ACTING, now, str(failure), lease_until=until, **changes))
            return
        outcome = _outcome_of(refused) if is_over else None
        self._progress.conclude(move(case, State.FAILED, now, str(failure), outcome=outcome, **changes))


def _outcome_of(refused: Refused) -> Outcome:
    if refused.is_protected:
        return Outcome.PROTECTED
    return Outcome.UNKNOWN if refused.is_unknown else Outcome.REFUSED

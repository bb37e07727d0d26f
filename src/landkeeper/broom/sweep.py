"""Sweeping: from launches to instances that are judged, dealt with and reported, each once.

A sweep opens a case for every instance of the launches, reads the instances (one call for each account and region),
decides, writes each decision into the ledger before it acts on it, acts in batches, and reports each launch. Every
write is conditional, and every step can be the last one: the next delivery carries on where the case stands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from landkeeper.broom.actions import Decision, Keep, Notify, Stop, Terminate, Wait, decide, is_worth_retrying
from landkeeper.broom.batching import due_together
from landkeeper.broom.case import (
    LEASE,
    Case,
    Outcome,
    State,
    mark_reported,
    move,
    offer_report,
    open_case,
    seen_by,
    untagged,
)
from landkeeper.broom.cloudtrail.found import FoundLaunch
from landkeeper.broom.instance_state import Absent, ActionResult, Done, Gone, LiveInstance, Refused, Seen
from landkeeper.broom.launch_report import write_report
from landkeeper.broom.launches import InstanceId, Launch, LaunchedInstance, Tags, Untagging
from landkeeper.broom.limits import Gate, RunLimit
from landkeeper.broom.missing_instances import resolve_instances
from landkeeper.broom.policy.offline import JudgedInstance, JudgedLaunch
from landkeeper.broom.policy.rules import Penalty, Policy
from landkeeper.broom.policy.verdict import Violation
from landkeeper.broom.ports import CaseQueue, InstanceActions, InstanceReader, Ledger, Reports, UnitReader
from landkeeper.broom.report_lease import agree_on_report
from landkeeper.broom.sweep_result import SweepResult, note_on, note_on_stored
from landkeeper.org import AccountId, Failure, Region

Place = tuple[AccountId, Region]


@dataclass(frozen=True, slots=True)
class SweepPorts:
    """What a sweep reaches outside of this room."""

    reader: InstanceReader
    actions: InstanceActions
    ledger: Ledger
    reports: Reports
    queue: CaseQueue
    clock: Callable[[], datetime]
    units: UnitReader | None = None
    """None where nobody can be asked: every account counts as new then, if the policy has new units."""


def sweep_launches(
    policy: Policy,
    launches: Iterable[Launch],
    outside: SweepPorts,
    *,
    actions_on: bool = True,
    run_limit: RunLimit,
    untaggings: Sequence[Untagging] = (),
) -> SweepResult:
    """Judge every instance of the launches, deal with those that break the policy, and report them.

    `untaggings` are what took tags off since: tags of the log that are gone by it are not waited for.
    """
    now = outside.clock()
    named = resolve_instances(launches, outside.reader, now)
    found: dict[InstanceId, Case] = {}
    for launch in named.launches:
        for instance in launch.instances:
            case = open_case(launch, instance, now)
            found[instance.id] = seen_by(found.get(instance.id, case), case)
    known = outside.ledger.find_cases(tuple(found))
    cases = [seen_by(known.get(id_, case), case) for id_, case in found.items()]
    cases = [untagged(case, untaggings) for case in cases]
    swept = _Run(policy, outside, run_limit, actions_on=actions_on).carry_on(cases)
    swept.launches |= {launch.event_id: launch for launch in named.launches}
    for missing in named.missing:
        swept.fail(missing.because, try_again=missing.try_again)
    return swept


def sweep_due_cases(
    policy: Policy, ids: Sequence[InstanceId], outside: SweepPorts, *, actions_on: bool = True, run_limit: RunLimit
) -> SweepResult:
    """Look again at cases that were put off until now."""
    return sweep_cases(
        policy, outside.ledger.find_cases(ids).values(), outside, actions_on=actions_on, run_limit=run_limit
    )


def sweep_cases(
    policy: Policy, cases: Iterable[Case], outside: SweepPorts, *, actions_on: bool = True, run_limit: RunLimit
) -> SweepResult:
    """Take cases as far as they can go now; those with version 0 are new to the ledger."""
    return _Run(policy, outside, run_limit, actions_on=actions_on).carry_on(cases)


def judge_by_notes(found: Iterable[FoundLaunch], swept: SweepResult) -> tuple[JudgedLaunch, ...]:
    """Each launch with what the sweep noted on its instances."""
    completed = [replace(each, launch=swept.launches.get(each.launch.event_id, each.launch)) for each in found]
    return tuple(
        JudgedLaunch(each, tuple(_judged(each.launch, instance, swept) for instance in each.launch.instances))
        for each in completed
    )


def _judged(launch: Launch, instance: LaunchedInstance, swept: SweepResult) -> JudgedInstance:
    note = swept.notes[instance.id]
    tags = launch.logged_tags(instance) if note.tags is None else note.tags
    return JudgedInstance(instance, tags, note.verdict, note.action, note.because, note.outcome)


class _Run:
    """One sweep over some cases."""

    def __init__(self, policy: Policy, outside: SweepPorts, run_limit: RunLimit, *, actions_on: bool) -> None:
        self._policy = policy
        self._outside = outside
        self._gate = Gate(policy.limits, run_limit, outside.ledger, self._count_running)
        self._running: dict[Place, int | Failure] = {}
        self._no_place_to_report: list[Failure | None] = []
        self._actions_on = actions_on
        self._swept = SweepResult()
        self._to_report: list[Case] = []
        self._later: list[Case] = []
        self._elsewhere: defaultdict[str, set[InstanceId]] = defaultdict(set)
        """By launch, the instances that other runs have in hand."""

    def carry_on(self, cases: Iterable[Case]) -> SweepResult:
        """Take every case as far as it can go now."""
        acting = [
            begun
            for case, seen, group_tags in self._read(self._sort_out(cases))
            if (begun := self._decide(case, seen, group_tags)) is not None
        ]
        self._act(acting)
        self._report()
        self._come_back()
        return self._swept

    def _sort_out(self, cases: Iterable[Case]) -> list[Case]:
        """The cases to look at; what is settled, unreported or in other hands goes its own way."""
        now = self._outside.clock()
        to_read = []
        for case in cases:
            self._swept.notes[case.instance_id] = note_on_stored(case)
            if case.is_leased(now):
                self._elsewhere[case.event_ids[0]].add(case.instance_id)
                self._later.append(replace(case, due_at=case.lease_until))
            elif case.awaits_only_report:
                self._to_report.append(case)
            elif not case.is_settled:
                to_read.append(case)
        return to_read

    def _read(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Seen, Tags]]:
        """Each case with what EC2 says about its instance, and with the tags that its Auto Scaling group gives it."""
        places: defaultdict[Place, list[Case]] = defaultdict(list)
        for case in cases:
            places[case.account, case.region].append(case)
        for place, there in places.items():
            answer = self._outside.reader.read_instances(*place, [case.instance_id for case in there])
            seen = (
                dict.fromkeys((case.instance_id for case in there), answer) if isinstance(answer, Failure) else answer
            )
            groups = self._read_groups(place, seen.values())
            for case in there:
                one = seen.get(case.instance_id, Absent())
                yield case, one, groups.get(one.group, {}) if isinstance(one, LiveInstance) else {}

    def _read_groups(self, place: Place, seen: Iterable[Seen]) -> Mapping[str, Tags]:
        """What Auto Scaling groups tag; without an answer their instances are judged by their own tags."""
        groups = {one.group for one in seen if isinstance(one, LiveInstance) and one.group}
        answer = self._outside.reader.read_group_tags(*place, groups) if groups else {}
        return {} if isinstance(answer, Failure) else answer

    def _decide(self, case: Case, seen: Seen, group_tags: Tags) -> Case | None:
        """Decide, write that down, and answer the case where there is something to do about its instance."""
        now = self._outside.clock()
        decision = self._judge(case, seen, group_tags, now)
        self._swept.notes[case.instance_id] = note_on(decision, seen)
        known = _with_findings(case, seen, decision, now)
        match decision.action:
            case Wait(until=until):
                self._postpone(known, until, decision.action.because)
            case Keep():
                self._keep(known, decision.action)
            case Terminate() | Stop() | Notify():
                return self._begin(known, seen, decision.action.because)
            case _:
                assert_never(decision.action)
        return None

    def _judge(self, case: Case, seen: Seen, group_tags: Tags, now: datetime) -> Decision:
        """The decision; where it hangs on the account's units, which only few do, they are read for it."""
        decision = decide(self._policy, case, seen, now, actions_on=self._actions_on, group_tags=group_tags)
        reader = self._outside.units
        if reader is None or not (isinstance(decision.verdict, Violation) and decision.verdict.is_unplaced):
            return decision
        units = reader.find_units(case.account)
        return decide(self._policy, case, seen, now, actions_on=self._actions_on, group_tags=group_tags, units=units)

    def _postpone(self, case: Case, until: datetime, because: str) -> None:
        written = self._write(move(case, State.WAITING, self._outside.clock(), because, due_at=until))
        if written is not None:
            self._later.append(written)

    def _keep(self, case: Case, keep: Keep) -> None:
        now = self._outside.clock()
        if keep.state is State.FAILED:
            self._swept.fail(f"{_place_of(case)}: {keep.because}", try_again=keep.try_again)
            case = replace(case, attempts=case.attempts + 1, error=keep.because)
        elif keep.state is State.ACTED:
            case = replace(case, acted_at=now)
        elif keep.state is case.state is State.JUDGED and case.reported_at is not None:
            return
        self._conclude(move(case, keep.state, now, keep.because, outcome=keep.outcome))

    def _conclude(self, case: Case) -> None:
        """Write a case that needs no more work but perhaps a report, which this run holds from here on."""
        written = self._write(replace(case, lease_until=case.changed_at + LEASE) if case.needs_report else case)
        if written is None or written.outcome is None:
            return
        note = self._swept.notes[case.instance_id]
        self._swept.notes[case.instance_id] = replace(note, outcome=str(written.outcome))
        if written.needs_report:
            self._to_report.append(written)

    def _begin(self, case: Case, seen: Seen, because: str) -> Case | None:
        """Move a case to `acting`, unless something holds it. None where nothing is to be done now."""
        now = self._outside.clock()
        # Whoever takes over from a run that crashed does not take from the limits a second time.
        if case.state is not State.ACTING:
            judged = self._write(move(case, State.JUDGED, now, because))
            if judged is None or self._is_held(judged, seen, now):
                return None
            case = judged
        elif self._lacks_report(case):
            return None
        fresh = {"outcome": None, "reported_at": None, "error": ""}
        return self._write(move(case, State.ACTING, now, str(case.action), lease_until=now + LEASE, **fresh))

    def _is_held(self, case: Case, seen: Seen, now: datetime) -> bool:
        if self._lacks_report(case):
            return True
        # What an operator has released is not held again.
        if case.action is not Penalty.TERMINATE or case.released_by or not isinstance(seen, LiveInstance):
            return False
        hold = self._gate.find_hold(case, seen, now)
        if hold is not None:
            self._conclude(move(case, State.HELD, now, hold, outcome=Outcome.HELD, error=hold))
        return hold is not None

    def _lacks_report(self, case: Case) -> bool:
        """Whether it must stay as it is because nobody would hear of it."""
        if case.action is Penalty.NOTIFY or not self._policy.report_required:
            return False
        if not self._no_place_to_report:
            self._no_place_to_report.append(self._outside.reports.check())
        failure = self._no_place_to_report[0]
        if failure is not None:
            why = f"there is no place to report to, and without one nothing is ended or stopped: {failure}"
            self._swept.fail(f"{_place_of(case)}: {why}", try_again=True)
            self._swept.notes[case.instance_id] = replace(self._swept.notes[case.instance_id], because=why)
        return failure is not None

    def _count_running(self, case: Case) -> int | Failure:
        place = (case.account, case.region)
        if place not in self._running:
            there = self._outside.reader.list_running(*place)
            self._running[place] = there if isinstance(there, Failure) else len(there)
        return self._running[place]

    def _act(self, cases: Iterable[Case]) -> None:
        batches: defaultdict[tuple[Place, Penalty | None], list[Case]] = defaultdict(list)
        for case in cases:
            batches[(case.account, case.region), case.action].append(case)
        for (place, penalty), batch in batches.items():
            results = self._execute(place, penalty, [case.instance_id for case in batch])
            for case in batch:
                self._take_result(case, results[case.instance_id])

    def _execute(
        self, place: Place, penalty: Penalty | None, ids: Sequence[InstanceId]
    ) -> Mapping[InstanceId, ActionResult]:
        if penalty is Penalty.TERMINATE:
            return self._outside.actions.terminate_instances(*place, ids)
        if penalty is Penalty.STOP:
            return self._outside.actions.stop_instances(*place, ids)
        return dict.fromkeys(ids, Done())

    def _take_result(self, case: Case, result: ActionResult) -> None:
        now = self._outside.clock()
        match result:
            case Done():
                outcome = _OUTCOMES[case.action or Penalty.NOTIFY]
                because = "only a notice is given" if outcome is Outcome.NOTIFIED else f"EC2 took it: {outcome}"
                self._conclude(move(case, State.ACTED, now, because, outcome=outcome, acted_at=now))
            case Gone():
                gone = "EC2 does not know the instance any more"
                self._conclude(move(case, State.GONE, now, gone, outcome=Outcome.ALREADY_GONE))
            case Refused():
                self._take_refusal(case, result)
            case _:
                assert_never(result)

    def _take_refusal(self, case: Case, refused: Refused) -> None:
        attempts, failure = case.attempts + 1, refused.failure
        is_over = refused.is_protected or refused.is_final or not is_worth_retrying(failure, attempts)
        outcome = None if not is_over else Outcome.PROTECTED if refused.is_protected else Outcome.REFUSED
        self._swept.fail(f"{_place_of(case)}: {case.action} did not work: {failure}", try_again=not is_over)
        changes = {"outcome": outcome, "error": str(failure), "attempts": attempts}
        self._conclude(move(case, State.FAILED, self._outside.clock(), str(failure), **changes))

    def _report(self) -> None:
        """One message for each launch."""
        launches: defaultdict[str, list[Case]] = defaultdict(list)
        for case in self._to_report:
            launches[case.event_ids[0]].append(case)
        for event_id, cases in launches.items():
            agreed = agree_on_report(self._outside.ledger, cases, self._elsewhere[event_id], self._outside.clock())
            self._later += agreed.later
            if agreed.taken:
                self._publish(event_id, agreed.taken)

    def _publish(self, event_id: str, cases: Sequence[Case]) -> None:
        failure = self._outside.reports.publish_report(write_report(cases))
        if failure is not None:
            self._swept.fail(f"the report of launch {event_id} was not accepted: {failure}", try_again=True)
        for case in cases:
            self._write(mark_reported(case, self._outside.clock()) if failure is None else offer_report(case))

    def _come_back(self) -> None:
        """Have the cases that wait turn up again, those of one launch that are due together in one message."""
        now = self._outside.clock()
        launches: defaultdict[str, list[Case]] = defaultdict(list)
        for case in self._later:
            launches[case.event_ids[0]].append(case)
        for event_id, cases in launches.items():
            for batch, delay in due_together([*cases, *self._waiting_elsewhere(event_id)], now):
                failure = self._outside.queue.send_due_cases([case.instance_id for case in batch], delay)
                if failure is not None:
                    self._swept.fail(f"cases could not be put off: {failure}", try_again=True)
        self._swept.waiting = len(self._later)

    def _waiting_elsewhere(self, event_id: str) -> list[Case]:
        """What other runs have put off of a launch: it comes back together with what this one has, in one report."""
        ours = {case.instance_id for case in self._later}
        ids = sorted(self._elsewhere[event_id] - ours)
        there = self._outside.ledger.find_cases(ids) if ids else {}
        return [case for case in there.values() if case.state is State.WAITING]

    def _write(self, case: Case) -> Case | None:
        """Write the case; None where another run was faster, which then sees to the rest."""
        if self._outside.ledger.write_case(case):
            return case
        self._elsewhere[case.event_ids[0]].add(case.instance_id)
        return None


_OUTCOMES = {Penalty.TERMINATE: Outcome.DESTROYED, Penalty.STOP: Outcome.STOPPED, Penalty.NOTIFY: Outcome.NOTIFIED}


def _with_findings(case: Case, seen: Seen, decision: Decision, now: datetime) -> Case:
    if isinstance(seen, LiveInstance):
        case = replace(
            case, live_tags=seen.tags, successor=seen.successor, image_id=case.image_id or seen.image_id,
            instance_type=case.instance_type or seen.type,
        )  # fmt: skip
    match decision.verdict:
        case Violation(rule, how, action, _):
            first = (case.first_fault_at or now) if isinstance(seen, LiveInstance) else case.first_fault_at
            return replace(case, rule=rule, how=how, action=action, first_fault_at=first)
        case _:
            return case


def _place_of(case: Case) -> str:
    return f"{case.instance_id} in {case.account} {case.region}"

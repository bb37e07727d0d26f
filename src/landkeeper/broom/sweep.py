"""Sweeping: from launches to instances that are judged, dealt with and reported, each once.

A sweep opens a case for every instance of the launches, reads the instances (one call for each account and region),
decides, writes each decision into the ledger before it acts on it, acts in batches, and reports each launch. Every
write is conditional, and every step can be the last one: the next delivery carries on where the case stands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import reduce
from math import ceil
from typing import assert_never

from landkeeper.broom.actions import Decision, Keep, Notify, Stop, Terminate, Wait, decide, is_worth_retrying
from landkeeper.broom.harvest import FoundLaunch, JudgedInstance, JudgedLaunch, words_of
from landkeeper.broom.launches import InstanceId, Launch, LaunchedInstance, Tags
from landkeeper.broom.ledger import LEASE, Case, Outcome, State, mark_reported, move, open_case, with_event
from landkeeper.broom.live import Absent, ActionResult, Done, Gone, LiveInstance, Refused, Seen
from landkeeper.broom.notices import write_report
from landkeeper.broom.policy import Penalty, Policy, Violation
from landkeeper.broom.ports import CaseQueue, InstanceActions, InstanceReader, Ledger, Reports
from landkeeper.org import AccountId, Failure, Region

LONGEST_DELAY_SECONDS = 900
"""What SQS can put a message off by; a later due time is reached in several steps."""
GROUP_TAG = "aws:autoscaling:groupName"
MOST_OF_A_GROUP = 2
"""How many instances of one Auto Scaling group are ended within an hour, before the group is held."""

Place = tuple[AccountId, Region]


@dataclass(frozen=True, slots=True)
class Outside:
    """What a sweep reaches outside of this room."""

    reader: InstanceReader
    actions: InstanceActions
    ledger: Ledger
    reports: Reports
    queue: CaseQueue
    clock: Callable[[], datetime]


@dataclass(slots=True)
class RunLimit:
    """How many instances this run may still terminate; None for as many as there are."""

    left: int | None = None

    def take(self) -> bool:
        """Take one, if there is one left."""
        if self.left is None:
            return True
        self.left -= 1
        return self.left >= 0


@dataclass(frozen=True, slots=True)
class Note:
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


@dataclass(slots=True)
class Swept:
    """What came of a sweep."""

    notes: dict[InstanceId, Note] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    """What could not be done, a sentence each."""
    try_again: bool = False
    """Whether some of it may work the next time, so that the message must come again."""
    waiting: int = 0
    """How many instances are looked at again later."""

    def fail(self, sentence: str, *, try_again: bool) -> None:
        """Note something that could not be done."""
        self.failures.append(sentence)
        self.try_again = self.try_again or try_again


def sweep_launches(
    policy: Policy, launches: Iterable[Launch], outside: Outside, *, actions_on: bool = True, run_limit: RunLimit
) -> Swept:
    """Judge every instance of the launches, deal with those that break the policy, and report them."""
    now = outside.clock()
    found: dict[InstanceId, Case] = {}
    for launch in launches:
        for instance in launch.instances:
            case = found.get(instance.id) or open_case(launch, instance, now)
            found[instance.id] = with_event(case, launch.event_id)
    known = outside.ledger.find_cases(tuple(found))
    cases = [_joined(known.get(id_), case) for id_, case in found.items()]
    return _Run(policy, outside, run_limit, actions_on=actions_on).carry_on(cases)


def sweep_due_cases(
    policy: Policy, ids: Sequence[InstanceId], outside: Outside, *, actions_on: bool = True, run_limit: RunLimit
) -> Swept:
    """Look again at cases that were put off until now."""
    cases = outside.ledger.find_cases(ids).values()
    return _Run(policy, outside, run_limit, actions_on=actions_on).carry_on(cases)


def judge_by_notes(found: Iterable[FoundLaunch], swept: Swept) -> tuple[JudgedLaunch, ...]:
    """Each launch with what the sweep noted on its instances."""
    return tuple(
        JudgedLaunch(each, tuple(_judged(each.launch, instance, swept) for instance in each.launch.instances))
        for each in found
    )


def _judged(launch: Launch, instance: LaunchedInstance, swept: Swept) -> JudgedInstance:
    note = swept.notes[instance.id]
    tags = launch.logged_tags(instance) if note.tags is None else note.tags
    return JudgedInstance(instance, tags, note.verdict, note.action, note.because, note.outcome)


def _joined(known: Case | None, case: Case) -> Case:
    return case if known is None else reduce(with_event, case.event_ids, known)


class _Run:
    """One sweep over some cases."""

    def __init__(self, policy: Policy, outside: Outside, run_limit: RunLimit, *, actions_on: bool) -> None:
        self._policy = policy
        self._outside = outside
        self._run_limit = run_limit
        self._actions_on = actions_on
        self._swept = Swept()
        self._to_report: list[Case] = []
        self._later: list[Case] = []

    def carry_on(self, cases: Iterable[Case]) -> Swept:
        """Take every case as far as it can go now."""
        acting = [
            begun for case, seen in self._read(self._sort_out(cases)) if (begun := self._decide(case, seen)) is not None
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
            self._swept.notes[case.instance_id] = _note_on_stored(case)
            if case.awaits_only_report:
                self._to_report.append(case)
            elif case.is_leased(now):
                self._later.append(replace(case, due_at=case.lease_until))
            elif not case.is_settled:
                to_read.append(case)
        return to_read

    def _read(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Seen]]:
        places: defaultdict[Place, list[Case]] = defaultdict(list)
        for case in cases:
            places[case.account, case.region].append(case)
        for (account, region), there in places.items():
            answer = self._outside.reader.read_instances(account, region, [case.instance_id for case in there])
            for case in there:
                yield case, answer if isinstance(answer, Failure) else answer.get(case.instance_id, Absent())

    def _decide(self, case: Case, seen: Seen) -> Case | None:
        """Decide, write that down, and answer the case where there is something to do about its instance."""
        now = self._outside.clock()
        decision = decide(self._policy, case, seen, now, actions_on=self._actions_on)
        self._swept.notes[case.instance_id] = _note_on(decision, seen)
        known = _with_findings(case, seen, decision, now)
        match decision.action:
            case Wait(until=until):
                self._postpone(known, until)
            case Keep():
                self._keep(known, decision.action)
            case Terminate() | Stop() | Notify():
                return self._begin(known, seen)
            case _:
                assert_never(decision.action)
        return None

    def _postpone(self, case: Case, until: datetime) -> None:
        written = self._write(move(case, State.WAITING, self._outside.clock(), due_at=until))
        if written is not None:
            self._later.append(written)

    def _keep(self, case: Case, keep: Keep) -> None:
        now = self._outside.clock()
        if keep.state is State.FAILED:
            place = f"{case.instance_id} in {case.account} {case.region}"
            self._swept.fail(f"{place}: {keep.because}", try_again=keep.try_again)
            case = replace(case, attempts=case.attempts + 1, error=keep.because)
        elif keep.state is State.ACTED:
            case = replace(case, acted_at=now)
        elif keep.state is case.state is State.JUDGED and case.reported_at is not None:
            return
        self._conclude(move(case, keep.state, now, outcome=keep.outcome))

    def _conclude(self, case: Case) -> None:
        """Write a case that needs no more work but perhaps a report."""
        written = self._write(case)
        if written is None or written.outcome is None:
            return
        note = self._swept.notes[case.instance_id]
        self._swept.notes[case.instance_id] = replace(note, outcome=str(written.outcome))
        if written.needs_report:
            self._to_report.append(written)

    def _begin(self, case: Case, seen: Seen) -> Case | None:
        """Move a case to `acting`, unless a limit holds it. None where nothing is to be done now."""
        now = self._outside.clock()
        # Whoever takes over from a run that crashed does not take from the limits a second time.
        if case.state is not State.ACTING:
            judged = self._write(move(case, State.JUDGED, now))
            if judged is None:
                return None
            hold = self._find_hold(seen, now) if judged.action is Penalty.TERMINATE else None
            if hold is not None:
                self._conclude(move(judged, State.HELD, now, outcome=Outcome.HELD, error=hold))
                return None
            case = judged
        fresh = {"outcome": None, "reported_at": None, "error": ""}
        return self._write(move(case, State.ACTING, now, lease_until=now + LEASE, **fresh))

    def _find_hold(self, seen: Seen, now: datetime) -> str | None:
        """The limit that is used up, in words, or None after taking one from each."""
        limits = self._policy.limits
        if not self._run_limit.take():
            return f"the limit of {limits.terminations_per_run} terminations in one run is reached"
        hour = now.strftime("%Y-%m-%dT%H")
        expires_at = now + timedelta(hours=2)
        group = seen.tags.get(GROUP_TAG) if isinstance(seen, LiveInstance) else None
        ledger = self._outside.ledger
        if group is not None and not ledger.take(f"GROUP#{group}#{hour}", MOST_OF_A_GROUP, expires_at):
            return f"Auto Scaling group {group} has lost {MOST_OF_A_GROUP} instances within this hour already"
        per_hour = limits.terminations_per_hour
        if per_hour is not None and not ledger.take(f"HOUR#{hour}", per_hour, expires_at):
            return f"the limit of {per_hour} terminations in one hour is reached"
        return None

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
                self._conclude(move(case, State.ACTED, now, outcome=outcome, acted_at=now))
            case Gone():
                self._conclude(move(case, State.GONE, now, outcome=Outcome.ALREADY_GONE))
            case Refused(failure, is_protected):
                self._take_refusal(case, failure, is_protected=is_protected)
            case _:
                assert_never(result)

    def _take_refusal(self, case: Case, failure: Failure, *, is_protected: bool) -> None:
        attempts = case.attempts + 1
        try_again = not is_protected and is_worth_retrying(failure, attempts)
        outcome = Outcome.PROTECTED if is_protected else None if try_again else Outcome.REFUSED
        place = f"{case.instance_id} in {case.account} {case.region}"
        self._swept.fail(f"{place}: {case.action} did not work: {failure}", try_again=try_again)
        changes = {"outcome": outcome, "error": str(failure), "attempts": attempts}
        self._conclude(move(case, State.FAILED, self._outside.clock(), **changes))

    def _report(self) -> None:
        """One message for each launch."""
        launches: defaultdict[str, list[Case]] = defaultdict(list)
        for case in self._to_report:
            launches[case.event_ids[0]].append(case)
        for event_id, cases in launches.items():
            failure = self._outside.reports.publish_report(write_report(cases))
            if failure is not None:
                self._swept.fail(f"the report of launch {event_id} was not accepted: {failure}", try_again=True)
                continue
            for case in cases:
                self._write(mark_reported(case, self._outside.clock()))

    def _come_back(self) -> None:
        """Have the cases that wait turn up again, those of one launch together."""
        launches: defaultdict[str, list[Case]] = defaultdict(list)
        for case in self._later:
            launches[case.event_ids[0]].append(case)
        now = self._outside.clock()
        for cases in launches.values():
            due_at = max(case.due_at or now for case in cases)
            delay = min(LONGEST_DELAY_SECONDS, max(0, ceil((due_at - now).total_seconds())))
            failure = self._outside.queue.send_due_cases([case.instance_id for case in cases], delay)
            if failure is not None:
                self._swept.fail(f"cases could not be put off: {failure}", try_again=True)
        self._swept.waiting = len(self._later)

    def _write(self, case: Case) -> Case | None:
        """Write the case; None where another run was faster, which then sees to the rest."""
        return case if self._outside.ledger.write_case(case) else None


_OUTCOMES = {Penalty.TERMINATE: Outcome.DESTROYED, Penalty.STOP: Outcome.STOPPED, Penalty.NOTIFY: Outcome.NOTIFIED}


def _with_findings(case: Case, seen: Seen, decision: Decision, now: datetime) -> Case:
    if isinstance(seen, LiveInstance):
        case = replace(case, live_tags=seen.tags)
    match decision.verdict:
        case Violation(rule, how, action, _):
            first = (case.first_fault_at or now) if isinstance(seen, LiveInstance) else case.first_fault_at
            return replace(case, rule=rule, how=how, action=action, first_fault_at=first)
        case _:
            return case


def _note_on(decision: Decision, seen: Seen) -> Note:
    verdict = words_of(decision.verdict)[0] if decision.verdict is not None else "unknown"
    tags = seen.tags if isinstance(seen, LiveInstance) else None
    return Note(verdict, type(decision.action).__name__.lower(), decision.action.because, tags=tags)


def _note_on_stored(case: Case) -> Note:
    verdict = {State.COMPLIANT: "compliant", State.EXEMPT: "exempt"}.get(case.state, "violation")
    action = str(case.action) if case.outcome is not None and case.action is not None else "keep"
    rule = f"rule {case.rule}: {case.how}; " if case.rule else ""
    because = f"{rule}the ledger has it as {case.state} since {case.changed_at:%Y-%m-%dT%H:%M:%SZ}"
    return Note(verdict, action, because, outcome=str(case.outcome or ""), tags=case.live_tags)

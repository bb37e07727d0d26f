"""Judging the cases of one account and region by a read of their instances, which is good for a few seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import assert_never

from landkeeper.broom.actions import Decision, Keep, Notify, Stop, Terminate, Wait, decide
from landkeeper.broom.case import Case, State, move
from landkeeper.broom.instance_state import FRESH, Absent, LiveInstance, Seen
from landkeeper.broom.launches import InstanceId, Tags
from landkeeper.broom.limits import RunLimit
from landkeeper.broom.policy.rules import Penalty, Policy
from landkeeper.broom.policy.verdict import Violation
from landkeeper.broom.ports import InstanceReader, Ledger, Place, SweepPorts
from landkeeper.broom.stored_case import LedgerError
from landkeeper.broom.sweeping.progress import Progress
from landkeeper.broom.sweeping.result import judged_result
from landkeeper.broom.switch import ActionSwitch
from landkeeper.org import Failure, FailureReason


@dataclass(frozen=True, slots=True)
class SweepTerms:
    """By what a run judges, what it reaches, and how far it may go."""

    policy: Policy
    ports: SweepPorts
    run_limit: RunLimit = field(default_factory=RunLimit)
    actions_on: bool = True
    """This caller's kill switch, beside the ledger's: where it is off, what would be stopped or terminated stays
    judged."""
    approved: Mapping[InstanceId, Penalty] | None = None
    """What may be done to which instance, where somebody has agreed to a plan; None where there was none."""
    is_opt_in: bool = False
    """Whether nothing is stopped or terminated either until somebody has turned the ledger's switch on."""

    def approves(self, case: Case) -> bool:
        """Return whether the action of a case may be carried out."""
        return self.approved is None or self.approved.get(case.instance_id) is case.action


class SwitchRead:
    """The ledger's kill switch, read once, and only when something is about to be acted on."""

    def __init__(self, ledger: Ledger) -> None:
        """`ledger` keeps the switch."""
        self._ledger = ledger
        self._found: ActionSwitch | Failure | None = None

    def find(self) -> ActionSwitch | Failure:
        """Return the switch, or why it could not be read."""
        # Not a cached_property: those of Python 3.11 and older hold one lock for all instances while they read.
        if self._found is None:
            try:
                self._found = self._ledger.read_switch()
            except LedgerError as error:
                self._found = Failure(FailureReason.OTHER, message=str(error))
        return self._found


@dataclass(frozen=True, slots=True)
class PlaceRead:
    """What EC2 said about some instances of an account and region."""

    began_at: datetime
    """When the read began: what it says may be as old as that."""
    seen: Mapping[InstanceId, Seen]
    group_tags: Mapping[str, Tags]
    """The tags that each Auto Scaling group puts on the instances it launches."""
    switch: SwitchRead
    """Of the ledger. It is read after the instances, so it is never older than they are."""

    @property
    def good_until(self) -> datetime:
        """The last moment at which an instance may be stopped or terminated on the strength of it."""
        return self.began_at + FRESH

    def is_fresh(self, now: datetime) -> bool:
        """Return whether an instance may be stopped or terminated on the strength of it."""
        return now <= self.good_until

    def find(self, id_: InstanceId) -> Seen:
        """Return what was seen of an instance."""
        return self.seen.get(id_, Absent())

    def find_group_tags(self, seen: Seen) -> Tags:
        """Return the tags that its Auto Scaling group gives an instance."""
        return self.group_tags.get(seen.group, {}) if isinstance(seen, LiveInstance) else {}


def read_place(ports: SweepPorts, place: Place, ids: Sequence[InstanceId]) -> PlaceRead:
    """Read the instances, and what their Auto Scaling groups tag."""
    now, reader = ports.clock(), ports.reader
    answer = reader.read_instances(*place, ids)
    seen: Mapping[InstanceId, Seen] = dict.fromkeys(ids, answer) if isinstance(answer, Failure) else answer
    return PlaceRead(now, seen, _read_groups(reader, place, seen.values()), SwitchRead(ports.ledger))


def _read_groups(reader: InstanceReader, place: Place, seen: Iterable[Seen]) -> Mapping[str, Tags]:
    """Return what Auto Scaling groups tag; without an answer their instances are judged by their own tags."""
    groups = {live.group for live in seen if isinstance(live, LiveInstance) and live.group}
    answer = reader.read_group_tags(*place, groups) if groups else {}
    return {} if isinstance(answer, Failure) else answer


def judge(terms: SweepTerms, case: Case, read: PlaceRead, now: datetime) -> Decision:
    """Return the decision.

    Where it depends on the account's units, which is rare, they are read for it; the ledger's kill switch is read where
    the instance would be stopped or terminated.
    """
    seen = read.find(case.instance_id)
    on_what_is_seen = partial(
        decide, terms.policy, case, seen, now, actions_on=terms.actions_on, group_tags=read.find_group_tags(seen)
    )
    units: frozenset[str] | Failure | None = None
    decision = on_what_is_seen()
    reader = terms.ports.units
    if reader is not None and isinstance(decision.verdict, Violation) and decision.verdict.is_unplaced:
        units = reader.find_units(case.account)
        decision = on_what_is_seen(units=units)
    if not isinstance(decision.action, Terminate | Stop):
        return decision
    switch = read.switch.find()
    if not isinstance(switch, Failure):
        switch = replace(switch, is_opt_in=terms.is_opt_in)
    return on_what_is_seen(units=units, switch=switch)


def settle(terms: SweepTerms, case: Case, read: PlaceRead, progress: Progress) -> tuple[Case, Decision] | None:
    """Judge a case, and write it down where nothing is to be done to its instance: None then.

    Otherwise return the case with what was found out, and the decision.
    """
    now = terms.ports.clock()
    decision, seen = judge(terms, case, read, now), read.find(case.instance_id)
    progress.result.notes[case.instance_id] = judged_result(case, decision, seen)
    found = _with_findings(case, seen, decision, terms.policy, now)
    match decision.action:
        case Wait(until=until, because=because):
            _postpone(found, until, because, progress, now)
        case Keep():
            _keep(found, decision.action, progress, now)
        case Terminate() | Stop() | Notify():
            return found, decision
        case _:
            assert_never(decision.action)
    return None


def _postpone(case: Case, until: datetime, because: str, progress: Progress, now: datetime) -> None:
    # An action whose outcome is not known yet stays one: whoever comes next has to look for what came of it.
    if case.is_under_way:
        progress.put_off(move(case, State.ACTING, now, because, lease_until=until))
    else:
        progress.put_off(move(case, State.WAITING, now, because, due_at=until))


def _keep(case: Case, keep: Keep, progress: Progress, now: datetime) -> None:
    if keep.try_again or keep.state in {State.FAILED, State.ACTING}:
        progress.fail(case, keep.because, try_again=keep.try_again)
    if keep.state in {State.FAILED, State.ACTING}:
        case = replace(case, attempts=case.attempts + 1, error=keep.because)
    elif keep.state is State.ACTED:
        case = replace(case, acted_at=now)
    elif keep.state is case.state is State.JUDGED and case.reported_at is not None:
        return
    elif keep.state is State.JUDGED:
        case = replace(case, error=keep.error)
    progress.conclude(move(case, keep.state, now, keep.because, outcome=keep.outcome))


def _with_findings(case: Case, seen: Seen, decision: Decision, policy: Policy, now: datetime) -> Case:
    if decision.verdict is not None:
        case = replace(case, policy=policy.digest)
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

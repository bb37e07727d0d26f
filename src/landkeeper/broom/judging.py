"""Judging the cases of one account and region by a read of their instances, which is good for a few seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from landkeeper.broom.actions import Decision, Keep, Notify, Stop, Terminate, Wait, decide
from landkeeper.broom.case import Case, State, move
from landkeeper.broom.instance_state import FRESH, Absent, LiveInstance, Seen
from landkeeper.broom.launches import InstanceId, Tags
from landkeeper.broom.limits import RunLimit
from landkeeper.broom.policy.rules import Policy
from landkeeper.broom.policy.verdict import Violation
from landkeeper.broom.ports import InstanceReader, Place, SweepPorts
from landkeeper.broom.progress import Progress
from landkeeper.broom.sweep_result import judged_result
from landkeeper.org import Failure


@dataclass(frozen=True, slots=True)
class SweepTerms:
    """By what a run judges, what it reaches, and how far it may go."""

    policy: Policy
    ports: SweepPorts
    run_limit: RunLimit = field(default_factory=RunLimit)
    actions_on: bool = True
    """The kill switch: where it is off, what would be stopped or terminated stays judged."""


@dataclass(frozen=True, slots=True)
class PlaceRead:
    """What EC2 said about some instances of an account and region."""

    began_at: datetime
    """When the read began: what it says may be as old as that."""
    seen: Mapping[InstanceId, Seen]
    group_tags: Mapping[str, Tags]
    """The tags that each Auto Scaling group puts on the instances it launches."""

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


def read_place(reader: InstanceReader, place: Place, ids: Sequence[InstanceId], now: datetime) -> PlaceRead:
    """Read the instances, and what their Auto Scaling groups tag."""
    answer = reader.read_instances(*place, ids)
    seen: Mapping[InstanceId, Seen] = dict.fromkeys(ids, answer) if isinstance(answer, Failure) else answer
    return PlaceRead(now, seen, _read_groups(reader, place, seen.values()))


def _read_groups(reader: InstanceReader, place: Place, seen: Iterable[Seen]) -> Mapping[str, Tags]:
    """Return what Auto Scaling groups tag; without an answer their instances are judged by their own tags."""
    groups = {live.group for live in seen if isinstance(live, LiveInstance) and live.group}
    answer = reader.read_group_tags(*place, groups) if groups else {}
    return {} if isinstance(answer, Failure) else answer


def judge(terms: SweepTerms, case: Case, read: PlaceRead, now: datetime) -> Decision:
    """Return the decision; where it depends on the account's units, which is rare, they are read for it."""
    seen = read.find(case.instance_id)
    group_tags = read.find_group_tags(seen)
    decision = decide(terms.policy, case, seen, now, actions_on=terms.actions_on, group_tags=group_tags)
    reader = terms.ports.units
    if reader is None or not (isinstance(decision.verdict, Violation) and decision.verdict.is_unplaced):
        return decision
    units = reader.find_units(case.account)
    return decide(terms.policy, case, seen, now, actions_on=terms.actions_on, group_tags=group_tags, units=units)


def settle(terms: SweepTerms, case: Case, read: PlaceRead, progress: Progress) -> tuple[Case, Decision] | None:
    """Judge a case, and write it down where nothing is to be done to its instance: None then.

    Otherwise return the case with what was found out, and the decision.
    """
    now = terms.ports.clock()
    decision, seen = judge(terms, case, read, now), read.find(case.instance_id)
    progress.result.notes[case.instance_id] = judged_result(case, decision, seen)
    found = _with_findings(case, seen, decision, now)
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
    if keep.state in {State.FAILED, State.ACTING}:
        progress.fail(case, keep.because, try_again=keep.try_again)
        case = replace(case, attempts=case.attempts + 1, error=keep.because)
    elif keep.state is State.ACTED:
        case = replace(case, acted_at=now)
    elif keep.state is case.state is State.JUDGED and case.reported_at is not None:
        return
    progress.conclude(move(case, keep.state, now, keep.because, outcome=keep.outcome))


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

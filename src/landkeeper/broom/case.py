"""An instance's case: the states it goes through, and the moves that are allowed between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import reduce
from typing import Any

from landkeeper.broom.cloudtrail.principals.identity import UNKNOWN_PRINCIPAL
from landkeeper.broom.launches import InstanceId, Launch, LaunchedInstance, Tags, Untagging
from landkeeper.broom.policy.rules import Penalty
from landkeeper.broom.policy.verdict import Subject
from landkeeper.org import AccountId, LandkeeperError, Principal, Region

AUDIT_EVENT = "audit-"
"""What the event id of a case begins with if an audit opened it."""
_FIRST_STEPS, _LAST_STEPS = 10, 30
LEASE = timedelta(minutes=5)
"""How long a run may be busy with an instance before another one takes its case over."""


class State(StrEnum):
    """Where a case stands."""

    WAITING = "waiting"
    JUDGED = "judged"
    ACTING = "acting"
    ACTED = "acted"
    REPORTED = "reported"
    COMPLIANT = "compliant"
    EXEMPT = "exempt"
    GONE = "gone"
    HELD = "held"
    FAILED = "failed"


class Outcome(StrEnum):
    """What came of a rule that was broken: the reason for a report."""

    DESTROYED = "destroyed"
    STOPPED = "stopped"
    NOTIFIED = "notified"
    ALREADY_GONE = "already gone"
    HELD = "held"
    PROTECTED = "protected"
    REFUSED = "refused"
    ACTIONS_OFF = "actions off"
    UNKNOWN = "unknown"
    """The call was made, and neither its answer nor the instance could be read since."""
    WOULD_TERMINATE = "would be terminated"
    """This one and the next are what dry runs say, and no ledger has them."""
    WOULD_STOP = "would be stopped"
    WOULD_REPORT = "would be reported"
    WOULD_HOLD = "would be held"


_NOBODY = frozenset({UNKNOWN_PRINCIPAL.kind, "AWSService"})
_JUDGEMENTS = frozenset({State.JUDGED, State.COMPLIANT, State.EXEMPT, State.GONE, State.FAILED})

_REOPENED = frozenset({State.COMPLIANT, State.EXEMPT, State.GONE})

MOVES: dict[State, frozenset[State]] = {
    State.WAITING: _JUDGEMENTS | {State.WAITING},
    State.JUDGED: _JUDGEMENTS | {State.WAITING, State.ACTING, State.HELD},
    State.ACTING: _JUDGEMENTS | {State.ACTING, State.ACTED, State.WAITING},
    State.ACTED: frozenset({State.REPORTED}),
    State.REPORTED: frozenset(),
    State.COMPLIANT: frozenset(),
    State.EXEMPT: frozenset(),
    State.GONE: frozenset({State.GONE}),
    State.HELD: frozenset({State.HELD, State.JUDGED}),
    State.FAILED: _JUDGEMENTS | {State.WAITING},
}
"""From each state, those a case may move to next."""


@dataclass(frozen=True, slots=True)
class Step:
    """A move that a case made: when, to which state, and why."""

    at: datetime
    state: State
    because: str


class IllegalMoveError(LandkeeperError):
    """A case was to be moved to a state that cannot follow the one it is in."""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that is known about one instance and what was done about it."""

    instance_id: InstanceId
    account: AccountId
    region: Region
    event_ids: tuple[str, ...]
    event_time: datetime
    principal: Principal
    image_id: str
    instance_type: str
    logged_tags: Tags
    opened_at: datetime
    changed_at: datetime
    state: State = State.WAITING
    version: int = 0
    """How often it was written; 0 for a case that is not in the ledger yet."""
    live_tags: Tags | None = None
    rule: str = ""
    how: str = ""
    action: Penalty | None = None
    outcome: Outcome | None = None
    error: str = ""
    attempts: int = 0
    """How often a call for this case has failed."""
    first_fault_at: datetime | None = None
    """When its live tags were first read and found at fault."""
    due_at: datetime | None = None
    lease_until: datetime | None = None
    acted_at: datetime | None = None
    reported_at: datetime | None = None
    successor: str = ""
    """What launches another instance in this one's place, as a sentence; empty where nothing is known to."""
    released_by: str = ""
    """The principal who let it go after it was held; the limits do not hold it again."""
    notify_only: str = ""
    """Why nothing is done to the instance but to tell of it; empty where the rule's action counts."""
    reopened_at: datetime | None = None
    """When it was opened again after it had been settled; None if it never was."""
    reopened_because: str = ""
    policy: str = ""
    """The digest of the policy that it was last judged by; empty where that is not known."""
    story: tuple[Step, ...] = ()
    """Its moves, oldest first; of very many those in the middle are left out."""

    @property
    def next_at(self) -> datetime:
        """When it is to be looked at again, at the latest; for one that is done with, since when it is."""
        match self.state:
            case State.WAITING:
                return self.due_at or self.changed_at
            case State.ACTING:
                return self.lease_until or self.changed_at
            case _:
                return self.changed_at

    @property
    def known_since(self) -> datetime:
        """When what it is judged for can have begun: at its launch, or when it was opened again."""
        return self.reopened_at or self.event_time

    @property
    def subject(self) -> Subject:
        """What a policy asks about the instance."""
        return Subject(self.account, self.region, self.instance_type, self.principal)

    @property
    def is_under_way(self) -> bool:
        """Whether its instance is being stopped or terminated, and what came of that is not known yet."""
        return self.state is State.ACTING and self.action in {Penalty.STOP, Penalty.TERMINATE}

    @property
    def needs_report(self) -> bool:
        """Whether something came of it that nobody has been told."""
        return self.outcome is not None and self.reported_at is None

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing left to do, however often the instance turns up again."""
        match self.state:
            case State.REPORTED | State.COMPLIANT | State.EXEMPT:
                return True
            case State.GONE:
                return not self.needs_report
            case State.HELD | State.FAILED:
                return self.reported_at is not None
            case _:
                return False

    @property
    def awaits_only_report(self) -> bool:
        """Whether everything is done but the report."""
        return self.needs_report and self.state in {State.ACTED, State.GONE, State.HELD, State.FAILED}

    def is_leased(self, now: datetime) -> bool:
        """Return whether a run is working on the instance or on its report at this moment."""
        is_in_hand = self.state is State.ACTING or self.needs_report
        return is_in_hand and self.lease_until is not None and now < self.lease_until


def open_case(launch: Launch, instance: LaunchedInstance, now: datetime) -> Case:
    """Return a new case, which is not in the ledger yet."""
    return Case(
        instance_id=instance.id,
        account=launch.account,
        region=launch.region,
        event_ids=(launch.event_id,),
        event_time=launch.event_time,
        principal=launch.principal,
        image_id=instance.image_id,
        instance_type=instance.type,
        logged_tags=launch.logged_tags(instance),
        opened_at=now,
        changed_at=now,
    )


def with_event(case: Case, event_id: str) -> Case:
    """Return the case with another event that named its instance."""
    return case if event_id in case.event_ids else replace(case, event_ids=(*case.event_ids, event_id))


def seen_by(case: Case, launch: Case) -> Case:
    """Return the case after another launch named its instance, opened as `launch`.

    What a service or nobody in particular was known to have launched is put down to whoever that record names.
    """
    if case.principal.kind in _NOBODY and launch.principal.kind not in _NOBODY:
        case = replace(
            case, principal=launch.principal, event_time=launch.event_time, image_id=launch.image_id or case.image_id,
            instance_type=launch.instance_type or case.instance_type,
            logged_tags={**case.logged_tags, **launch.logged_tags},
        )  # fmt: skip
    return reduce(with_event, launch.event_ids, case)


def untagged(case: Case, untaggings: Iterable[Untagging]) -> Case:
    """Return the case with the tags of its log that later calls have not removed."""
    for untagging in untaggings:
        if case.instance_id in untagging.instance_ids and untagging.event_time >= case.event_time:
            case = replace(case, logged_tags=untagging.without(case.logged_tags))
    return case


def due_cases(
    cases: Iterable[Case], state: State, due_after: datetime | None, due_before: datetime | None
) -> list[Case]:
    """Return the cases that are in a state and due between these times, the next due first."""
    in_state = (case for case in cases if case.state is state)
    due = (
        case
        for case in in_state
        if (due_after is None or case.next_at >= due_after) and (due_before is None or case.next_at <= due_before)
    )
    return sorted(due, key=lambda case: (case.next_at, case.instance_id))


def release(case: Case, by: str, now: datetime) -> Case | None:
    """Return the case to judge again, released by the principal `by`; None if it is neither held nor failed."""
    if case.state not in {State.HELD, State.FAILED}:
        return None
    fresh = {"outcome": None, "reported_at": None, "error": "", "attempts": 0}
    return move(case, State.JUDGED, now, f"released by {by}", released_by=by, **fresh)


def reopen(case: Case, now: datetime, because: str, *, notify_only: str = "") -> Case | None:
    """Return a settled case as one to judge again, to be written with its next move; None for any other case.

    What was acted on or reported stays settled, and so does what is held or has failed: those are for people.
    """
    return _opened_again(case, now, because, notify_only or case.notify_only) if case.state in _REOPENED else None


def rejudge(case: Case, now: datetime, because: str, *, notify_only: str = "") -> Case | None:
    """Return a case that was reported, or has failed and was reported, as one to judge again; None for any other.

    What was terminated stays settled, whatever EC2 shows of it, and what a limit holds is for people to release.
    """
    is_reported = case.state is State.REPORTED and case.outcome is not Outcome.DESTROYED
    if not is_reported and not (case.state is State.FAILED and case.is_settled):
        return None
    return _opened_again(case, now, because, notify_only)


def _opened_again(case: Case, now: datetime, because: str, notify_only: str) -> Case:
    fresh: dict[str, Any] = {"rule": "", "how": "", "action": None, "outcome": None, "error": "", "attempts": 0}
    fresh |= {"first_fault_at": None, "reported_at": None, "acted_at": None, "released_by": "", "lease_until": None}
    return replace(
        case, state=State.WAITING, due_at=now, changed_at=now, reopened_at=now, reopened_because=because,
        notify_only=notify_only, story=_with_step(case, Step(now, State.WAITING, because)), **fresh,
    )  # fmt: skip


def move(case: Case, to: State, now: datetime, because: str = "", **changes: Any) -> Case:
    """Return the case in its next state, to be written if nobody has written it since.

    Raises IllegalMoveError when `to` cannot follow the state that it is in.
    """
    if to not in MOVES[case.state]:
        raise IllegalMoveError(f"the case of {case.instance_id} cannot move from {case.state} to {to}")
    later = {"lease_until": None, "due_at": None, **changes}
    return replace(
        case,
        state=to,
        version=case.version + 1,
        changed_at=now,
        story=_with_step(case, Step(now, to, because)),
        **later,
    )


def hold_report(case: Case, until: datetime | None) -> Case:
    """Return the case with its report held by one run until then; None releases it."""
    return replace(case, version=case.version + 1, lease_until=until)


def offer_report(case: Case) -> Case:
    """Return the case with its report left to whichever run takes it."""
    return hold_report(case, None)


def mark_reported(case: Case, now: datetime) -> Case:
    """Return the case after its report: in the state `reported` if something was done, else in its own state."""
    state = State.REPORTED if case.state is State.ACTED else case.state
    story = _with_step(case, Step(now, state, f"reported as {case.outcome}"))
    return replace(
        case, state=state, version=case.version + 1, changed_at=now, reported_at=now, lease_until=None, story=story
    )


def _with_step(case: Case, step: Step) -> tuple[Step, ...]:
    story = (*case.story, step)
    return story if len(story) <= _FIRST_STEPS + _LAST_STEPS else (*story[:_FIRST_STEPS], *story[-_LAST_STEPS:])

"""The states of a case, and what the stores keep of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.broom_world import LAUNCHED_AT, launch

from landkeeper.broom.case import (
    LEASE,
    MOVES,
    Case,
    IllegalMoveError,
    Outcome,
    State,
    Step,
    mark_reported,
    move,
    open_case,
    release,
    reopen,
    with_event,
)
from landkeeper.broom.policy.rules import Penalty
from landkeeper.broom.stored_case import LedgerError, case_to_record, parse_case

ONE = launch("i-1", tags={"Code": "LOL"})
CASE = open_case(ONE, ONE.instances[0], LAUNCHED_AT)
LATER = LAUNCHED_AT + timedelta(minutes=1)


@pytest.mark.parametrize("before", list(State))
@pytest.mark.parametrize("after", list(State))
def test_only_the_moves_of_the_design_are_allowed(before: State, after: State) -> None:
    case = replace(CASE, state=before)
    if after in MOVES[before]:
        moved = move(case, after, LATER)
        assert (moved.state, moved.version, moved.changed_at) == (after, case.version + 1, LATER)
    else:
        with pytest.raises(IllegalMoveError, match=f"from {before} to {after}"):
            move(case, after, LATER)


def test_what_was_done_is_done() -> None:
    ends = {state for state in State if not MOVES[state] - {state}}
    assert ends == {State.REPORTED, State.COMPLIANT, State.EXEMPT, State.GONE}


def test_a_lease_lasts_while_acting_and_ends_with_it() -> None:
    acting = move(replace(CASE, state=State.JUDGED), State.ACTING, LATER, lease_until=LATER + LEASE)
    assert acting.is_leased(LATER)
    assert not acting.is_leased(LATER + LEASE)
    assert not move(acting, State.ACTED, LATER).is_leased(LATER)
    assert not CASE.is_leased(LATER)


def test_a_report_is_the_end_of_what_was_done_and_a_mark_on_what_was_not() -> None:
    acted = replace(CASE, state=State.ACTED, outcome=Outcome.DESTROYED)
    held = replace(CASE, state=State.HELD, outcome=Outcome.HELD)
    assert acted.needs_report
    assert acted.awaits_only_report
    assert mark_reported(acted, LATER).state is State.REPORTED
    assert mark_reported(held, LATER).state is State.HELD
    assert not mark_reported(held, LATER).needs_report


@pytest.mark.parametrize(
    ("state", "outcome", "is_reported", "is_settled"),
    [
        (State.WAITING, None, False, False),
        (State.JUDGED, Outcome.ACTIONS_OFF, True, False),
        (State.ACTING, None, False, False),
        (State.ACTED, Outcome.DESTROYED, False, False),
        (State.REPORTED, Outcome.DESTROYED, True, True),
        (State.COMPLIANT, None, False, True),
        (State.EXEMPT, None, False, True),
        (State.GONE, None, False, True),
        (State.GONE, Outcome.ALREADY_GONE, False, False),
        (State.HELD, Outcome.HELD, False, False),
        (State.HELD, Outcome.HELD, True, True),
        (State.FAILED, None, False, False),
        (State.FAILED, Outcome.REFUSED, True, True),
    ],
)
def test_a_case_is_settled_when_nothing_is_left_to_do(
    state: State, outcome: Outcome | None, is_reported: bool, is_settled: bool
) -> None:
    case = replace(CASE, state=state, outcome=outcome, reported_at=LATER if is_reported else None)
    assert case.is_settled is is_settled


def test_a_case_remembers_every_event_once() -> None:
    case = with_event(with_event(CASE, "event-2"), "event-1")
    assert case.event_ids == ("event-1", "event-2")


_TIMES = st.none() | st.datetimes(timezones=st.just(LAUNCHED_AT.tzinfo))


def a_case(**changes: Any) -> Case:
    """A case as one may stand in the ledger: those that wait know until when, the others do not."""
    case = replace(CASE, **changes)
    return replace(case, due_at=(case.due_at or LATER) if case.state is State.WAITING else None)


_STEPS = st.builds(Step, st.datetimes(timezones=st.just(LAUNCHED_AT.tzinfo)), st.sampled_from(State), st.text())
_CASES = st.builds(
    a_case,
    state=st.sampled_from(State),
    version=st.integers(0, 10**6),
    live_tags=st.none() | st.dictionaries(st.text(), st.text()),
    rule=st.text(),
    how=st.text(),
    error=st.text(),
    action=st.none() | st.sampled_from(Penalty),
    outcome=st.none() | st.sampled_from(Outcome),
    attempts=st.integers(0, 9),
    event_ids=st.lists(st.text(), min_size=1).map(tuple),
    due_at=_TIMES,
    lease_until=_TIMES,
    reported_at=_TIMES,
    successor=st.text(),
    released_by=st.text(),
    notify_only=st.text(),
    story=st.lists(_STEPS).map(tuple),
)


@given(_CASES)
def test_a_case_is_read_back_as_it_was_written(case: Case) -> None:
    assert parse_case(case_to_record(case)) == case


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"State": "lost"}, "i-1"),
        ({"EventTime": "soon"}, "i-1"),
        ({"Principal": None}, "i-1"),
        ({"EventIds": 3}, "i-1"),
    ],
)
def test_what_no_case_looks_like_is_an_error_that_names_the_instance(change: dict[str, object], name: str) -> None:
    with pytest.raises(LedgerError, match=f"the ledger's case of {name} cannot be read"):
        parse_case({**case_to_record(CASE), **change})


def test_an_item_without_a_name_is_an_error_too() -> None:
    with pytest.raises(LedgerError, match="an item without InstanceId"):
        parse_case({})


@pytest.mark.parametrize("state", [State.HELD, State.FAILED])
def test_a_case_that_is_held_is_judged_anew_on_somebodys_word(state: State) -> None:
    held = replace(CASE, state=state, outcome=Outcome.HELD, reported_at=LATER, error="limit", attempts=3)
    released = release(held, "arn:aws:iam::111122223333:user/jane", LATER)
    assert released is not None
    assert (released.state, released.outcome, released.reported_at, released.error) == (State.JUDGED, None, None, "")
    assert released.released_by == "arn:aws:iam::111122223333:user/jane"
    assert released.story[-1].because == "released by arn:aws:iam::111122223333:user/jane"
    assert release(released, "jane", LATER) is None


def test_a_very_long_story_keeps_its_beginning_and_its_end() -> None:
    case = CASE
    for number in range(100):
        case = move(case, State.WAITING, LATER, f"step {number}", due_at=LATER)
    assert [step.because for step in case.story] == [f"step {n}" for n in (*range(10), *range(70, 100))]


@pytest.mark.parametrize("state", list(State))
def test_only_what_was_settled_without_a_deed_is_opened_again(state: State) -> None:
    settled = replace(
        CASE, state=state, version=3, live_tags={"Code": "LOL"}, rule="code", outcome=Outcome.ALREADY_GONE,
        reported_at=LATER, first_fault_at=LATER, released_by="jane", attempts=2,
    )  # fmt: skip
    again = reopen(settled, LATER, "because", notify_only="old")
    if state not in {State.COMPLIANT, State.EXEMPT, State.GONE}:
        assert again is None
        return
    assert again is not None
    # It is written with its next move, on condition that nobody else wrote it.
    assert (again.version, again.state, again.due_at) == (3, State.WAITING, LATER)
    assert (again.rule, again.outcome, again.reported_at, again.first_fault_at) == ("", None, None, None)
    assert (again.released_by, again.attempts, again.notify_only) == ("", 0, "old")
    assert (again.known_since, again.story[-1]) == (LATER, Step(LATER, State.WAITING, "because"))
    assert parse_case(case_to_record(again)) == again

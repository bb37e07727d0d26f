"""Trends: the single pass counts what counting each day alone finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from benchmarks.landscape import make_report_input
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.report.report_inputs import NOW, report_input, report_inputs
from tests.strategies import ACCOUNTS, START, vpc_ids

from landkeeper.org import Failure, FailureReason, Membership, Region
from landkeeper.report.report_input import Ledger, ReportInput
from landkeeper.report.trends import Days, count_overlaps, find_days, view_trends
from landkeeper.vpctracker.answers.ranking import OverlapKind, find_overlaps_by_harm
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.inventory import DELETED, StoredVpc, Vpc

_DAY = timedelta(days=1)


def _at_end_of(day: date, made: ReportInput) -> list[StoredVpc]:
    """Return the VPCs that existed at the end of the day, without what happened later."""
    existing = [
        stored
        for stored in made.known.vpcs
        if stored.first_seen.date() <= day and (stored.deleted_at is None or stored.deleted_at.date() > day)
    ]
    return [replace(stored, vpc=replace(stored.vpc, state="available"), deleted_at=None) for stored in existing]


@given(report_inputs())
@settings(max_examples=40)
def test_each_day_counts_the_state_at_its_end(made: ReportInput) -> None:
    trends = view_trends(made)
    if trends is None:
        assert len({stored.first_seen.date() for stored in made.known.vpcs} | {made.moment.date()}) < 3
        return
    assert trends.days
    for number, day in enumerate(map(date.fromisoformat, trends.days)):
        existing = _at_end_of(day, made)
        findings = find_overlaps_by_harm(existing, made.config)
        assert trends.vpcs[number] == len(existing)
        assert trends.accounts[number] == len({stored.vpc.owner for stored in existing})
        assert trends.defaults[number] == sum(stored.vpc.is_default for stored in existing)
        assert trends.overlaps[number] == sum(finding.kind is OverlapKind.COLLISION for finding in findings)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.booleans(), st.integers(0, 2)), max_size=8))
def test_default_vpcs_overlap_chosen_blocks_but_not_each_other(
    lives: list[tuple[int, int, bool, int]],
) -> None:
    """Two default VPCs stand for all in the count; a chosen block may lie inside or around theirs."""
    _assert_counts(lives)


def test_an_overlap_that_comes_back_counts_again() -> None:
    _assert_counts([(0, 1, False, 0), (0, 1, True, 0), (3, 1, False, 0), (3, 1, True, 0)])


def _assert_counts(lives: list[tuple[int, int, bool, int]]) -> None:
    blocks = ("172.31.0.0/16", "172.31.4.0/24", "172.16.0.0/12")
    vpcs = []
    for number, (first, lasts, is_default, block) in enumerate(lives):
        chosen = blocks[0] if is_default else blocks[block]
        vpc = Vpc(vpc_ids(number), ACCOUNTS[0], Region("eu-west-1"), chosen, is_default=is_default)
        begin = START + first * _DAY
        vpcs.append(StoredVpc(vpc, begin, begin, 1, deleted_at=begin + lasts * _DAY if lasts < 3 else None))
    made = report_input(*vpcs)
    days = Days(START.date(), 7)
    assert count_overlaps(vpcs, made.config, days) == tuple(
        sum(
            finding.kind is OverlapKind.COLLISION
            for finding in find_overlaps_by_harm(_at_end_of(day, made), made.config)
        )
        for day in days.dates
    )


def test_a_deleted_vpc_counts_until_the_day_before() -> None:
    vpc = Vpc(vpc_ids(1), ACCOUNTS[0], Region("eu-west-1"), "10.0.0.0/16", state=DELETED)
    gone = StoredVpc(vpc, START, START + 2 * _DAY, 2, deleted_at=START + 2 * _DAY)
    trends = view_trends(report_input(gone))
    assert trends is not None
    assert trends.days[0] == "2026-03-01"
    assert trends.vpcs == (1, 1, 0, 0, 0, 0, 0)


def test_an_account_that_had_no_vpc_for_some_days_does_not_count_on_them() -> None:
    lives = [(0, 2), (1, 2), (4, None)]
    stored = [
        StoredVpc(
            Vpc(vpc_ids(number), ACCOUNTS[0], Region("eu-west-1"), f"10.{number}.0.0/16"),
            START + first * _DAY, START + first * _DAY, 1, deleted_at=None if last is None else START + last * _DAY,
        )
        for number, (first, last) in enumerate(lives)
    ]  # fmt: skip
    trends = view_trends(report_input(*stored))
    assert trends is not None
    assert trends.accounts == (1, 1, 0, 0, 1, 1, 1)


@pytest.mark.parametrize(("first", "count"), [(None, None), (NOW, None), (NOW - _DAY, 2), (NOW - 400 * _DAY, 91)])
def test_trends_cover_at_most_ninety_days(first: datetime | None, count: int | None) -> None:
    days = find_days(first, NOW)
    assert (days and days.count) == count


def test_unreadable_accounts_are_known_for_today_and_for_recorded_days() -> None:
    old = StoredVpc(Vpc(vpc_ids(1), ACCOUNTS[0], Region("eu-west-1"), "10.0.0.0/16"), START, START, 1)
    failed = Failure(FailureReason.ROLE_NOT_ASSUMABLE)
    coverage = (
        Coverage(ACCOUNTS[0], failure=failed),
        Coverage(ACCOUNTS[1]),
        Coverage(ACCOUNTS[2], failure=failed, membership=Membership.SUSPENDED),
    )
    kept = {START.date() + _DAY: 5, date(2020, 1, 1): 9, NOW.date(): 7}
    trends = view_trends(report_input(old, coverage=coverage, unreadable=kept))
    assert trends is not None
    assert trends.unreadable == (None, 5, None, None, None, None, 1)


def test_cases_with_a_broken_rule_count_on_the_day_they_were_opened() -> None:
    made = make_report_input(vpcs=3, accounts=1, cases=40)
    assert made.ledger is not None
    trends = view_trends(made)
    assert trends is not None
    assert sum(count or 0 for count in trends.cases) == 40
    for number, day in enumerate(trends.days):
        assert (trends.cases[number] or 0) == sum(
            case.opened_at.date().isoformat() == day for case in made.ledger.cases
        )
    waiting = tuple(replace(case, rule="") for case in made.ledger.cases)
    short = replace(made, ledger=Ledger(waiting, made.now - 3 * _DAY))
    later = view_trends(short)
    assert later is not None
    assert later.cases[-4:] == (0, 0, 0, 0)
    assert set(later.cases[:-4]) == {None}
    nothing = view_trends(replace(made, ledger=None))
    assert nothing is not None
    assert set(nothing.cases) == {None}

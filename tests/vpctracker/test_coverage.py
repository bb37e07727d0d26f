"""What is known of an account after each try."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.org import Account, Failure, FailureReason, Membership, Standing
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.covering import cover_account, shared_after
from landkeeper.vpctracker.differences import Complete, NotRead, RegionRead, Unreadable
from landkeeper.vpctracker.inventory import StoredVpc, Vpc

_ACCOUNT = Account(ACCOUNTS[0], "team")
_HERE, _THERE = REGIONS
_LATER = START + timedelta(hours=1)
_DENIED = Failure(FailureReason.SCP_DENY)
_NOTHING = Coverage(ACCOUNTS[0])


def test_a_complete_read_is_remembered_with_its_time() -> None:
    covered = cover_account(_NOTHING, _ACCOUNT, {_HERE: Complete(())}, START, now=START)
    assert covered == Coverage(ACCOUNTS[0], "team", START, regions={_HERE: RegionCoverage(START, connections_at=START)})
    assert covered.is_complete


def test_a_failed_read_keeps_the_time_of_the_last_complete_one() -> None:
    before = cover_account(_NOTHING, _ACCOUNT, {_HERE: Complete(())}, START, now=START)
    covered = cover_account(
        before, _ACCOUNT, {_HERE: Unreadable(_DENIED), _THERE: Unreadable(_DENIED)}, _LATER, now=_LATER
    )
    assert covered.regions == {
        _HERE: RegionCoverage(START, failed_at=_LATER, failure=_DENIED, connections_at=START),
        _THERE: RegionCoverage(failed_at=_LATER, failure=_DENIED),
    }
    assert not covered.is_complete


def test_a_region_that_can_be_read_again_has_no_failure_left() -> None:
    before = cover_account(_NOTHING, _ACCOUNT, {_HERE: Unreadable(_DENIED)}, START, now=START)
    covered = cover_account(before, _ACCOUNT, {_HERE: Complete(())}, _LATER, now=_LATER)
    assert covered.regions == {_HERE: RegionCoverage(_LATER, connections_at=_LATER)}


def test_connections_that_could_not_be_read_leave_the_region_complete_and_their_last_time() -> None:
    before = cover_account(_NOTHING, _ACCOUNT, {_HERE: Complete(())}, START, now=START)
    covered = cover_account(before, _ACCOUNT, {_HERE: Complete((), _DENIED)}, _LATER, now=_LATER)
    assert covered.regions == {_HERE: RegionCoverage(_LATER, connections_at=START, connections_failure=_DENIED)}
    assert covered.is_complete


def test_a_governed_region_is_covered_as_governed_and_is_no_failure() -> None:
    before = cover_account(_NOTHING, _ACCOUNT, {_HERE: Unreadable(_DENIED)}, START, now=START)
    covered = cover_account(before, _ACCOUNT, {_HERE: NotRead(Standing.GOVERNED)}, _LATER, now=_LATER)
    assert covered.regions == {_HERE: RegionCoverage(standing=Standing.GOVERNED)}
    assert covered.is_complete
    opened = cover_account(covered, _ACCOUNT, {_HERE: Unreadable(_DENIED)}, _LATER, now=_LATER)
    assert opened.regions[_HERE].standing is Standing.READ


def test_a_disabled_region_is_told_only_where_it_was_read_before() -> None:
    disabled = NotRead(Standing.DISABLED)
    before = cover_account(_NOTHING, _ACCOUNT, {_HERE: Complete(())}, START, now=START)
    covered = cover_account(before, _ACCOUNT, {_HERE: disabled, _THERE: disabled}, _LATER, now=_LATER)
    assert covered.regions == {_HERE: RegionCoverage(START, connections_at=START, standing=Standing.DISABLED)}


def test_runs_that_failed_are_counted_until_one_is_complete() -> None:
    covered = _NOTHING
    for reads in (_DENIED, {_HERE: Unreadable(_DENIED)}):
        covered = cover_account(covered, _ACCOUNT, reads, START, now=START)
    assert covered.failed_runs == 2
    assert cover_account(covered, _ACCOUNT, {_HERE: Complete(())}, START, now=START).failed_runs == 0


def test_a_try_of_a_few_regions_is_no_run() -> None:
    shut = cover_account(_NOTHING, _ACCOUNT, _DENIED, START, now=START)
    covered = cover_account(shut, _ACCOUNT, {_HERE: Complete(())}, _LATER, now=_LATER, is_whole=False)
    assert (covered.failure, covered.failed_runs, covered.tried_at) == (_DENIED, 1, START)
    assert covered.regions[_HERE].complete_at == _LATER
    again = cover_account(_NOTHING, _ACCOUNT, _DENIED, _LATER, now=_LATER, is_whole=False)
    assert (again.failure, again.failed_runs, again.tried_at) == (_DENIED, 0, None)


def test_an_account_that_is_read_is_an_active_one_of_its_organization() -> None:
    gone = replace(_NOTHING, organization="o-exampleorgid", membership=Membership.DEPARTED)
    covered = cover_account(gone, _ACCOUNT, {}, START, now=START)
    assert (covered.organization, covered.membership) == ("o-exampleorgid", Membership.ACTIVE)
    moved = cover_account(gone, replace(_ACCOUNT, organization="o-another0orgid"), {}, START, now=START)
    assert moved.organization == "o-another0orgid"


def test_an_account_without_a_way_in_keeps_what_is_known_of_its_regions() -> None:
    before = cover_account(_NOTHING, _ACCOUNT, {_HERE: Complete(())}, START, now=START)
    shut = cover_account(before, Account(ACCOUNTS[0]), _DENIED, _LATER, now=_LATER)
    assert (shut.failure, shut.tried_at, shut.account_name) == (_DENIED, _LATER, "team")
    assert shut.regions == before.regions
    assert not shut.is_complete
    assert cover_account(shut, _ACCOUNT, {}, _LATER, now=_LATER).failure is None


_EARLIER, _NOW = START - timedelta(minutes=5), START + timedelta(minutes=5)


@pytest.mark.parametrize(
    "older", [Complete(()), Unreadable(_DENIED), NotRead(Standing.GOVERNED), Complete((), began=_EARLIER)]
)
def test_a_read_that_began_earlier_changes_nothing_of_a_region_that_was_read_since(older: RegionRead) -> None:
    """Whatever it came to: also where its run is the later one, and only the read itself is older."""
    before = cover_account(_NOTHING, _ACCOUNT, {_HERE: Complete(())}, START, now=START)
    began = _NOW if isinstance(older, Complete) and older.began else _EARLIER
    covered = cover_account(before, _ACCOUNT, {_HERE: older}, began, now=_NOW)
    assert covered.regions == before.regions


def test_a_run_that_began_earlier_says_nothing_of_the_account_that_a_later_one_has_tried() -> None:
    before = cover_account(_NOTHING, _ACCOUNT, {_HERE: Complete(())}, START, now=START)
    assert cover_account(before, _ACCOUNT, _DENIED, _EARLIER, now=_NOW) == before
    assert cover_account(before, _ACCOUNT, _DENIED, _EARLIER, now=_NOW, is_whole=False) == before


def test_a_failure_of_a_later_read_outlasts_an_earlier_one() -> None:
    failed = cover_account(_NOTHING, _ACCOUNT, {_HERE: Unreadable(_DENIED)}, START, now=START)
    other = Unreadable(Failure(FailureReason.TIMED_OUT))
    assert cover_account(failed, _ACCOUNT, {_HERE: other}, _EARLIER, now=_NOW).regions == failed.regions
    covered = cover_account(failed, _ACCOUNT, {_HERE: Complete(())}, _EARLIER, now=_NOW).regions[_HERE]
    assert (covered.complete_at, covered.failed_at, covered.failure) == (_EARLIER, START, _DENIED)


def test_a_time_from_the_future_is_of_a_wrong_clock_and_does_not_stay() -> None:
    before = cover_account(_NOTHING, _ACCOUNT, {_HERE: Complete(())}, START + timedelta(days=365), now=START)
    covered = cover_account(before, _ACCOUNT, {_HERE: Complete(())}, START, now=START)
    assert (covered.regions[_HERE].complete_at, covered.tried_at) == (START, START)


def test_shared_vpcs_are_remembered_until_a_complete_read_shows_them_no_more() -> None:
    theirs = Vpc(vpc_ids(1), ACCOUNTS[1], _HERE, "10.0.0.0/16")
    own = Vpc(vpc_ids(2), ACCOUNTS[0], _HERE, "10.1.0.0/16")
    stored = [StoredVpc(vpc, START, START, 1) for vpc in (theirs, own)]
    seen = shared_after(_NOTHING, [], {_HERE: Complete((theirs, own))})
    assert seen == {theirs.key}
    before = Coverage(ACCOUNTS[0], shared=seen)
    assert shared_after(before, stored, {_HERE: Unreadable(_DENIED)}) == {theirs.key}
    assert shared_after(before, stored, {_THERE: Complete(())}) == {theirs.key}
    assert shared_after(before, stored, {_HERE: Complete((own,))}) == frozenset()
    assert shared_after(before, stored, {_HERE: Complete((own,))}, confirm_deletions=False) == {theirs.key}
    assert shared_after(before, [], {}) == frozenset()

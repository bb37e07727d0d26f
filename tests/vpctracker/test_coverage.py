"""What is known of an account after each try."""

from __future__ import annotations

from datetime import timedelta

from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.org import Account, Failure, FailureReason
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage, cover_account, shared_after
from landkeeper.vpctracker.inventory import Complete, StoredVpc, Unreadable, Vpc

_ACCOUNT = Account(ACCOUNTS[0], "team")
_HERE, _THERE = REGIONS
_LATER = START + timedelta(hours=1)
_DENIED = Failure(FailureReason.SCP_DENY)
_NOTHING = Coverage(ACCOUNTS[0])


def test_a_complete_read_is_remembered_with_its_time() -> None:
    covered = cover_account(_NOTHING, _ACCOUNT, {_HERE: Complete(())}, START)
    assert covered == Coverage(ACCOUNTS[0], "team", START, regions={_HERE: RegionCoverage(complete_at=START)})
    assert covered.is_complete


def test_a_failed_read_keeps_the_time_of_the_last_complete_one() -> None:
    before = cover_account(_NOTHING, _ACCOUNT, {_HERE: Complete(())}, START)
    covered = cover_account(before, _ACCOUNT, {_HERE: Unreadable(_DENIED), _THERE: Unreadable(_DENIED)}, _LATER)
    assert covered.regions == {
        _HERE: RegionCoverage(complete_at=START, failed_at=_LATER, failure=_DENIED),
        _THERE: RegionCoverage(failed_at=_LATER, failure=_DENIED),
    }
    assert not covered.is_complete


def test_a_region_that_can_be_read_again_has_no_failure_left() -> None:
    before = cover_account(_NOTHING, _ACCOUNT, {_HERE: Unreadable(_DENIED)}, START)
    assert cover_account(before, _ACCOUNT, {_HERE: Complete(())}, _LATER).regions == {_HERE: RegionCoverage(_LATER)}


def test_an_account_without_a_way_in_keeps_what_is_known_of_its_regions() -> None:
    before = cover_account(_NOTHING, _ACCOUNT, {_HERE: Complete(())}, START)
    shut = cover_account(before, Account(ACCOUNTS[0]), _DENIED, _LATER)
    assert (shut.failure, shut.tried_at, shut.account_name) == (_DENIED, _LATER, "team")
    assert shut.regions == before.regions
    assert not shut.is_complete
    assert cover_account(shut, _ACCOUNT, {}, _LATER).failure is None


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
    assert shared_after(before, [], {}) == frozenset()

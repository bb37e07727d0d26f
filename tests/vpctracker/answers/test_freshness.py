"""How fresh a VPC is, and why it is not fresher."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.org import Failure, FailureReason, Membership, Standing
from landkeeper.vpctracker.answers.freshness import by_account, vpc_freshness
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.inventory import DELETED, NOBODY, StoredVpc, Vpc

_DENIED = Failure(FailureReason.MISSING_PERMISSION, "UnauthorizedOperation")
_READ = RegionCoverage(complete_at=START)
_VPC = StoredVpc(
    Vpc(vpc_ids(1), ACCOUNTS[0], REGIONS[0], "10.0.0.0/16", read_by=ACCOUNTS[0]), START, START, 1
)  # fmt: skip


def _covered(region: RegionCoverage, **others: object) -> Coverage:
    return replace(Coverage(ACCOUNTS[0], regions={REGIONS[0]: region}), **others)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("coverage", "why"),
    [
        (_covered(_READ), ""),
        (_covered(replace(_READ, failure=_DENIED)), "permission missing"),
        (_covered(_READ, failure=_DENIED), "permission missing"),
        (_covered(_READ, membership=Membership.DEPARTED), "its account is departed"),
        (_covered(replace(_READ, standing=Standing.GOVERNED)), "the region is governed"),
        (_covered(_READ, regions={}), "its region has never been read"),
        (Coverage(ACCOUNTS[1]), "its account has never been read"),
    ],
)
def test_what_the_newest_try_came_to_says_whether_it_is_stale(coverage: Coverage, why: str) -> None:
    known = vpc_freshness(by_account([coverage]), _VPC)
    assert (known.why_stale, known.is_stale) == (why, bool(why))
    assert known.read_at == (None if "never" in why else START)


def test_a_shared_vpc_is_as_fresh_as_the_account_that_read_it() -> None:
    coverage = by_account([_covered(_READ)])
    assert not vpc_freshness(coverage, replace(_VPC, vpc=replace(_VPC.vpc, owner=ACCOUNTS[1]))).is_stale
    nobody = vpc_freshness(coverage, replace(_VPC, vpc=replace(_VPC.vpc, read_by=NOBODY)))
    assert nobody.why_stale == "no account can read it any more"


def test_a_vpc_that_was_not_seen_once_says_so_unless_there_is_worse() -> None:
    missed = replace(_VPC, missing_since=START)
    assert vpc_freshness(by_account([_covered(_READ)]), missed).why_stale == "not seen by the last read"
    assert vpc_freshness(by_account([_covered(_READ, failure=_DENIED)]), missed).why_stale == "permission missing"


def test_a_vpc_that_is_gone_does_not_get_stale() -> None:
    gone = replace(_VPC, vpc=replace(_VPC.vpc, state=DELETED), deleted_at=START)
    known = vpc_freshness({}, gone)
    assert (known.read_at, known.is_stale) == (START, False)

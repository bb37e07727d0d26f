"""How fresh what is stored is: when the place of a VPC was last read, and why not since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from landkeeper.org import AccountId, Failure, Membership, Region, Standing
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.inventory import NOBODY

if TYPE_CHECKING:
    from landkeeper.vpctracker.inventory import StoredVpc, Vpc


@dataclass(frozen=True, slots=True)
class Freshness:
    """What is known of one account and region, or of one VPC there."""

    read_at: datetime | None = None
    """When it was last read completely; None when it never was."""
    why_stale: str = ""
    """Why it is not newer than that, in words; empty where the newest try got through."""
    failure: Failure | None = None
    """What AWS answered to the newest try, where that is why."""

    @property
    def is_stale(self) -> bool:
        """Whether it is shown as it was last known."""
        return bool(self.why_stale)


def by_account(coverage: Iterable[Coverage]) -> dict[AccountId, Coverage]:
    """The coverage of each account."""
    return {known.account: known for known in coverage}


def know_region(coverage: Coverage | None, region: Region) -> Freshness:
    """What is known of that region of that account."""
    if coverage is None:
        return Freshness(why_stale="its account has never been read")
    covered = coverage.regions.get(region, RegionCoverage())
    if coverage.membership is not Membership.ACTIVE:
        return Freshness(covered.complete_at, f"its account is {coverage.membership}")
    failure = coverage.failure or covered.failure
    if failure is not None:
        return Freshness(covered.complete_at, str(failure.reason), failure)
    if covered.standing is not Standing.READ:
        return Freshness(covered.complete_at, f"the region is {covered.standing}")
    return Freshness(covered.complete_at, "" if covered.complete_at else "its region has never been read")


def vpc_freshness(coverage: Mapping[AccountId, Coverage], stored: StoredVpc) -> Freshness:
    """What is known of the place that the VPC's attributes are from."""
    if not stored.is_live:
        return Freshness(stored.deleted_at)
    reader = _reader_of(stored.vpc)
    if reader is None:
        return Freshness(why_stale="no account can read it any more")
    known = know_region(coverage.get(reader), stored.vpc.region)
    if stored.missing_since is not None and not known.is_stale:
        return Freshness(known.read_at, "not seen by the last read")
    return known


def _reader_of(vpc: Vpc) -> AccountId | None:
    return None if vpc.read_by == NOBODY else vpc.read_by

"""What is known of each account's regions: when each was last read completely, or why it could not be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from landkeeper.org import Account, AccountId, Failure, Region
from landkeeper.vpctracker.inventory import Complete, RegionRead, StoredVpc, Unreadable, VpcKey, seen_vpcs


@dataclass(frozen=True, slots=True)
class RegionCoverage:
    """How the reads of one region of one account went."""

    complete_at: datetime | None = None
    """When the last read that got through began; None when none ever did."""
    failed_at: datetime | None = None
    failure: Failure | None = None
    """Why the newest read did not get through; None when it did."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is known of one account."""

    account: AccountId
    account_name: str = ""
    tried_at: datetime | None = None
    """When it was last tried, with whatever result."""
    failure: Failure | None = None
    """Why no region of it could be read the last time: no way in, or no list of its regions."""
    regions: Mapping[Region, RegionCoverage] = field(default_factory=dict)
    shared: frozenset[VpcKey] = frozenset()
    """VPCs of other owners that it saw, so that the next read can tell which are no longer shared with it."""

    @property
    def is_complete(self) -> bool:
        """Whether the newest try read every region that is known of it."""
        return self.failure is None and all(region.failure is None for region in self.regions.values())


def cover_account(
    before: Coverage, account: Account, reads: Mapping[Region, RegionRead] | Failure, now: datetime
) -> Coverage:
    """The coverage after one more try. Regions that were not tried stay as they were."""
    name = account.name or before.account_name
    if isinstance(reads, Failure):
        return replace(before, account_name=name, tried_at=now, failure=reads)
    regions = {
        **before.regions,
        **{region: _cover(before.regions.get(region), read, now) for region, read in reads.items()},
    }
    return replace(before, account_name=name, tried_at=now, failure=None, regions=regions)


def _cover(before: RegionCoverage | None, read: RegionRead, now: datetime) -> RegionCoverage:
    if isinstance(read, Unreadable):
        return replace(before or RegionCoverage(), failed_at=now, failure=read.failure)
    return RegionCoverage(complete_at=now)


def shared_after(
    before: Coverage, stored: Iterable[StoredVpc], reads: Mapping[Region, RegionRead]
) -> frozenset[VpcKey]:
    """The other owners' VPCs that the account sees now, or saw in regions that were not read completely this time."""
    seen = {vpc.key for vpc in seen_vpcs(reads) if vpc.owner != before.account}
    kept = {one.vpc.key for one in stored if one.vpc.key in before.shared
            and not isinstance(reads.get(one.vpc.region), Complete)}  # fmt: skip
    return frozenset(seen | kept)

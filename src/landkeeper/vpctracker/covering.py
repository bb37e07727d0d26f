"""What a try to read an account adds to its coverage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from landkeeper.org import Account, Failure, Membership, Region, Standing
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.differences import Complete, NotRead, RegionRead, Unreadable, seen_vpcs
from landkeeper.vpctracker.inventory import StoredVpc, VpcKey


def cover_account(
    before: Coverage,
    account: Account,
    reads: Mapping[Region, RegionRead] | Failure,
    now: datetime,
    *,
    is_whole: bool = True,
) -> Coverage:
    """The coverage after one more try. Regions that were not tried stay as they were.

    A try of a few regions (not `is_whole`) is no run: it neither counts as a failed one nor makes up for any.
    """
    after = replace(before, account_name=account.name or before.account_name)
    if not isinstance(reads, Failure):
        after = replace(after, regions=_cover_regions(before.regions, reads, now))
    if not is_whole:
        return replace(after, failure=reads) if isinstance(reads, Failure) else after
    failure = reads if isinstance(reads, Failure) else None
    organization = account.organization or before.organization
    after = replace(after, tried_at=now, failure=failure, organization=organization, membership=Membership.ACTIVE)
    return replace(after, failed_runs=0 if after.is_complete else before.failed_runs + 1)


def _cover_regions(
    before: Mapping[Region, RegionCoverage], reads: Mapping[Region, RegionRead], now: datetime
) -> Mapping[Region, RegionCoverage]:
    # A region that was never enabled is not worth a word; one that was read and then disabled is.
    told = {region: read for region, read in reads.items() if read != NotRead(Standing.DISABLED) or region in before}
    return {
        **before,
        **{region: _cover(before.get(region, RegionCoverage()), read, now) for region, read in told.items()},
    }


def _cover(before: RegionCoverage, read: RegionRead, now: datetime) -> RegionCoverage:
    match read:
        case Unreadable(failure):
            return replace(before, failed_at=now, failure=failure, standing=Standing.READ)
        case NotRead(standing):
            return replace(before, failed_at=None, failure=None, connections_failure=None, standing=standing)
        case Complete(connections_failure=None):
            return RegionCoverage(complete_at=now, connections_at=now)
        case Complete(connections_failure=unread):
            return RegionCoverage(complete_at=now, connections_at=before.connections_at, connections_failure=unread)
        case _:
            assert_never(read)


def shared_after(
    before: Coverage,
    stored: Iterable[StoredVpc],
    reads: Mapping[Region, RegionRead],
    *,
    confirm_deletions: bool = True,
) -> frozenset[VpcKey]:
    """The other owners' VPCs that the account sees now, or saw in regions that were not read completely this time.

    Without `confirm_deletions` it keeps those that it does not see any more as well.
    """
    seen = {vpc.key for vpc in seen_vpcs(reads) if vpc.owner != before.account}
    kept = {one.vpc.key for one in stored if one.vpc.key in before.shared
            and not (confirm_deletions and isinstance(reads.get(one.vpc.region), Complete))}  # fmt: skip
    return frozenset(seen | kept)

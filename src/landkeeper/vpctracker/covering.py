"""What a try to read an account adds to its coverage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from landkeeper.org import Account, Failure, Membership, Region, Standing
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.differences import Complete, NotRead, RegionRead, Unreadable, began_at, seen_vpcs
from landkeeper.vpctracker.inventory import StoredVpc, VpcKey


def has_later_read(known: RegionCoverage | None, began: datetime, now: datetime) -> bool:
    """Return whether a complete read of the region is known that began after `began`.

    A time after `now` is of a machine whose clock is wrong, and counts for nothing. Stored times are whole seconds: two
    reads that began in the same second count as one.
    """
    return known is not None and _is_between(began, known.complete_at, now)


def _is_between(began: datetime, moment: datetime | None, now: datetime) -> bool:
    return moment is not None and began < moment <= now


def cover_account(
    before: Coverage,
    account: Account,
    reads: Mapping[Region, RegionRead] | Failure,
    began: datetime,
    *,
    now: datetime,
    is_whole: bool = True,
) -> Coverage:
    """Return the coverage after one more try, which began then. Regions that were not tried stay as they were.

    What a try that began later found, up to `now`, stays as well: no time moves back. A try of a few regions (not
    `is_whole`) is no run: it neither counts as a failed one nor makes up for any.
    """
    after = replace(before, account_name=account.name or before.account_name)
    if not isinstance(reads, Failure):
        after = replace(after, regions=_cover_regions(before.regions, reads, began, now))
    if _is_between(began, before.tried_at, now):
        return after
    if not is_whole:
        return replace(after, failure=reads) if isinstance(reads, Failure) else after
    failure = reads if isinstance(reads, Failure) else None
    organization = account.organization or before.organization
    after = replace(after, tried_at=began, failure=failure, organization=organization, membership=Membership.ACTIVE)
    return replace(after, failed_runs=0 if after.is_complete else before.failed_runs + 1)


def _cover_regions(
    before: Mapping[Region, RegionCoverage], reads: Mapping[Region, RegionRead], began: datetime, now: datetime
) -> Mapping[Region, RegionCoverage]:
    # A region that was never enabled is not worth a word; one that was read and then disabled is.
    known = {region: read for region, read in reads.items() if read != NotRead(Standing.DISABLED) or region in before}
    return {
        **before,
        **{
            region: _cover(before.get(region, RegionCoverage()), read, began_at(read, began), now)
            for region, read in known.items()
        },
    }


def _cover(before: RegionCoverage, read: RegionRead, began: datetime, now: datetime) -> RegionCoverage:
    if has_later_read(before, began, now):
        return before
    match read:
        case Unreadable() if _is_between(began, before.failed_at, now):
            return before
        case Unreadable(failure):
            return replace(before, failed_at=began, failure=failure, standing=Standing.READ)
        case NotRead(standing):
            return replace(before, failed_at=None, failure=None, connections_failure=None, standing=standing)
        case Complete(connections_failure=unread):
            after = RegionCoverage(began, connections_at=began if unread is None else before.connections_at)
            after = replace(after, connections_failure=unread)
            if _is_between(began, before.failed_at, now):
                return replace(after, failed_at=before.failed_at, failure=before.failure)
            return after
        case _:
            assert_never(read)


def shared_after(
    before: Coverage,
    stored: Iterable[StoredVpc],
    reads: Mapping[Region, RegionRead],
    *,
    confirm_deletions: bool = True,
) -> frozenset[VpcKey]:
    """Return the other owners' VPCs that the account sees now, or saw in regions that were not read completely now.

    Without `confirm_deletions` it keeps those that it does not see any more as well.
    """
    seen = {vpc.key for vpc in seen_vpcs(reads) if vpc.owner != before.account}
    kept = {known.vpc.key for known in stored if known.vpc.key in before.shared
            and not (confirm_deletions and isinstance(reads.get(known.vpc.region), Complete))}  # fmt: skip
    return frozenset(seen | kept)

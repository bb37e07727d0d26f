"""What is known of each account's regions: when each was last read completely, or why it could not be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from landkeeper.org import Account, AccountId, Failure, Region
from landkeeper.vpctracker.inventory import (
    Complete,
    NotRead,
    RegionRead,
    Standing,
    StoredVpc,
    Unreadable,
    VpcKey,
    seen_vpcs,
)


class Membership(StrEnum):
    """How an account stands to the organisation that it was found in. Only active ones are read."""

    ACTIVE = "active"
    """Or in no organisation as far as is known: named by its id, or by a profile."""
    SUSPENDED = "suspended"
    PENDING_CLOSURE = "pending closure"
    CLOSED = "closed"
    INACTIVE = "not active"
    """In a state that is none of the others, as an account that is just being made."""
    DEPARTED = "departed"
    """The organisation no longer lists it. Its VPCs keep their state, and their blocks stay taken."""
    SKIPPED = "skipped"
    """The configuration leaves it out."""


@dataclass(frozen=True, slots=True)
class RegionCoverage:
    """How the reads of one region of one account went."""

    complete_at: datetime | None = None
    """When the last read that got through began; None when none ever did."""
    failed_at: datetime | None = None
    failure: Failure | None = None
    """Why the newest read did not get through; None when it did."""
    connections_at: datetime | None = None
    """The same for peerings and transit gateway attachments; None when they were never read: unknown, not none."""
    connections_failure: Failure | None = None
    """Why the newest complete read of the VPCs came without their connections; None when it did not."""
    standing: Standing = Standing.READ
    """Governed and disabled regions are not read, and that is no failure."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is known of one account."""

    account: AccountId
    account_name: str = ""
    tried_at: datetime | None = None
    """When a whole run last tried it, with whatever result."""
    failure: Failure | None = None
    """Why no region of it could be read the last time: no way in, or no list of its regions."""
    regions: Mapping[Region, RegionCoverage] = field(default_factory=dict)
    shared: frozenset[VpcKey] = frozenset()
    """VPCs of other owners that it saw, so that the next read can tell which are no longer shared with it."""
    failed_runs: int = 0
    """Runs in a row that could not read all of it; 0 after a complete one."""
    organization: str = ""
    """The id of the organisation that listed it, as in `o-exampleorgid`; empty where none did."""
    membership: Membership = Membership.ACTIVE
    unit: str | None = None
    """The path of the organizational unit it is in, as in `Workloads/Prod`, empty for the root; None: not looked up."""
    version: int = field(default=0, compare=False)
    """How often it was written; 0 for what was never stored. A write must know the newest."""

    @property
    def is_complete(self) -> bool:
        """Whether the newest try read every region that is known of it."""
        return self.failure is None and all(region.failure is None for region in self.regions.values())


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
    believe_absence: bool = True,
) -> frozenset[VpcKey]:
    """The other owners' VPCs that the account sees now, or saw in regions that were not read completely this time.

    Without `believe_absence` it keeps those that it does not see any more as well.
    """
    seen = {vpc.key for vpc in seen_vpcs(reads) if vpc.owner != before.account}
    kept = {one.vpc.key for one in stored if one.vpc.key in before.shared
            and not (believe_absence and isinstance(reads.get(one.vpc.region), Complete))}  # fmt: skip
    return frozenset(seen | kept)

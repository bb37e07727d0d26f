"""What is known of each account's regions: when each was last read completely, or why it could not be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from landkeeper.org import AccountId, Failure, Membership, Region, Standing
from landkeeper.vpctracker.inventory import VpcKey


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
    """The id of the organization that listed it, as in `o-exampleorgid`; empty where none did."""
    membership: Membership = Membership.ACTIVE
    unit: str | None = None
    """The path of the organizational unit it is in, as in `Workloads/Prod`, empty for the root; None: not looked up."""
    version: int = field(default=0, compare=False)
    """How often it was written; 0 for what was never stored. A write must know the newest."""

    @property
    def is_complete(self) -> bool:
        """Whether the newest try read every region that is known of it."""
        return self.failure is None and all(region.failure is None for region in self.regions.values())

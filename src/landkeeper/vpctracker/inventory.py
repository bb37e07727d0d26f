"""VPCs as they are read and as they are stored, and the difference between the two.

A failed read is not an empty one: only a complete read of the owner's own account takes a VPC away. What was not read
stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, NewType, assert_never

from landkeeper.org import Account, AccountId, Failure, Region
from landkeeper.vpctracker.fit import fit_vpc

VpcId = NewType("VpcId", str)

AVAILABLE, PENDING, DELETED = "available", "pending", "deleted"
"""`State`: the first two are EC2's, the third is ours for a VPC that is gone."""

NOBODY = AccountId("")

_GONE_ASSOCIATIONS = frozenset({"failed", "disassociated"})


class VpcKey(NamedTuple):
    """The primary key of a stored VPC."""

    vpc: VpcId
    owner: AccountId


@dataclass(frozen=True, slots=True)
class CidrAssociation:
    """A CIDR block of a VPC, IPv4 or IPv6, and how far along its association is."""

    id: str
    cidr_block: str
    state: str
    """EC2's word: associating, associated, disassociating, disassociated, failing, failed."""

    @property
    def is_taken(self) -> bool:
        """Whether nobody else may use the block; still so while it comes or goes."""
        return self.state not in _GONE_ASSOCIATIONS


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet of a VPC."""

    id: str
    az_id: str
    """The zone's id, which means the same zone in every account, unlike its name."""
    cidr_block: str
    """Empty for a subnet that has only IPv6."""
    free_addresses: int


@dataclass(frozen=True, slots=True)
class Peering:
    """A peering connection of a VPC, seen from that VPC's side; one that is over is none."""

    id: str
    state: str
    """EC2's word: initiating-request, pending-acceptance, provisioning, active, deleting."""
    peer_vpc: VpcId
    peer_owner: AccountId
    peer_region: Region
    peer_cidr_blocks: tuple[str, ...] = ()
    """The blocks of the other side as EC2 tells them, IPv4 first; empty until the other side has accepted."""


@dataclass(frozen=True, slots=True)
class TransitGatewayAttachment:
    """The attachment of a VPC to a transit gateway; one that is over is none. It says nothing of routes."""

    id: str
    transit_gateway: str
    transit_gateway_owner: AccountId
    state: str
    """EC2's word: pendingAcceptance, pending, available, modifying, deleting, …"""


@dataclass(frozen=True, slots=True)
class Vpc:
    """A VPC as EC2 describes it, and whose it is."""

    id: VpcId
    owner: AccountId
    region: Region
    cidr_block: str
    """The primary IPv4 block."""
    is_default: bool = False
    state: str = AVAILABLE
    account_name: str = ""
    name: str = ""
    """Its tag `Name`."""
    cidr_associations: tuple[CidrAssociation, ...] = ()
    """Every association, IPv4 and IPv6, whatever its state."""
    tags: Mapping[str, str] = field(default_factory=dict)
    instance_tenancy: str = "default"
    dhcp_options_id: str = ""
    shared_with: tuple[AccountId, ...] = ()
    """Accounts whose own reads show it, in order."""
    subnets: tuple[Subnet, ...] = ()
    peerings: tuple[Peering, ...] = ()
    transit_gateways: tuple[TransitGatewayAttachment, ...] = ()
    read_by: AccountId = NOBODY
    """The account whose read these attributes are from: the owner, or a participant while the owner was never read."""
    omitted: tuple[str, ...] = ()
    """Stored attributes that it has but that are empty here, because the item would have been too large."""

    @property
    def key(self) -> VpcKey:
        """What it is stored under."""
        return VpcKey(self.id, self.owner)

    @property
    def cidr_blocks(self) -> tuple[str, ...]:
        """The IPv4 blocks that are associated; the primary one first."""
        others = (a.cidr_block for a in self.cidr_associations if a.state == "associated" and ":" not in a.cidr_block)
        return (self.cidr_block, *(block for block in others if block != self.cidr_block))

    @property
    def ipv6_cidr_blocks(self) -> tuple[str, ...]:
        """The IPv6 blocks that are associated."""
        return tuple(a.cidr_block for a in self.cidr_associations if a.state == "associated" and ":" in a.cidr_block)

    @property
    def taken_blocks(self) -> tuple[str, ...]:
        """Every block that nobody else may use: the primary one, and all associations but failed and gone ones."""
        others = (a.cidr_block for a in self.cidr_associations if a.is_taken and a.cidr_block != self.cidr_block)
        return (self.cidr_block, *others)


@dataclass(frozen=True, slots=True)
class StoredVpc:
    """A VPC as a store keeps it."""

    vpc: Vpc
    first_seen: datetime
    last_changed: datetime
    version: int
    """1 when it appears, and one more with every change; a write is conditional on it."""
    deleted_at: datetime | None = None
    missing_since: datetime | None = None
    """Since when reads that are not believed alone no longer show it; None while it is seen, and once it is deleted."""

    @property
    def is_live(self) -> bool:
        """Whether it was there when its owner was last read."""
        return self.vpc.state != DELETED


@dataclass(frozen=True, slots=True)
class Complete:
    """Every VPC that one account sees in one region: its own, and those that are shared with it."""

    vpcs: tuple[Vpc, ...]
    connections_failure: Failure | None = None
    """Why peerings and transit gateway attachments could not be read; the VPCs then hold none, which means nothing."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The region could not be read to the end; nothing is known of it."""

    failure: Failure


class Standing(StrEnum):
    """Whether a region of an account is one that is read."""

    READ = "read"
    GOVERNED = "governed"
    """Declared empty by decree: a policy closes it for good."""
    DISABLED = "disabled"
    """The account has not enabled it, or no longer has."""


@dataclass(frozen=True, slots=True)
class NotRead:
    """The region was left out on purpose: no failure, and no knowledge either."""

    standing: Standing


RegionRead = Complete | Unreadable | NotRead


@dataclass(frozen=True, slots=True)
class Appeared:
    """A VPC that was not stored."""

    after: StoredVpc

    @property
    def expected_version(self) -> int:
        """The version that must be stored for this to be written; 0 means no item."""
        return 0


@dataclass(frozen=True, slots=True)
class Changed:
    """A stored VPC of which something is different now."""

    before: StoredVpc
    after: StoredVpc

    @property
    def expected_version(self) -> int:
        """The version that must be stored for this to be written."""
        return self.before.version


@dataclass(frozen=True, slots=True)
class Disappeared:
    """A stored VPC that a complete read of its owner no longer shows."""

    before: StoredVpc
    after: StoredVpc
    by: str = ""
    """The principal for whom Landkeeper itself deleted it; empty where only the read tells that it is gone."""

    @property
    def expected_version(self) -> int:
        """The version that must be stored for this to be written."""
        return self.before.version


Change = Appeared | Changed | Disappeared


def seen_vpcs(reads: Mapping[Region, RegionRead]) -> tuple[Vpc, ...]:
    """All VPCs of the regions that were read completely."""
    return tuple(vpc for read in reads.values() if isinstance(read, Complete) for vpc in read.vpcs)


def diff_account(
    stored: Iterable[StoredVpc],
    reads: Mapping[Region, RegionRead],
    account: Account,
    now: datetime,
    *,
    believe_absence: bool = True,
    deleted_by: Mapping[VpcId, str] = MappingProxyType({}),
) -> tuple[Change, ...]:
    """What has to be written so that the store agrees with the reads of one account.

    `stored` holds what the account owns, and of other owners' VPCs those it sees or saw. A change of free addresses
    alone is none. A shared VPC is one item under its owner: a participant's read adds or removes the participant, and
    says what the VPC is like only while no read of the owner does. Connections that could not be read stay as they
    were. Without `believe_absence` a VPC that is not seen is only marked, and gone at the next complete read.
    `deleted_by` says of VPCs that Landkeeper itself deleted for whom it did.
    """
    kept = {one.vpc.key: one for one in stored}
    complete = {region: read for region, read in reads.items() if isinstance(read, Complete)}
    seen = {vpc.key: fit_vpc(_with_known_connections(vpc, read, kept.get(vpc.key)))
            for read in complete.values() for vpc in read.vpcs}  # fmt: skip
    changes = [_diff_seen(kept.get(key), vpc, account, now) for key, vpc in seen.items()]
    unseen = [one for key, one in kept.items() if key not in seen and one.is_live and one.vpc.region in complete]
    changes += [_diff_unseen(one, account, now, believe_absence=believe_absence, by=deleted_by.get(one.vpc.id, ""))
                for one in unseen]  # fmt: skip
    return tuple(change for change in changes if change is not None)


def _with_known_connections(vpc: Vpc, read: Complete, before: StoredVpc | None) -> Vpc:
    if read.connections_failure is None or before is None:
        return vpc
    return replace(vpc, peerings=before.vpc.peerings, transit_gateways=before.vpc.transit_gateways)


def _diff_seen(before: StoredVpc | None, vpc: Vpc, account: Account, now: datetime) -> Change | None:
    if vpc.owner == account.id:
        return _diff_own(before, vpc, account, now)
    if before is None:
        shared = replace(vpc, shared_with=(account.id,), read_by=account.id)
        return Appeared(StoredVpc(shared, first_seen=now, last_changed=now, version=1))
    # A participant's read may be older than the owner's: it does not bring back what the owner no longer shows.
    return _diff_shared(before, vpc, account, now) if before.is_live else None


def _diff_own(before: StoredVpc | None, vpc: Vpc, account: Account, now: datetime) -> Change | None:
    if before is None:
        own = replace(vpc, account_name=account.name, shared_with=(), read_by=account.id)
        return Appeared(StoredVpc(own, first_seen=now, last_changed=now, version=1))
    name = account.name or before.vpc.account_name
    own = replace(vpc, account_name=name, shared_with=before.vpc.shared_with, read_by=account.id)
    return _change(before, own, now)


def _diff_shared(before: StoredVpc, vpc: Vpc, account: Account, now: datetime) -> Change | None:
    participants = tuple(sorted({*before.vpc.shared_with, account.id}))
    marked = before.missing_since
    if before.vpc.read_by in {NOBODY, account.id}:
        name = before.vpc.account_name
        vpc = replace(vpc, account_name=name, shared_with=participants, read_by=account.id)
        return _change(before, vpc, now, missing_since=marked)
    return _change(before, replace(before.vpc, shared_with=participants), now, missing_since=marked)


def _diff_unseen(
    before: StoredVpc, account: Account, now: datetime, *, believe_absence: bool, by: str
) -> Change | None:
    if before.vpc.owner == account.id:
        if not believe_absence and before.missing_since is None:
            return _change(before, before.vpc, now, missing_since=now)
        gone = replace(before.vpc, state=DELETED, shared_with=(), read_by=account.id)
        return Disappeared(before, _next(before, gone, now), by)
    if not believe_absence:
        return None
    participants = tuple(one for one in before.vpc.shared_with if one != account.id)
    reader = NOBODY if before.vpc.read_by == account.id else before.vpc.read_by
    vpc = replace(before.vpc, shared_with=participants, read_by=reader)
    return _change(before, vpc, now, missing_since=before.missing_since)


def _change(before: StoredVpc, vpc: Vpc, now: datetime, *, missing_since: datetime | None = None) -> Changed | None:
    is_same = _without_free_addresses(vpc) == _without_free_addresses(before.vpc)
    if is_same and missing_since == before.missing_since:
        return None
    return Changed(before, _next(before, vpc, now, missing_since))


def _next(before: StoredVpc, vpc: Vpc, now: datetime, missing_since: datetime | None = None) -> StoredVpc:
    deleted_at = now if vpc.state == DELETED else None
    return replace(
        before,
        vpc=vpc,
        last_changed=now,
        version=before.version + 1,
        deleted_at=deleted_at,
        missing_since=missing_since,
    )


def _without_free_addresses(vpc: Vpc) -> Vpc:
    return replace(vpc, subnets=tuple(replace(subnet, free_addresses=0) for subnet in vpc.subnets))


def kind_of(change: Change) -> str:
    """The word for a change in history and in summaries: appeared, changed, disappeared."""
    match change:
        case Appeared():
            return "appeared"
        case Changed():
            return "changed"
        case Disappeared():
            return "disappeared"
        case _:
            assert_never(change)

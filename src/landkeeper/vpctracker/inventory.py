"""VPCs as they are read and as they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, NewType

from landkeeper.org import AccountId, Region

VpcId = NewType("VpcId", str)

AVAILABLE, DELETED = "available", "deleted"
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

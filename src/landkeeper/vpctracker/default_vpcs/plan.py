"""Default VPCs: what is known of one, and whether it may be deleted.

A default VPC is unused when nothing lies in it, nothing is attached to it, and nothing that could launch or place
something later refers to it. What could not be looked at counts as in use.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from landkeeper.org import AccountId, Failure, Region
from landkeeper.vpctracker.inventory import VpcId


class Look(StrEnum):
    """What is looked at in a default VPC and around it; also the words for what keeps one."""

    NETWORK_INTERFACE = "network interface"
    PUBLIC_ADDRESS = "mapped public address"
    ENDPOINT = "VPC endpoint"
    NAT_GATEWAY = "NAT gateway"
    VPN_GATEWAY = "virtual private gateway"
    PEERING = "peering connection"
    TRANSIT_GATEWAY = "transit gateway attachment"
    EGRESS_ONLY_GATEWAY = "egress-only internet gateway"
    CARRIER_GATEWAY = "carrier gateway"
    SUBNET = "extra subnet"
    SECURITY_GROUP = "extra security group"
    GROUP_RULE = "security group rule across VPCs"
    ROUTE = "route"
    INTERNET_GATEWAY = "internet gateway"
    NETWORK_ACL = "network ACL"
    AUTO_SCALING_GROUP = "Auto Scaling group"
    LAUNCH_TEMPLATE = "launch template"
    DATABASE_SUBNETS = "database subnet group"
    CACHE_SUBNETS = "cache subnet group"
    LOAD_BALANCER = "load balancer"
    CLASSIC_LOAD_BALANCER = "Classic Load Balancer"
    HOSTED_ZONE = "private hosted zone"
    UNKNOWN = "unknown dependency of"


@dataclass(frozen=True, slots=True)
class Holder:
    """Something that may need a VPC: it lies there, is attached, or names the VPC, a subnet or a group of it."""

    look: Look
    id: str
    note: str = ""
    """What a person knows it by besides its id."""
    vpc: str = ""
    """The VPC that it names, if it does."""
    subnets: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    follows_default: bool = False
    """Whether it goes into the default VPC of its region without naming it."""


@dataclass(frozen=True, slots=True)
class DefaultSubnet:
    """A subnet of a default VPC."""

    id: str
    is_default: bool
    """EC2's `DefaultForAz`: whether it is one of those that come with the VPC."""
    free_addresses: int = 0


@dataclass(frozen=True, slots=True)
class InternetGateway:
    """The internet gateway of a default VPC, or one that an earlier run has taken off it."""

    id: str
    is_attached: bool = True
    is_marked: bool = False
    """Whether it has the mark by which it is found once it is detached."""


@dataclass(frozen=True, slots=True)
class RouteTable:
    """A route table of a default VPC."""

    id: str
    is_main: bool
    leads_to: tuple[str, ...] = ()
    """Targets of its active routes other than the VPC itself and internet gateways, and gateways that it is for."""


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group of the region, in whatever VPC."""

    id: str
    name: str
    vpc: str
    names: frozenset[str] = frozenset()
    """Groups that its rules name, itself included."""

    @property
    def is_default(self) -> bool:
        """Whether it came with its VPC; nobody can make or delete one of that name."""
        return self.name == "default"


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Something that could not be looked at."""

    look: Look
    failure: Failure

    def __str__(self) -> str:
        return f"{self.look} not checked: {self.failure}"


@dataclass(frozen=True, slots=True)
class DefaultVpc:
    """A VPC that EC2 calls the default, with what lies in it and what may refer to it."""

    id: VpcId
    owner: AccountId
    region: Region
    cidr_block: str
    is_default: bool = True
    subnets: tuple[DefaultSubnet, ...] = ()
    gateways: tuple[InternetGateway, ...] = ()
    route_tables: tuple[RouteTable, ...] = ()
    extra_network_acls: tuple[str, ...] = ()
    groups: tuple[SecurityGroup, ...] = ()
    """All of the region."""
    holders: tuple[Holder, ...] = ()
    """All that was found in the region; which of them need this VPC is decided here."""
    unchecked: tuple[Unchecked, ...] = ()


class Act(StrEnum):
    """What is done on the way to a deleted default VPC."""

    DELETE_SUBNET = "delete subnet"
    MARK_GATEWAY = "mark internet gateway"
    DETACH_GATEWAY = "detach internet gateway"
    DELETE_GATEWAY = "delete internet gateway"
    DELETE_ROUTE_TABLE = "delete route table"
    DELETE_NETWORK_ACL = "delete network ACL"
    DELETE_VPC = "delete VPC"


@dataclass(frozen=True, slots=True)
class Step:
    """One call."""

    act: Act
    id: str
    vpc: VpcId

    def __str__(self) -> str:
        return f"{self.act} {self.id}"


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that keeps a default VPC."""

    look: Look
    id: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.look} {self.id}" + (f" ({self.note})" if self.note else "")


@dataclass(frozen=True, slots=True)
class Plan:
    """The default VPC is unused, and goes by these steps, in this order."""

    vpc: DefaultVpc
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class InUse:
    """The default VPC is needed; it is not touched."""

    vpc: DefaultVpc
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing that was looked at needs the default VPC, and not everything could be: it counts as in use."""

    vpc: DefaultVpc


@dataclass(frozen=True, slots=True)
class NoDefaultVpc:
    """There is none of this account's own."""


Decision = Plan | InUse | Unknown | NoDefaultVpc


def decide(vpc: DefaultVpc | NoDefaultVpc, account: AccountId) -> Decision:
    """What is to be done about the default VPC of a region as it was just read, for the account that is to own it.

    Subnets go first: EC2 refuses the first one that is needed after all, and the internet gateway is still there then.
    """
    if isinstance(vpc, NoDefaultVpc) or not vpc.is_default or vpc.owner != account:
        return NoDefaultVpc()
    reasons = tuple(_reasons(vpc))
    if reasons:
        return InUse(vpc, reasons)
    return Unknown(vpc) if vpc.unchecked else Plan(vpc, tuple(_steps(vpc)))


def _reasons(vpc: DefaultVpc) -> Iterator[Reason]:
    for subnet in vpc.subnets:
        if not subnet.is_default:
            yield Reason(Look.SUBNET, subnet.id)
    yield from _group_reasons(vpc)
    for table in vpc.route_tables:
        for target in table.leads_to:
            yield Reason(Look.ROUTE, table.id, f"to {target}")
    for holder in vpc.holders:
        if _needs(holder, vpc):
            yield Reason(holder.look, holder.id, holder.note)


def _group_reasons(vpc: DefaultVpc) -> Iterator[Reason]:
    own = {group.id for group in vpc.groups if group.vpc == vpc.id}
    for group in vpc.groups:
        if group.id in own:
            if not group.is_default:
                yield Reason(Look.SECURITY_GROUP, group.id, group.name)
            for named in sorted(group.names - own):
                yield Reason(Look.GROUP_RULE, group.id, f"names {named}")
        else:
            for named in sorted(group.names & own):
                yield Reason(Look.GROUP_RULE, group.id, f"names {named}")


def _needs(holder: Holder, vpc: DefaultVpc) -> bool:
    return (
        holder.follows_default
        or holder.vpc == vpc.id
        or any(subnet.id in holder.subnets for subnet in vpc.subnets)
        or any(group.id in holder.groups for group in vpc.groups if group.vpc == vpc.id)
    )


def _steps(vpc: DefaultVpc) -> Iterator[Step]:
    # The fullest first: if something was missed after all, EC2 refuses before anything is gone.
    for subnet in sorted(vpc.subnets, key=lambda candidate: (candidate.free_addresses, candidate.id)):
        yield Step(Act.DELETE_SUBNET, subnet.id, vpc.id)
    for gateway in vpc.gateways:
        yield from _gateway_steps(gateway, vpc.id)
    for table in vpc.route_tables:
        if not table.is_main:
            yield Step(Act.DELETE_ROUTE_TABLE, table.id, vpc.id)
    for acl in vpc.extra_network_acls:
        yield Step(Act.DELETE_NETWORK_ACL, acl, vpc.id)
    yield Step(Act.DELETE_VPC, vpc.id, vpc.id)


def _gateway_steps(gateway: InternetGateway, vpc: VpcId) -> Iterator[Step]:
    if gateway.is_attached:
        if not gateway.is_marked:
            # Between the next two calls nothing else tells whose it was.
            yield Step(Act.MARK_GATEWAY, gateway.id, vpc)
        yield Step(Act.DETACH_GATEWAY, gateway.id, vpc)
    yield Step(Act.DELETE_GATEWAY, gateway.id, vpc)

"""VPCs as EC2 describes them, account by account and region by region."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from landkeeper.aws.failures import CALL_ERRORS, failure_of
from landkeeper.aws.vpctracker.connections import PAGE_SIZE, read_peerings, read_transit_gateways
from landkeeper.org import Account, AccountId, Failure, FailureReason, Region, Standing
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.differences import Complete, NotRead, RegionRead, Unreadable
from landkeeper.vpctracker.inventory import CidrAssociation, Peering, Subnet, TransitGatewayAttachment, Vpc, VpcId

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import RegionTypeDef

    from landkeeper.aws.sessions import AccountCredentials, AccountSessions

_ENABLED = frozenset({"opt-in-not-required", "opted-in"})

CALLS_AT_ONCE = 4
"""Regions of one account that are read at the same time, at most: EC2 throttles per account and region."""

T = TypeVar("T")

# EC2 left out what it always sends, or sent what is no address block.
_STRANGE_ANSWERS = (KeyError, ValueError)


class RegionReader:
    """Reads the regions of accounts, some at a time."""

    def __init__(
        self,
        sessions_of: Callable[[AccountId], AccountSessions],
        *,
        regions: tuple[Region, ...] = (),
        is_governed: Callable[[AccountId, Region], bool] = lambda _account, _region: False,
        calls_at_once: int = CALLS_AT_ONCE,
    ) -> None:
        """`sessions_of` says through which sessions an account is entered. Without `regions`: those it has enabled.
        Governed regions are not read.
        `calls_at_once` regions of an account are."""
        self._sessions_of = sessions_of
        self._regions = regions
        self._is_governed = is_governed
        self._calls_at_once = calls_at_once

    def _read_each(
        self,
        account: Account,
        read: Callable[[AccountSessions, AccountCredentials, Region], T],
        regions: Collection[Region] | None = None,
    ) -> Mapping[Region, T | NotRead] | Failure:
        """What `read` answers for `regions`, or for every region of the account.

        Those that are governed or not enabled are left out; a Failure when the account or its regions are not known.
        """
        sessions = self._sessions_of(account.id)
        grant = sessions.grant_for(account.id)
        if isinstance(grant, Failure):
            return grant
        chosen = self._regions or None if regions is None else regions
        found = find_regions(sessions, grant) if chosen is None else dict.fromkeys(chosen, Standing.READ)
        if isinstance(found, Failure):
            return found

        def standing_of(region: Region) -> Standing:
            governed = found[region] is Standing.READ and self._is_governed(grant.account, region)
            return Standing.GOVERNED if governed else found[region]

        standings = {region: standing_of(region) for region in found}
        left_out = {region: NotRead(standing) for region, standing in standings.items() if standing != Standing.READ}
        to_read = _from_its_own_start(grant.account, [region for region in standings if region not in left_out])
        with ThreadPoolExecutor(self._calls_at_once, thread_name_prefix="region") as pool:
            # Each call says in its own thread whose it is: a ContextVar of this thread is not seen there.
            reads = pool.map(lambda region: read(sessions, grant, region), to_read)
            return {**left_out, **dict(zip(to_read, reads, strict=True))}


def _now() -> datetime:
    return datetime.now(UTC)


class Ec2VpcReader(RegionReader):
    """Reads VPCs through EC2; the tracker's `VpcReader`."""

    def __init__(
        self,
        sessions_of: Callable[[AccountId], AccountSessions],
        *,
        regions: tuple[Region, ...] = (),
        is_governed: Callable[[AccountId, Region], bool] = lambda _account, _region: False,
        calls_at_once: int = CALLS_AT_ONCE,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """As for a `RegionReader`. `clock` says when the read of each region begins."""
        super().__init__(sessions_of, regions=regions, is_governed=is_governed, calls_at_once=calls_at_once)
        self._clock = clock

    def read_account(
        self, account: Account, regions: Collection[Region] | None = None
    ) -> Mapping[Region, RegionRead] | Failure:
        """Every region of the account, or just `regions`, a few at a time."""
        try:
            return self._read_each(account, self._read_region, regions)
        finally:
            self._sessions_of(account.id).forget(account.id)

    def _read_region(self, sessions: AccountSessions, grant: AccountCredentials, region: Region) -> RegionRead:
        began = self._clock()
        return replace(read_region(sessions, grant, region), began=began)


def _from_its_own_start(account: AccountId, regions: Sequence[Region]) -> Sequence[Region]:
    """The regions, beginning with another one for each account.

    Otherwise all accounts would be in the same region at the same time, each on a connection of its own: a TLS
    handshake costs more than a call.
    """
    start = int(account) % len(regions) if regions else 0
    return (*regions[start:], *regions[:start])


def find_regions(sessions: AccountSessions, grant: AccountCredentials) -> Mapping[Region, Standing] | Failure:
    """Every region there is, and whether the account has enabled it; asked for where the sessions are at home."""
    try:
        with sessions.signing_as(grant):
            listed = sessions.ec2(sessions.region).describe_regions(AllRegions=True)["Regions"]
    except CALL_ERRORS as error:
        return failure_of(error)
    except _STRANGE_ANSWERS as error:
        return _strange(error)
    standings = {Region(one["RegionName"]): _standing_of(one) for one in listed}
    return dict(sorted(standings.items()))


def _standing_of(region: RegionTypeDef) -> Standing:
    return Standing.READ if region.get("OptInStatus", "opted-in") in _ENABLED else Standing.DISABLED


def read_region(sessions: AccountSessions, grant: AccountCredentials, region: Region) -> Complete | Unreadable:
    """Every VPC that the grant's account sees in the region, shared ones included, with the subnets it sees in them
    and what they are connected to.

    Where the connections alone cannot be read, the region is complete and says why they are unknown.
    """
    try:
        with sessions.signing_as(grant):
            client = sessions.ec2(region)
            raw_vpcs = _read_raw_vpcs(client)
            # Most regions of most accounts are empty: that costs one call, not four.
            subnets = _read_subnets(client) if raw_vpcs else {}
            connections = _read_connections(client) if raw_vpcs else _Connections()
        vpcs = tuple(_vpc_of(raw, region, subnets, connections) for raw in raw_vpcs)
    except CALL_ERRORS as error:
        return Unreadable(failure_of(error))
    except _STRANGE_ANSWERS as error:
        return Unreadable(_strange(error))
    return Complete(vpcs, connections.failure)


def _strange(error: KeyError | ValueError) -> Failure:
    return Failure(FailureReason.OTHER, "StrangeAnswer", f"EC2's answer is not as documented: {error!r}")


@dataclass(frozen=True, slots=True)
class _Connections:
    peerings: Mapping[VpcId, tuple[Peering, ...]] = field(default_factory=dict)
    transit_gateways: Mapping[VpcId, tuple[TransitGatewayAttachment, ...]] = field(default_factory=dict)
    failure: Failure | None = None


def _read_connections(client: EC2Client) -> _Connections:
    try:
        return _Connections(read_peerings(client), read_transit_gateways(client))
    except CALL_ERRORS as error:
        return _Connections(failure=failure_of(error))
    except _STRANGE_ANSWERS as error:
        return _Connections(failure=_strange(error))


def _vpc_of(
    raw: Mapping[str, Any], region: Region, subnets: Mapping[str, tuple[Subnet, ...]], connections: _Connections
) -> Vpc:
    vpc = parse_vpc(raw, region, subnets.get(raw["VpcId"], ()))
    return replace(
        vpc,
        peerings=connections.peerings.get(vpc.id, ()),
        transit_gateways=connections.transit_gateways.get(vpc.id, ()),
    )


def _read_raw_vpcs(client: EC2Client) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_vpcs").paginate(PaginationConfig={"PageSize": PAGE_SIZE})
    return [raw for page in pages for raw in page["Vpcs"]]


def _read_subnets(client: EC2Client) -> Mapping[str, tuple[Subnet, ...]]:
    found: defaultdict[str, list[Subnet]] = defaultdict(list)
    for page in client.get_paginator("describe_subnets").paginate(PaginationConfig={"PageSize": PAGE_SIZE}):
        for raw in page["Subnets"]:
            found[raw["VpcId"]].append(
                Subnet(
                    id=raw["SubnetId"],
                    az_id=raw.get("AvailabilityZoneId", ""),
                    cidr_block=raw.get("CidrBlock", ""),
                    free_addresses=raw.get("AvailableIpAddressCount", 0),
                )
            )
    return {vpc: tuple(sorted(subnets, key=lambda subnet: subnet.id)) for vpc, subnets in found.items()}


def parse_vpc(raw: Mapping[str, Any], region: Region, subnets: tuple[Subnet, ...]) -> Vpc:
    """A VPC of a DescribeVpcs answer. Lists are put in order, so that the same VPC is the same value the next time.

    Raises KeyError or ValueError for what no VPC is like.
    """
    tags = {tag["Key"]: tag["Value"] for tag in raw.get("Tags", ())}
    associations = [
        _parse_association(one, one["CidrBlock"], one.get("CidrBlockState"))
        for one in raw.get("CidrBlockAssociationSet", ())
    ]
    associations += [
        _parse_association(one, one["Ipv6CidrBlock"], one.get("Ipv6CidrBlockState"))
        for one in raw.get("Ipv6CidrBlockAssociationSet", ())
        if one.get("Ipv6CidrBlock")
    ]
    return Vpc(
        id=VpcId(raw["VpcId"]),
        owner=AccountId(raw["OwnerId"]),
        region=region,
        cidr_block=_block(raw["CidrBlock"]),
        is_default=raw.get("IsDefault", False),
        state=raw["State"],
        name=tags.get("Name", ""),
        cidr_associations=tuple(sorted(associations, key=lambda one: one.id)),
        tags=dict(sorted(tags.items())),
        instance_tenancy=raw.get("InstanceTenancy", "default"),
        dhcp_options_id=raw.get("DhcpOptionsId", ""),
        subnets=subnets,
    )


def _parse_association(raw: Mapping[str, Any], block: str, state: Mapping[str, Any] | None) -> CidrAssociation:
    return CidrAssociation(raw["AssociationId"], _block(block), (state or {}).get("State", "associated"))


def _block(text: str) -> str:
    return str(parse_block(text))

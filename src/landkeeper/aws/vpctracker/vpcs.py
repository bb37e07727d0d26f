"""VPCs as EC2 describes them, account by account and region by region."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from landkeeper.aws.deadlines import do_each_within, do_within
from landkeeper.aws.enabled_regions import find_regions
from landkeeper.aws.failures import CALL_ERRORS, STRANGE_ANSWERS, failure_of, strange_answer
from landkeeper.aws.paging import pages
from landkeeper.aws.vpctracker.connections import PAGE_SIZE, read_peerings, read_transit_gateways
from landkeeper.org import Account, AccountId, Failure, Region, Standing
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.differences import Complete, NotRead, RegionRead, Unreadable
from landkeeper.vpctracker.inventory import CidrAssociation, Peering, Subnet, TransitGatewayAttachment, Vpc, VpcId

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

    from landkeeper.aws.sessions import AccountCredentials, AccountSessions

CALLS_AT_ONCE = 4
"""Regions of one account that are read at the same time, at most: EC2 throttles per account and region."""

T = TypeVar("T")


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
    ) -> Mapping[Region, T | NotRead | Unreadable] | Failure:
        """What `read` answers for `regions`, or for every region of the account.

        Those that are governed or not enabled are left out; a Failure when the account or its regions are not known.
        Regions that are late are unreadable: those that hang keep no other from being read.
        """
        sessions = self._sessions_of(account.id)
        deadline = sessions.account_deadline()
        entered = do_within(deadline, lambda: self._enter(sessions, account, regions))
        if isinstance(entered, Failure):
            return entered
        credentials, standings = entered
        left_out = {region: NotRead(standing) for region, standing in standings.items() if standing != Standing.READ}
        to_read = _from_its_own_start(account.id, [region for region in standings if region not in left_out])

        def read_place(region: Region) -> T:
            return read(sessions, credentials, region)

        answers = do_each_within(deadline, read_place, to_read, at_once=self._calls_at_once, part=0.5)
        reads = {
            region: Unreadable(answer) if isinstance(answer, Failure) else answer for region, answer in answers.items()
        }
        return {**left_out, **reads}

    def _enter(
        self, sessions: AccountSessions, account: Account, regions: Collection[Region] | None
    ) -> tuple[AccountCredentials, Mapping[Region, Standing]] | Failure:
        """The way into the account, and how each region stands that is to be read or left out."""
        credentials = sessions.credentials_for(account.id)
        if isinstance(credentials, Failure):
            return credentials
        chosen = self._regions or None if regions is None else regions
        found: Mapping[Region, Standing] | Failure = dict.fromkeys(chosen or (), Standing.READ)
        if chosen is None:
            found = find_regions(sessions, credentials, lambda region: self._is_governed(account.id, region))
        if isinstance(found, Failure):
            return found

        def standing_of(region: Region) -> Standing:
            governed = found[region] is Standing.READ and self._is_governed(account.id, region)
            return Standing.GOVERNED if governed else found[region]

        return credentials, {region: standing_of(region) for region in found}


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

    def _read_region(self, sessions: AccountSessions, credentials: AccountCredentials, region: Region) -> RegionRead:
        began = self._clock()
        return replace(read_region(sessions, credentials, region), began=began)


def _from_its_own_start(account: AccountId, regions: Sequence[Region]) -> Sequence[Region]:
    """The regions, beginning with another one for each account.

    Otherwise all accounts would be in the same region at the same time, each on a connection of its own: a TLS
    handshake costs more than a call.
    """
    start = int(account) % len(regions) if regions else 0
    return (*regions[start:], *regions[:start])


def read_region(sessions: AccountSessions, credentials: AccountCredentials, region: Region) -> Complete | Unreadable:
    """Every VPC that the account sees in the region, shared ones included, with the subnets it sees in them and what
    they are connected to.

    Where the connections alone cannot be read, the region is complete and says why they are unknown.
    """
    try:
        with sessions.signing_as(credentials):
            client = sessions.ec2(region)
            raw_vpcs = _read_raw_vpcs(client)
            # Most regions of most accounts are empty: that costs one call, not four.
            subnets = _read_subnets(client) if raw_vpcs else {}
            connections = _read_connections(client) if raw_vpcs else _Connections()
        vpcs = tuple(_vpc_of(raw, region, subnets, connections) for raw in raw_vpcs)
    except CALL_ERRORS as error:
        return Unreadable(failure_of(error))
    except STRANGE_ANSWERS as error:
        return Unreadable(strange_answer("EC2", error))
    return Complete(vpcs, connections.failure)


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
    except STRANGE_ANSWERS as error:
        return _Connections(failure=strange_answer("EC2", error))


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
    return [raw for page in pages(client, "describe_vpcs", page_size=PAGE_SIZE) for raw in page["Vpcs"]]


def _read_subnets(client: EC2Client) -> Mapping[str, tuple[Subnet, ...]]:
    found: defaultdict[str, list[Subnet]] = defaultdict(list)
    for page in pages(client, "describe_subnets", page_size=PAGE_SIZE):
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
        _parse_association(association, association["CidrBlock"], association.get("CidrBlockState"))
        for association in raw.get("CidrBlockAssociationSet", ())
    ]
    associations += [
        _parse_association(association, association["Ipv6CidrBlock"], association.get("Ipv6CidrBlockState"))
        for association in raw.get("Ipv6CidrBlockAssociationSet", ())
        if association.get("Ipv6CidrBlock")
    ]
    return Vpc(
        id=VpcId(raw["VpcId"]),
        owner=AccountId(raw["OwnerId"]),
        region=region,
        cidr_block=_block(raw["CidrBlock"]),
        is_default=raw.get("IsDefault", False),
        state=raw["State"],
        name=tags.get("Name", ""),
        cidr_associations=tuple(sorted(associations, key=lambda association: association.id)),
        tags=dict(sorted(tags.items())),
        instance_tenancy=raw.get("InstanceTenancy", "default"),
        dhcp_options_id=raw.get("DhcpOptionsId", ""),
        subnets=subnets,
    )


def _parse_association(raw: Mapping[str, Any], block: str, state: Mapping[str, Any] | None) -> CidrAssociation:
    return CidrAssociation(raw["AssociationId"], _block(block), (state or {}).get("State", "associated"))


def _block(text: str) -> str:
    return str(parse_block(text))

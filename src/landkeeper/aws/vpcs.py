"""VPCs as EC2 describes them, account by account and region by region."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from landkeeper.aws.failures import failure_of
from landkeeper.org import Account, AccountId, Failure, Region
from landkeeper.vpctracker.inventory import CidrAssociation, Complete, RegionRead, Subnet, Unreadable, Vpc, VpcId

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

    from landkeeper.aws.sessions import AccountSessions, Grant

_ENABLED = frozenset({"opt-in-not-required", "opted-in"})


class Ec2VpcReader:
    """Reads VPCs through EC2; the tracker's `VpcReader`."""

    def __init__(
        self,
        sessions_of: Callable[[AccountId], AccountSessions],
        *,
        home_region: Region,
        regions: tuple[Region, ...] = (),
    ) -> None:
        """`sessions_of` says through which sessions an account is entered. Without `regions`: those it has enabled,
        which EC2 is asked for in `home_region`."""
        self._sessions_of = sessions_of
        self._home_region = home_region
        self._regions = regions

    def read_account(
        self, account: Account, regions: Collection[Region] | None = None
    ) -> Mapping[Region, RegionRead] | Failure:
        """Every region of the account, one after the other: EC2 throttles per account and region."""
        sessions = self._sessions_of(account.id)
        grant = sessions.grant_for(account.id)
        if isinstance(grant, Failure):
            return grant
        found = regions or self._regions or find_enabled_regions(sessions, grant, self._home_region)
        if isinstance(found, Failure):
            return found
        return {region: read_region(sessions, grant, region) for region in found}


def find_enabled_regions(sessions: AccountSessions, grant: Grant, home_region: Region) -> tuple[Region, ...] | Failure:
    """The regions that the account has enabled, asked for in `home_region`."""
    try:
        with sessions.using(grant):
            answer = sessions.ec2(home_region).describe_regions()
    except (ClientError, BotoCoreError) as error:
        return failure_of(error)
    return tuple(
        sorted(Region(one["RegionName"]) for one in answer["Regions"] if one.get("OptInStatus", "opted-in") in _ENABLED)
    )


def read_region(sessions: AccountSessions, grant: Grant, region: Region) -> RegionRead:
    """Every VPC that the grant's account sees in the region, shared ones included, with the subnets it sees in them."""
    try:
        with sessions.using(grant):
            client = sessions.ec2(region)
            subnets = _read_subnets(client)
            vpcs = [
                parse_vpc(raw, region, subnets.get(raw["VpcId"], ()))
                for page in client.get_paginator("describe_vpcs").paginate(PaginationConfig={"PageSize": 1000})
                for raw in page["Vpcs"]
            ]
    except (ClientError, BotoCoreError) as error:
        return Unreadable(failure_of(error))
    return Complete(tuple(vpcs))


def _read_subnets(client: EC2Client) -> Mapping[str, tuple[Subnet, ...]]:
    found: defaultdict[str, list[Subnet]] = defaultdict(list)
    for page in client.get_paginator("describe_subnets").paginate(PaginationConfig={"PageSize": 1000}):
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
    """A VPC of a DescribeVpcs answer. Lists are put in order, so that the same VPC is the same value the next time."""
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
        cidr_block=raw["CidrBlock"],
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
    return CidrAssociation(raw["AssociationId"], block, (state or {}).get("State", "associated"))

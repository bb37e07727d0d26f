"""Stored attributes: our values as plain dictionaries with AWS's attribute names, the same in both stores.

Everything in them is a string, an integer, a boolean, a list or a dictionary, so they fit DynamoDB and JSON alike.
Times are ISO 8601 in UTC, to the second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from landkeeper.org import AccountId, Failure, FailureReason, LandkeeperError, Membership, Region, Standing, format_time
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.inventory import (
    CidrAssociation,
    Peering,
    StoredVpc,
    Subnet,
    TransitGatewayAttachment,
    Vpc,
    VpcId,
    VpcKey,
)

if TYPE_CHECKING:
    from landkeeper.vpctracker.differences import Change

Attributes = dict[str, Any]
Parsed = TypeVar("Parsed")

_TIME_LENGTH, _TIME_MARKS = len("2026-03-01T12:00:00Z"), "--T::Z"


class StoredItemError(LandkeeperError):
    """An item of a store is not what Landkeeper writes there."""

    def __init__(self, item: str, why: str) -> None:
        super().__init__(f"the stored item {item} cannot be read: {why}")
        self.item = item
        self.why = why


def parse_time(text: str) -> datetime:
    """The moment that `format_time` wrote. Raises ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    # ISO 8601 has more ways to write a moment, which sort in other ways.
    if len(text) != _TIME_LENGTH or text[4::3] != _TIME_MARKS:
        raise ValueError(f"{text!r} is not a time such as 2026-03-01T12:00:00Z")
    return moment


def vpc_to_attributes(stored: StoredVpc) -> Attributes:
    """The item of the table of VPCs. `DeletedAt` and `MissingSince` are there only where they say something."""
    vpc = stored.vpc
    return {
        "VpcId": vpc.id,
        "OwnerId": vpc.owner,
        "CidrBlock": vpc.cidr_block,
        "IsDefault": vpc.is_default,
        "State": vpc.state,
        "Region": vpc.region,
        "AccountName": vpc.account_name,
        "Name": vpc.name,
        "CidrBlocks": list(vpc.cidr_blocks),
        "CidrAssociations": [
            {"AssociationId": association.id, "CidrBlock": association.cidr_block, "State": association.state}
            for association in vpc.cidr_associations
        ],
        "Ipv6CidrBlocks": list(vpc.ipv6_cidr_blocks),
        "Tags": dict(vpc.tags),
        "InstanceTenancy": vpc.instance_tenancy,
        "DhcpOptionsId": vpc.dhcp_options_id,
        "SharedWith": list(vpc.shared_with),
        "Subnets": [_subnet_to_attributes(subnet) for subnet in vpc.subnets],
        "PeeringConnections": [_peering_to_attributes(peering) for peering in vpc.peerings],
        "TransitGatewayAttachments": [_attachment_to_attributes(attachment) for attachment in vpc.transit_gateways],
        "ReadBy": vpc.read_by,
        "FirstSeen": format_time(stored.first_seen),
        "LastChanged": format_time(stored.last_changed),
        "Version": stored.version,
        **({"Omitted": list(vpc.omitted)} if vpc.omitted else {}),
        **_time_under("DeletedAt", stored.deleted_at),
        **_time_under("MissingSince", stored.missing_since),
    }


def vpc_from_attributes(attributes: Mapping[str, Any]) -> StoredVpc:
    """The stored VPC. Raises StoredItemError naming the item and what is wrong with it."""
    return parse_stored(attributes, _vpc_from_attributes, _name_of_vpc)


ATTRIBUTES_OF_BLOCKS = ("VpcId", "OwnerId", "AccountName", "Region", "CidrBlock", "CidrAssociations", "Tags")
"""What `blocks_from_attributes` looks at."""


def blocks_from_attributes(attributes: Mapping[str, Any]) -> Vpc:
    """The stored VPC as far as it says which addresses are taken, by whom and in which space; the rest is left out.

    Raises StoredItemError as `vpc_from_attributes` does. It is for many VPCs at once, and takes a third of the time.
    """
    return parse_stored(attributes, _blocks_from_attributes, _name_of_vpc)


def parse_stored(
    attributes: Mapping[str, Any],
    parse: Callable[[Mapping[str, Any]], Parsed],
    name: Callable[[Mapping[str, Any]], str],
) -> Parsed:
    """What `parse` makes of the item. Raises StoredItemError with its `name` for an item that it cannot read."""
    try:
        return parse(attributes)
    except KeyError as error:
        raise StoredItemError(name(attributes), f"{error.args[0]} is missing") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise StoredItemError(name(attributes), str(error)) from error


def _name_of_vpc(attributes: Mapping[str, Any]) -> str:
    return f"{attributes.get('VpcId', 'without VpcId')} of {attributes.get('OwnerId', 'an unknown owner')}"


def _blocks_from_attributes(attributes: Mapping[str, Any]) -> Vpc:
    return Vpc(
        id=VpcId(attributes["VpcId"]),
        owner=AccountId(attributes["OwnerId"]),
        region=Region(attributes["Region"]),
        cidr_block=_checked(attributes["CidrBlock"]),
        account_name=attributes.get("AccountName", ""),
        cidr_associations=_associations_from(attributes),
        tags=dict(attributes.get("Tags", {})),
    )


def _associations_from(attributes: Mapping[str, Any]) -> tuple[CidrAssociation, ...]:
    return tuple(
        CidrAssociation(association["AssociationId"], _checked(association["CidrBlock"]), association["State"])
        for association in attributes.get("CidrAssociations", ())
    )


def _vpc_from_attributes(attributes: Mapping[str, Any]) -> StoredVpc:
    owner = AccountId(attributes["OwnerId"])
    vpc = Vpc(
        id=VpcId(attributes["VpcId"]),
        owner=owner,
        region=Region(attributes["Region"]),
        cidr_block=_checked(attributes["CidrBlock"]),
        is_default=attributes["IsDefault"],
        state=attributes["State"],
        account_name=attributes.get("AccountName", ""),
        name=attributes.get("Name", ""),
        cidr_associations=_associations_from(attributes),
        tags=dict(attributes.get("Tags", {})),
        instance_tenancy=attributes.get("InstanceTenancy", "default"),
        dhcp_options_id=attributes.get("DhcpOptionsId", ""),
        shared_with=tuple(map(AccountId, attributes.get("SharedWith", ()))),
        subnets=tuple(_subnet_from_attributes(element) for element in attributes.get("Subnets", ())),
        peerings=tuple(map(_peering_from_attributes, attributes.get("PeeringConnections", ()))),
        transit_gateways=tuple(map(_attachment_from_attributes, attributes.get("TransitGatewayAttachments", ()))),
        read_by=AccountId(attributes.get("ReadBy", owner)),
        omitted=tuple(attributes.get("Omitted", ())),
    )
    return StoredVpc(
        vpc,
        first_seen=parse_time(attributes["FirstSeen"]),
        last_changed=parse_time(attributes["LastChanged"]),
        version=int(attributes["Version"]),
        deleted_at=_time_from(attributes, "DeletedAt"),
        missing_since=_time_from(attributes, "MissingSince"),
    )


def _checked(cidr_block: object) -> str:
    if not isinstance(cidr_block, str):
        raise TypeError(f"expected string for a CIDR block, found {cidr_block!r}")
    return str(parse_block(cidr_block))


def _subnet_to_attributes(subnet: Subnet) -> Attributes:
    return {
        "SubnetId": subnet.id,
        "AvailabilityZoneId": subnet.az_id,
        "CidrBlock": subnet.cidr_block,
        "AvailableIpAddressCount": subnet.free_addresses,
    }


def _subnet_from_attributes(attributes: Mapping[str, Any]) -> Subnet:
    return Subnet(
        attributes["SubnetId"],
        attributes["AvailabilityZoneId"],
        attributes["CidrBlock"],
        int(attributes["AvailableIpAddressCount"]),
    )


def _peering_to_attributes(peering: Peering) -> Attributes:
    return {
        "Id": peering.id,
        "State": peering.state,
        "PeerVpcId": peering.peer_vpc,
        "PeerOwnerId": peering.peer_owner,
        "PeerRegion": peering.peer_region,
        "PeerCidrBlocks": list(peering.peer_cidr_blocks),
    }


def _peering_from_attributes(attributes: Mapping[str, Any]) -> Peering:
    return Peering(
        attributes["Id"],
        attributes["State"],
        VpcId(attributes["PeerVpcId"]),
        AccountId(attributes["PeerOwnerId"]),
        Region(attributes["PeerRegion"]),
        tuple(map(_checked, attributes["PeerCidrBlocks"])),
    )


def _attachment_to_attributes(attachment: TransitGatewayAttachment) -> Attributes:
    return {
        "Id": attachment.id,
        "TransitGatewayId": attachment.transit_gateway,
        "TransitGatewayOwnerId": attachment.transit_gateway_owner,
        "State": attachment.state,
    }


def _attachment_from_attributes(attributes: Mapping[str, Any]) -> TransitGatewayAttachment:
    return TransitGatewayAttachment(
        attributes["Id"],
        attributes["TransitGatewayId"],
        AccountId(attributes["TransitGatewayOwnerId"]),
        attributes["State"],
    )


def history_of(change: Change) -> Attributes:
    """The history entry that is written together with the change.

    `After` holds a new VPC whole, and of a known one only the attributes that changed; `Before` holds the same
    attributes as they were, without those that were not there. Taking entries back from the newest gives the state at
    any earlier time. `At` is the time and the version, so that two changes in one second stay two. `By` is the
    principal for whom Landkeeper itself deleted it, if it did.
    """
    after = vpc_to_attributes(change.after)
    from landkeeper.vpctracker.differences import Appeared, Disappeared, kind_of  # noqa: PLC0415

    before = {} if isinstance(change, Appeared) else vpc_to_attributes(change.before)
    differing = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {
        "VpcId": change.after.vpc.id,
        "At": f"{format_time(change.after.last_changed)}#{change.after.version:08d}",
        "OwnerId": change.after.vpc.owner,
        "Kind": kind_of(change),
        "Version": change.after.version,
        "Before": {name: before[name] for name in differing if name in before},
        "After": {name: after[name] for name in differing if name in after},
        **({"By": change.by} if isinstance(change, Disappeared) and change.by else {}),
    }


def after_entries_at(moment: datetime) -> str:
    """A text between the `At` of the history entries of that second and those of later ones."""
    return f"{format_time(moment)}~"


def coverage_to_attributes(coverage: Coverage) -> Attributes:
    """The item of the table of coverage: one an account."""
    return {
        "AccountId": coverage.account,
        "AccountName": coverage.account_name,
        "Regions": {name: _region_to_attributes(region) for name, region in coverage.regions.items()},
        "SharedVpcs": [{"VpcId": key.vpc, "OwnerId": key.owner} for key in sorted(coverage.shared)],
        "FailedRuns": coverage.failed_runs,
        "OrganizationId": coverage.organization,
        "Membership": coverage.membership.name,
        "Version": coverage.version,
        **({} if coverage.unit is None else {"Unit": coverage.unit}),
        **_time_under("TriedAt", coverage.tried_at),
        **_failure_to_attributes(coverage.failure),
    }


def coverage_from_attributes(attributes: Mapping[str, Any]) -> Coverage:
    """The stored coverage. Raises StoredItemError naming the account and what is wrong."""
    return parse_stored(
        attributes,
        _coverage_from_attributes,
        lambda item: f"of coverage for {item.get('AccountId', 'an unknown account')}",
    )


def _coverage_from_attributes(attributes: Mapping[str, Any]) -> Coverage:
    return Coverage(
        account=AccountId(attributes["AccountId"]),
        account_name=attributes.get("AccountName", ""),
        tried_at=_time_from(attributes, "TriedAt"),
        failure=_failure_from(attributes),
        regions={Region(name): _region_from(element) for name, element in attributes.get("Regions", {}).items()},
        shared=frozenset(VpcKey(element["VpcId"], element["OwnerId"]) for element in attributes.get("SharedVpcs", ())),
        failed_runs=int(attributes.get("FailedRuns", 0)),
        organization=attributes.get("OrganizationId", ""),
        membership=Membership.__members__.get(attributes.get("Membership", ""), Membership.ACTIVE),
        unit=attributes.get("Unit"),
        version=int(attributes.get("Version", 0)),
    )


def _region_to_attributes(region: RegionCoverage) -> Attributes:
    connections = _failure_to_attributes(region.connections_failure)
    return {
        **_time_under("CompleteAt", region.complete_at),
        **_time_under("FailedAt", region.failed_at),
        **_failure_to_attributes(region.failure),
        **_time_under("ConnectionsAt", region.connections_at),
        **({"ConnectionsUnread": connections} if connections else {}),
        **({} if region.standing is Standing.READ else {"Standing": region.standing.name}),
    }


def _region_from(attributes: Mapping[str, Any]) -> RegionCoverage:
    return RegionCoverage(
        complete_at=_time_from(attributes, "CompleteAt"),
        failed_at=_time_from(attributes, "FailedAt"),
        failure=_failure_from(attributes),
        connections_at=_time_from(attributes, "ConnectionsAt"),
        connections_failure=_failure_from(attributes.get("ConnectionsUnread", {})),
        standing=Standing.__members__.get(attributes.get("Standing", ""), Standing.READ),
    )


def _time_under(name: str, moment: datetime | None) -> Attributes:
    return {} if moment is None else {name: format_time(moment)}


def _time_from(attributes: Mapping[str, Any], name: str) -> datetime | None:
    return parse_time(attributes[name]) if name in attributes else None


def _failure_to_attributes(failure: Failure | None) -> Attributes:
    if failure is None:
        return {}
    return {"Reason": failure.reason.name, "Code": failure.code, "Message": failure.message}


def _failure_from(attributes: Mapping[str, Any]) -> Failure | None:
    if "Reason" not in attributes:
        return None
    reason = FailureReason.__members__.get(attributes["Reason"], FailureReason.OTHER)
    return Failure(reason, attributes.get("Code", ""), attributes.get("Message", ""))

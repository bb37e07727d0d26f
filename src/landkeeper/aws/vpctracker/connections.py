"""What VPCs are connected to, as EC2 tells it in one region: peering connections and transit gateways."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from landkeeper.aws.paging import pages
from landkeeper.org import AccountId, Region
from landkeeper.vpctracker.inventory import Peering, TransitGatewayAttachment, VpcId

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

PAGE_SIZE = 1000

# Such a connection is over; EC2 shows it for some hours more (VPC Peering guide, "VPC peering connection lifecycle";
# Transit Gateway guide, "VPC attachment lifecycle").
_ENDED_PEERINGS = frozenset({"deleted", "rejected", "expired", "failed"})
_ENDED_ATTACHMENTS = frozenset({"deleted", "rejected", "failed"})


def read_peerings(client: EC2Client) -> Mapping[VpcId, tuple[Peering, ...]]:
    """The peerings in which a VPC has a part, on whichever side, by that VPC; those that are over are left out.

    Both sides are there, also of a peering between two VPCs of one account. Raises what boto3 raises.
    """
    found: defaultdict[VpcId, list[Peering]] = defaultdict(list)
    for page in pages(client, "describe_vpc_peering_connections", page_size=PAGE_SIZE):
        for raw in page["VpcPeeringConnections"]:
            if raw["Status"]["Code"] not in _ENDED_PEERINGS:
                for vpc, peering in parse_peering(raw):
                    found[vpc].append(peering)
    return {vpc: tuple(sorted(peerings, key=lambda peering: peering.id)) for vpc, peerings in found.items()}


def parse_peering(raw: Mapping[str, Any]) -> Iterator[tuple[VpcId, Peering]]:
    """The peering as each of its two sides sees it. Raises KeyError where a side does not say who it is."""
    requester, accepter = raw["RequesterVpcInfo"], raw["AccepterVpcInfo"]
    for side, other in ((requester, accepter), (accepter, requester)):
        yield (
            VpcId(side["VpcId"]),
            Peering(
                id=raw["VpcPeeringConnectionId"],
                state=raw["Status"]["Code"],
                peer_vpc=VpcId(other["VpcId"]),
                peer_owner=AccountId(other["OwnerId"]),
                peer_region=Region(other.get("Region", "")),
                peer_cidr_blocks=_blocks_of(other),
            ),
        )


def _blocks_of(side: Mapping[str, Any]) -> tuple[str, ...]:
    primary = [side["CidrBlock"]] if side.get("CidrBlock") else []
    others = sorted(raw["CidrBlock"] for raw in side.get("CidrBlockSet", ()) if raw["CidrBlock"] not in primary)
    return (*primary, *others, *sorted(raw["Ipv6CidrBlock"] for raw in side.get("Ipv6CidrBlockSet", ())))


def read_transit_gateways(client: EC2Client) -> Mapping[VpcId, tuple[TransitGatewayAttachment, ...]]:
    """The attachments to transit gateways by the VPC that is attached; those that are over are left out.

    DescribeTransitGatewayAttachments and not DescribeTransitGatewayVpcAttachments: only the first tells whose the
    gateway is. Raises what boto3 raises.
    """
    found: defaultdict[VpcId, list[TransitGatewayAttachment]] = defaultdict(list)
    filters = [{"Name": "resource-type", "Values": ["vpc"]}]
    for page in pages(client, "describe_transit_gateway_attachments", page_size=PAGE_SIZE, Filters=filters):
        for raw in page["TransitGatewayAttachments"]:
            if raw["State"] not in _ENDED_ATTACHMENTS:
                found[VpcId(raw["ResourceId"])].append(parse_attachment(raw))
    return {vpc: tuple(sorted(attachments, key=lambda attachment: attachment.id)) for vpc, attachments in found.items()}


def parse_attachment(raw: Mapping[str, Any]) -> TransitGatewayAttachment:
    """An attachment of a DescribeTransitGatewayAttachments answer."""
    return TransitGatewayAttachment(
        id=raw["TransitGatewayAttachmentId"],
        transit_gateway=raw["TransitGatewayId"],
        transit_gateway_owner=AccountId(raw.get("TransitGatewayOwnerId", "")),
        state=raw["State"],
    )

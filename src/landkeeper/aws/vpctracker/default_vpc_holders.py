"""What may need a default VPC: what lies in it, what is attached to it, and what names it from outside.

Each look is a call of its own, which may be refused alone. What has ended and is only still shown holds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from landkeeper.aws import paging
from landkeeper.aws.vpctracker.connections import read_peerings, read_transit_gateways
from landkeeper.vpctracker.default_vpcs.plan import Holder, Look
from landkeeper.vpctracker.inventory import VpcId

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

    from landkeeper.org import Region

ClientOf = Callable[[str], Any]
"""The client of a service, in the region that is looked at."""

_PAGE_SIZE = 100


def pages(client: Any, operation: str, listed: str, **parameters: Any) -> Iterator[Mapping[str, Any]]:
    """Everything that an operation of EC2 lists."""
    for page in paging.pages(client, operation, page_size=_PAGE_SIZE, **parameters):
        yield from page[listed]


def in_vpc(vpc: str, name: str = "vpc-id") -> list[dict[str, Any]]:
    """The filter for what is in a VPC."""
    return [{"Name": name, "Values": [vpc]}]


def _network_interfaces(client_of: ClientOf, vpc: VpcId) -> Iterator[Holder]:
    ec2: EC2Client = client_of("ec2")
    for raw in pages(ec2, "describe_network_interfaces", "NetworkInterfaces", Filters=in_vpc(vpc)):
        id_ = raw["NetworkInterfaceId"]
        address = raw.get("Association", {}).get("PublicIp")
        if address:
            yield Holder(Look.PUBLIC_ADDRESS, address, f"of {id_}", vpc=vpc)
        yield Holder(Look.NETWORK_INTERFACE, id_, _note(raw), vpc=vpc)


def _note(raw: Mapping[str, Any]) -> str:
    """What holds an interface: the instance, what the service says, or its kind."""
    kind = raw.get("InterfaceType", "")
    return str(raw.get("Attachment", {}).get("InstanceId") or raw.get("Description") or kind.replace("_", " "))


def _endpoints(client_of: ClientOf, vpc: VpcId) -> Iterator[Holder]:
    for raw in pages(client_of("ec2"), "describe_vpc_endpoints", "VpcEndpoints", Filters=in_vpc(vpc)):
        # EC2 writes this one's states in both cases (EC2 API Reference, "VpcEndpoint").
        if raw.get("State", "").lower() != "deleted":
            yield Holder(Look.ENDPOINT, raw["VpcEndpointId"], raw.get("ServiceName", ""), vpc=vpc)


def _nat_gateways(client_of: ClientOf, vpc: VpcId) -> Iterator[Holder]:
    for raw in pages(client_of("ec2"), "describe_nat_gateways", "NatGateways", Filter=in_vpc(vpc)):
        if raw.get("State") != "deleted":
            yield Holder(Look.NAT_GATEWAY, raw["NatGatewayId"], vpc=vpc)


def _vpn_gateways(client_of: ClientOf, vpc: VpcId) -> Iterator[Holder]:
    ec2: EC2Client = client_of("ec2")
    for raw in ec2.describe_vpn_gateways(Filters=in_vpc(vpc, "attachment.vpc-id"))["VpnGateways"]:  # type: ignore[arg-type]
        if _is_attached(raw.get("VpcAttachments", ()), vpc):
            yield Holder(Look.VPN_GATEWAY, raw["VpnGatewayId"], vpc=vpc)


def _peerings(client_of: ClientOf, vpc: VpcId) -> Iterator[Holder]:
    for peering in read_peerings(client_of("ec2")).get(vpc, ()):
        to = f"{peering.peer_vpc} of {peering.peer_owner}"
        yield Holder(Look.PEERING, peering.id, f"{peering.state}, with {to}", vpc=vpc)


def _transit_gateways(client_of: ClientOf, vpc: VpcId) -> Iterator[Holder]:
    for attachment in read_transit_gateways(client_of("ec2")).get(vpc, ()):
        to = f"{attachment.state}, to {attachment.transit_gateway}"
        yield Holder(Look.TRANSIT_GATEWAY, attachment.id, to, vpc=vpc)


def _egress_only_gateways(client_of: ClientOf, vpc: VpcId) -> Iterator[Holder]:
    listed = "EgressOnlyInternetGateways"
    for raw in pages(client_of("ec2"), "describe_egress_only_internet_gateways", listed):
        if _is_attached(raw.get("Attachments", ()), vpc):
            yield Holder(Look.EGRESS_ONLY_GATEWAY, raw["EgressOnlyInternetGatewayId"], vpc=vpc)


def _carrier_gateways(client_of: ClientOf, vpc: VpcId) -> Iterator[Holder]:
    for raw in pages(client_of("ec2"), "describe_carrier_gateways", "CarrierGateways", Filters=in_vpc(vpc)):
        if raw.get("State") != "deleted":
            yield Holder(Look.CARRIER_GATEWAY, raw["CarrierGatewayId"], vpc=vpc)


def _is_attached(attachments: Iterable[Mapping[str, Any]], vpc: VpcId) -> bool:
    return any(raw.get("VpcId") == vpc and raw.get("State") != "detached" for raw in attachments)


def _launch_templates(client_of: ClientOf, _: VpcId) -> Iterator[Holder]:
    """The default version of every template of the region."""
    listed = "LaunchTemplateVersions"
    for raw in pages(client_of("ec2"), "describe_launch_template_versions", listed, Versions=["$Default"]):
        data = raw["LaunchTemplateData"]
        interfaces = data.get("NetworkInterfaces", ())
        yield Holder(
            Look.LAUNCH_TEMPLATE,
            raw["LaunchTemplateId"],
            raw.get("LaunchTemplateName", ""),
            subnets=frozenset(interface["SubnetId"] for interface in interfaces if interface.get("SubnetId")),
            groups=frozenset(data.get("SecurityGroupIds", ())).union(
                *(interface.get("Groups", ()) for interface in interfaces)
            ),
            # Groups by name are those of the default VPC (EC2 API Reference, "RequestLaunchTemplateData").
            follows_default=bool(data.get("SecurityGroups")),
        )


def _auto_scaling_groups(client_of: ClientOf, _: VpcId) -> Iterator[Holder]:
    for page in client_of("autoscaling").get_paginator("describe_auto_scaling_groups").paginate():
        for raw in page["AutoScalingGroups"]:
            subnets = frozenset(
                part.strip() for part in (raw.get("VPCZoneIdentifier") or "").split(",") if part.strip()
            )
            # With zones alone it launches into the default VPC's subnet of each (Auto Scaling API Reference,
            # "CreateAutoScalingGroup", AvailabilityZones).
            yield Holder(
                Look.AUTO_SCALING_GROUP, raw["AutoScalingGroupName"], subnets=subnets, follows_default=not subnets
            )


def _database_subnets(client_of: ClientOf, _: VpcId) -> Iterator[Holder]:
    for page in client_of("rds").get_paginator("describe_db_subnet_groups").paginate():
        for raw in page["DBSubnetGroups"]:
            subnets = frozenset(subnet["SubnetIdentifier"] for subnet in raw.get("Subnets", ()))
            yield Holder(Look.DATABASE_SUBNETS, raw["DBSubnetGroupName"], vpc=raw.get("VpcId", ""), subnets=subnets)


def _cache_subnets(client_of: ClientOf, _: VpcId) -> Iterator[Holder]:
    for page in client_of("elasticache").get_paginator("describe_cache_subnet_groups").paginate():
        for raw in page["CacheSubnetGroups"]:
            subnets = frozenset(subnet["SubnetIdentifier"] for subnet in raw.get("Subnets", ()))
            yield Holder(Look.CACHE_SUBNETS, raw["CacheSubnetGroupName"], vpc=raw.get("VpcId", ""), subnets=subnets)


def _load_balancers(client_of: ClientOf, _: VpcId) -> Iterator[Holder]:
    for page in client_of("elbv2").get_paginator("describe_load_balancers").paginate():
        for raw in page["LoadBalancers"]:
            yield Holder(Look.LOAD_BALANCER, raw["LoadBalancerName"], raw.get("Type", ""), vpc=raw.get("VpcId", ""))


def _classic_load_balancers(client_of: ClientOf, _: VpcId) -> Iterator[Holder]:
    for page in client_of("elb").get_paginator("describe_load_balancers").paginate():
        for raw in page["LoadBalancerDescriptions"]:
            yield Holder(
                Look.CLASSIC_LOAD_BALANCER,
                raw["LoadBalancerName"],
                vpc=raw.get("VPCId", ""),
                subnets=frozenset(raw.get("Subnets", ())),
            )


LookFor = Callable[[ClientOf, VpcId], Iterable[Holder]]

LOOKS: Mapping[Look, LookFor] = {
    Look.NETWORK_INTERFACE: _network_interfaces,
    Look.ENDPOINT: _endpoints,
    Look.NAT_GATEWAY: _nat_gateways,
    Look.VPN_GATEWAY: _vpn_gateways,
    Look.PEERING: _peerings,
    Look.TRANSIT_GATEWAY: _transit_gateways,
    Look.EGRESS_ONLY_GATEWAY: _egress_only_gateways,
    Look.CARRIER_GATEWAY: _carrier_gateways,
    Look.LAUNCH_TEMPLATE: _launch_templates,
    Look.AUTO_SCALING_GROUP: _auto_scaling_groups,
    Look.DATABASE_SUBNETS: _database_subnets,
    Look.CACHE_SUBNETS: _cache_subnets,
    Look.LOAD_BALANCER: _load_balancers,
    Look.CLASSIC_LOAD_BALANCER: _classic_load_balancers,
}
"""In the order in which reasons are told."""


def find_hosted_zones(route53: Any, vpc: VpcId, region: Region) -> Iterator[Holder]:
    """The private hosted zones that the VPC is associated with, whoever made them. Route 53 is one for all regions.

    Source: Amazon Route 53 API Reference, "ListHostedZonesByVPC".
    """
    parameters: dict[str, str] = {"VPCId": vpc, "VPCRegion": region}
    while True:
        answer = route53.list_hosted_zones_by_vpc(**parameters)
        for raw in answer["HostedZoneSummaries"]:
            yield Holder(Look.HOSTED_ZONE, raw["HostedZoneId"], raw.get("Name", ""), vpc=vpc)
        if not answer.get("NextToken"):
            return
        parameters["NextToken"] = answer["NextToken"]

"""Ways to use a default VPC, each with the reasons that it gives for keeping it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.default_vpc_world import Place
from tests.member_instances import HERE

Made = tuple[str, str, str]
"""Kind, id and note of the reason that using it in this way gives."""


def _interface(place: Place) -> list[Made]:
    made = place.ec2.create_network_interface(SubnetId=place.subnets[0], Description="old database")
    return [("network interface", made["NetworkInterface"]["NetworkInterfaceId"], "old database")]


def _public_address(place: Place) -> list[Made]:
    (interface,) = _interface(place)
    address = place.ec2.allocate_address(Domain="vpc")
    place.ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=interface[1])
    return [("mapped public address", address["PublicIp"], f"of {interface[1]}"), interface]


def _endpoint(place: Place) -> list[Made]:
    service = f"com.amazonaws.{HERE}.s3"
    made = place.ec2.create_vpc_endpoint(VpcId=place.vpc, ServiceName=service, VpcEndpointType="Gateway")
    return [("VPC endpoint", made["VpcEndpoint"]["VpcEndpointId"], service)]


def _extra_subnet(place: Place) -> list[Made]:
    made = place.ec2.create_subnet(VpcId=place.vpc, CidrBlock="172.31.240.0/24")
    return [("extra subnet", made["Subnet"]["SubnetId"], "")]


def _peering(place: Place) -> list[Made]:
    vpc, other = place.vpc, place.other_vpc()
    made = place.ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=other)
    id_ = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    return [("peering connection", id_, f"pending-acceptance, with {other} of {place.account.id}")]


def _peering_from_the_other_side(place: Place) -> list[Made]:
    vpc, other = place.vpc, place.other_vpc()
    made = place.ec2.create_vpc_peering_connection(VpcId=other, PeerVpcId=vpc)
    id_ = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    place.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=id_)
    return [("peering connection", id_, f"active, with {other} of {place.account.id}")]


def _allow(place: Place, group: str, from_group: str) -> None:
    pairs = [{"GroupId": from_group}]
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": pairs}
    place.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


def _group(place: Place, vpc: str) -> str:
    return str(place.ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"])


def _extra_group(place: Place) -> list[Made]:
    return [("extra security group", _group(place, place.vpc), "web")]


def _group_named_elsewhere(place: Place) -> list[Made]:
    elsewhere = _group(place, place.other_vpc())
    _allow(place, elsewhere, place.group)
    return [("security group rule across VPCs", elsewhere, f"names {place.group}")]


def _group_that_names_another(place: Place) -> list[Made]:
    elsewhere = _group(place, place.other_vpc())
    _allow(place, place.group, elsewhere)
    return [("security group rule across VPCs", place.group, f"names {elsewhere}")]


def _nat_gateway(place: Place) -> list[Made]:
    made = place.ec2.create_nat_gateway(SubnetId=place.subnets[0], ConnectivityType="private")
    return [("NAT gateway", made["NatGateway"]["NatGatewayId"], "")]


def _vpn_gateway(place: Place) -> list[Made]:
    id_ = place.ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    place.ec2.attach_vpn_gateway(VpcId=place.vpc, VpnGatewayId=id_)
    return [("virtual private gateway", id_, "")]


def _transit_gateway(place: Place) -> list[Made]:
    gateway = place.ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    made = place.ec2.create_transit_gateway_vpc_attachment(
        TransitGatewayId=gateway, VpcId=place.vpc, SubnetIds=place.subnets[:1]
    )["TransitGatewayVpcAttachment"]
    return [("transit gateway attachment", made["TransitGatewayAttachmentId"], f"available, to {gateway}")]


def _egress_only_gateway(place: Place) -> list[Made]:
    made = place.ec2.create_egress_only_internet_gateway(VpcId=place.vpc)
    return [("egress-only internet gateway", made["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"], "")]


def _carrier_gateway(place: Place) -> list[Made]:
    made = place.ec2.create_carrier_gateway(VpcId=place.vpc)
    return [("carrier gateway", made["CarrierGateway"]["CarrierGatewayId"], "")]


def _template(place: Place, name: str, data: dict[str, Any]) -> list[Made]:
    made = place.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    return [("launch template", made["LaunchTemplate"]["LaunchTemplateId"], name)]


def _template_with_subnet(place: Place) -> list[Made]:
    return _template(place, "web", {"NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": place.subnets[1]}]})


def _template_with_group(place: Place) -> list[Made]:
    return _template(place, "web", {"SecurityGroupIds": [place.group]})


def _template_with_groups_by_name(place: Place) -> list[Made]:
    return _template(place, "web", {"SecurityGroups": ["default"]})


def _scaling_group(place: Place, **where: Any) -> list[Made]:
    scaling = place.client("autoscaling")
    scaling.create_launch_configuration(LaunchConfigurationName="web", ImageId="ami-12345678", InstanceType="t3.micro")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="web", LaunchConfigurationName="web", MinSize=0, MaxSize=2, DesiredCapacity=0, **where
    )
    return [("Auto Scaling group", "web", "")]


def _scaling_group_by_subnets(place: Place) -> list[Made]:
    return _scaling_group(place, VPCZoneIdentifier=",".join(place.subnets[:2]))


def _scaling_group_by_zones(place: Place) -> list[Made]:
    return _scaling_group(place, AvailabilityZones=[f"{HERE}a"])


def _database_subnets(place: Place) -> list[Made]:
    place.client("rds").create_db_subnet_group(
        DBSubnetGroupName="orders", DBSubnetGroupDescription="orders", SubnetIds=place.subnets
    )
    return [("database subnet group", "orders", "")]


def _cache_subnets(place: Place) -> list[Made]:
    place.client("elasticache").create_cache_subnet_group(
        CacheSubnetGroupName="carts", CacheSubnetGroupDescription="carts", SubnetIds=place.subnets
    )
    return [("cache subnet group", "carts", "")]


def _load_balancer(place: Place) -> list[Made]:
    place.client("elbv2").create_load_balancer(Name="front", Subnets=place.subnets[:2])
    return [("load balancer", "front", "application")]


def _classic_load_balancer(place: Place) -> list[Made]:
    listener = {"Protocol": "tcp", "LoadBalancerPort": 80, "InstancePort": 80}
    place.client("elb").create_load_balancer(LoadBalancerName="old", Listeners=[listener], Subnets=place.subnets[:1])
    return [("Classic Load Balancer", "old", "")]


def _hosted_zone(place: Place) -> list[Made]:
    made = place.client("route53").create_hosted_zone(
        Name="corp.example.com",
        CallerReference="1",
        VPC={"VPCRegion": HERE, "VPCId": place.vpc},
        HostedZoneConfig={"PrivateZone": True},
    )
    return [("private hosted zone", made["HostedZone"]["Id"].rpartition("/")[2], "corp.example.com.")]


USES: Sequence[Callable[[Place], list[Made]]] = [
    _interface, _public_address, _endpoint, _extra_subnet, _peering, _peering_from_the_other_side, _extra_group,
    _group_named_elsewhere, _group_that_names_another, _nat_gateway, _vpn_gateway, _transit_gateway,
    _egress_only_gateway, _carrier_gateway, _template_with_subnet, _template_with_group, _template_with_groups_by_name,
    _scaling_group_by_subnets, _scaling_group_by_zones, _database_subnets, _cache_subnets, _load_balancer,
    _classic_load_balancer, _hosted_zone,
]  # fmt: skip

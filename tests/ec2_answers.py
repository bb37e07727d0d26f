"""A server that answers as EC2 does, page by page, and a way in to it: what moto never does."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from tests.servers import HOME_REGION, Answer

from landkeeper.aws.sessions import AccountCredentials, AccountSessions, open_sessions
from landkeeper.org import AccountId

EC2_XML = '<{0}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">{1}</{0}Response>'

_SUBNET_XML = "<item><subnetId>subnet-{0}</subnetId><vpcId>vpc-2</vpcId></item>"


def vpc_xml(number: int) -> str:
    return (
        f"<item><vpcId>vpc-{number}</vpcId><ownerId>111122223333</ownerId><state>available</state>"
        f"<cidrBlock>10.{number}.0.0/16</cidrBlock></item>"
    )


_PEERINGS = ((1, "pending-acceptance"), (3, "deleted"), (4, "rejected"), (5, "expired"), (6, "failed"))
_ATTACHMENTS = ((1, "pendingAcceptance"), (3, "deleted"), (4, "rejected"), (5, "failed"))


def _peering_xml(number: int, state: str) -> str:
    """A peering of VPC 1, the requester, with a VPC of another account and region."""
    return (
        f"<item><vpcPeeringConnectionId>pcx-{number}</vpcPeeringConnectionId><status><code>{state}</code></status>"
        "<requesterVpcInfo><vpcId>vpc-1</vpcId><ownerId>111122223333</ownerId><region>eu-west-1</region>"
        "<cidrBlock>10.1.0.0/16</cidrBlock></requesterVpcInfo>"
        "<accepterVpcInfo><vpcId>vpc-9</vpcId><ownerId>444455556666</ownerId><region>us-west-2</region>"
        "<cidrBlock>10.9.0.0/16</cidrBlock><cidrBlockSet><item><cidrBlock>10.9.0.0/16</cidrBlock></item>"
        "<item><cidrBlock>10.8.0.0/16</cidrBlock></item></cidrBlockSet>"
        "<ipv6CidrBlockSet><item><ipv6CidrBlock>2001:db8::/56</ipv6CidrBlock></item></ipv6CidrBlockSet>"
        "</accepterVpcInfo></item>"
    )


def _attachment_xml(number: int, state: str) -> str:
    return (
        f"<item><transitGatewayAttachmentId>tgw-attach-{number}</transitGatewayAttachmentId>"
        "<transitGatewayId>tgw-1</transitGatewayId><transitGatewayOwnerId>777788889999</transitGatewayOwnerId>"
        f"<resourceId>vpc-1</resourceId><resourceType>vpc</resourceType><state>{state}</state></item>"
    )


def ec2_pages(call: Mapping[str, str]) -> Answer:
    """Two pages of VPCs with an empty one between them, two pages of subnets."""
    match call["Action"], call.get("NextToken"):
        case "DescribeVpcs", None:
            body = f"<vpcSet>{vpc_xml(1)}</vpcSet><nextToken>a</nextToken>"
        case "DescribeVpcs", "a":
            body = "<vpcSet/><nextToken>b</nextToken>"
        case "DescribeVpcs", _:
            body = f"<vpcSet>{vpc_xml(2)}</vpcSet>"
        case "DescribeSubnets", None:
            body = f"<subnetSet>{_SUBNET_XML.format(2)}</subnetSet><nextToken>c</nextToken>"
        case "DescribeSubnets", _:
            body = f"<subnetSet>{_SUBNET_XML.format(1)}</subnetSet>"
        case "DescribeVpcPeeringConnections", None:
            items = _peering_xml(2, "active")
            body = f"<vpcPeeringConnectionSet>{items}</vpcPeeringConnectionSet><nextToken>d</nextToken>"
        case "DescribeVpcPeeringConnections", _:
            items = "".join(_peering_xml(*one) for one in _PEERINGS)
            body = f"<vpcPeeringConnectionSet>{items}</vpcPeeringConnectionSet>"
        case "DescribeTransitGatewayAttachments", None:
            assert (call["Filter.1.Name"], call["Filter.1.Value.1"]) == ("resource-type", "vpc")
            body = (
                f"<transitGatewayAttachments>{_attachment_xml(2, 'available')}</transitGatewayAttachments>"
                "<nextToken>e</nextToken>"
            )
        case _:
            items = "".join(_attachment_xml(*one) for one in _ATTACHMENTS)
            body = f"<transitGatewayAttachments>{items}</transitGatewayAttachments>"
    return 200, EC2_XML.format(call["Action"], body)


@pytest.fixture
def entered(
    monkeypatch: pytest.MonkeyPatch, no_aws: None
) -> Callable[[str], tuple[AccountSessions, AccountCredentials]]:
    """Sessions and credentials for a server at an address."""

    def enter(url: str) -> tuple[AccountSessions, AccountCredentials]:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        sessions = open_sessions(HOME_REGION)
        credentials = sessions._home.get_credentials()
        assert credentials is not None
        return sessions, AccountCredentials(AccountId("111122223333"), credentials)

    return enter


Enter = Callable[[str], tuple[AccountSessions, AccountCredentials]]


CALLER_IDENTITY = (
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/jane</Arn>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


def assumed_role(role_arn: str, *, account: str = "", session: str = "landkeeper") -> str:
    """STS's answer for a role; with `account` for the role of that name in another one."""
    partition, own, name = role_arn.split(":")[1], role_arn.split(":")[4], role_arn.rpartition("/")[2]
    arn = f"arn:{partition}:sts::{account or own}:assumed-role/{name}/{session}"
    return (
        "<AssumeRoleResponse><AssumeRoleResult>"
        f"<AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:{session}</AssumedRoleId><Arn>{arn}</Arn></AssumedRoleUser>"
        "<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
        "<SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
        "</AssumeRoleResult></AssumeRoleResponse>"
    )

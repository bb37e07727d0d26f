"""Default VPCs on the simulator: unused ones go whole, used ones stay whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from tests.campaign import IS_CAMPAIGN
from tests.default_vpc_uses import USES, Made
from tests.default_vpc_world import Interrupted, Place, Places, interrupted_after, places
from tests.ec2_answers import EC2_XML, Enter, vpc_xml
from tests.member_instances import HERE
from tests.servers import Answer, answering, home_session, home_sessions

from landkeeper.aws.sessions import AccountCredentials, AccountSessions
from landkeeper.aws.vpctracker.default_vpc_holders import find_hosted_zones
from landkeeper.aws.vpctracker.default_vpcs import read_default_vpc
from landkeeper.org import FailureReason
from landkeeper.vpctracker.default_vpcs.plan import DefaultVpc, InUse, Look, Plan, Reason, Unknown
from landkeeper.vpctracker.default_vpcs.removal import Deleted, Failed, survey_default_vpcs
from landkeeper.vpctracker.inventory import VpcId

__all__ = ["places"]

pytestmark = pytest.mark.embedded


def _made(reason: Reason) -> Made:
    return (str(reason.look), reason.id, reason.note)


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__.strip("_"))
def test_one_that_is_in_use_stays_whole_and_says_why(places: Places, use: Callable[[Place], list[Made]]) -> None:
    place = places.new()
    reasons = use(place)
    before = place.described()
    found = place.delete()
    assert isinstance(found, InUse)
    told = [_made(one) for one in found.reasons]
    assert [one for one in told if one in reasons] == reasons
    assert place.described() == before


def _furnish(place: Place) -> None:
    """What people leave behind without any use: a route table and a network ACL."""
    place.ec2.create_route_table(VpcId=place.vpc)
    place.ec2.create_network_acl(VpcId=place.vpc)


def _what_is_left(place: Place) -> dict[str, list[str]]:
    told = place.described()
    return {
        "Vpcs": [one["VpcId"] for one in told["Vpcs"]],
        "Subnets": [one["SubnetId"] for one in told["Subnets"]],
        "InternetGateways": [one["InternetGatewayId"] for one in told["InternetGateways"]],
        "RouteTables": [one["VpcId"] for one in told["RouteTables"]],
    }


def test_an_unused_one_goes_with_its_subnets_and_its_gateway(places: Places) -> None:
    place = places.new()
    other = place.other_vpc()
    _furnish(place)
    assert isinstance(place.delete(), Deleted)
    assert _what_is_left(place) == {"Vpcs": [other], "Subnets": [], "InternetGateways": [], "RouteTables": [other]}
    # Nothing to do is done as well.
    assert place.delete() is None


def test_a_gateway_that_somebody_has_put_to_use_since_is_left_alone(places: Places) -> None:
    place = places.new()
    other = place.other_vpc()
    _furnish(place)
    detaching = _calls_of_a_run(places).index("DetachInternetGateway") + 1
    with interrupted_after(detaching), pytest.raises(Interrupted):
        place.delete()
    (left,) = place.described()["InternetGateways"]
    assert left["Attachments"] == []
    place.ec2.attach_internet_gateway(InternetGatewayId=left["InternetGatewayId"], VpcId=other)
    assert isinstance(place.delete(), Deleted)
    assert _what_is_left(place) == {
        "Vpcs": [other], "Subnets": [], "InternetGateways": [left["InternetGatewayId"]], "RouteTables": [other]
    }  # fmt: skip


@pytest.mark.campaign
def test_interrupted_after_any_call_another_run_leaves_nothing(places: Places) -> None:
    calls = _calls_of_a_run(places)
    changing = [number for number, call in enumerate(calls, 1) if _changes(call)]
    assert [calls[number - 1] for number in changing][-6:] == [
        "CreateTags", "DetachInternetGateway", "DeleteInternetGateway", "DeleteRouteTable", "DeleteNetworkAcl",
        "DeleteVpc",
    ]  # fmt: skip
    # Calls that change nothing leave the same behind as the one before them: usually they are not interrupted.
    for number in range(1, len(calls) + 1) if IS_CAMPAIGN else changing:
        place = places.new()
        _furnish(place)
        with interrupted_after(number) as made, pytest.raises(Interrupted):
            place.delete()
        assert made == calls[:number]
        place.delete()
        assert not any(_what_is_left(place).values()), calls[number - 1]


def _calls_of_a_run(places: Places) -> list[str]:
    place = places.new()
    _furnish(place)
    # Asked once in all the time of these sessions.
    places.sessions.home_account()
    with interrupted_after(0) as made:
        assert isinstance(place.delete(), Deleted)
    return made


def _changes(call: str) -> bool:
    return not call.startswith(("Describe", "List", "Get", "Assume")) and not call.endswith("(dry run)")


def test_what_is_deleted_meanwhile_by_somebody_else_counts_as_done(places: Places) -> None:
    place = places.new()
    (survey,) = survey_default_vpcs([place.account], place.reader())
    (plan,) = survey.found
    assert isinstance(plan, Plan)
    assert isinstance(place.delete(), Deleted)
    assert [place.reader().take(place.account, HERE, step) for step in plan.steps] == [None] * len(plan.steps)


_PEEK = [
    ("ec2:DescribeSubnets", Look.SUBNET),
    ("ec2:DescribeInternetGateways", Look.INTERNET_GATEWAY),
    ("ec2:DescribeRouteTables", Look.ROUTE),
    ("ec2:DescribeNetworkAcls", Look.NETWORK_ACL),
    ("ec2:DescribeSecurityGroups", Look.SECURITY_GROUP),
    ("ec2:DescribeNetworkInterfaces", Look.NETWORK_INTERFACE),
    ("ec2:DescribeVpcEndpoints", Look.ENDPOINT),
    ("ec2:DescribeNatGateways", Look.NAT_GATEWAY),
    ("ec2:DescribeVpnGateways", Look.VPN_GATEWAY),
    ("ec2:DescribeVpcPeeringConnections", Look.PEERING),
    ("ec2:DescribeTransitGatewayAttachments", Look.TRANSIT_GATEWAY),
    ("ec2:DescribeEgressOnlyInternetGateways", Look.EGRESS_ONLY_GATEWAY),
    ("ec2:DescribeCarrierGateways", Look.CARRIER_GATEWAY),
    ("ec2:DescribeLaunchTemplateVersions", Look.LAUNCH_TEMPLATE),
    ("autoscaling:DescribeAutoScalingGroups", Look.AUTO_SCALING_GROUP),
    ("rds:DescribeDBSubnetGroups", Look.DATABASE_SUBNETS),
    ("elasticache:DescribeCacheSubnetGroups", Look.CACHE_SUBNETS),
    ("elasticloadbalancing:DescribeLoadBalancers", Look.LOAD_BALANCER),
]
_ACTS = (
    "ec2:DescribeVpcs", "ec2:DeleteSubnet", "ec2:CreateTags", "ec2:DetachInternetGateway", "ec2:DeleteInternetGateway",
    "ec2:DeleteRouteTable", "ec2:DeleteNetworkAcl", "ec2:DeleteVpc",
)  # fmt: skip
_ROLE = "landkeeper-network"


@pytest.fixture(scope="module")
def limited(places: Places) -> AccountSessions:
    """Through a role that tests make, with what it may do there."""
    return home_sessions(_ROLE)


@pytest.mark.parametrize(
    "denied",
    [dict(_PEEK), {"rds:DescribeDBSubnetGroups": Look.DATABASE_SUBNETS}, {"ec2:DescribeSubnets": Look.SUBNET}],
    ids=["all", "database subnets", "subnets"],
)
def test_a_look_that_is_denied_counts_as_in_use(
    places: Places, limited: AccountSessions, denied: Mapping[str, Look]
) -> None:
    place = places.new(limited)
    place.make_role(_ROLE, [*(action for action, _ in _PEEK if action not in denied), *_ACTS])
    before = place.described()
    found = place.delete()
    assert isinstance(found, Unknown)
    unchecked = {one.look: one.failure for one in found.vpc.unchecked}
    looks = set(denied.values())
    assert unchecked.keys() == looks | ({Look.CLASSIC_LOAD_BALANCER} if Look.LOAD_BALANCER in looks else set())
    assert {failure.reason for failure in unchecked.values()} == {FailureReason.MISSING_PERMISSION}
    assert {failure.code for failure in unchecked.values()} <= {"UnauthorizedOperation", "AccessDenied"}
    assert place.described() == before


def test_nothing_is_begun_where_any_later_step_is_denied(places: Places, limited: AccountSessions) -> None:
    place = places.new(limited)
    _furnish(place)
    before = place.described()
    for denied in _ACTS[1:]:
        place.make_role(_ROLE, [*(action for action, _ in _PEEK), *(one for one in _ACTS if one != denied)])
        failed = place.delete()
        assert isinstance(failed, Failed), denied
        assert (failed.failure.code, failed.done, failed.left) == ("UnauthorizedOperation", (), ())
        assert denied in failed.failure.message
    assert place.described() == before


def test_credentials_of_another_account_delete_nothing(places: Places) -> None:
    place, other = places.new(), places.new()
    before = place.described()
    (survey,) = survey_default_vpcs([place.account], place.reader())
    (plan,) = survey.found
    assert isinstance(plan, Plan)
    credentials = places.sessions.credentials_for(other.account.id)
    assert isinstance(credentials, AccountCredentials)
    places.sessions._kept[place.account.id] = credentials
    refused = place.reader().rehearse(place.account, plan)
    assert refused is not None
    assert (refused.code, refused.message) == (
        "WrongAccount", f"the credentials are for {other.account.id}, not {place.account.id}"
    )  # fmt: skip
    assert place.described() == before


# As the Amazon Route 53 API Reference has it, "ListHostedZonesByVPC"; moto answers everything on one page.
_ZONE = (
    "<HostedZoneSummary><HostedZoneId>{}</HostedZoneId><Name>corp.example.com.</Name>"
    "<Owner><OwningService>efs.amazonaws.com</OwningService></Owner></HostedZoneSummary>"
)
_ZONES = (
    '<ListHostedZonesByVPCResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><HostedZoneSummaries>{}'
    "</HostedZoneSummaries><MaxItems>1</MaxItems>{}</ListHostedZonesByVPCResponse>"
)


def test_private_hosted_zones_are_read_to_the_last_page(no_aws: None) -> None:
    asked: list[Mapping[str, str]] = []

    def answer(call: Mapping[str, str]) -> Answer:
        asked.append(call)
        if "nexttoken" in call:
            return 200, _ZONES.format(_ZONE.format("Z2"), "")
        return 200, _ZONES.format(_ZONE.format("Z1"), "<NextToken>more</NextToken>")

    with answering(answer) as url:
        route53 = home_session().client("route53", endpoint_url=url)
        found = list(find_hosted_zones(route53, VpcId("vpc-1"), HERE))
    assert [one.id for one in found] == ["Z1", "Z2"]
    assert {one.vpc for one in found} == {"vpc-1"}
    assert [(call["vpcid"], call["vpcregion"]) for call in asked] == [("vpc-1", HERE)] * 2


def test_what_every_vpc_has_was_not_read_where_the_answer_is_empty(entered: Enter) -> None:
    lists = {"RouteTables": "routeTableSet", "NetworkAcls": "networkAclSet", "SecurityGroups": "securityGroupInfo"}

    def answer(call: Mapping[str, str]) -> Answer:
        action = call.get("Action", "")
        if action == "DescribeVpcs":
            default = vpc_xml(1).replace("</item>", "<isDefault>true</isDefault></item>")
            return 200, EC2_XML.format(action, f"<vpcSet>{default}</vpcSet>")
        return 200, EC2_XML.format(action, f"<{lists.get(action.removeprefix('Describe'), 'other')}/>")

    with answering(answer) as url:
        found = read_default_vpc(*entered(url), HERE)
    assert isinstance(found, DefaultVpc)
    unchecked = {each.look: each.failure.message for each in found.unchecked}
    assert "has no main route table" in unchecked[Look.ROUTE]
    assert "has no default network ACL" in unchecked[Look.NETWORK_ACL]
    assert "has no security group" in unchecked[Look.SECURITY_GROUP]

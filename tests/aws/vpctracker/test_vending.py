"""Vending's calls: what AWS answers, and what is made of answers that do not come."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping

import pytest
from tests.member_instances import HERE, ROLE
from tests.servers import Answer, answering, ec2_refusal, home_sessions

from landkeeper.aws.sessions import AccountCredentials
from landkeeper.aws.vpctracker.vending import Ec2Network
from landkeeper.embedded.simulators import Embedded
from landkeeper.org import AccountId, Failure, FailureReason
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.vending.plan import SUBNETS_PER_VPC, VPCS_PER_REGION, Zone
from landkeeper.vpctracker.vending.ports import DnsSetting, MadeSubnet, MadeVpc, Unsure

pytestmark = pytest.mark.embedded

MEMBER = AccountId("552000000001")
BLOCK = parse_block("10.0.0.0/24")
_ZONE = """<item><zoneId>{0}</zoneId><zoneName>{0}-name</zoneName><zoneState>{1}</zoneState><zoneType>{2}</zoneType>
    <optInStatus>{3}</optInStatus></item>"""


def _network(account: AccountId = MEMBER) -> Ec2Network:
    sessions = home_sessions(ROLE)
    credentials = sessions.credentials_for(account)
    assert isinstance(credentials, AccountCredentials)
    return Ec2Network(sessions, credentials, HERE)


@pytest.fixture
def network(aws_environment: Embedded) -> Ec2Network:
    """A region of an account, on the simulators."""
    return _network()


def test_a_vpc_from_its_making_to_its_end(network: Ec2Network) -> None:
    request = f"run-{uuid.uuid4().hex}"
    tags = {"landkeeper:request-id": request, "landkeeper:unfinished": "true", "Code": "LOL"}
    before = network.count_vpcs()
    assert network.find_vpcs(request) == ()
    vpc = network.make_vpc(BLOCK, tags)
    assert isinstance(vpc, str)
    assert network.find_vpcs(request) == (MadeVpc(vpc, "10.0.0.0/24", is_available=True, is_finished=False),)
    assert network.find_vpcs("run-") == ()
    for setting in DnsSetting:
        assert network.turn_on(vpc, setting) is None
    zones = network.read_zones()
    assert not isinstance(zones, Failure)
    subnet = network.make_subnet(vpc, parse_block("10.0.0.0/26"), zones[0].id, tags)
    assert isinstance(subnet, str)
    assert network.find_subnets(vpc, request) == (MadeSubnet(subnet, "10.0.0.0/26", zones[0].id),)
    conflict = network.make_subnet(vpc, parse_block("10.0.0.0/27"), zones[0].id, tags)
    assert isinstance(conflict, Failure)
    assert conflict.code == "InvalidSubnet.Conflict"
    assert network.finish(vpc, [subnet]) is None
    assert network.find_vpcs(request) == (MadeVpc(vpc, "10.0.0.0/24", is_available=True, is_finished=True),)
    refused = network.delete_vpc(vpc)
    assert refused is not None
    assert refused.code == "DependencyViolation"
    assert network.delete_subnet(subnet) is None
    assert network.delete_vpc(vpc) is None
    assert (network.delete_subnet(subnet), network.delete_vpc(vpc)) == (None, None)
    assert network.count_vpcs() == before


def test_quotas_and_the_caller_as_the_account_has_them(network: Ec2Network) -> None:
    assert (network.account, network.read_caller()) == (MEMBER, MEMBER)
    assert network.read_quota(VPCS_PER_REGION) == 5
    assert network.read_quota(SUBNETS_PER_VPC) == 200
    unknown = network.read_quota("L-00000000")
    assert isinstance(unknown, Failure)


@pytest.mark.parametrize(
    ("answer", "reason", "is_unsure"),
    [
        (ec2_refusal("UnauthorizedOperation", status=403), FailureReason.MISSING_PERMISSION, False),
        (ec2_refusal("VpcLimitExceeded"), FailureReason.OTHER, False),
        # EC2 asks to slow down with status 503 (EC2 guide, "Request throttling").
        (ec2_refusal("RequestLimitExceeded", status=503), FailureReason.THROTTLED, False),
        (ec2_refusal("InternalError", status=500), FailureReason.OTHER, True),
        (ec2_refusal("Unavailable", status=503), FailureReason.OTHER, True),
        ((200, "<CreateVpcResponse><vpc>"), FailureReason.OTHER, True),
        ((200, "<CreateVpcResponse/>"), FailureReason.OTHER, True),
    ],
)
def test_what_may_have_been_made_is_asked_for_once_and_told_apart_from_a_refusal(
    aws_environment: Embedded, monkeypatch: pytest.MonkeyPatch, answer: Answer, reason: FailureReason, is_unsure: bool
) -> None:
    calls: list[str] = []

    def refuse(call: Mapping[str, str]) -> Answer:
        calls.append(call["Action"])
        return answer

    with answering(refuse) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
        network = _network()
        made = network.make_vpc(BLOCK, {})
        subnet = network.make_subnet(made, BLOCK, "euw1-az1", {})  # type: ignore[arg-type] # what matters is the answer
    assert calls == ["CreateVpc", "CreateSubnet"]
    for one in (made, subnet):
        assert isinstance(one, Unsure) == is_unsure
        failure = one.failure if isinstance(one, Unsure) else one
        assert isinstance(failure, Failure)
        assert failure.reason is reason


def test_an_endpoint_that_hangs_up_leaves_it_open(aws_environment: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(lambda _: (200, "")) as url:
        pass
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
    made = _network().make_vpc(BLOCK, {})
    assert isinstance(made, Unsure)
    assert made.failure.reason is FailureReason.TIMED_OUT


def test_zones_are_those_that_the_account_may_use_now(
    aws_environment: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = [
        ("euw1-az1", "available", "availability-zone", "opt-in-not-required"),
        ("euw1-az2", "unavailable", "availability-zone", "opt-in-not-required"),
        ("euw1-wl1-lon-wlz1", "available", "wavelength-zone", "opted-in"),
        ("euw1-ham1-az1", "available", "local-zone", "opted-in"),
        ("euw1-az4", "available", "availability-zone", "not-opted-in"),
    ]
    items = "".join(_ZONE.format(*one) for one in listed)
    body = f"<R><availabilityZoneInfo>{items}</availabilityZoneInfo></R>"
    with answering(lambda _: (200, body)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
        assert _network().read_zones() == (Zone("euw1-az1", "euw1-az1-name"),)


@pytest.mark.parametrize("body", ["<R/>", "<R><availabilityZoneInfo/></R>"])
def test_a_region_without_any_zone_was_not_read(
    aws_environment: Embedded, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    with answering(lambda _: (200, body)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
        strange = _network().read_zones()
    assert isinstance(strange, Failure)
    assert strange.code == "StrangeAnswer"


def test_a_quota_that_nobody_raised_is_aws_default(aws_environment: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = (400, json.dumps({"__type": "NoSuchResourceException", "Message": "no value"}))
    denied = (400, json.dumps({"__type": "AccessDeniedException", "Message": "no"}))
    answers = {"GetServiceQuota": missing, "GetAWSDefaultServiceQuota": (200, '{"Quota": {"Value": 5.0}}')}
    with answering(lambda call: answers[call["Action"]]) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SERVICE_QUOTAS", url)
        assert _network().read_quota(VPCS_PER_REGION) == 5
        answers["GetServiceQuota"] = denied
        refused = _network().read_quota(VPCS_PER_REGION)
    assert isinstance(refused, Failure)
    assert refused.reason is FailureReason.MISSING_PERMISSION

"""VPCs as EC2 describes them: read from moto, and from a server that answers what moto never does."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from tests.servers import HOME_REGION, Answer, answering, ec2_refusal, home_sessions

from landkeeper.aws.sessions import AccountSessions, Grant, open_sessions
from landkeeper.aws.vpcs import Ec2VpcReader, find_enabled_regions, parse_vpc, read_region
from landkeeper.org import Account, AccountId, Failure, FailureReason, Region, UsageError
from landkeeper.vpctracker.inventory import CidrAssociation, Complete, Unreadable

_HERE = Region("eu-west-1")
_ROLE = "OrganizationAccountAccessRole"


def _entered(account: str) -> tuple[AccountSessions, Grant]:
    sessions = home_sessions(_ROLE)
    grant = sessions.grant_for(AccountId(account))
    assert isinstance(grant, Grant)
    return sessions, grant


@pytest.mark.embedded
@pytest.mark.usefixtures("aws_environment")
def test_a_region_is_read_with_all_blocks_subnets_and_tags() -> None:
    sessions, grant = _entered("210000000001")
    with sessions.using(grant):
        ec2 = sessions.ec2(_HERE)
        vpc = ec2.create_vpc(
            CidrBlock="10.0.0.0/16",
            AmazonProvidedIpv6CidrBlock=True,
            TagSpecifications=[{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "lake"}]}],
        )["Vpc"]["VpcId"]
        ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.1.0.0/16")
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]
    read = read_region(sessions, grant, _HERE)
    assert isinstance(read, Complete)
    by_id = {one.id: one for one in read.vpcs}
    found = by_id.pop(vpc)  # type: ignore[call-overload]
    assert (found.owner, found.region, found.is_default, found.name) == ("210000000001", _HERE, False, "lake")
    assert found.cidr_blocks == ("10.0.0.0/16", "10.1.0.0/16")
    assert len(found.ipv6_cidr_blocks) == 1
    assert [(one.id, one.cidr_block, one.free_addresses) for one in found.subnets] == [
        (subnet["SubnetId"], "10.0.1.0/24", 251)
    ]
    assert found.subnets[0].az_id == subnet["AvailabilityZoneId"]
    assert [(one.is_default, one.cidr_block) for one in by_id.values()] == [(True, "172.31.0.0/16")]
    assert read_region(sessions, grant, _HERE) == read


@pytest.mark.embedded
@pytest.mark.usefixtures("aws_environment")
def test_a_reader_reads_the_regions_it_was_given_or_those_that_are_enabled() -> None:
    sessions, grant = _entered("210000000002")
    account = Account(grant.account)
    given = Ec2VpcReader(lambda _: sessions, home_region=HOME_REGION, regions=(_HERE,)).read_account(account)
    assert not isinstance(given, Failure)
    assert list(given) == [_HERE]
    regions = find_enabled_regions(sessions, grant, HOME_REGION)
    assert not isinstance(regions, Failure)
    assert _HERE in regions
    everywhere = Ec2VpcReader(lambda _: sessions, home_region=HOME_REGION).read_account(account)
    assert not isinstance(everywhere, Failure)
    assert tuple(everywhere) == regions


@pytest.mark.embedded
@pytest.mark.usefixtures("aws_environment")
def test_an_account_whose_role_cannot_be_assumed_is_a_failure() -> None:
    sessions = home_sessions("NobodyMadeThisRole")
    reader = Ec2VpcReader(lambda _: sessions, home_region=HOME_REGION, regions=(_HERE,))
    read = reader.read_account(Account(AccountId("210000000003")))
    assert isinstance(read, Failure)
    assert read.reason is FailureReason.ROLE_NOT_ASSUMABLE


_XML = '<{0}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">{1}</{0}Response>'

_SUBNET_XML = "<item><subnetId>subnet-{0}</subnetId><vpcId>vpc-2</vpcId></item>"


def _vpc_xml(number: int) -> str:
    return (
        f"<item><vpcId>vpc-{number}</vpcId><ownerId>111122223333</ownerId><state>available</state>"
        f"<cidrBlock>10.{number}.0.0/16</cidrBlock></item>"
    )


def _pages(call: Mapping[str, str]) -> Answer:
    """Two pages of VPCs with an empty one between them, two pages of subnets."""
    match call["Action"], call.get("NextToken"):
        case "DescribeVpcs", None:
            body = f"<vpcSet>{_vpc_xml(1)}</vpcSet><nextToken>a</nextToken>"
        case "DescribeVpcs", "a":
            body = "<vpcSet/><nextToken>b</nextToken>"
        case "DescribeVpcs", _:
            body = f"<vpcSet>{_vpc_xml(2)}</vpcSet>"
        case "DescribeSubnets", None:
            body = f"<subnetSet>{_SUBNET_XML.format(2)}</subnetSet><nextToken>c</nextToken>"
        case _:
            body = f"<subnetSet>{_SUBNET_XML.format(1)}</subnetSet>"
    return 200, _XML.format(call["Action"], body)


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch, no_aws: None) -> Callable[[str], tuple[AccountSessions, Grant]]:
    """Sessions and a grant for a server at an address."""

    def enter(url: str) -> tuple[AccountSessions, Grant]:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        sessions = open_sessions(HOME_REGION)
        credentials = sessions._home.get_credentials()
        assert credentials is not None
        return sessions, Grant(AccountId("111122223333"), credentials)

    return enter


Enter = Callable[[str], tuple[AccountSessions, Grant]]


def test_every_page_is_read_and_an_empty_one_is_not_the_end(entered: Enter) -> None:
    with answering(_pages) as url:
        read = read_region(*entered(url), _HERE)
    assert isinstance(read, Complete)
    assert [vpc.id for vpc in read.vpcs] == ["vpc-1", "vpc-2"]
    assert [subnet.id for subnet in read.vpcs[1].subnets] == ["subnet-1", "subnet-2"]


@pytest.mark.parametrize(
    ("action", "code", "message", "reason"),
    [
        ("DescribeVpcs", "UnauthorizedOperation", "not authorized", FailureReason.MISSING_PERMISSION),
        ("DescribeSubnets", "UnauthorizedOperation", "not authorized", FailureReason.MISSING_PERMISSION),
        (
            "DescribeVpcs",
            "UnauthorizedOperation",
            "with an explicit deny in a service control policy",
            FailureReason.SCP_DENY,
        ),
        ("DescribeVpcs", "OptInRequired", "not subscribed", FailureReason.REGION_DISABLED),
    ],
)
def test_a_region_that_refuses_is_unreadable_with_its_reason(
    entered: Enter, action: str, code: str, message: str, reason: FailureReason
) -> None:
    def answer(call: Mapping[str, str]) -> Answer:
        return ec2_refusal(code, message) if call["Action"] == action else _pages(call)

    with answering(answer) as url:
        assert read_region(*entered(url), _HERE) == Unreadable(Failure(reason, code, message))


def test_a_refusal_in_the_middle_of_the_pages_is_no_shorter_list(entered: Enter) -> None:
    def answer(call: Mapping[str, str]) -> Answer:
        return ec2_refusal("ExpiredToken") if call.get("NextToken") == "b" else _pages(call)

    with answering(answer) as url:
        read = read_region(*entered(url), _HERE)
    assert isinstance(read, Unreadable)
    assert read.failure.reason is FailureReason.CREDENTIALS


def test_regions_that_are_not_opted_into_are_left_out(entered: Enter) -> None:
    listed = {"us-east-1": "opt-in-not-required", "af-south-1": "opted-in", "me-south-1": "not-opted-in"}
    items = "".join(
        f"<item><regionName>{name}</regionName><optInStatus>{status}</optInStatus></item>"
        for name, status in listed.items()
    )
    with answering(lambda call: (200, _XML.format(call["Action"], f"<regionInfo>{items}</regionInfo>"))) as url:
        assert find_enabled_regions(*entered(url), HOME_REGION) == ("af-south-1", "us-east-1")


def test_regions_that_may_not_be_listed_fail_the_account(entered: Enter) -> None:
    def answer(call: Mapping[str, str]) -> Answer:
        if call["Action"] == "GetCallerIdentity":
            identity = (
                "<GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/jane</Arn></GetCallerIdentityResult>"
            )
            return 200, f"<GetCallerIdentityResponse>{identity}</GetCallerIdentityResponse>"
        return ec2_refusal("UnauthorizedOperation")

    with answering(answer) as url:
        sessions, grant = entered(url)
        read = Ec2VpcReader(lambda _: sessions, home_region=HOME_REGION).read_account(Account(grant.account))
    assert isinstance(read, Failure)
    assert read.reason is FailureReason.MISSING_PERMISSION


def test_associations_keep_their_states_and_their_order_does_not_matter() -> None:
    raw = {
        "VpcId": "vpc-1", "OwnerId": "111122223333", "CidrBlock": "10.0.0.0/16", "State": "pending",
        "CidrBlockAssociationSet": [
            {"AssociationId": "b", "CidrBlock": "10.1.0.0/16", "CidrBlockState": {"State": "associating"}},
            {"AssociationId": "a", "CidrBlock": "10.0.0.0/16", "CidrBlockState": {"State": "associated"}},
        ],
        "Ipv6CidrBlockAssociationSet": [
            {"AssociationId": "d", "Ipv6CidrBlockState": {"State": "associating"}},
            {"AssociationId": "c", "Ipv6CidrBlock": "2001:db8::/56", "Ipv6CidrBlockState": {"State": "associated"}},
        ],
        "Tags": [{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}],
    }  # fmt: skip
    vpc = parse_vpc(raw, _HERE, ())
    assert vpc.state == "pending"
    assert vpc.cidr_associations == (
        CidrAssociation("a", "10.0.0.0/16", "associated"),
        CidrAssociation("b", "10.1.0.0/16", "associating"),
        CidrAssociation("c", "2001:db8::/56", "associated"),
    )
    assert vpc.tags == {"a": "1", "b": "2"}


@pytest.mark.usefixtures("no_aws")
def test_an_unknown_profile_is_named() -> None:
    with pytest.raises(UsageError, match="there is no profile 'nobody' in the AWS configuration"):
        open_sessions(HOME_REGION, profile="nobody")

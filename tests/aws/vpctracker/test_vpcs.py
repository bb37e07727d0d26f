"""VPCs as EC2 describes them: read from moto, and from a server that answers what moto never does."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from botocore.config import Config
from tests.ec2_answers import CALLER_IDENTITY, EC2_XML, Enter, ec2_pages
from tests.servers import HOME_REGION, Answer, answering, ec2_refusal, home_sessions
from tests.waiting import HANG_SECONDS

from landkeeper.aws.enabled_regions import find_regions
from landkeeper.aws.sessions import AccountCredentials, AccountSessions, open_sessions
from landkeeper.aws.vpctracker.vpcs import CALLS_AT_ONCE, Ec2VpcReader, parse_vpc, read_region
from landkeeper.org import Account, AccountId, Failure, FailureReason, Region, Standing, UsageError
from landkeeper.vpctracker.differences import Complete, NotRead
from landkeeper.vpctracker.inventory import CidrAssociation, Peering, TransitGatewayAttachment, VpcId

_HERE = Region("eu-west-1")
_ROLE = "OrganizationAccountAccessRole"
_A_MOMENT_SECONDS = 0.5


def _entered(account: str) -> tuple[AccountSessions, AccountCredentials]:
    sessions = home_sessions(_ROLE)
    credentials = sessions.credentials_for(AccountId(account))
    assert isinstance(credentials, AccountCredentials)
    return sessions, credentials


@pytest.mark.embedded
@pytest.mark.usefixtures("aws_environment")
def test_a_region_is_read_with_all_blocks_subnets_and_tags() -> None:
    sessions, credentials = _entered("210000000001")
    with sessions.signing_as(credentials):
        ec2 = sessions.ec2(_HERE)
        vpc = ec2.create_vpc(
            CidrBlock="10.0.0.0/16",
            AmazonProvidedIpv6CidrBlock=True,
            TagSpecifications=[{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "lake"}]}],
        )["Vpc"]["VpcId"]
        ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.1.0.0/16")
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]
    read = read_region(sessions, credentials, _HERE)
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
    assert read_region(sessions, credentials, _HERE) == read


@pytest.mark.embedded
@pytest.mark.usefixtures("aws_environment")
def test_a_reader_reads_the_regions_it_was_given_or_those_that_are_enabled() -> None:
    sessions, credentials = _entered("210000000002")
    account = Account(credentials.account)
    given = Ec2VpcReader(lambda _: sessions, regions=(_HERE,)).read_account(account)
    assert not isinstance(given, Failure)
    assert list(given) == [_HERE]
    regions = find_regions(sessions, credentials)
    assert not isinstance(regions, Failure)
    assert regions[_HERE] is Standing.READ
    everywhere = Ec2VpcReader(lambda _: sessions).read_account(account)
    assert not isinstance(everywhere, Failure)
    assert everywhere.keys() == regions.keys()
    read = {region for region, one in everywhere.items() if isinstance(one, Complete)}
    assert read == {region for region, standing in regions.items() if standing is Standing.READ}
    assert everywhere[Region("me-south-1")] == NotRead(Standing.DISABLED)


@pytest.mark.embedded
@pytest.mark.usefixtures("aws_environment")
def test_an_account_whose_role_cannot_be_assumed_is_a_failure() -> None:
    sessions = home_sessions("NobodyMadeThisRole")
    reader = Ec2VpcReader(lambda _: sessions, regions=(_HERE,))
    read = reader.read_account(Account(AccountId("210000000003")))
    assert isinstance(read, Failure)
    assert read.reason is FailureReason.ROLE_NOT_ASSUMABLE


def test_every_page_is_read_and_an_empty_one_is_not_the_end(entered: Enter) -> None:
    with answering(ec2_pages) as url:
        read = read_region(*entered(url), _HERE)
    assert isinstance(read, Complete)
    assert [vpc.id for vpc in read.vpcs] == ["vpc-1", "vpc-2"]
    assert [subnet.id for subnet in read.vpcs[1].subnets] == ["subnet-1", "subnet-2"]


def test_connections_are_told_with_the_vpc_and_those_that_are_over_are_left_out(entered: Enter) -> None:
    with answering(ec2_pages) as url:
        read = read_region(*entered(url), _HERE)
    assert isinstance(read, Complete)
    blocks = ("10.9.0.0/16", "10.8.0.0/16", "2001:db8::/56")
    other = (VpcId("vpc-9"), AccountId("444455556666"), Region("us-west-2"), blocks)
    assert read.vpcs[0].peerings == (Peering("pcx-1", "pending-acceptance", *other), Peering("pcx-2", "active", *other))
    assert read.vpcs[0].transit_gateways == (
        TransitGatewayAttachment("tgw-attach-1", "tgw-1", AccountId("777788889999"), "pendingAcceptance"),
        TransitGatewayAttachment("tgw-attach-2", "tgw-1", AccountId("777788889999"), "available"),
    )
    assert (read.vpcs[1].peerings, read.vpcs[1].transit_gateways, read.connections_failure) == ((), (), None)


@pytest.mark.embedded
@pytest.mark.usefixtures("aws_environment")
def test_a_peering_is_seen_from_both_sides() -> None:
    (sessions, requester), (others, accepter) = _entered("210000000004"), _entered("210000000005")
    there = Region("us-west-2")
    with sessions.signing_as(requester):
        lake = sessions.ec2(_HERE).create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    with others.signing_as(accepter):
        apps = others.ec2(there).create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    with sessions.signing_as(requester):
        made = sessions.ec2(_HERE).create_vpc_peering_connection(
            VpcId=lake, PeerVpcId=apps, PeerOwnerId=accepter.account, PeerRegion=there
        )
    peering = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    near, far = read_region(sessions, requester, _HERE), read_region(others, accepter, there)
    assert isinstance(near, Complete)
    assert isinstance(far, Complete)
    assert {vpc.id: vpc.peerings for vpc in near.vpcs}[VpcId(lake)] == (
        Peering(peering, "pending-acceptance", VpcId(apps), accepter.account, there, ("10.1.0.0/16",)),
    )
    assert {vpc.id: vpc.peerings for vpc in far.vpcs}[VpcId(apps)] == (
        Peering(peering, "pending-acceptance", VpcId(lake), requester.account, _HERE, ("10.0.0.0/16",)),
    )


@pytest.mark.parametrize("action", ["DescribeVpcPeeringConnections", "DescribeTransitGatewayAttachments"])
def test_connections_that_may_not_be_read_leave_the_vpcs_complete_and_say_why(entered: Enter, action: str) -> None:
    def answer(call: Mapping[str, str]) -> Answer:
        return ec2_refusal("UnauthorizedOperation", "no") if call["Action"] == action else ec2_pages(call)

    with answering(answer) as url:
        read = read_region(*entered(url), _HERE)
    assert isinstance(read, Complete)
    assert [vpc.id for vpc in read.vpcs] == ["vpc-1", "vpc-2"]
    assert read.connections_failure == Failure(FailureReason.MISSING_PERMISSION, "UnauthorizedOperation", "no")


def test_an_empty_region_costs_one_call(entered: Enter) -> None:
    calls: list[str] = []

    def answer(call: Mapping[str, str]) -> Answer:
        calls.append(call["Action"])
        return 200, EC2_XML.format(call["Action"], "<vpcSet/>")

    with answering(answer) as url:
        assert read_region(*entered(url), _HERE) == Complete(())
    assert calls == ["DescribeVpcs"]


def test_regions_are_told_by_whether_the_account_has_enabled_them(entered: Enter) -> None:
    listed = {"us-east-1": "opt-in-not-required", "af-south-1": "opted-in", "me-south-1": "not-opted-in"}
    items = "".join(
        f"<item><regionName>{name}</regionName><optInStatus>{status}</optInStatus></item>"
        for name, status in listed.items()
    )
    with answering(lambda call: (200, EC2_XML.format(call["Action"], f"<regionInfo>{items}</regionInfo>"))) as url:
        assert find_regions(*entered(url)) == {
            "af-south-1": Standing.READ, "me-south-1": Standing.DISABLED, "us-east-1": Standing.READ
        }  # fmt: skip


def test_a_governed_region_is_not_called(entered: Enter) -> None:
    called: set[str] = set()

    def answer(call: Mapping[str, str]) -> Answer:
        if call["Action"] == "GetCallerIdentity":
            return 200, CALLER_IDENTITY
        called.add(call["Region"])
        return ec2_pages(call)

    there = Region("us-west-2")
    with answering(answer) as url:
        sessions, credentials = entered(url)
        reader = Ec2VpcReader(
            lambda _: sessions,
            regions=(_HERE, there),
            is_governed=lambda account, region: (account, region) == (credentials.account, there),
        )
        read = reader.read_account(Account(credentials.account))
        assert not isinstance(read, Failure)
        assert read[there] == NotRead(Standing.GOVERNED)
        assert isinstance(read[_HERE], Complete)
        assert called == {_HERE}
        assert reader.read_account(Account(credentials.account), (there,)) == {there: NotRead(Standing.GOVERNED)}
        assert reader.read_account(Account(credentials.account), ()) == {}


def test_regions_of_an_account_are_read_a_few_at_a_time(entered: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as may be at once wait for one another; and while they do, one more is looked out for."""
    # A call that was given up and made again would count twice.
    patient = Config(read_timeout=HANG_SECONDS, retries={"total_max_attempts": 1})
    monkeypatch.setattr("landkeeper.aws.sessions.client_config", lambda: patient)
    together, lock, one_more = threading.Barrier(CALLS_AT_ONCE), threading.Lock(), threading.Event()
    running = 0

    def answer(call: Mapping[str, str]) -> Answer:
        nonlocal running
        if call["Action"] == "GetCallerIdentity":
            return 200, CALLER_IDENTITY
        with lock:
            running += 1
            if running > CALLS_AT_ONCE:
                one_more.set()
                together.abort()
        if together.wait(HANG_SECONDS) == 0:
            one_more.wait(_A_MOMENT_SECONDS)
        together.wait(HANG_SECONDS)
        with lock:
            running -= 1
        return 200, EC2_XML.format(call["Action"], "<vpcSet/>")

    regions = tuple(Region(f"eu-west-{number}") for number in range(1, 3 * CALLS_AT_ONCE + 1))
    with answering(answer) as url:
        sessions, credentials = entered(url)
        began = datetime(2026, 3, 1, 12, tzinfo=UTC)
        reader = Ec2VpcReader(lambda _: sessions, regions=regions, clock=lambda: began)
        read = reader.read_account(Account(credentials.account))
    assert read == dict.fromkeys(regions, Complete((), began=began))
    assert not one_more.is_set()


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

"""With the package's own descriptions of services the functions see what they see with botocore's whole ones."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import botocore
import pytest
from tests.member_instances import HERE, ROLE, start_instances
from tests.packaged_broom import unpack_package
from tests.servers import Answer, answering, home_sessions

from landkeeper.aws.broom.instances import Ec2Instances
from landkeeper.aws.enabled_regions import find_regions
from landkeeper.aws.sessions import AccountCredentials, AccountSessions
from landkeeper.aws.vpctracker.vpcs import read_region
from landkeeper.broom.instance_state import Done
from landkeeper.broom.launches import InstanceId
from landkeeper.operate.package import SERVICES
from landkeeper.org import AccountId
from landkeeper.vpctracker.differences import Complete

pytestmark = pytest.mark.embedded

ACCOUNT, OTHER = AccountId("360000000001"), AccountId("360000000002")
EVERYTHING = """
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><reservationSet><item><instancesSet><item>
  <instanceId>i-0aaaaaaaaaaaaaaaa</instanceId><imageId>ami-1</imageId><instanceType>t3.micro</instanceType>
  <launchTime>2026-01-01T10:00:00.000Z</launchTime><instanceState><code>16</code><name>running</name></instanceState>
  <privateDnsName>ip-10-0-0-1</privateDnsName><placement><availabilityZone>eu-west-1a</availabilityZone></placement>
  <operator><managed>true</managed><principal>eks.amazonaws.com</principal></operator>
  <spotInstanceRequestId>sir-1</spotInstanceRequestId><rootDeviceType>instance-store</rootDeviceType>
  <tagSet><item><key>Code</key><value>LOL</value></item><item><key>Empty</key><value/></item></tagSet>
</item></instancesSet></item></reservationSet></DescribeInstancesResponse>
"""
PERSISTENT = """
<DescribeSpotInstanceRequestsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><spotInstanceRequestSet><item>
  <spotInstanceRequestId>sir-1</spotInstanceRequestId><type>persistent</type>
</item></spotInstanceRequestSet></DescribeSpotInstanceRequestsResponse>
"""

Both = Callable[[Callable[[AccountSessions], object]], object]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_package(tmp_path_factory.mktemp("package")) / "botocore" / "data"


@pytest.fixture
def both(data: Path, aws_environment: object, monkeypatch: pytest.MonkeyPatch) -> Both:
    """Reads twice, by the whole descriptions and by the package's, holds one against the other, and answers it."""

    def read(look: Callable[[AccountSessions], object]) -> object:
        whole = look(home_sessions(ROLE))
        # botocore looks there before it looks into its own (botocore's reference, "Loaders").
        monkeypatch.setenv("AWS_DATA_PATH", str(data))
        sessions = home_sessions(ROLE)
        assert not hasattr(sessions.ec2(HERE), "create_vpc")
        trimmed = look(sessions)
        monkeypatch.delenv("AWS_DATA_PATH")
        assert trimmed == whole
        return trimmed

    return read


def test_all_that_an_instance_tells_is_read(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(call: Mapping[str, str]) -> Answer:
        return 200, EVERYTHING if call["Action"] == "DescribeInstances" else PERSISTENT

    id_ = InstanceId("i-0aaaaaaaaaaaaaaaa")
    with answering(answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
        read = both(lambda sessions: Ec2Instances(sessions).read_instances(sessions.home_account(), HERE, [id_]))
    assert isinstance(read, dict)
    live = read[id_]
    assert (live.operator, live.is_persistent_spot, live.has_instance_store_root) == ("eks.amazonaws.com", True, True)
    assert (live.tags, live.type, live.launched_at.year) == ({"Code": "LOL", "Empty": ""}, "t3.micro", 2026)


def test_instances_are_read_ended_and_their_groups_looked_at(both: Both) -> None:
    def group_of(sessions: AccountSessions) -> object:
        return Ec2Instances(sessions).read_group_tags(ACCOUNT, HERE, [f"group-{uuid.uuid4()}"])

    to_end = iter(start_instances(ACCOUNT, count=2))

    def end_one(sessions: AccountSessions) -> list[object]:
        return list(Ec2Instances(sessions).terminate_instances(ACCOUNT, HERE, [next(to_end)]).values())

    ids = start_instances(ACCOUNT, {"Code": "LOL"}, count=2)
    read = both(lambda sessions: Ec2Instances(sessions).read_instances(ACCOUNT, HERE, ids))
    assert isinstance(read, dict)
    assert read.keys() == set(ids)
    assert both(group_of) == {}
    assert both(end_one) == [Done()]


def test_vpcs_are_read_with_subnets_peerings_and_regions(both: Both) -> None:
    whole = home_sessions(ROLE)
    entries = [whole.credentials_for(account) for account in (ACCOUNT, OTHER)]
    made: list[str] = []
    for credentials, block in zip(entries, ("10.0.0.0/16", "10.1.0.0/16"), strict=True):
        assert isinstance(credentials, AccountCredentials)
        with whole.signing_as(credentials):
            made.append(whole.ec2(HERE).create_vpc(CidrBlock=block)["Vpc"]["VpcId"])
            whole.ec2(HERE).create_subnet(VpcId=made[-1], CidrBlock=block.replace("/16", "/24"))
    near, _ = entries
    assert isinstance(near, AccountCredentials)
    with whole.signing_as(near):
        whole.ec2(HERE).create_vpc_peering_connection(VpcId=made[0], PeerVpcId=made[1], PeerOwnerId=OTHER)
        whole.ec2(HERE).associate_vpc_cidr_block(VpcId=made[0], CidrBlock="10.2.0.0/16")
    read = both(lambda sessions: read_region(sessions, near, HERE))
    assert isinstance(read, Complete)
    (vpc,) = (each for each in read.vpcs if each.id == made[0])
    assert (vpc.cidr_blocks, len(vpc.subnets), len(vpc.peerings)) == (("10.0.0.0/16", "10.2.0.0/16"), 1, 1)
    assert both(lambda sessions: find_regions(sessions, near))


def test_the_packages_descriptions_are_of_the_botocore_in_it(data: Path) -> None:
    services = [entry for entry in data.iterdir() if entry.is_dir()]
    assert {service.name for service in services} == SERVICES
    for service in services:
        ours = [version.name for version in service.iterdir()]
        assert ours == [
            max(version.name for version in (Path(botocore.__file__).parent / "data" / service.name).iterdir())
        ]

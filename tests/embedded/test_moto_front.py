"""What stands in front of moto: roles that must exist, shared VPCs, and the trail with Auto Scaling's launches."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.waiting import wait_until

from landkeeper.embedded.simulators import Embedded, embedded_session

pytestmark = pytest.mark.embedded

REGION = "eu-west-1"
ADMIN = "OrganizationAccountAccessRole"
Client = Callable[[str, str], Any]


@pytest.fixture
def client(aws_environment: Embedded) -> Client:
    """A client of a service in an account, through the role that every member account has."""
    return lambda service, account: _as(embedded_session(aws_environment), service, account, ADMIN)


def _as(session: boto3.Session, service: str, account: str, role: str) -> Any:
    arn = f"arn:aws:iam::{account}:role/{role}"
    given = session.client("sts").assume_role(RoleArn=arn, RoleSessionName="jane@example.com")["Credentials"]
    made: Callable[..., Any] = session.client
    return made(
        service,
        region_name=REGION,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def test_a_role_must_exist_to_be_assumed(aws_environment: Embedded, client: Client) -> None:
    session = embedded_session(aws_environment)
    with pytest.raises(ClientError, match="AccessDenied"):
        _as(session, "ec2", "510000000001", "Developer")
    client("iam", "510000000001").create_role(RoleName="Developer", AssumeRolePolicyDocument="{}")
    ec2 = _as(session, "ec2", "510000000001", "Developer")
    assert ec2.describe_vpcs()["Vpcs"][0]["OwnerId"] == "510000000001"


@pytest.mark.parametrize(
    ("call", "listing", "given"),
    [
        ("delete_subnet", "describe_subnets", {"SubnetId": "Subnets"}),
        ("delete_vpc", "describe_vpcs", {"VpcId": "Vpcs"}),
    ],
)
def test_a_dry_run_deletes_nothing(client: Client, call: str, listing: str, given: dict[str, str]) -> None:
    ec2 = client("ec2", "510000000002")
    ((name, listed),) = given.items()
    before = getattr(ec2, listing)()[listed]
    with pytest.raises(ClientError, match="DryRunOperation") as refused:
        getattr(ec2, call)(**{name: before[0][name]}, DryRun=True)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert getattr(ec2, listing)()[listed] == before


@pytest.mark.parametrize(
    ("service", "call"),
    [
        ("rds", "describe_db_subnet_groups"),
        ("elasticache", "describe_cache_subnet_groups"),
        ("elb", "describe_load_balancers"),
        ("elbv2", "describe_load_balancers"),
    ],
)
def test_roles_hold_in_the_services_around_a_vpc_too(
    aws_environment: Embedded, client: Client, service: str, call: str
) -> None:
    account, role = "510000000003", f"{service}-nothing"
    iam = client("iam", account)
    iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")
    statement = {"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="reads", PolicyDocument=policy)
    assert getattr(client(service, account), call)()
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(_as(embedded_session(aws_environment), service, account, role), call)()


def test_a_shared_vpc_is_shown_to_those_it_is_shared_with_and_to_nobody_else(client: Client) -> None:
    owner, participant, stranger = "520000000001", "520000000002", "520000000003"
    ec2 = client("ec2", owner)
    named = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "shared"}]}]
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=named)["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    client("ram", owner).create_resource_share(
        name="shared",
        resourceArns=[f"arn:aws:ec2:{REGION}:{owner}:subnet/{subnet}"],
        principals=[participant],
    )
    seen = {each["VpcId"]: each for each in client("ec2", participant).describe_vpcs()["Vpcs"]}
    assert seen[vpc]["OwnerId"] == owner
    assert seen[vpc]["CidrBlock"] == "10.9.0.0/16"
    assert not seen[vpc].get("Tags")
    assert subnet in {each["SubnetId"] for each in client("ec2", participant).describe_subnets()["Subnets"]}
    assert vpc not in {each["VpcId"] for each in client("ec2", stranger).describe_vpcs()["Vpcs"]}
    assert [each["VpcId"] for each in ec2.describe_vpcs()["Vpcs"]].count(vpc) == 1


@pytest.fixture
def trail(aws_environment: Embedded) -> Callable[[str, int], list[dict[str, Any]]]:
    """Waits for so many records of an account and answers them, in the order of their events."""
    bucket, prefix = f"trail-{uuid.uuid4().hex[:8]}", "AWSLogs/o-exampleorg"
    s3 = embedded_session(aws_environment).client("s3")
    s3.create_bucket(Bucket=bucket)
    aws_environment.start_trail(bucket, prefix)

    def records(account: str, count: int) -> list[dict[str, Any]]:
        def enough() -> list[dict[str, Any]] | None:
            keys = s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/{account}/CloudTrail/{REGION}/")
            bodies = [s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in keys.get("Contents", [])]
            found = [record for body in bodies for record in json.loads(gzip.decompress(body))["Records"]]
            return found if len(found) >= count else None

        return sorted(wait_until(enough), key=lambda record: str(record["eventTime"]))

    return records


def test_a_launch_is_recorded_as_cloudtrail_records_it(
    client: Client, trail: Callable[[str, int], list[dict[str, Any]]]
) -> None:
    account = "530000000001"
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Code", "Value": "LOL"}]}]
    made = client("ec2", account).run_instances(
        ImageId="ami-12345678", InstanceType="t3.micro", MinCount=2, MaxCount=2, TagSpecifications=tags
    )
    (record,) = trail(account, 1)
    assert record["eventName"] == "RunInstances"
    assert record["recipientAccountId"] == account
    assert record["awsRegion"] == REGION
    assert record["userIdentity"]["arn"] == f"arn:aws:sts::{account}:assumed-role/{ADMIN}/jane@example.com"
    assert record["requestParameters"]["tagSpecificationSet"]["items"] == [
        {"resourceType": "instance", "tags": [{"key": "Code", "value": "LOL"}]}
    ]
    items = record["responseElements"]["instancesSet"]["items"]
    assert {each["instanceId"] for each in items} == {each["InstanceId"] for each in made["Instances"]}
    assert items[0]["imageId"] == "ami-12345678"
    assert items[0]["tagSet"] == {"items": [{"key": "Code", "value": "LOL"}]}


def test_a_refused_call_is_recorded_with_its_error_and_reads_are_not_recorded(
    client: Client, trail: Callable[[str, int], list[dict[str, Any]]]
) -> None:
    account = "530000000002"
    ec2 = client("ec2", account)
    ec2.describe_vpcs()
    with pytest.raises(ClientError, match="InvalidInstanceID"):
        ec2.terminate_instances(InstanceIds=["i-0123456789abcdef0"])
    (record,) = trail(account, 1)
    assert record["eventName"] == "TerminateInstances"
    assert record["errorCode"].startswith("Client.InvalidInstanceID")
    assert record["responseElements"] is None
    assert record["requestParameters"] == {"instancesSet": {"items": [{"instanceId": "i-0123456789abcdef0"}]}}


def test_an_auto_scaling_launch_is_recorded_though_nobody_called_run_instances(
    client: Client, trail: Callable[[str, int], list[dict[str, Any]]]
) -> None:
    account = "530000000003"
    ec2 = client("ec2", account)
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    ec2.create_launch_template(LaunchTemplateName="workers", LaunchTemplateData={"ImageId": "ami-12345678"})
    scaling = client("autoscaling", account)
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="workers", MinSize=1, MaxSize=2, LaunchTemplate={"LaunchTemplateName": "workers"},
        VPCZoneIdentifier=subnet,
    )  # fmt: skip
    (first,) = trail(account, 1)
    assert first["userIdentity"]["invokedBy"] == "autoscaling.amazonaws.com"
    assert "AWSServiceRoleForAutoScaling" in first["userIdentity"]["arn"]
    scaling.set_desired_capacity(AutoScalingGroupName="workers", DesiredCapacity=2)
    records = trail(account, 2)
    launched = [item["instanceId"] for each in records for item in each["responseElements"]["instancesSet"]["items"]]
    group = scaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    assert sorted(launched) == sorted(each["InstanceId"] for each in group["Instances"])


def test_a_role_with_policies_may_do_what_they_allow_and_one_without_may_do_everything(
    aws_environment: Embedded, client: Client
) -> None:
    account, session = "530000000001", embedded_session(aws_environment)
    iam = client("iam", account)
    for name in ("Reader", "Bare"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    statements = [
        {"Effect": "Allow", "Action": ["ec2:Describe*", "ec2:CreateVpc"], "Resource": "*"},
        {"Effect": "Deny", "Action": "ec2:DescribeSubnets", "Resource": "*"},
    ]
    iam.put_role_policy(
        RoleName="Reader",
        PolicyName="read",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
    )
    reader = _as(session, "ec2", account, "Reader")
    assert reader.describe_vpcs()["Vpcs"]
    for refused in (reader.describe_subnets, reader.create_internet_gateway):
        with pytest.raises(ClientError, match="UnauthorizedOperation"):
            refused()
    with pytest.raises(ClientError, match="AccessDenied"):
        _as(session, "autoscaling", account, "Reader").describe_auto_scaling_groups()
    assert _as(session, "ec2", account, "Bare").create_internet_gateway()


def test_the_trail_is_shown_and_a_stopped_one_writes_nothing(
    aws_environment: Embedded, trail: Callable[[str, int], list[dict[str, Any]]], client: Client
) -> None:
    account, cloudtrail = "540000000001", embedded_session(aws_environment).client("cloudtrail")
    (shown,) = [one for one in cloudtrail.describe_trails()["trailList"] if _is_logging(cloudtrail, one["TrailARN"])]
    assert shown["IsMultiRegionTrail"]
    ec2 = client("ec2", account)
    cloudtrail.stop_logging(Name=shown["TrailARN"])
    missed = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    cloudtrail.start_logging(Name=shown["TrailARN"])
    ec2.delete_vpc(VpcId=missed)
    (record,) = trail(account, 1)
    assert record["eventName"] == "DeleteVpc"


def _is_logging(cloudtrail: Any, arn: str) -> bool:
    return bool(cloudtrail.get_trail_status(Name=arn)["IsLogging"])

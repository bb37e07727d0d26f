"""The sample launches: what people and Auto Scaling start in the sample organization, tagged right and wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from landkeeper.embedded.organization import DEVELOPER_ROLE, Organization

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

IMAGE = "ami-0abcdef1234567890"
GROUP = "mobile-workers"


@dataclass(frozen=True, slots=True)
class SampleLaunch:
    """One RunInstances call of the sample, and what a person would expect of it."""

    account: str
    region: str
    user: str
    """An IAM user by a plain name, a session of the role Developer by an address."""
    story: str
    complies: bool
    instance_type: str = "t3.micro"
    count: int = 1
    tags: Mapping[str, str] = field(default_factory=dict)


LAUNCHES = (
    SampleLaunch("web-shop", "eu-west-1", "jane", "no tags at all", complies=False),
    SampleLaunch("web-shop", "eu-west-1", "jane", "tagged right", complies=True, tags={"Code": "LOL"}),
    SampleLaunch(
        "analytics", "us-east-1", "ben@example.com", "a Code nobody has", complies=False, instance_type="m5.xlarge",
        tags={"Code": "XYZ"},
    ),
    SampleLaunch(
        "sandbox-ana", "ap-southeast-2", "ana@example.com", "two at once, only a Name", complies=False,
        instance_type="g4dn.xlarge", count=2, tags={"Name": "training"},
    ),
    SampleLaunch(
        "payments", "eu-central-1", "mia@example.com", "tagged right", complies=True,
        tags={"Code": "GGG", "Name": "api"},
    ),
    SampleLaunch(
        "logistics", "eu-central-1", "tom@example.com", "code instead of Code", complies=False, tags={"code": "BRB"}
    ),
)  # fmt: skip
SCALED = SampleLaunch(
    "mobile-api",
    "eu-west-1",
    "Auto Scaling",
    "by an Auto Scaling group, exempt",
    complies=True,
    instance_type="t3.small",
)


@dataclass(frozen=True, slots=True)
class Launched:
    """What a sample launch made."""

    sample: SampleLaunch
    instance_ids: tuple[str, ...]


def launch_samples(organization: Organization) -> list[Launched]:
    """Make every sample launch through the EC2 and Auto Scaling APIs of the accounts."""
    return [*(_run(organization, sample) for sample in LAUNCHES), _scale(organization)]


def _run(organization: Organization, sample: SampleLaunch) -> Launched:
    ec2 = _ec2_of(organization, sample)
    tags = [{"Key": key, "Value": value} for key, value in sample.tags.items()]
    extra: dict[str, Any] = {
        "InstanceType": sample.instance_type,
        # Not every account has its default VPC, which is where instances go that name no subnet.
        "SubnetId": ec2.describe_subnets()["Subnets"][0]["SubnetId"],
    }
    if tags:
        extra["TagSpecifications"] = [{"ResourceType": "instance", "Tags": tags}]
    made = ec2.run_instances(ImageId=IMAGE, MinCount=sample.count, MaxCount=sample.count, **extra)
    return Launched(sample, tuple(instance["InstanceId"] for instance in made["Instances"]))


def _ec2_of(organization: Organization, sample: SampleLaunch) -> EC2Client:
    account = organization.accounts[sample.account]
    if "@" in sample.user:
        client: EC2Client = organization.client("ec2", account, sample.region, role=DEVELOPER_ROLE, user=sample.user)
        return client
    iam = organization.client("iam", account, "us-east-1")
    if sample.user not in {user["UserName"] for user in iam.list_users()["Users"]}:
        iam.create_user(UserName=sample.user)
    key = iam.create_access_key(UserName=sample.user)["AccessKey"]
    return organization.session.client(
        "ec2",
        region_name=sample.region,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )


def _scale(organization: Organization) -> Launched:
    account = organization.accounts[SCALED.account]
    ec2: EC2Client = organization.client("ec2", account, SCALED.region)
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    data: Any = {"ImageId": IMAGE, "InstanceType": SCALED.instance_type}
    ec2.create_launch_template(LaunchTemplateName=GROUP, LaunchTemplateData=data)
    scaling = organization.client("autoscaling", account, SCALED.region)
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=GROUP,
        MinSize=1,
        MaxSize=1,
        LaunchTemplate={"LaunchTemplateName": GROUP},
        VPCZoneIdentifier=subnet,
    )
    group = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])["AutoScalingGroups"][0]
    return Launched(SCALED, tuple(instance["InstanceId"] for instance in group["Instances"]))

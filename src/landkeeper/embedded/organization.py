"""The sample organization: a management account, twelve accounts in three units, four regions, and what is wrong in it.

The data lake and the analytics account both picked 10.0.0.0/16. There are secondary blocks, a VPC shared through RAM,
default VPCs nobody removed, and one account that came with a company and never got the reader's role.
Everything is made through the APIs, in the accounts themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import boto3

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "ap-southeast-2")
ADMIN_ROLE = "OrganizationAccountAccessRole"
DEVELOPER_ROLE = "Developer"
UNREADABLE = "acquired-shop"
SHARED_VPC = "shared"
SHARED_WITH = ("web-shop", "payments")

Service = Literal["ec2", "iam", "ram", "autoscaling", "cloudformation"]


@dataclass(frozen=True, slots=True)
class SampleVpc:
    """A VPC of the sample: where it is and its blocks, the primary one first."""

    account: str
    region: str
    name: str
    blocks: tuple[str, ...]


UNITS = {
    "Platform": ("network", "data-lake", "log-archive", "shared-services"),
    "Workloads": ("analytics", "web-shop", "payments", "mobile-api", "logistics"),
    "Sandbox": ("sandbox-ana", "sandbox-ben", UNREADABLE),
}
WITHOUT_DEFAULT_VPCS = frozenset({"network", "data-lake", "payments"})
VPCS = (
    SampleVpc("data-lake", "eu-west-1", "lake", ("10.0.0.0/16",)),
    SampleVpc("data-lake", "eu-central-1", "lake-copy", ("10.1.0.0/16",)),
    SampleVpc("data-lake", "us-east-1", "lake-us", ("10.2.0.0/16",)),
    SampleVpc("analytics", "eu-west-1", "analytics", ("10.0.0.0/16",)),
    SampleVpc("analytics", "us-east-1", "analytics-us", ("10.6.0.0/16", "100.64.0.0/16")),
    SampleVpc("network", "eu-west-1", SHARED_VPC, ("10.100.0.0/16",)),
    SampleVpc("network", "eu-central-1", "transit-eu", ("10.101.0.0/16",)),
    SampleVpc("network", "us-east-1", "transit-us", ("10.102.0.0/16",)),
    SampleVpc("network", "ap-southeast-2", "transit-ap", ("10.103.0.0/16",)),
    SampleVpc("web-shop", "eu-west-1", "shop", ("10.20.0.0/16", "10.21.0.0/16", "100.64.0.0/16")),
    SampleVpc("web-shop", "us-east-1", "shop-us", ("10.22.0.0/16",)),
    SampleVpc("payments", "eu-west-1", "payments", ("10.30.0.0/16",)),
    SampleVpc("payments", "eu-central-1", "payments-copy", ("10.31.0.0/16",)),
    SampleVpc("mobile-api", "eu-west-1", "mobile", ("10.21.128.0/17",)),
    SampleVpc("mobile-api", "ap-southeast-2", "mobile-ap", ("10.41.0.0/16",)),
    SampleVpc("logistics", "eu-central-1", "routes", ("10.50.0.0/16",)),
    SampleVpc("logistics", "us-east-1", "routes-us", ("10.102.64.0/18",)),
    SampleVpc("shared-services", "eu-west-1", "directory", ("10.110.0.0/16",)),
    SampleVpc("shared-services", "us-east-1", "directory-us", ("10.111.0.0/16",)),
    SampleVpc("log-archive", "eu-west-1", "archive", ("10.120.0.0/20",)),
    SampleVpc("sandbox-ana", "eu-west-1", "try-this", ("192.168.0.0/16",)),
    SampleVpc("sandbox-ben", "us-east-1", "tryout", ("192.168.0.0/16",)),
    SampleVpc(UNREADABLE, "eu-west-1", "main", ("10.0.0.0/16",)),
)


@dataclass(frozen=True, slots=True)
class Organization:
    """The sample as it was made: ids, and keys to act in its accounts."""

    id: str
    management_account: str
    accounts: dict[str, str]
    """Ids of the twelve members by their names."""
    session: boto3.Session
    _keys: dict[tuple[str, str, str], dict[str, str]] = field(default_factory=dict, repr=False)
    _clients: dict[tuple[str | None, ...], Any] = field(default_factory=dict, repr=False)

    @property
    def unreadable(self) -> str:
        """The id of the account whose role cannot be assumed."""
        return self.accounts[UNREADABLE]

    @property
    def readable(self) -> dict[str, str]:
        """Ids of the members that can be read, by their names."""
        return {name: account for name, account in self.accounts.items() if name != UNREADABLE}

    def client(
        self,
        service: Service,
        account: str,
        region: str,
        *,
        role: str = ADMIN_ROLE,
        user: str = "setup",
        endpoint: str | None = None,
    ) -> Any:
        """A client that acts in an account by its id, through a role there that `user` assumes."""
        place = (service, account, region, role, user, endpoint)
        if place not in self._clients:
            keys = {} if account == self.management_account else self._assumed(account, role, user)
            made: Callable[..., Any] = self.session.client
            self._clients[place] = made(service, region_name=region, endpoint_url=endpoint, **keys)
        return self._clients[place]

    def _assumed(self, account: str, role: str, user: str) -> dict[str, str]:
        if (account, role, user) not in self._keys:
            sts = self.session.client("sts", region_name=REGIONS[0])
            given = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{role}", RoleSessionName=user)["Credentials"]
            self._keys[account, role, user] = {
                "aws_access_key_id": given["AccessKeyId"],
                "aws_secret_access_key": given["SecretAccessKey"],
                "aws_session_token": given["SessionToken"],
            }
        return self._keys[account, role, user]


def make_organization(session: boto3.Session) -> Organization:
    """Make the sample organization and everything in it."""
    organizations = session.client("organizations", region_name="us-east-1")
    made = organizations.create_organization(FeatureSet="ALL")["Organization"]
    root = organizations.list_roots()["Roots"][0]["Id"]
    accounts: dict[str, str] = {}
    for unit, names in UNITS.items():
        unit_id = organizations.create_organizational_unit(ParentId=root, Name=unit)["OrganizationalUnit"]["Id"]
        for name in names:
            status = organizations.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]
            organizations.move_account(AccountId=status["AccountId"], SourceParentId=root, DestinationParentId=unit_id)
            accounts[name] = status["AccountId"]
    organization = Organization(made["Id"], made["MasterAccountId"], accounts, session)
    for name, account in accounts.items():
        _furnish(organization, name, account)
    _share(organization)
    return organization


def _furnish(organization: Organization, name: str, account: str) -> None:
    iam = organization.client("iam", account, "us-east-1")
    iam.create_role(RoleName=DEVELOPER_ROLE, AssumeRolePolicyDocument="{}")
    for region in REGIONS:
        ec2 = organization.client("ec2", account, region)
        if name in WITHOUT_DEFAULT_VPCS:
            _delete_default_vpc(ec2)
        for vpc in VPCS:
            if (vpc.account, vpc.region) == (name, region):
                _make_vpc(ec2, vpc)


def _delete_default_vpc(ec2: EC2Client) -> None:
    for vpc in ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]:
        inside = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
        for subnet in ec2.describe_subnets(Filters=inside)["Subnets"]:  # type: ignore[arg-type]
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        attached = [{"Name": "attachment.vpc-id", "Values": [vpc["VpcId"]]}]
        for gateway in ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]:  # type: ignore[arg-type]
            ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc["VpcId"])
            ec2.delete_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"])
        ec2.delete_vpc(VpcId=vpc["VpcId"])


def _make_vpc(ec2: EC2Client, vpc: SampleVpc) -> None:
    named = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": vpc.name}]}]
    vpc_id = ec2.create_vpc(CidrBlock=vpc.blocks[0], TagSpecifications=named)["Vpc"]["VpcId"]  # type: ignore[arg-type]
    for block in vpc.blocks[1:]:
        ec2.associate_vpc_cidr_block(VpcId=vpc_id, CidrBlock=block)
    network = vpc.blocks[0].rsplit(".", 2)[0]
    for number, zone in enumerate("ab"):
        third = int(vpc.blocks[0].split(".")[2]) + number
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"{network}.{third}.0/24", AvailabilityZone=f"{vpc.region}{zone}")


def _share(organization: Organization) -> None:
    organization.session.client("ram", region_name="us-east-1").enable_sharing_with_aws_organization()
    owner = organization.accounts["network"]
    region = next(vpc.region for vpc in VPCS if vpc.name == SHARED_VPC)
    ec2 = organization.client("ec2", owner, region)
    shared = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": [SHARED_VPC]}])["Vpcs"][0]["VpcId"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [shared]}])["Subnets"]
    organization.client("ram", owner, region).create_resource_share(
        name=SHARED_VPC,
        resourceArns=[f"arn:aws:ec2:{region}:{owner}:subnet/{subnet['SubnetId']}" for subnet in subnets],
        principals=[organization.accounts[name] for name in SHARED_WITH],
    )


def give_member_roles(organization: Organization, template: str, parameters: dict[str, str], endpoint: str) -> None:
    """Deploy the member template into every account but the unreadable one, as a StackSet would."""
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    for account in organization.readable.values():
        organization.client("cloudformation", account, "us-east-1", endpoint=endpoint).create_stack(
            StackName="landkeeper-member",
            TemplateBody=template,
            Parameters=given,
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )

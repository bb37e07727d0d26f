"""Default VPCs of the simulator's accounts: put to use, described by an independent reader, and read by ours."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from tests.member_instances import HERE, ROLE
from tests.servers import home_session, home_sessions

from landkeeper.aws.sessions import AccountSessions
from landkeeper.aws.vpctracker.default_vpcs import Ec2DefaultVpcs
from landkeeper.embedded.simulators import Embedded
from landkeeper.org import Account, AccountId
from landkeeper.vpctracker.default_vpcs.removal import Found, Result, delete_default_vpcs, survey_default_vpcs

_numbers = itertools.count(1)

_DESCRIBED = {
    "describe_vpcs": "Vpcs", "describe_subnets": "Subnets", "describe_internet_gateways": "InternetGateways",
    "describe_route_tables": "RouteTables", "describe_network_acls": "NetworkAcls",
    "describe_security_groups": "SecurityGroups", "describe_network_interfaces": "NetworkInterfaces",
    "describe_vpc_endpoints": "VpcEndpoints", "describe_nat_gateways": "NatGateways",
    "describe_vpn_gateways": "VpnGateways", "describe_vpc_peering_connections": "VpcPeeringConnections",
    "describe_egress_only_internet_gateways": "EgressOnlyInternetGateways", "describe_addresses": "Addresses",
    "describe_carrier_gateways": "CarrierGateways", "describe_tags": "Tags",
}  # fmt: skip


@dataclass
class Place:
    """One account in one region, seen with plain boto3 clients of its own."""

    account: Account
    keys: dict[str, str]
    sessions: AccountSessions
    plain: boto3.Session
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            make: Any = self.plain.client
            self.clients[service] = make(service, region_name=HERE, **self.keys)
        return self.clients[service]

    @property
    def ec2(self) -> Any:
        return self.client("ec2")

    def defaults(self) -> list[Any]:
        return [vpc for vpc in self.ec2.describe_vpcs()["Vpcs"] if vpc["IsDefault"]]

    @property
    def vpc(self) -> str:
        (vpc,) = self.defaults()
        return str(vpc["VpcId"])

    @property
    def subnets(self) -> list[str]:
        listed = self.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["Subnets"]
        return [one["SubnetId"] for one in listed]

    @property
    def group(self) -> str:
        filters = [{"Name": "vpc-id", "Values": [self.vpc]}, {"Name": "group-name", "Values": ["default"]}]
        (group,) = self.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        return str(group["GroupId"])

    def other_vpc(self) -> str:
        return str(self.ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"])

    def give_gateway(self) -> str:
        """The internet gateway that AWS gives a default VPC, and moto does not; with a route to it."""
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        filters = [{"Name": "vpc-id", "Values": [self.vpc]}, {"Name": "association.main", "Values": ["true"]}]
        (table,) = self.ec2.describe_route_tables(Filters=filters)["RouteTables"]
        self.ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        return str(gateway)

    def described(self) -> dict[str, Any]:
        """Everything that EC2 tells of the region."""
        told = {listed: getattr(self.ec2, call)()[listed] for call, listed in _DESCRIBED.items()}
        return {name: sorted(some, key=lambda one: json.dumps(one, default=str)) for name, some in told.items()}

    def reader(self) -> Ec2DefaultVpcs:
        return Ec2DefaultVpcs(lambda _: self.sessions, regions=(HERE,))

    def delete(self) -> Found | Result | None:
        """What deleting comes to: the result, what keeps it, or None where there is no default VPC."""
        reader = self.reader()
        surveys = survey_default_vpcs([self.account], reader)
        removals = delete_default_vpcs(surveys, reader, None)
        assert not surveys[0].unreadable
        return next((one for removal in removals for one in removal.results), next(iter(surveys[0].found), None))

    def make_role(self, name: str, actions: Sequence[str]) -> None:
        """A role that may do that and nothing else, from now on."""
        iam = self.client("iam")
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=name, PolicyName="network", PolicyDocument=policy)


@dataclass
class Places:
    """Accounts that nobody has used yet, entered through one set of shared sessions."""

    sessions: AccountSessions
    plain: boto3.Session = field(default_factory=home_session)

    def new(self, sessions: AccountSessions | None = None) -> Place:
        account = AccountId(f"{460000000000 + next(_numbers)}")
        role = f"arn:aws:iam::{account}:role/{ROLE}"
        given = self.plain.client("sts").assume_role(RoleArn=role, RoleSessionName="independent")["Credentials"]
        keys = {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }
        place = Place(Account(account, "shop"), keys, sessions or self.sessions, self.plain)
        place.give_gateway()
        return place


@pytest.fixture(scope="module")
def places(embedded: Embedded) -> Iterator[Places]:
    """New accounts with a default VPC as AWS makes it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in embedded.environment().items():
            patch.setenv(name, value)
        yield Places(home_sessions(ROLE))


class Interrupted(BaseException):
    """The process ends here."""


@contextmanager
def interrupted_after(call: int) -> Iterator[list[str]]:
    """Ends whoever calls AWS right after that call, counted from 1; yields the operations as they come."""
    clients: Any = BaseClient
    make_api_call = clients._make_api_call
    made: list[str] = []

    def counting(self: Any, operation_name: str, api_params: Any) -> Any:
        made.append(operation_name if not api_params.get("DryRun") else f"{operation_name} (dry run)")
        try:
            return make_api_call(self, operation_name, api_params)
        finally:
            if len(made) == call:
                raise Interrupted

    clients._make_api_call = counting
    try:
        yield made
    finally:
        clients._make_api_call = make_api_call

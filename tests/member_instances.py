"""Instances that tests start in member accounts of the simulators, and look at afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.servers import home_sessions

from landkeeper.aws.sessions import AccountCredentials
from landkeeper.broom.launches import InstanceId
from landkeeper.org import AccountId, Region

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import TagSpecificationTypeDef

ROLE = "OrganizationAccountAccessRole"
HERE = Region("eu-west-1")


def start_instances(account: AccountId, tags: Mapping[str, str] | None = None, *, count: int = 1) -> list[InstanceId]:
    """Start instances with these tags in the account."""
    specification: TagSpecificationTypeDef = {
        "ResourceType": "instance",
        "Tags": [{"Key": key, "Value": value} for key, value in (tags or {}).items()],
    }
    with _ec2_of(account) as ec2:
        answer = ec2.run_instances(
            ImageId="ami-12345678", MinCount=count, MaxCount=count, TagSpecifications=[specification] if tags else []
        )
    return [InstanceId(each["InstanceId"]) for each in answer["Instances"]]


def state_of(account: AccountId, id_: InstanceId) -> str:
    """EC2's word for where the instance stands."""
    with _ec2_of(account) as ec2:
        (reservation,) = ec2.describe_instances(InstanceIds=[id_])["Reservations"]
    return reservation["Instances"][0]["State"]["Name"]


@contextmanager
def _ec2_of(account: AccountId) -> Iterator[EC2Client]:
    sessions = home_sessions(ROLE)
    credentials = sessions.credentials_for(account)
    assert isinstance(credentials, AccountCredentials)
    with sessions.signing_as(credentials):
        yield sessions.ec2(HERE)

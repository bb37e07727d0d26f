"""VPC Tracker's functions as they are deployed: the real template on the embedded AWS, through its own queues.

One stack and one small organization serve all of them, in the order in which they stand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import boto3
import pytest
from tests.servers import EMBEDDED_REGIONS
from tests.waiting import wait_until

from landkeeper.embedded.observer import invoke, scan, waiting_messages
from landkeeper.embedded.simulators import Embedded, Simulators, embedded_session
from landkeeper.operate.deploy import Deployed, DeployRequest
from landkeeper.org import Region
from landkeeper.settings import Settings
from landkeeper.wiring.stack import deploy_stack

pytestmark = pytest.mark.embedded

HERE, THERE = "eu-west-1", "us-east-1"


@dataclass(frozen=True, slots=True)
class Deployment:
    """The stack, and an organization of a management account and two members; one never got the reader's role."""

    session: boto3.Session
    outputs: Mapping[str, str]
    member: str
    closed: str

    def ec2(self, region: str) -> Any:
        """EC2 in the member account."""
        role = f"arn:aws:iam::{self.member}:role/OrganizationAccountAccessRole"
        given = self.session.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        return boto3.client(
            "ec2",
            region_name=region,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )

    def items(self) -> dict[str, dict[str, Any]]:
        """The table's items by the VPC's id."""
        return {item["VpcId"]: item for item in scan(self.session, self.outputs["VpcTable"])}

    def coverage(self) -> dict[str, dict[str, Any]]:
        """The items of coverage by the account's id."""
        return {item["AccountId"]: item for item in scan(self.session, f"{self.outputs['VpcTable']}Coverage")}

    def history(self) -> int:
        """How many changes were ever written."""
        return len(scan(self.session, f"{self.outputs['VpcTable']}History"))

    def waiting(self, queue: str) -> int:
        """How many messages one of the queues holds, by the name of its output."""
        return waiting_messages(self.session, self.outputs[queue])

    def send(self, body: str) -> None:
        """A message into the workers' queue."""
        self.session.client("sqs").send_message(QueueUrl=self.outputs["WorkQueueUrl"], MessageBody=body)

    def forget_soon(self, queue: str) -> None:
        """Let messages that failed come again after a second, and count as dead after two attempts."""
        sqs = self.session.client("sqs")
        url = self.outputs[queue]
        held = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
        policy = json.dumps({**json.loads(held), "maxReceiveCount": 2})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1", "RedrivePolicy": policy})


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    """Simulators of their own, with the stack in them."""
    with Simulators(regions=EMBEDDED_REGIONS) as embedded, pytest.MonkeyPatch.context() as patch:
        for name, value in embedded.environment().items():
            patch.setenv(name, value)
        yield _deploy(embedded)


def _deploy(embedded: Embedded) -> Deployment:
    session = embedded_session(embedded)
    organizations = session.client("organizations")
    organization = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    member, closed = (
        organizations.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]["AccountId"]
        for name in ("shop", "closed")
    )
    parameters = {
        "CreateTrail": "false", "EventForwarding": "false", "OrganizationId": organization, "MemberUnits": "",
        "EventDelaySeconds": "1", "Regions": f"{HERE},{THERE}",
    }  # fmt: skip
    policy = (files("landkeeper.demo") / "broom.yaml").read_text(encoding="utf-8")
    deployed = deploy_stack(
        Settings(region=Region("us-east-1")),
        DeployRequest("tracker", policy, parameters=parameters),
        approve=lambda _: True,
        on_event=lambda _: None,
        poll_seconds=0.2,
    )
    assert isinstance(deployed, Deployed)
    deployment = Deployment(session, deployed.outputs, member, closed)
    _give_role(deployment)
    embedded.start_trail(deployed.outputs["TrailBucket"], f"AWSLogs/{organization}", events=True)
    return deployment


def _give_role(deployment: Deployment) -> None:
    role = f"arn:aws:iam::{deployment.member}:role/OrganizationAccountAccessRole"
    given = deployment.session.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    iam = boto3.client(
        "iam",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    iam.create_role(RoleName="landkeeper-read", AssumeRolePolicyDocument="{}")


def _account_message(account: str) -> str:
    return json.dumps(
        {"landkeeper": "track-account", "account": account, "name": "shop", "organization": "", "run": "by hand"}
    )


def test_a_change_is_in_the_table_without_any_run(deployment: Deployment) -> None:
    vpc = deployment.ec2(HERE).create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    wait_until(lambda: vpc in deployment.items())
    item = deployment.items()[vpc]
    assert (item["OwnerId"], item["Region"], item["CidrBlock"], item["State"]) == (
        deployment.member, HERE, "10.7.0.0/16", "available",
    )  # fmt: skip
    assert set(deployment.coverage()[deployment.member]["Regions"]) == {HERE}, "no more is read than what changed"


def test_a_run_sends_every_account_out_and_the_workers_read_them(deployment: Deployment) -> None:
    answer = invoke(deployment.session, deployment.outputs["DispatcherFunction"])
    assert (answer["accounts"], answer["sent"]) == (3, 3)
    wait_until(lambda: len(deployment.coverage()) == 3 and deployment.waiting("WorkQueueUrl") == 0)
    assert {item["Region"] for item in deployment.items().values()} == {HERE, THERE}
    assert deployment.closed not in {item["OwnerId"] for item in deployment.items().values()}
    assert "ROLE_NOT_ASSUMABLE" in json.dumps(deployment.coverage()[deployment.closed], default=str)
    assert deployment.waiting("WorkDeadLettersUrl") == 0, "an account that cannot be read is no failure"


def test_a_message_that_comes_again_changes_nothing_but_coverage(deployment: Deployment) -> None:
    items, history, before = deployment.items(), deployment.history(), deployment.coverage()
    # Coverage tells times to the second: a read in the same one would look like none.
    tried_at = str(before[deployment.member]["TriedAt"])
    wait_until(lambda: f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}" > tried_at)
    for _ in range(2):
        deployment.send(_account_message(deployment.member))
    wait_until(lambda: deployment.coverage() != before and deployment.waiting("WorkQueueUrl") == 0)
    assert (deployment.items(), deployment.history()) == (items, history)


def test_a_vpc_is_deleted_at_the_second_read_and_not_at_the_first(deployment: Deployment) -> None:
    vpc = next(vpc for vpc, item in deployment.items().items() if item["CidrBlock"] == "10.7.0.0/16")
    deployment.ec2(HERE).delete_vpc(VpcId=vpc)
    wait_until(lambda: deployment.items()[vpc]["State"] == "deleted")
    entries = [entry for entry in scan(deployment.session, f"{deployment.outputs['VpcTable']}History")
               if entry["VpcId"] == vpc]  # fmt: skip
    entries.sort(key=lambda entry: str(entry["At"]))
    missed, gone = entries[-2:]
    assert (missed["Kind"], gone["Kind"]) == ("changed", "disappeared")
    assert "MissingSince" in missed["After"]
    assert "State" not in missed["After"], "at the first read it was only missed"
    assert gone["After"]["State"] == "deleted"


def test_a_message_that_nobody_can_read_ends_among_the_dead_letters_alone(deployment: Deployment) -> None:
    deployment.forget_soon("WorkQueueUrl")
    before = deployment.coverage()
    deployment.send("poison")
    deployment.send(_account_message(deployment.member))
    wait_until(lambda: deployment.waiting("WorkDeadLettersUrl") == 1)
    assert deployment.waiting("WorkQueueUrl") == 0
    assert deployment.coverage()[deployment.member] != before[deployment.member]
    letter = deployment.session.client("sqs").receive_message(QueueUrl=deployment.outputs["WorkDeadLettersUrl"])
    assert [message["Body"] for message in letter["Messages"]] == ["poison"]
    assert deployment.waiting("EventDeadLettersUrl") == 0

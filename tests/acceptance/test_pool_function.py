"""Stacks that ask for blocks: the deployed function, CloudFormation's own requests, and a forwarder elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.answer_server import answer_server
from tests.servers import EMBEDDED_REGIONS
from tests.waiting import wait_until

from landkeeper.aws.sessions import open_sessions
from landkeeper.aws.vpctracker.pool_table import PoolTable
from landkeeper.aws.vpctracker.vpc_table import VpcTable
from landkeeper.embedded.observer import scan
from landkeeper.embedded.simulators import HOME_ACCOUNT, Embedded, Simulators, embedded_session
from landkeeper.operate.deploy import Deployed, DeployRequest
from landkeeper.operate.templates import POOL_FORWARDER, template
from landkeeper.org import Account, AccountId, Region
from landkeeper.settings import Settings
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.differences import Complete, diff_account
from landkeeper.vpctracker.inventory import Vpc, VpcId
from landkeeper.vpctracker.pools.operations import create_pool, read_named_state
from landkeeper.vpctracker.pools.pool import Pool, Reservation
from landkeeper.wiring.stack import deploy_stack
from landkeeper.wiring.vpctracker.pools import actor_named

pytestmark = pytest.mark.embedded

HERE, THERE = Region("us-east-1"), Region("eu-west-1")
HOME = AccountId(HOME_ACCOUNT)


@dataclass(frozen=True, slots=True)
class Deployment:
    """The stack, with two pools in its tables; the account's two regions were read."""

    session: boto3.Session
    outputs: Mapping[str, str]
    table: PoolTable

    def held(self, pool: str = "prod") -> tuple[Reservation, ...]:
        return read_named_state(self.table, pool)[0].reservations

    def bring(self, name: str, properties: Mapping[str, str], *, region: Region = HERE) -> dict[str, str]:
        """Create or update a stack that asks for a block; its outputs, with its status and the failure's reason."""
        client = self.session.client("cloudformation", region_name=region)
        body = json.dumps(_template(self.outputs["PoolFunctionArn"].replace(HERE, region), properties))
        known = name in {each["StackName"] for each in _stacks(client)}
        (client.update_stack if known else client.create_stack)(StackName=name, TemplateBody=body)
        wait_until(lambda: not _state(client, name)["StackStatus"].endswith("IN_PROGRESS"))
        stack = _state(client, name)
        outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())}
        reasons = [each.get("ResourceStatusReason", "") for each in _events(client, name)
                   if each["ResourceStatus"].endswith("FAILED") and each["LogicalResourceId"] == "Block"]  # fmt: skip
        return {**outputs, "Status": stack["StackStatus"], "Reason": "".join(reasons[:1])}

    def drop(self, name: str) -> str:
        """Delete the stack; its status after that."""
        client = self.session.client("cloudformation", region_name=HERE)
        id_ = _state(client, name)["StackId"]
        client.delete_stack(StackName=name)
        wait_until(lambda: not _state(client, id_)["StackStatus"].endswith("IN_PROGRESS"))
        return str(_state(client, id_)["StackStatus"])


def _template(token: str, properties: Mapping[str, str]) -> dict[str, Any]:
    block = {"Type": "Custom::LandkeeperBlock", "Properties": {"ServiceToken": token, **properties}}
    # EC2 is moto's here, and CloudFormation MiniStack's: a parameter stands for the VPC.
    user = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Fn::GetAtt": "Block.CidrBlock"}}}
    told = {name: {"Value": {"Fn::GetAtt": f"Block.{name}"}} for name in ("CidrBlock", "PoolId", "ReservationId")}
    return {
        "Resources": {"Block": block, "User": user},
        "Outputs": {**told, "Id": {"Value": {"Ref": "Block"}}},
    }


def _stacks(client: Any) -> list[dict[str, Any]]:
    stacks: list[dict[str, Any]] = client.describe_stacks()["Stacks"]
    return stacks


def _state(client: Any, name: str) -> dict[str, Any]:
    (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    found: dict[str, Any] = stack
    return found


def _events(client: Any, name: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = client.describe_stack_events(StackName=name)["StackEvents"]
    return events


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    """Simulators of their own, with the stack in them."""
    with Simulators(regions=EMBEDDED_REGIONS) as embedded, pytest.MonkeyPatch.context() as patch:
        for name, value in embedded.environment().items():
            patch.setenv(name, value)
        yield _deploy(embedded)


def _deploy(embedded: Embedded) -> Deployment:
    parameters = {"CreateTrail": "false", "EventForwarding": "false", "MemberUnits": "", "EventDelaySeconds": "1"}
    policy = (files("landkeeper.demo") / "broom.yaml").read_text(encoding="utf-8")
    deployed = deploy_stack(
        Settings(region=HERE), DeployRequest("landkeeper", policy, parameters=parameters), approve=lambda _: True,
        on_event=lambda _: None, poll_seconds=0.2,
    )  # fmt: skip
    assert isinstance(deployed, Deployed)
    client = open_sessions(HERE).home("dynamodb")
    table = PoolTable(client, deployed.outputs["VpcTable"])
    for name, block in (("prod", "10.0.0.0/16"), ("test", "10.1.0.0/16"), ("tight", "10.2.0.0/20")):
        create_pool(table, Pool(name, parse_block(block)), actor_named("test"))
    now = datetime.now(UTC) - timedelta(minutes=1)
    vpcs = VpcTable(client, deployed.outputs["VpcTable"])
    assert vpcs.write_coverage(Coverage(HOME, "home", now, regions=dict.fromkeys((HERE, THERE), RegionCoverage(now))))
    return Deployment(embedded_session(embedded), deployed.outputs, table)


def test_a_stack_gets_a_block_replaces_it_and_gives_it_back(deployment: Deployment) -> None:
    made = deployment.bring("shop", {"Pool": "prod", "PrefixLength": "20", "GrowTo": "18"})
    (first,) = deployment.held()
    assert made == {
        "CidrBlock": "10.0.0.0/20", "PoolId": "prod", "ReservationId": first.id, "Id": first.id,
        "Status": "CREATE_COMPLETE", "Reason": "",
    }  # fmt: skip
    assert (first.account, first.region, first.purpose) == (HOME, HERE, "Block of the stack shop")
    named = deployment.bring("shop", {"Pool": "prod", "PrefixLength": "20", "GrowTo": "18", "For": "web"})
    assert (named["Status"], named["Id"]) == ("UPDATE_COMPLETE", first.id)
    assert [one.purpose for one in deployment.held()] == ["web"]
    moved = deployment.bring("shop", {"Pool": "test", "PrefixLength": "24"})
    (second,) = deployment.held("test")
    assert (moved["Status"], moved["CidrBlock"], moved["Id"]) == ("UPDATE_COMPLETE", "10.1.0.0/24", second.id)
    wait_until(lambda: [one.expires_at is not None for one in deployment.held()] == [True])
    assert deployment.drop("shop") == "DELETE_COMPLETE"
    (gone,) = deployment.held("test")
    assert (gone.id, gone.request_id) == (second.id, "")
    assert gone.expires_at is not None


def test_a_block_that_was_given_back_is_given_again_once_its_region_was_read(deployment: Deployment) -> None:
    """The function asks for the look, and the tracker's own function takes it."""
    made = deployment.bring("short", {"Pool": "tight", "PrefixLength": "20"})
    assert made["Status"] == "CREATE_COMPLETE"
    assert deployment.drop("short") == "DELETE_COMPLETE"
    ended = {one.id: one.expires_at for one in deployment.held("tight")}[made["Id"]]
    assert ended is not None

    def read_at() -> str:
        (item,) = scan(deployment.session, f"{deployment.outputs['VpcTable']}Coverage")
        return str(item["Regions"][HERE]["CompleteAt"])

    wait_until(lambda: read_at() > f"{ended:%Y-%m-%dT%H:%M:%SZ}")
    again = deployment.bring("other", {"Pool": "tight", "PrefixLength": "20"})
    assert (again["Status"], again["CidrBlock"]) == ("CREATE_COMPLETE", "10.2.0.0/20")
    assert [one.id for one in deployment.held("tight")] == [again["Id"]]


def test_a_block_with_a_vpc_in_it_stays_taken_and_keeps_no_stack_from_going(deployment: Deployment) -> None:
    made = deployment.bring("left", {"Pool": "prod", "PrefixLength": "20"})
    vpc = Vpc(VpcId("vpc-0123456789abcdef0"), HOME, THERE, made["CidrBlock"])
    vpcs = VpcTable(open_sessions(HERE).home("dynamodb"), deployment.outputs["VpcTable"])
    changes = diff_account((), {THERE: Complete((vpc,))}, Account(HOME), datetime.now(UTC))
    assert vpcs.write_changes(changes) == []
    assert deployment.drop("left") == "DELETE_COMPLETE"
    assert deployment.bring("next", {"Pool": "prod", "PrefixLength": "20"})["CidrBlock"] != made["CidrBlock"]


def test_what_is_wrong_is_told_in_the_stacks_own_events(deployment: Deployment) -> None:
    before = deployment.held()
    for name, properties, why in (
        ("typo", {"Pool": "prod", "Prefix": "20"}, "there is no property Prefix"),
        ("full", {"Pool": "prod", "PrefixLength": "16"}, "the pool 'prod' has no /16 left"),
        ("unread", {"Pool": "prod", "PrefixLength": "20", "Account": "999988887777"}, "the account 999988887777"),
    ):
        refused = deployment.bring(name, properties)
        assert refused["Status"] == "ROLLBACK_COMPLETE", refused
        assert why in refused["Reason"]
    assert deployment.held() == before


def test_a_stack_of_another_region_asks_through_a_forwarder(deployment: Deployment) -> None:
    there = deployment.session.client("cloudformation", region_name=THERE)
    given = {"PoolFunctionArn": deployment.outputs["PoolFunctionArn"]}
    there.create_stack(
        StackName="forwarder", TemplateBody=template(POOL_FORWARDER), Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
    )  # fmt: skip
    wait_until(lambda: _state(there, "forwarder")["StackStatus"] == "CREATE_COMPLETE")
    made = deployment.bring("shop", {"Pool": "prod", "PrefixLength": "24"}, region=THERE)
    assert (made["Status"], made["PoolId"]) == ("CREATE_COMPLETE", "prod")
    (held,) = [one for one in deployment.held() if one.id == made["Id"]]
    assert held.region == THERE


def test_a_request_that_is_delivered_twice_at_once_gets_one_block(deployment: Deployment) -> None:
    request = json.loads((Path(__file__).parents[1] / "events/stack_create.json").read_text("utf-8"))
    stack = f"arn:aws:cloudformation:{HERE}:{HOME}:stack/twice/00000000-0000-0000-0000-000000000002"
    before = {one.id for one in deployment.held()}
    with answer_server() as server, ThreadPoolExecutor(3) as pool:
        event = {**request, "StackId": stack, "ResponseURL": server.url}
        client, function = deployment.session.client("lambda"), deployment.outputs["PoolFunctionArn"]
        given = pool.map(lambda payload: client.invoke(FunctionName=function, Payload=payload), [json.dumps(event)] * 3)
        told = [json.loads(answer["Payload"].read()) for answer in given]
    (made,) = {one.id for one in deployment.held()} - before
    assert told == [{"Status": "SUCCESS", "ReservationId": made}] * 3
    assert [answer["PhysicalResourceId"] for answer in server.answers] == [made] * 3
    assert {answer["Data"]["ReservationId"] for answer in server.answers} == {made}

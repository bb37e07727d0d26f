"""A deployment's whole life on the embedded AWS, by the command as a person types it.

`go_through` takes it from nothing to the first tracked VPC and the first destroyed instance, then through an update,
a destruction that keeps the data, a deployment that adopts it, and one that keeps nothing. It runs with whatever
credentials and simulators the environment points at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import boto3
from tests.member_instances import ROLE, start_instances, state_of
from tests.servers import HOME_REGION, home_session
from tests.waiting import wait_until

from landkeeper.cli import run
from landkeeper.embedded.observer import invoke, scan, waiting_messages
from landkeeper.embedded.simulators import Embedded
from landkeeper.operate.templates import MEMBER_ROLES, template
from landkeeper.org import AccountId

STACK = "keeper"


@dataclass(slots=True)
class Deployment:
    """A stack on the embedded AWS, with one member account to look after."""

    embedded: Embedded
    session: boto3.Session
    organization: str
    member: AccountId
    policy: Path

    def deploy(self, *words: str) -> Mapping[str, str]:
        """`landkeeper deploy`, and the outputs of the stack that it leaves."""
        assert run(["deploy", "--stack-name", STACK, "--yes", "--as-installed", *words]) == 0
        return self.outputs()

    def destroy(self, *words: str) -> None:
        """`landkeeper destroy`, after a plan that changes nothing."""
        assert run(["destroy", "--stack-name", STACK, "--plan", *words]) == 0
        assert run(["destroy", "--stack-name", STACK, "--yes", *words]) == 0

    def outputs(self) -> Mapping[str, str]:
        """The stack's outputs by name."""
        (stack,) = self.session.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

    def tables(self) -> set[str]:
        """The tables that are there."""
        return set(self.session.client("dynamodb").list_tables()["TableNames"])

    def protected(self, table: str) -> bool:
        """Whether the table's deletion protection is on."""
        return bool(
            self.session.client("dynamodb").describe_table(TableName=table)["Table"]["DeletionProtectionEnabled"]
        )

    def items(self, table: str) -> list[dict[str, Any]]:
        """What the table holds."""
        return scan(self.session, table)


def make_deployment(embedded: Embedded, policy: Path) -> Deployment:
    """An organization with one member account, and nothing deployed. The environment points at `embedded`."""
    session = home_session()
    organizations = session.client("organizations")
    organization = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    made = organizations.create_account(AccountName="shop", Email="shop@example.com")["CreateAccountStatus"]
    policy.write_text((files("landkeeper.demo") / "broom.yaml").read_text(encoding="utf-8"))
    return Deployment(embedded, session, organization, AccountId(made["AccountId"]), policy)


def first_words(deployment: Deployment) -> list[str]:
    """What a first deployment is told: the policy, and what the embedded AWS has not (docs/embedded.md)."""
    parameters = {"CreateTrail": "false", "EventForwarding": "false", "MemberUnits": "", "Regions": "eu-west-1"}
    words = [word for name, value in parameters.items() for word in ("--parameter", f"{name}={value}")]
    return ["--policy", str(deployment.policy), *words]


def give_roles(deployment: Deployment, outputs: Mapping[str, str]) -> None:
    """The member account's stack of roles, as a StackSet would bring it there."""
    sts = deployment.session.client("sts")
    role = f"arn:aws:iam::{deployment.member}:role/{ROLE}"
    given = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    cloudformation = boto3.client(
        "cloudformation",
        endpoint_url=deployment.embedded.moto_url,
        region_name=HOME_REGION,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    cloudformation.create_stack(
        StackName="landkeeper-member-roles",
        TemplateBody=template(MEMBER_ROLES),
        Parameters=[
            {"ParameterKey": name, "ParameterValue": outputs[name]} for name in ("TrackerRoleArn", "BroomRoleArn")
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )


def track(deployment: Deployment, outputs: Mapping[str, str]) -> set[str]:
    """A run of the tracker, and whose VPCs are in the table after it."""
    answer = invoke(deployment.session, outputs["DispatcherFunction"])
    assert answer["sent"] == 2, answer

    def owners() -> set[str]:
        return {item["OwnerId"] for item in deployment.items(outputs["VpcTable"])}

    wait_until(lambda: len(owners()) == answer["sent"])
    return owners()


def launch_and_keep(deployment: Deployment, outputs: Mapping[str, str]) -> str:
    """Start an instance that breaks the policy while actions are off, and see that it runs on, judged; its id."""
    (instance,) = start_instances(deployment.member)
    wait_until(lambda: cases(deployment, outputs).get(instance, {}).get("State") == "judged")
    wait_until(lambda: waiting_messages(deployment.session, outputs["BroomQueueUrl"]) == 0)
    assert cases(deployment, outputs)[instance]["Outcome"] == "actions off"
    assert state_of(deployment.member, instance) == "running"
    return instance


def turn_on(outputs: Mapping[str, str]) -> None:
    """Turn actions on as the last step of the first deployment says."""
    assert run(["broom", "actions", "on", "--ledger", outputs["LedgerTable"], "--yes"]) == 0


def cases(deployment: Deployment, outputs: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The cases of the ledger, by the instance's id; without its switch."""
    items = deployment.items(outputs["LedgerTable"])
    return {item["InstanceId"]: item for item in items if "#" not in item["InstanceId"]}


def launch_and_lose(deployment: Deployment, outputs: Mapping[str, str]) -> str:
    """Start an instance that breaks the policy, and see it destroyed and its case reported; its id."""
    (instance,) = start_instances(deployment.member)
    wait_until(lambda: state_of(deployment.member, instance) in {"shutting-down", "terminated"})
    wait_until(lambda: cases(deployment, outputs)[instance]["State"] == "reported")
    return instance


def go_through(deployment: Deployment) -> None:
    """The deployment's whole life; every step is looked at from outside."""
    outputs = deployment.deploy(*first_words(deployment))
    give_roles(deployment, outputs)
    deployment.embedded.start_trail(outputs["TrailBucket"], f"AWSLogs/{deployment.organization}")
    assert track(deployment, outputs) == {deployment.member, "123456789012"}
    launch_and_keep(deployment, outputs)
    turn_on(outputs)
    lost = launch_and_lose(deployment, outputs)
    _update(deployment, outputs)
    kept = _destroy_and_keep(deployment, outputs)
    # MiniStack takes a bucket that is adopted for one whose name is taken (docs/embedded.md). The stack is gone by now.
    buckets = (outputs["TrailBucket"], outputs["ReportBucket"])
    deployment.destroy(*[word for name in buckets for word in ("--delete-data", name)])
    assert _buckets(deployment).isdisjoint(buckets)
    again = deployment.deploy("--policy", str(deployment.policy), *first_words(deployment)[2:])
    deployment.embedded.start_trail(again["TrailBucket"], f"AWSLogs/{deployment.organization}")
    assert {name: _without_switch(deployment.items(name)) for name in kept} == kept, "adopted as it was"
    assert lost in cases(deployment, again)
    (switch,) = (item for item in deployment.items(again["LedgerTable"]) if "Turns" in item)
    assert [turn["Actions"] for turn in switch["Turns"]] == ["off", "on", "off"], "a first deployment again"
    turn_on(again)
    launch_and_lose(deployment, again)
    _destroy_all(deployment, again)


def _update(deployment: Deployment, outputs: Mapping[str, str]) -> None:
    """What is not said again stays; the kill switch reaches the function."""
    deployment.deploy("--parameter", "Actions=off")
    (instance,) = start_instances(deployment.member)
    ledger = outputs["LedgerTable"]
    wait_until(lambda: instance in {item["InstanceId"] for item in deployment.items(ledger)})
    wait_until(lambda: waiting_messages(deployment.session, outputs["BroomQueueUrl"]) == 0)
    assert state_of(deployment.member, instance) == "running"
    functions = deployment.session.client("lambda")
    variables = functions.get_function_configuration(FunctionName=outputs["BroomFunction"])["Environment"]["Variables"]
    assert (variables["LANDKEEPER_ACTIONS"], variables["LANDKEEPER_REGIONS"]) == ("off", "eu-west-1")
    deployment.deploy("--parameter", "Actions=on")


def _destroy_and_keep(deployment: Deployment, outputs: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    pools = f"{outputs['VpcTable']}Pools"
    deployment.destroy("--delete-data", pools)
    assert pools not in deployment.tables()
    kept = {outputs["VpcTable"], f"{outputs['VpcTable']}History", outputs["LedgerTable"]}
    assert all(deployment.protected(table) for table in kept), "only what was to go lost its protection"
    functions = deployment.session.client("lambda").list_functions()["Functions"]
    assert not [each for each in functions if each["FunctionName"].startswith(STACK)]
    assert outputs["TrailBucket"] in _buckets(deployment)
    return {table: _without_switch(deployment.items(table)) for table in kept}


def _without_switch(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A new first deployment turns the switch of the ledger that it adopts off."""
    return [item for item in items if item.get("InstanceId") != "SWITCH#actions"]


def _destroy_all(deployment: Deployment, outputs: Mapping[str, str]) -> None:
    table = outputs["VpcTable"]
    names = [f"{table}{suffix}" for suffix in ("", "History", "Coverage", "Pools")]
    names += [outputs["LedgerTable"], outputs["TrailBucket"], outputs["ReportBucket"]]
    names += [f"landkeeper-artifacts-123456789012-{HOME_REGION}"]
    deployment.destroy(*[word for name in names for word in ("--delete-data", name)])
    assert deployment.tables().isdisjoint(names)
    assert _buckets(deployment).isdisjoint((outputs["TrailBucket"], outputs["ReportBucket"]))


def _buckets(deployment: Deployment) -> set[str]:
    return {bucket["Name"] for bucket in deployment.session.client("s3").list_buckets()["Buckets"]}

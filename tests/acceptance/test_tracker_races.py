"""The tracker's command on the file and on tables: overlapping runs, lost answers, credentials of another account."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.scripted_aws import Call, LostAnswer, OtherAccount, Reaction, ScriptedAws, scripted_aws
from tests.servers import home_session
from tests.waiting import wait_until

from landkeeper.cli import run
from landkeeper.embedded.simulators import Embedded

pytestmark = pytest.mark.embedded

_ROLE = "OrganizationAccountAccessRole"
_READ_FIRST, _READ_LATE = "us-east-1", "eu-west-1"
_numbers = itertools.count()


@pytest.fixture
def aws(aws_environment: Embedded, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedAws]:
    """What a test scripts of EC2 and STS."""
    with scripted_aws(aws_environment.moto_url) as scripted:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", scripted.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", scripted.url)
        yield scripted


@pytest.fixture
def tables(aws_environment: Embedded, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedAws]:
    """What a test scripts of DynamoDB."""
    with scripted_aws(aws_environment.ministack_url) as scripted:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", scripted.url)
        yield scripted


@pytest.fixture(params=["file", "table"])
def store(
    request: pytest.FixtureRequest, aws_environment: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """The flags of an empty store."""
    monkeypatch.chdir(tmp_path)
    if request.param == "file":
        return ["--file", str(tmp_path / "landkeeper.db")]
    name = f"Races{uuid.uuid4().hex[:8]}"
    assert run(["vpc", "track", "--table", name, "--create-tables", "--region", "ap-south-1"]) == 0
    return ["--table", name]


@pytest.fixture
def account() -> str:
    """A member account without any VPC of its own making."""
    return str(554000000000 + next(_numbers))


@pytest.fixture
def populated(aws_environment: Embedded, account: str) -> tuple[str, str]:
    """A member account, and the VPC in it."""
    return account, _create_vpc(aws_environment, account, "10.0.0.0/16")


def _track(store: list[str], account: str) -> int:
    regions = ["--region", _READ_FIRST, "--region", _READ_LATE]
    return run(["vpc", "track", *store, "--account", account, "--role", _ROLE, *regions])


def _create_vpc(embedded: Embedded, account: str, block: str) -> str:
    sts = home_session().client("sts", endpoint_url=embedded.moto_url)
    role = f"arn:aws:iam::{account}:role/{_ROLE}"
    keys = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    ec2 = session.client("ec2", region_name=_READ_FIRST, endpoint_url=embedded.moto_url)
    vpc: str = ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"]
    return vpc


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert run([*arguments, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def _states(capsys: pytest.CaptureFixture[str], store: list[str], account: str) -> dict[str, str]:
    listed = _json(capsys, "vpc", "list", *store, "--account", account, "--deleted")
    return {vpc["VpcId"]: vpc["State"] for vpc in listed if not vpc["IsDefault"]}


def test_a_slow_run_takes_away_nothing_that_another_run_has_seen_since(
    aws: ScriptedAws, aws_environment: Embedded, store: list[str], account: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _track(store, account) == 0
    created: list[str] = []

    def overtake(call: Call) -> Reaction:
        if call.action == "DescribeVpcs" and call.region == _READ_LATE and not created:
            wait_until(lambda: any((c.action, c.region) == ("DescribeVpcs", _READ_FIRST) for c in aws.answered[known:]))
            created.append(_create_vpc(aws_environment, account, "10.0.0.0/16"))
            assert _track(store, account) == 0
        return None

    known = len(aws.answered)
    aws.script = overtake
    assert _track(store, account) == 0
    assert _states(capsys, store, account) == {created[0]: "available"}
    assert run(["vpc", "pool", "create", "prod", *store, "--cidr", "10.0.0.0/8"]) == 0
    asked = ("--pool", "prod", "--account", account, "--for", "web", "--prefix-length", "16")
    assert _json(capsys, "vpc", "allocate", *store, *asked)["CidrBlock"] == "10.1.0.0/16"
    (history,) = [entry for entry in _json(capsys, "vpc", "history", created[0], *store) if entry["Kind"] != "changed"]
    assert history["Kind"] == "appeared"


def test_credentials_of_another_account_take_nothing_away(
    aws: ScriptedAws, store: list[str], populated: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    account, vpc = populated
    assert _track(store, account) == 0
    other = str(554000000000 + next(_numbers))
    aws.script = lambda call: OtherAccount(other) if call.action == "AssumeRole" else None
    capsys.readouterr()
    assert _track(store, account) == 3
    printed = capsys.readouterr().err
    assert account in printed
    assert other in printed
    assert _states(capsys, store, account) == {vpc: "available"}


@pytest.mark.parametrize("store", ["table"], indirect=True)
@pytest.mark.parametrize("action", ["TransactWriteItems", "PutItem"])
def test_an_answer_of_dynamodb_that_is_lost_changes_nothing(
    store: list[str], tables: ScriptedAws, populated: tuple[str, str], action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    account, vpc = populated
    lost = iter([LostAnswer()])
    tables.script = lambda call: next(lost, None) if call.action == action else None
    capsys.readouterr()
    assert _track(store, account) == 0
    assert "3 appeared, 0 changed, 0 disappeared" in capsys.readouterr().out
    assert next(lost, None) is None
    assert _states(capsys, store, account) == {vpc: "available"}
    assert len(_json(capsys, "vpc", "history", vpc, *store)) == 1


@pytest.mark.parametrize("store", ["table"], indirect=True)
def test_an_allocation_whose_answer_is_lost_is_made_once(
    store: list[str], tables: ScriptedAws, account: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _track(store, account) == 0
    assert run(["vpc", "pool", "create", "prod", *store, "--cidr", "10.0.0.0/8"]) == 0
    lost = iter([LostAnswer()])
    tables.script = lambda call: next(lost, None) if call.action == "TransactWriteItems" else None
    asked = ("--pool", "prod", "--account", account, "--for", "web", "--prefix-length", "16")
    assert _json(capsys, "vpc", "allocate", *store, *asked)["CidrBlock"] == "10.0.0.0/16"
    assert next(lost, None) is None
    reserved = _json(capsys, "vpc", "pool", "show", "prod", *store)
    assert json.dumps(reserved).count('"10.0.0.0/16"') == 1

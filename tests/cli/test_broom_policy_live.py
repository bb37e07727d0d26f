"""`landkeeper broom policy explain` on instances that run, and on cases of the ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.broom_world import EVENTS, STRICT
from tests.member_instances import ROLE, start_instances
from tests.servers import home_sessions

from landkeeper.cli import run
from landkeeper.org import AccountId

pytestmark = [pytest.mark.embedded, pytest.mark.usefixtures("aws_environment")]
MEMBER = AccountId("330000000001")


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    policy = tmp_path / "broom.yaml"
    policy.write_text(STRICT.replace("terminate", "notify"), encoding="utf-8")
    return ["--policy", str(policy), "--file", str(tmp_path / "ledger.db"), "--role", ROLE]


def answer_of(capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], str]:
    out, err = capsys.readouterr()
    (answer,) = json.loads(out)
    return answer, err


def test_an_instance_is_explained_by_the_tags_it_has_now(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (bad,) = start_instances(MEMBER, {"Code": "XXX"})
    where = ["--account", MEMBER, "--region", "eu-west-1", "--format", "json"]
    assert run(["broom", "policy", "explain", bad, *command, *where]) == 0
    answer, err = answer_of(capsys)
    assert (answer["Verdict"], answer["Action"], answer["Tags"]) == ("violation", "notify", {"Code": "XXX"})
    assert answer["TagsFrom"] == "it has now"
    assert answer["InstanceType"]
    assert "the launching principal is unknown" in err


def test_an_instance_is_explained_by_its_case(
    tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (bad,) = start_instances(MEMBER, {"Code": "XXX"})
    record: dict[str, Any] = json.loads((EVENTS / "run_instances.json").read_text(encoding="utf-8"))
    record["responseElements"]["instancesSet"]["items"][0]["instanceId"] = bad
    log = tmp_path / "log.json"
    log.write_text(json.dumps({"Records": [{**record, "recipientAccountId": MEMBER}]}))
    assert run(["broom", "sweep", "--yes", str(log), *command]) == 0
    capsys.readouterr()
    assert run(["broom", "policy", "explain", bad, *command, "--format", "json"]) == 0
    answer, _ = answer_of(capsys)
    assert (answer["Principal"], answer["AccountId"], answer["Tags"]) == ("jane", MEMBER, {"Code": "XXX"})
    assert answer["TagsFrom"] == "it had when its case was last looked at"
    where = ["--account", MEMBER, "--region", "eu-west-1", "--format", "json"]
    assert run(["broom", "policy", "explain", bad, *command, *where]) == 0
    answer, err = answer_of(capsys)
    assert (answer["Principal"], err) == ("jane", "")


@pytest.mark.parametrize("where", ["s3://policies-to-check/broom.yaml", "ssm:/landkeeper/policy-to-check"])
def test_a_policy_is_checked_and_exported_where_the_function_reads_it(
    where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    s3, ssm = home_sessions().home("s3"), home_sessions().home("ssm")
    s3.create_bucket(Bucket="policies-to-check")
    s3.put_object(Bucket="policies-to-check", Key="broom.yaml", Body=STRICT.encode())
    ssm.put_parameter(Name="/landkeeper/policy-to-check", Value=STRICT, Type="String", Overwrite=True)
    assert run(["broom", "policy", "check", where]) == 0
    out, err = capsys.readouterr()
    assert out == f"{where}: OK (1 rule, 0 exemptions, 3 warnings)\n"
    assert [line.startswith(f"{where}:") for line in err.splitlines()] == [True] * 3
    assert run(["broom", "policy", "export", where, "--as", "tag-policy"]) == 0
    assert '"Code"' in capsys.readouterr().out
    assert run(["broom", "policy", "check", f"{where}-gone"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"the policy {where}-gone cannot be read: not found")


def test_what_cannot_be_read_is_said(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    nobody = "i-0123456789abcdef0"
    assert run(["broom", "policy", "explain", nobody, *command, "--account", MEMBER, "--region", "eu-west-1"]) == 2
    assert f"instance {nobody} does not exist in account {MEMBER}, region eu-west-1" in capsys.readouterr().err
    without_role = command[:-2]
    assert run(["broom", "policy", "explain", nobody, *without_role, "--account", MEMBER]) == 3
    assert f"{nobody} cannot be read: role not assumable" in capsys.readouterr().err

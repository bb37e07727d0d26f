"""`landkeeper deploy` on the embedded AWS, and what it says to wrong words."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from landkeeper.cli import run
from landkeeper.embedded.simulators import Embedded, embedded_session

POLICY = "version: 1\nrules:\n  - {name: code, require: {tag: Code}, action: notify}\n"


@pytest.fixture
def policy(tmp_path: Path) -> str:
    file = tmp_path / "broom.yaml"
    file.write_text(POLICY)
    return str(file)


@pytest.mark.embedded
def test_it_deploys_and_finds_nothing_to_do_the_second_time(
    aws_environment: Embedded, policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["deploy", "--policy", policy, "--yes", "--stack-name", "keeper", "--parameter", "CreateTrail=false"]
    words += ["--as-installed", "--parameter", "EventForwarding=false", "--parameter", "MemberUnits="]
    words += ["--parameter", "VpcTable=KeeperVpcs", "--parameter", "LedgerTable=KeeperLedger"]
    assert run(words) == 0
    shown = capsys.readouterr()
    assert "Function package: " in shown.err
    assert "+ add" in shown.err
    assert "BroomFunction" in shown.err
    assert "KeeperVpcs" in shown.out
    assert "member-roles.yaml" in shown.out
    assert run(words) == 0
    assert "is up to date" in capsys.readouterr().out
    assert run([*words, "--plan", "--parameter", "Actions=off"]) == 0
    shown = capsys.readouterr()
    assert "~ change  BroomFunction" in shown.out
    assert "Nothing was changed in keeper." in shown.out
    assert run([*words, "--plan"]) == 0
    assert "is up to date" in capsys.readouterr().out, "the plan changed nothing"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--parameter", "Regions"], "NAME=VALUE"),
        (["--parameter", "CodeKey=x"], "set by the deployment itself"),
        (["--parameter", "Region=eu-west-1"], "did you mean Regions?"),
        (["--parameter", "Whatever=1"], "expected one of CodeBucket"),
        ([], "--yes"),
    ],
)
def test_wrong_words_are_one_line_and_nothing_is_called(
    no_aws: None, policy: str, words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["deploy", "--policy", policy, *words]) == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert said.count("\n") == 1


@pytest.mark.usefixtures("no_aws")
@pytest.mark.parametrize(
    ("text", "words", "complaint"),
    [
        (POLICY.replace("notify", "terminate"), [], "terminates instances without limits"),
        (POLICY.replace("notify", "terminate"), ["--no-limits"], None),
        (POLICY.replace("notify", "terminate") + "limits: {terminations_per_hour: 20}\n", [], None),
        (POLICY.replace("notify", "stop"), [], None),
    ],
)
def test_a_policy_that_terminates_has_limits_or_is_deployed_on_purpose(
    tmp_path: Path, text: str, words: list[str], complaint: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "broom.yaml"
    file.write_text(text)
    assert run(["deploy", "--policy", str(file), *words]) == 2
    said = capsys.readouterr().err
    # What is not refused comes as far as the question, which nobody is there to answer.
    assert (complaint or "Not a terminal") in said
    assert said.count("\n") == 1
    assert run(["deploy", "--no-limits", "--yes"]) == 2
    assert "--no-limits is for --policy FILE" in capsys.readouterr().err
    if complaint is not None:
        assert run(["deploy", "--policy", str(file), "--template-only", str(tmp_path / "out")]) == 2
        assert not (tmp_path / "out").exists()


@pytest.mark.embedded
def test_what_would_fail_is_refused_line_by_line_before_anything_is_changed(
    aws_environment: Embedded, policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    session = embedded_session(aws_environment)
    session.client("s3").create_bucket(Bucket="shadowed-logs")
    queue = session.client("sqs").create_queue(QueueName="somebody-elses")["QueueUrl"]
    arn = session.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    told: Any = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:Put"]}]}
    session.client("s3").put_bucket_notification_configuration(Bucket="shadowed-logs", NotificationConfiguration=told)
    words = ["deploy", "--policy", policy, "--yes", "--as-installed", "--stack-name", "refused"]
    words += ["--parameter", "TrailBucketName=shadowed-logs", "--parameter", "MemberUnits="]
    assert run(words) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "shadowed-logs already notifies" in said[0]
    assert "TrailBucketEvents=true" in said[0]
    names = {stack["StackName"] for stack in session.client("cloudformation").describe_stacks()["Stacks"]}
    assert "refused" not in names
    assert session.client("s3").get_bucket_notification_configuration(Bucket="shadowed-logs")["QueueConfigurations"]


def test_plain_files_are_written_without_any_call(
    no_aws: None, policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, victim = tmp_path / "files", tmp_path / "victim"
    out.mkdir()
    # Somebody else has put a link into the folder.
    (out / "parameters.json").symlink_to(victim)
    words = [
        "deploy",
        "--template-only",
        str(out),
        "--policy",
        policy,
        "--as-installed",
        "--parameter",
        "VpcTable=Ours",
    ]
    assert run(words) == 0
    shown = capsys.readouterr().out
    assert not victim.exists()
    parameters = {
        each["ParameterKey"]: each["ParameterValue"] for each in json.loads((out / "parameters.json").read_text())
    }
    assert 'TableName: "OursHistory"' in (out / "landkeeper.yaml").read_text()
    readme = (out / "README.md").read_text()
    for key in ("CodeKey", "PolicyKey", "MemberRolesKey", "MemberEventsKey"):
        name = parameters[key].removeprefix("landkeeper/")
        assert (out / name).stat().st_size > 0
        assert f"aws s3 cp {name} s3://YOUR-BUCKET/landkeeper/{name}" in readme
        assert str(out / name) in shown
    assert parameters["VpcTable"] == "Ours"
    assert zipfile.is_zipfile(out / parameters["CodeKey"].removeprefix("landkeeper/"))
    assert (out / "log-archive.yaml").exists()
    assert "pool-forwarder.yaml" in (out / "README.md").read_text(encoding="utf-8")
    assert (out / "pool-forwarder.yaml").exists()


def test_plain_files_take_a_policy(no_aws: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["deploy", "--template-only", str(tmp_path / "files")]) == 2
    assert "pass --policy FILE" in capsys.readouterr().err
    assert not (tmp_path / "files").exists()


def test_plain_files_take_a_folder(
    no_aws: None, policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("")
    out = tmp_path / "taken" / "files"
    assert run(["deploy", "--template-only", str(out), "--policy", policy, "--as-installed"]) == 2
    assert capsys.readouterr().err == f"landkeeper: {out} cannot be created: Not a directory\n"


def test_a_policy_that_does_not_pass_is_refused_before_anything_is_done(
    no_aws: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "broom.yaml"
    for content, complaint in ((b"version: 1\nrulez: []\n", "did you mean 'rules'"), (b"\xff\xfe\x00", "UTF-8")):
        file.write_bytes(content)
        assert run(["deploy", "--policy", str(file), "--yes"]) == 2
        assert complaint in capsys.readouterr().err
    assert run(["deploy", "--policy", str(tmp_path / "none.yaml"), "--yes"]) == 2
    assert "none.yaml cannot be read" in capsys.readouterr().err

"""`landkeeper broom policy`: checking, explaining, importing and exporting policies."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from tests.broom_world import EVENTS, STRICT

from landkeeper.broom.policy.file import read_schema
from landkeeper.cli import run

LOG = str(EVENTS / "log_file.json")

pytestmark = pytest.mark.usefixtures("no_aws")


@pytest.fixture
def policy_file(tmp_path: Path) -> str:
    path = tmp_path / "broom.yaml"
    path.write_text(STRICT + "exempt: [{tag: 'aws:autoscaling:groupName'}]\n", encoding="utf-8")
    return str(path)


def test_check_names_every_line_that_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("version: 2\nrules:\n- name: a\n  require: {tag: A, matches: '('}\n  action: kill\n")
    assert run(["broom", "policy", "check", str(bad)]) == 2
    assert [line.removeprefix(f"{bad}:")[:1] for line in capsys.readouterr().err.splitlines()] == ["1", "4", "5"]


def test_check_warns_about_what_is_odd_and_takes_it(policy_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["broom", "policy", "check", policy_file]) == 0
    out, err = capsys.readouterr()
    assert out == f"{policy_file}: OK (1 rule, 1 exemption, 2 warnings)\n"
    assert [line.partition(", after")[0] for line in err.splitlines()][1:] == [
        f"{policy_file}:7: warning: confirm_after is 0s: EC2 may show tags some seconds late"
    ]
    assert run(["broom", "policy", "check", policy_file, "--check"]) == 4
    capsys.readouterr()
    assert run(["broom", "policy", "check", policy_file, "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[2] == (
        f'{policy_file},7,warning,"confirm_after is 0s: EC2 may show tags some seconds late, '
        'after the instance is lost"'
    )


def test_check_answers_a_program_about_several_files(
    tmp_path: Path, policy_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, missing = tmp_path / "bad.yaml", str(tmp_path / "none.yaml")
    bad.write_text("version: 2\n")
    assert run(["broom", "policy", "check", policy_file, str(bad), missing, "--format", "json"]) == 2
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert (answer["Version"], err) == (1, "")
    assert answer["files"] == [
        {"File": policy_file, "IsValid": True, "Rules": 1, "Exemptions": 1, "Tests": 0},
        {"File": str(bad), "IsValid": False},
        {"File": missing, "IsValid": False},
    ]
    problems = [(problem["File"], problem["Line"], problem["Severity"]) for problem in answer["problems"]]
    assert problems[1:3] == [(policy_file, 7, "warning"), (str(bad), 1, "error")]
    assert problems[-1] == (missing, None, "error")


def test_check_knows_the_regions_of_every_partition(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = tmp_path / "p.yaml"
    rule = "version: 1\nrules:\n- {name: a, require: {tag: A}, action: notify, when: {regions: [%s]}}\n"
    policy.write_text(rule % "eu-west-1, 'cn-*', us-gov-west-1, ap-southeast-9")
    assert run(["broom", "policy", "check", str(policy)]) == 0
    assert "'ap-southeast-9' is not a known region" in capsys.readouterr().err
    policy.write_text(rule % "eu-west-1, 'cn-*', us-gov-west-1")
    assert run(["broom", "policy", "check", str(policy), "--check"]) == 0
    assert capsys.readouterr().err == ""


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["broom", "policy", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == read_schema()


def test_an_event_is_explained_instance_by_instance(policy_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["broom", "policy", "explain", LOG, "--policy", policy_file, "--format", "json"]) == 0
    answers = json.loads(capsys.readouterr().out)
    assert [(one["InstanceId"][-1], one["Verdict"], one["Action"]) for one in answers] == [
        ("2", "violation", "terminate"), ("3", "violation", "terminate"), ("4", "exempt", "keep"),
        ("1", "compliant", "keep"),
    ]  # fmt: skip
    assert answers[1]["TagsFrom"] == "in the log"
    assert answers[1]["Steps"] == [
        {
            "Kind": "exemption",
            "Name": "tag aws:autoscaling:groupName",
            "Result": "does not fit",
            "Because": "its tag keys are code",
            "Decides": False,
        },
        {
            "Kind": "rule",
            "Name": "code",
            "Result": "broken",
            "Because": "tag Code is missing (found 'code'; tag keys are case-sensitive); action: terminate",
            "Decides": True,
        },
    ]


def test_what_cannot_be_read_beside_a_launch_is_said(
    tmp_path: Path, policy_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.json"
    record = json.loads((EVENTS / "run_instances.json").read_text(encoding="utf-8"))
    log.write_text(json.dumps({"Records": [record, "x"]}))
    assert run(["broom", "policy", "explain", str(log), "--policy", policy_file]) == 0
    assert capsys.readouterr().err == f"{log}: record 2: the record is text, not an object\n"


def test_an_explanation_is_a_table_or_csv(
    policy_file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = (EVENTS / "run_instances.json").read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(record)))
    assert run(["broom", "policy", "explain", "-", "--policy", policy_file]) == 0
    out = capsys.readouterr().out
    for words in ("compliant, keep: it meets every rule that applies", "launched by jane", "=>", "Code is one of LOL"):
        assert words in out
    assert run(["broom", "policy", "explain", LOG, "--policy", policy_file, "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "InstanceId,Kind,Name,Result,Because,Decides"


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("nowhere.json", "nowhere.json: there is no such file or folder"),
        (
            "policy.json",
            "no instance to explain (policy.json: no Records, and not a CloudTrail record itself)",
        ),
        ("stopped.json", "no instance to explain (stopped.json: not a RunInstances call)"),
        ("i-0123456789abcdef0", "no case for i-0123456789abcdef0 in the ledger: pass --account and --region"),
    ],
)
def test_what_cannot_be_explained_is_one_line(
    target: str, complaint: str, policy_file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(Path(policy_file).parent)
    Path("policy.json").write_text('{"a": 1}')
    Path("stopped.json").write_text('{"eventName": "StopInstances"}')
    assert run(["broom", "policy", "explain", target, "--policy", policy_file]) == 2
    assert capsys.readouterr().err.startswith(f"landkeeper: {complaint}")


TAG_POLICY = {
    "tags": {
        "code": {
            "tag_key": {"@@assign": "Code"},
            "tag_value": {"@@assign": ["LOL", "GGG"]},
            "report_required_tag_for": {"@@assign": ["ec2:instance"]},
        }
    }
}


def test_a_tag_policy_is_imported_as_a_policy_that_can_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, account = tmp_path / "root.json", tmp_path / "account.json"
    root.write_text(json.dumps(TAG_POLICY))
    account.write_text(json.dumps({"tags": {"code": {"tag_value": {"@@append": ["YLO"]}}}}))
    command = ["broom", "policy", "import", "--tag-policy", str(root), "--tag-policy", str(account)]
    assert run([*command, "--action", "terminate"]) == 0
    out, err = capsys.readouterr()
    assert (out[0], err) == ("#", "")
    imported = tmp_path / "imported.yaml"
    imported.write_text(out)
    assert run(["broom", "policy", "check", str(imported)]) == 0
    capsys.readouterr()
    assert run(["broom", "policy", "export", str(imported), "--as", "tag-policy"]) == 0
    exported = json.loads(capsys.readouterr().out)
    assert exported["tags"]["code"]["tag_value"] == {"@@assign": ["LOL", "GGG", "YLO"]}


def test_a_config_rule_is_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rule = tmp_path / "rule.json"
    rule.write_text('{"tag1Key": "Code", "tag1Value": "LOL,GGG"}')
    assert run(["broom", "policy", "import", "--config-rule", str(rule), "--action", "notify"]) == 0
    assert "values: [LOL, GGG]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["import", "--action", "stop"], "pass either --tag-policy FILE or --config-rule FILE"),
        (["import", "--tag-policy", "f"], "Missing option '--action'"),
        (["import", "--tag-policy", "f", "--action", "stop"], "f: a tag policy has one key at its top"),
        (["import", "--tag-policy", "no", "--action", "stop"], "the policy no cannot be read: No such file"),
        (
            ["import", "--config-rule", "f", "--tag-policy", "f", "--action", "stop"],
            "pass either --tag-policy FILE or --config-rule FILE",
        ),
        (["import", "--config-rule", "f", "--effective", "--action", "stop"], "--effective and --require-all require"),
        (["export", "p", "--as", "scp", "--enforce"], "--enforce requires --as tag-policy"),
        (["export", "f", "--as", "scp"], "f:1: "),
        (["export", "p"], "Missing option '--as'"),
    ],
)
def test_what_cannot_be_imported_or_exported_is_one_line(
    arguments: list[str], complaint: str, policy_file: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(Path(policy_file).parent)
    Path("f").write_text("{}")
    Path("p").write_text(STRICT)
    assert run(["broom", "policy", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line


def test_a_policy_is_exported_one_document_a_line_with_what_is_lost(
    tmp_path: Path, policy_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["broom", "policy", "export", policy_file, "--as", "scp"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["Statement"][0]["Effect"] == "Deny"
    assert err.splitlines()[:2] == [
        "Not expressed in this form:",
        "- service control policies do not apply to the management account",
    ]
    large = tmp_path / "large.yaml"
    rule = "- {name: r%d, action: stop, require: {tag: K%d, values: [%s]}}\n"
    large.write_text("version: 1\nrules:\n" + "".join(rule % (one, one, "v" * 250) for one in range(40)))
    assert run(["broom", "policy", "export", str(large), "--as", "scp"]) == 0
    out, err = capsys.readouterr()
    assert [len(line) <= 10_240 for line in out.splitlines()] == [True, True]
    assert err.startswith(
        "2 documents, one per line; a root, unit or account can have ten of each type, including FullAWSAccess"
    )

"""`landkeeper broom policy init`, `try` and `test`, and `sample-log`: a policy tried without a log of one's own."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from landkeeper.broom.cloudtrail.found import Harvest
from landkeeper.cli import run

POLICY = """version: 1
rules:
- {name: code, action: notify, require: {tag: Code, values: [LOL, GGG]}}
- {name: owner, action: terminate, require: {tag: Owner}, when: {instance_types: ["p*"]}}
exempt: [{principal: "*/AWSServiceRoleForAutoScaling*/*"}]
limits: {terminations_per_run: 5}
"""
USER = "arn:aws:iam::444455556666:user/jane"

pytestmark = pytest.mark.usefixtures("no_aws")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(POLICY)
    return tmp_path


def answer(*options: str, capsys: pytest.CaptureFixture[str], code: int = 0) -> Any:
    assert run(["broom", "policy", "try", "--policy", "p.yaml", "--format", "json", *options]) == code
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("folder")
def test_a_policy_to_start_from_passes_check_and_test(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["broom", "policy", "init", "--codes", "LOL, GGG,", "-o", "broom.yaml"]) == 0
    assert capsys.readouterr() == ("", "broom.yaml is written; next: landkeeper broom policy check broom.yaml\n")
    assert run(["broom", "policy", "check", "broom.yaml", "--check"]) == 0
    assert run(["broom", "policy", "test", "broom.yaml"]) == 0
    assert capsys.readouterr() == (
        "broom.yaml: OK (1 rule, 7 exemptions, 3 tests)\nbroom.yaml: 3 tests, all passed\n",
        "",
    )
    assert run(["broom", "policy", "init", "--tag", "Owner"]) == 0
    assert "require: {tag: Owner}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("policy init -o p.yaml", "p.yaml exists and is not overwritten: choose another name"),
        ("policy init -o no/p.yaml", "no/p.yaml cannot be written: No such file or directory"),
        ("policy init --codes ,", "--codes is ',': expected values separated by commas, for example LOL,GGG"),
        ("policy init --tag aws:x", "'aws:x' cannot be the key of a tag"),
        ("policy try", "no policy: pass --policy FILE or set LANDKEEPER_POLICY"),
        ("policy try --policy no.yaml", "the policy no.yaml cannot be read: No such file or directory"),
        ("policy try --policy p.yaml --tag Code", "--tag is 'Code': expected KEY=VALUE, for example Code=LOL"),
        ("policy try --policy p.yaml --tag =x", "--tag is '=x': expected KEY=VALUE"),
        ("policy try --policy p.yaml --tag A=x --tag A=y", "--tag has A twice"),
        ("policy try --policy p.yaml --region moon", "'moon' is not a region code such as eu-west-1"),
        ("policy try --policy p.yaml --account 1", "'1' is not an AWS account id: expected twelve digits"),
        ("policy try --policy p.yaml --principal jane", "'jane' is not the ARN of a principal such as"),
        ("policy try --policy p.yaml --at noon", "--at is 'noon': expected a time such as 2026-03-01T12:00:00Z"),
        ("policy test no.yaml", "the policy no.yaml cannot be read: No such file or directory"),
        ("sample-log --out no/log.json.gz", "no/log.json.gz cannot be written: No such file or directory"),
        ("sample-log --out p.yaml", "p.yaml exists and is not overwritten: choose another name"),
        ("sample-log --principal jane", "'jane' is not the ARN of a principal such as"),
    ],
)
def test_wrong_usage_is_one_line(words: str, complaint: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path.name: path.read_text() for path in folder.iterdir()}
    assert run(["broom", *words.split()]) == 2
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert (out, line.startswith(f"landkeeper: {complaint}")) == ("", True), line
    assert {path.name: path.read_text() for path in folder.iterdir()} == before


@pytest.mark.usefixtures("folder")
def test_what_the_verdict_does_not_need_is_not_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    good = answer("--tag", "Code=LOL", "--tag", "Owner=", "--type", "t3.micro", capsys=capsys)
    assert (good["Verdict"], good["Action"], good["Rule"]) == ("compliant", "keep", None)
    assert (good["Tags"], good["Region"], good["AccountId"]) == ({"Code": "LOL", "Owner": ""}, None, None)
    bad = answer("--type", "p4d.24xlarge", "--principal", USER, "--image", "ami-1", capsys=capsys)
    assert (bad["Verdict"], bad["Action"], bad["Rule"]) == ("violation", "terminate", "owner")
    assert bad["Because"] == "rule owner: tag Owner is missing; rule code: tag Code is missing"
    assert (bad["AccountId"], bad["PrincipalArn"], bad["ImageId"]) == ("444455556666", USER, "ami-1")
    assert [step["Result"] for step in bad["Steps"]] == ["does not fit", "broken", "broken"]


@pytest.mark.usefixtures("folder")
def test_what_the_verdict_needs_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    unknown = answer("--tag", "Code=LOL", capsys=capsys, code=2)
    assert (unknown["Verdict"], unknown["Action"], unknown["Missing"]) == ("unknown", None, ["type"])
    session = "arn:aws:sts::444455556666:assumed-role/AWSServiceRoleForAutoScaling/AutoScaling"
    unknown = answer("--type", "t3.micro", "--principal", session, capsys=capsys, code=2)
    assert unknown["Because"].endswith(": add --principal with the role's own ARN, which has its path")
    assert run(["broom", "policy", "try", "--policy", "p.yaml", "--tag", "Code=LOL"]) == 2
    first = capsys.readouterr().out.splitlines()[0]
    assert first == "unknown: rule owner applies only to type p*: add --type"


@pytest.mark.usefixtures("folder")
def test_a_verdict_is_a_table_or_csv(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["broom", "policy", "try", "--policy", "p.yaml", "--type", "t3.micro", "--tag", "code=LOL"]
    assert run(command) == 0
    out, err = capsys.readouterr()
    why = "rule code: tag Code is missing (found 'code'; tag keys are case-sensitive)"
    assert out.startswith(f"violation, notify: {why}\n")
    assert "the principal's ARN is unknown" in out
    assert err == "assumed: no exemption by principal applies: the principal is unknown\n"
    assert run([*command, "--format", "csv", "--region", "eu-wst-1"]) == 0
    out, err = capsys.readouterr()
    assert err == "'eu-wst-1' is not a known region: did you mean 'eu-west-1'?\n"
    assert out.splitlines()[1].startswith(f'violation,notify,code,"{why}",')


def test_tests_that_fail_are_shown_and_exit_with_4(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "good.yaml").write_text(POLICY + "tests:\n- {name: a, launch: {type: t3.micro}, verdict: violation}\n")
    (folder / "bad.yaml").write_text(
        POLICY
        + "tests:\n- {name: fails, launch: {type: t3.micro}, verdict: compliant, action: keep}\n"
        + "- {name: open, launch: {tags: {Code: LOL}}, verdict: violation, action: terminate, rule: owner}\n"
    )
    assert run(["broom", "policy", "test", "good.yaml", "bad.yaml", "p.yaml"]) == 4
    out, err = capsys.readouterr()
    assert err == "p.yaml: no tests: add a list of `tests` with launches and expected verdicts\n"
    assert out.splitlines() == [
        "good.yaml: 1 test, all passed",
        "bad.yaml:8: fails",
        "  expected: compliant, keep",
        "  actual:   violation, notify, rule code: rule code: tag Code is missing",
        "bad.yaml:9: open",
        "  expected: violation, terminate, rule owner",
        "  actual:   unknown: rule owner applies only to type p*: add type",
        "bad.yaml: 2 tests, 2 failed",
    ]
    assert run(["broom", "policy", "test", "good.yaml", "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row == {
        "File": "good.yaml", "Line": 8, "Test": "a", "Result": "passed",
        "Expected": {"Verdict": "violation", "Action": None, "Rule": None},
        "Verdict": "violation", "Action": "notify", "Rule": "code", "Because": "rule code: tag Code is missing",
    }  # fmt: skip
    assert run(["broom", "policy", "test", "good.yaml", "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith(
        "File,Line,Test,Result,Expected,Verdict,Action,Rule,Because\ngood.yaml,8,a,passed,"
    )
    assert run(["broom", "policy", "test", "p.yaml"]) == 2
    capsys.readouterr()
    (folder / "odd.yaml").write_text(POLICY + "tests:\n- {name: a, launch: {}, verdict: violation, rule: cod}\n")
    assert run(["broom", "policy", "test", "good.yaml", "odd.yaml"]) == 2
    assert capsys.readouterr() == ("", "odd.yaml:8: rule 'cod' is not known: did you mean 'code'?\n")


def test_several_policies_stdin_and_json_are_checked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = {"name": "code", "require": {"tag": "Code"}, "action": "notify"}
    (folder / "p.json").write_text(json.dumps({"version": 1, "rules": [rule]}))
    stdin = io.TextIOWrapper(io.BytesIO(POLICY.replace("name: code", "nam: code").encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    assert run(["broom", "policy", "check", "p.json", "no.yaml", "-", "p.yaml", "--check"]) == 2
    out, err = capsys.readouterr()
    assert out == "p.json: OK (1 rule, 0 exemptions)\np.yaml: OK (2 rules, 1 exemption)\n"
    assert err.splitlines() == [
        "the policy no.yaml cannot be read: No such file or directory",
        "stdin:3: in a rule the key 'nam' is not known: did you mean 'name'?",
    ]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff")))
    assert run(["broom", "policy", "check", "-"]) == 2
    assert capsys.readouterr().err == "the policy on stdin is not text in UTF-8\n"


@pytest.mark.usefixtures("folder")
def test_a_sample_log_is_swept_like_one_of_cloudtrails(capsys: pytest.CaptureFixture[str]) -> None:
    described = ["--tag", "Code=XXX", "--region", "us-east-1", "--principal", USER, "--type", "t3.nano", "--at"]
    assert run(["broom", "sample-log", *described, "2026-03-01T12:00:00Z"]) == 0
    out, err = capsys.readouterr()
    name = out.removesuffix("\n")
    assert name.startswith("444455556666_CloudTrail_us-east-1_20260301T1200Z_")
    assert err.endswith(f"landkeeper broom sweep --offline {name}\n")
    assert run(["broom", "sweep", name, "--offline", "--policy", "p.yaml", "--format", "json"]) == 0
    (launch,) = json.loads(capsys.readouterr().out)["launches"]
    assert (launch["AccountId"], launch["Region"], launch["PrincipalArn"]) == ("444455556666", "us-east-1", USER)
    (instance,) = launch["Instances"]
    assert (instance["InstanceType"], instance["Tags"], instance["Verdict"]) == (
        "t3.nano", {"Code": "XXX"}, "violation",
    )  # fmt: skip


@pytest.mark.usefixtures("folder")
def test_a_sample_log_goes_to_stdout_unless_that_is_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written = io.BytesIO()
    stdout = io.TextIOWrapper(written)
    monkeypatch.setattr("sys.stdout", stdout)
    assert run(["broom", "sample-log", "--out", "-", "--account", "444455556666", "--region", "cn-north-1"]) == 0
    harvest = Harvest()
    harvest.add_file("stdin", written.getvalue())
    (found,) = harvest.launches
    assert found.launch.principal.arn == "arn:aws-cn:iam::444455556666:user/jane"
    assert gzip.decompress(written.getvalue()).startswith(b'{"Records": [')
    monkeypatch.setattr(stdout, "isatty", lambda: True, raising=False)
    assert run(["broom", "sample-log", "--out", "-"]) == 2
    assert "stdout is a terminal" in capsys.readouterr().err

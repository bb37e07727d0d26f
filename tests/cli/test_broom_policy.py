"""`landkeeper broom policy`: checking, explaining, importing and exporting policies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.broom_world import STRICT

from landkeeper.broom.policy_file import read_schema
from landkeeper.cli import run

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
    assert out == f"{policy_file}: well, with 1 rule and 1 exemption; 2 warnings\n"
    assert [line.partition(": a")[0] for line in err.splitlines()][1:] == [
        f"{policy_file}:7: warning: confirm_after is 0s: instances are lost whose tags EC2 shows some seconds late"
    ]


def test_check_knows_the_regions_of_every_partition(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = tmp_path / "p.yaml"
    rule = "version: 1\nrules:\n- {name: a, require: {tag: A}, action: notify, when: {regions: [%s]}}\n"
    policy.write_text(rule % "eu-west-1, 'cn-*', us-gov-west-1, ap-southeast-9")
    assert run(["broom", "policy", "check", str(policy)]) == 0
    assert "names 'ap-southeast-9', which is no region known here" in capsys.readouterr().err
    policy.write_text(rule % "eu-west-1, 'cn-*', us-gov-west-1")
    assert run(["broom", "policy", "check", str(policy)]) == 0
    assert capsys.readouterr().err == ""


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["broom", "policy", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == read_schema()

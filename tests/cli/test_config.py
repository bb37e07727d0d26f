"""`landkeeper config` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from landkeeper.cli import run

_EXAMPLE = Path(__file__).parents[2] / "examples" / "landkeeper.yaml"


def test_a_good_file_is_told_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "check", str(_EXAMPLE)]) == 0
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert "OK (3 spaces (factory, isolated, default), 2 declared connections, 3 governed regions, only" in printed


def test_every_problem_is_a_line_and_the_exit_code_is_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "landkeeper.yaml"
    file.write_text("version: 1\nspacse: []\nconnections: [{form: a, to: b}]\n")
    assert run(["config", "check", str(file)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        f"{file}:2: in the configuration the key 'spacse' is not known: did you mean 'spaces'?",
        f"{file}:3: in a connection the key 'form' is not known: did you mean 'from'?",
    ]
    assert run(["config", "check", str(file), "--format", "json"]) == 2
    printed = capsys.readouterr()
    answer = json.loads(printed.out)
    assert (printed.err, answer["Version"], answer["files"]) == ("", 1, [{"File": str(file), "IsValid": False}])
    assert [(problem["Line"], problem["Severity"]) for problem in answer["problems"]] == [(2, "error"), (3, "error")]
    assert run(["config", "check", str(file), "--format", "csv"]) == 2
    assert capsys.readouterr().out.splitlines()[:2] == [
        "File,Line,Severity,Message",
        f"{file},2,error,in the configuration the key 'spacse' is not known: did you mean 'spaces'?",
    ]


def test_the_file_is_found_here_or_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["config", "check"]) == 2
    assert "the file 'landkeeper.yaml' does not exist, and LANDKEEPER_CONFIG is not set" in capsys.readouterr().err
    (tmp_path / "landkeeper.yaml").write_text("version: 1\n")
    assert run(["config", "check"]) == 0
    assert capsys.readouterr().out.startswith("landkeeper.yaml: OK (one space for all VPCs, 0 declared connections")
    monkeypatch.setenv("LANDKEEPER_CONFIG", "other.yaml")
    assert run(["config", "check"]) == 2
    assert capsys.readouterr().err == (
        "landkeeper: the configuration other.yaml cannot be read: No such file or directory\n"
    )


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "landkeeper.yaml"


def test_declared_accounts_are_counted_and_those_that_expired_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "landkeeper.yaml"
    entry = "  - {{account: '{}', blocks: [10.9.0.0/16], owner: network-team, expires: {}}}\n"
    file.write_text(
        "version: 1\ndeclared_accounts:\n"
        + entry.format("111122223333", "2020-02-29")
        + entry.format("444455556666", "9999-12-31")
    )
    assert run(["config", "check", str(file)]) == 0
    printed = capsys.readouterr()
    assert "2 declared accounts" in printed.out
    assert printed.err == (
        "the declaration of account 111122223333 (network-team) expired on 2020-02-29: the account counts as unread\n"
    )
    assert run(["config", "check", str(file), "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["files"] == [
        {
            "File": str(file), "IsValid": True, "Spaces": [], "Connections": 0, "GovernedRegions": [],
            "DeclaredAccounts": ["111122223333", "444455556666"],
        }
    ]  # fmt: skip
    assert [(problem["Line"], problem["Severity"]) for problem in answer["problems"]] == [(None, "warning")]

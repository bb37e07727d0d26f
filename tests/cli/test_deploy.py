"""`landkeeper deploy` on the embedded AWS, and what it says to wrong words."""

from __future__ import annotations

from pathlib import Path

import pytest

from landkeeper.cli import run
from landkeeper.embedded.simulators import Embedded

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
    assert "nothing to change" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--parameter", "Regions"], "NAME=VALUE"),
        (["--parameter", "CodeKey=x"], "set by deploying itself"),
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

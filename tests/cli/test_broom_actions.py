"""`landkeeper broom actions`, on a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.typed_answers import type_answer

from landkeeper.cli import run

LEDGER = ["--file", "ledger.db"]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_aws: None) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGNAME", "jane")


def test_actions_are_turned_off_at_once_and_on_after_a_question(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["broom", "actions", "show", *LEDGER]) == 0
    assert capsys.readouterr().out == "Actions are on: nobody turned them off (the file ledger.db).\n"
    assert run(["broom", "actions", "off", *LEDGER, "--reason", "too many"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Actions are turned off by jane at 20")
    assert out.endswith(": too many (the file ledger.db).\n")
    assert run(["broom", "actions", "on", *LEDGER]) == 2
    out, err = capsys.readouterr()
    assert "Actions would be turned on in the file ledger.db; they were turned off by jane at 20" in out
    assert "pass --yes" in err
    type_answer(monkeypatch, "y")
    assert run(["broom", "actions", "on", *LEDGER]) == 0
    assert "Actions are turned on by jane at 20" in capsys.readouterr().out
    assert run(["broom", "actions", "on", *LEDGER]) == 0
    assert "Actions are on already" in capsys.readouterr().out


def test_the_switch_as_data_has_its_turns_newest_first(capsys: pytest.CaptureFixture[str]) -> None:
    for turn in (["off", "--reason", "=1+1"], ["on", "--yes"]):
        assert run(["broom", "actions", *turn, *LEDGER]) == 0
    capsys.readouterr()
    assert run(["broom", "actions", "show", *LEDGER, "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["Actions"], answer["By"], answer["environment"]) == ("on", "jane", "on")
    assert [turn["Actions"] for turn in answer["turns"]] == ["on", "off"]
    assert run(["broom", "actions", "show", *LEDGER, "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[2].endswith(",'=1+1")
    assert run(["broom", "actions", "show", *LEDGER]) == 0
    assert "Turns, newest first" in capsys.readouterr().out


def test_a_dry_run_turns_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["broom", "actions", "off", *LEDGER, "--dry-run"]) == 0
    assert "Actions would be turned off in the file ledger.db." in capsys.readouterr().out
    assert not Path("ledger.db").exists()
    assert run(["broom", "actions", "off", *LEDGER]) == 0
    assert run(["broom", "actions", "on", *LEDGER, "--dry-run", "--yes"]) == 0
    capsys.readouterr()
    assert run(["broom", "actions", "show", *LEDGER]) == 0
    assert "Actions are turned off" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["off"], "the file 'landkeeper.db' does not exist: pass --ledger NAME or --file PATH"),
        (["show", "--reason", "x", *LEDGER], "--reason is for on and off"),
        (["maybe", *LEDGER], "'maybe' is not one of"),
    ],
)
def test_wrong_words_are_one_line(words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["broom", "actions", *words]) == 2
    assert complaint in capsys.readouterr().err


def test_what_this_shell_turns_off_is_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDKEEPER_ACTIONS", "off")
    assert run(["broom", "actions", "show", *LEDGER]) == 0
    assert "LANDKEEPER_ACTIONS=off: commands that run here act on nothing" in capsys.readouterr().err


def test_a_ledger_that_nobody_turned_can_be_turned_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function that waits for that goes by the turn, and not by its absence."""
    Path("ledger.db").touch()
    assert run(["broom", "actions", "on", *LEDGER, "--dry-run"]) == 0
    assert "nobody has turned them on or off yet" in capsys.readouterr().out
    monkeypatch.setenv("LANDKEEPER_ACTIONS", "opt-in")
    assert run(["broom", "actions", "show", *LEDGER]) == 0
    assert capsys.readouterr().out.startswith("Actions are not turned on yet (the file ledger.db).")
    assert run(["broom", "actions", "on", *LEDGER, "--yes"]) == 0
    assert "Actions are turned on by jane at" in capsys.readouterr().out
    assert run(["broom", "actions", "show", *LEDGER, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["environment"] == "opt-in"

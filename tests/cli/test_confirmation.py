"""Plans before acting: what is asked, what is done after the answer, and what without one."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.typed_answers import type_answer

from landkeeper.cli.common.answer_file import stdout_in
from landkeeper.cli.confirmation import apply_plan
from landkeeper.cli.terminal import say
from landkeeper.org import UsageError


@dataclass
class Counting:
    """A task that counts how often it was carried out."""

    effects: int = 1
    done: list[str | None] = field(default_factory=list)

    def rehearse(self) -> str:
        return f"plan of {self.effects}"

    def show(self, plan: str) -> None:
        say(plan)

    def has_effect(self, plan: str) -> bool:
        return not plan.endswith(" 0")

    def act(self, plan: str | None) -> str:
        self.done.append(plan)
        say("done")
        return "done"


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())


def test_yes_acts_without_a_plan(capsys: pytest.CaptureFixture[str]) -> None:
    task = Counting()
    assert apply_plan(task, yes=True, dry_run=False) == "done"
    assert (task.done, capsys.readouterr().out) == ([None], "done\n")


@pytest.mark.parametrize("yes", [False, True])
def test_a_dry_run_never_acts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, yes: bool
) -> None:
    type_answer(monkeypatch, "y")
    task = Counting()
    assert apply_plan(task, yes=yes, dry_run=True) == "plan of 1"
    printed = capsys.readouterr()
    assert (task.done, printed.out) == ([], "plan of 1\n")
    assert printed.err == "Dry run: nothing is changed.\n"


def test_without_a_terminal_the_plan_is_shown_and_refused(capsys: pytest.CaptureFixture[str]) -> None:
    task = Counting()
    with pytest.raises(UsageError, match="Not a terminal: pass --yes to apply"):
        apply_plan(task, yes=False, dry_run=False)
    assert (task.done, capsys.readouterr().out) == ([], "plan of 1\n")


def test_what_is_typed_as_input_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    type_answer(monkeypatch, "y")
    task = Counting()
    with pytest.raises(UsageError):
        apply_plan(task, yes=False, dry_run=False, can_ask=False)
    assert task.done == []


def test_a_plan_that_goes_to_a_file_is_shown_before_the_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_answer(monkeypatch, "y")
    task = Counting()
    with stdout_in(str(tmp_path / "plan.txt")):
        apply_plan(task, yes=False, dry_run=False)
    printed = capsys.readouterr()
    assert (task.done, printed.out) == (["plan of 1"], "")
    assert "plan of 1\nApply this plan? [y/N]" in printed.err
    assert (tmp_path / "plan.txt").read_text() == "plan of 1\ndone\n"


@pytest.mark.parametrize(("typed", "done"), [("y", ["plan of 1"]), ("n", []), ("", [])])
def test_at_a_terminal_the_answer_decides_and_the_plan_is_what_was_agreed_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, done: list[str]
) -> None:
    type_answer(monkeypatch, typed)
    task = Counting()
    assert apply_plan(task, yes=False, dry_run=False) == ("done" if done else "plan of 1")
    out, err = capsys.readouterr()
    assert (task.done, out) == (done, "plan of 1\ndone\n" if done else "plan of 1\n")
    assert "Apply this plan?" in err
    assert ("Nothing was changed." in err) is not bool(done)


def test_the_answer_of_a_program_is_alone_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_answer(monkeypatch, "y")
    apply_plan(Counting(), yes=False, dry_run=False, is_table=False)
    out, err = capsys.readouterr()
    assert (out, "plan of 1\n" in err) == ("done\n", True)


def test_where_there_is_nothing_to_apply_nobody_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    task = Counting(effects=0)
    assert apply_plan(task, yes=False, dry_run=False, is_table=False) == "plan of 0"
    out, err = capsys.readouterr()
    assert (task.done, out, "Nothing to apply." in err) == ([], "plan of 0\n", True)

"""The shell of the command: every failure is one line and an exit code."""

from __future__ import annotations

import subprocess
import sys

import pytest

from landkeeper import __version__
from landkeeper.cli import run
from landkeeper.org import UsageError


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(f" {name} " in said for name in ("demo", "vpc", "broom", "deploy"))


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"landkeeper {__version__}\n"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--nope"], "--nope"),
        (["nope"], "nope"),
        (["vpc", "list", "--format", "xml"], "xml"),
        (["broom", "sweep"], "PATH"),
    ],
)
def test_wrong_words_are_one_line_and_exit_code_2(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    said = capsys.readouterr()
    assert said.err.startswith("landkeeper: ")
    assert complaint in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


@pytest.mark.parametrize(
    ("error", "code", "complaint"),
    [
        (UsageError("two\nlines"), 2, "two lines"),
        (KeyboardInterrupt(), 130, "stopped"),
        (ZeroDivisionError("by design"), 1, "internal error, please report it (ZeroDivisionError: by design)"),
    ],
)
def test_whatever_goes_wrong_inside_is_one_line(
    error: BaseException, code: int, complaint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(**_: object) -> None:
        raise error

    monkeypatch.setattr("landkeeper.cli.root.main", fails)
    assert run([]) == code
    assert complaint in capsys.readouterr().err


def test_a_defect_can_be_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("landkeeper.cli.root.main", fails)
    monkeypatch.setenv("LANDKEEPER_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run([])


def test_a_reader_that_has_seen_enough_is_no_failure() -> None:
    program = f"{sys.executable} -m landkeeper --help | head -1"
    shown = subprocess.run(["/bin/sh", "-c", program], capture_output=True, text=True, check=True)
    assert shown.stderr == ""

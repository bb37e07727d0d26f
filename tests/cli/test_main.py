"""The shell of the command: every failure is one line and an exit code."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import NoCredentialsError

from landkeeper import __version__
from landkeeper.aws.sessions import HomeAccountError
from landkeeper.broom.stored_case import LedgerError, WrongLedgerError
from landkeeper.cli import run
from landkeeper.org import Failure, FailureReason, UnavailableError, UsageError
from landkeeper.vpctracker.cidr import MalformedBlockError
from landkeeper.vpctracker.ports import StoreError, WrongStoreError


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
        (MalformedBlockError("10.0.0.0/33", "too long"), 2, "10.0.0.0/33"),
        (WrongStoreError("no table"), 2, "no table"),
        (WrongLedgerError("no table"), 2, "no table"),
        (StoreError("locked"), 1, "landkeeper: locked"),
        (LedgerError("locked"), 1, "landkeeper: locked"),
        (UnavailableError("no answer"), 1, "landkeeper: no answer"),
        (HomeAccountError(Failure(FailureReason.CREDENTIALS)), 1, "the AWS credentials at hand do not work"),
        (NoCredentialsError(), 1, "landkeeper: AWS does not answer: credentials missing"),
        (OSError(errno.ENOSPC, "No space left"), 1, "landkeeper: the answer cannot be written: No space left"),
        (OSError(errno.ENOSPC, "No space left", "a.db"), 1, "landkeeper: a.db: No space left"),
        (OSError(errno.ENOTDIR, "Not a directory"), 1, "internal error"),
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


def test_a_closed_pipe_is_no_traceback_and_has_the_code_that_shells_give_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    read, write = os.pipe()
    os.close(read)
    # Closed where it is full, as by `| head -1`, and where it is flushed in the end.
    for buffering in (1, -1):
        with os.fdopen(os.dup(write), "w", buffering, encoding="utf-8") as pipe:
            monkeypatch.setattr("sys.stdout", pipe)
            assert run(["--version"]) == 141
    os.close(write)
    assert capsys.readouterr().err == ""


def test_a_full_disk_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert run(["--version"]) == 1
    assert capsys.readouterr().err == "landkeeper: the answer cannot be written: No space left on device\n"


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        ("vpc list --table T", "dev"), ("broom cases --ledger T", "dev"), ("vpc track", "dev"),
        ("config check s3://bucket/key", "dev"), ("vpc list --table T --profile dev", ""),
        ("vpc list --profile=dev --table T", ""), ("vpc track --profile dev", ""),
    ],
)  # fmt: skip
def test_a_sign_in_that_is_over_is_told_with_the_command_that_renews_it(
    words: str, environment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config").write_text(
        "[profile dev]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Reader\nregion = eu-west-1\n"
        "[sso-session corp]\nsso_start_url = https://example.awsapps.com/start\nsso_region = eu-west-1\n"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    if environment:
        monkeypatch.setenv("AWS_PROFILE", environment)
    assert run(words.split()) == 1
    assert capsys.readouterr().err.endswith("; run `aws sso login --profile dev`\n")

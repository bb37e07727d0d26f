"""What every command has: how it speaks, where its answer goes, which credentials and region it uses, and variables."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from tests.docs.pages import ROOT

from landkeeper.cli import run
from landkeeper.cli.common.calls import forget_aws_calls
from landkeeper.cli.common.environment import _DEFAULT_FILE
from landkeeper.cli.root import root
from landkeeper.cli.terminal import choices
from landkeeper.embedded.pool_file import PoolFile
from landkeeper.settings import DEFAULT_FILE

_SPEECH = {"-q", "--quiet", "-v", "--verbose", "--debug", "--no-color"}
_STORE = "Store: the file landkeeper.db (default); --file or --table names another one.\n"
_FOREIGN = re.compile(r"^(AWS_|NO_COLOR$|FORCE_COLOR$|TERM$|COLUMNS$|XDG_)")


def _commands(command: click.Command = root, name: str = "landkeeper") -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for word in command.list_commands(click.Context(command)):
            below = command.get_command(click.Context(command), word)
            assert below is not None
            yield from _commands(below, f"{name} {word}")


_COMMANDS = dict(_commands())


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_aws: None) -> Iterator[Path]:
    """An empty store in the working directory."""
    monkeypatch.chdir(tmp_path)
    PoolFile(tmp_path / "landkeeper.db").close()
    yield tmp_path / "landkeeper.db"
    forget_aws_calls()
    choices.reset()


def test_every_command_and_group_has_the_same_options_once() -> None:
    for name, command in _COMMANDS.items():
        options = [option for param in command.params for option in param.opts]
        assert set(options) >= _SPEECH, name
        assert len(options) == len(set(options)), name
        if any("--format" in param.opts for param in command.params):
            assert "-o" in options, name
    credentials = {name for name, command in _COMMANDS.items() if "--profile" in str([p.opts for p in command.params])}
    assert {"landkeeper vpc list", "landkeeper deploy", "landkeeper broom sweep", "landkeeper doctor"} <= credentials
    assert credentials & {"landkeeper cost", "landkeeper completion", "landkeeper demo"} == set()


def test_an_answer_goes_to_a_file_and_is_neither_folded_nor_colored(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["vpc", "list", "--format", "json", "-o", "answer.json"]) == 0
    assert capsys.readouterr().out == ""
    assert Path("answer.json").read_text() == "[]\n"
    assert run(["vpc", "list", "-o", "answer.json", "--cidr", "nonsense"]) == 2
    assert Path("answer.json").read_text() == "[]\n"
    assert run(["vpc", "list", "-o", "missing/answer.txt"]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "landkeeper: missing/answer.txt cannot be written: No such file or directory"
    )
    assert run(["vpc", "list", "-o", "-"]) == 0
    assert capsys.readouterr().out == "No VPCs.\n"
    # A disk that is full by then: what was done is named all the same.
    assert run(["vpc", "list", "-o", "/dev/full"]) == 1
    printed = capsys.readouterr()
    assert printed.out == "No VPCs.\n"
    assert printed.err.splitlines()[-1] == "landkeeper: /dev/full cannot be written: No space left on device"
    assert Path("/dev/full").is_char_device()


def test_a_command_does_nothing_if_its_answer_cannot_be_written(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["vpc", "pool", "create", "corp", "--cidr", "10.0.0.0/8", "-o", "missing/answer.txt"]) == 2
    assert capsys.readouterr().err == "landkeeper: missing/answer.txt cannot be written: No such file or directory\n"
    assert run(["vpc", "pool", "list"]) == 0
    assert capsys.readouterr().out.startswith("No pools.")


def test_quiet_leaves_out_remarks_and_plain_leaves_out_styles(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["vpc", "list", "-q"]) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert run(["vpc", "list"]) == 0
    assert "\x1b[1m" in capsys.readouterr().out
    assert run(["--no-color", "vpc", "list"]) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert run(["vpc", "list", "-q", "--file", "missing.db"]) == 2
    assert "missing.db" in capsys.readouterr().err


def test_verbose_names_each_call_and_nothing_that_is_in_it(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert run(["vpc", "list", "--table", "Secret", "-v", "--region", "eu-west-1"]) == 1
    assert capsys.readouterr().err.splitlines()[0] == "AWS call: dynamodb DescribeTable 127.0.0.1:9"
    logging.getLogger("botocore.endpoint").debug("something else")
    assert capsys.readouterr().err == ""


def test_debug_shows_the_traceback_of_a_defect(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("landkeeper.cli.vpc.run.list.run_list", lambda **_: 1 / 0)
    assert run(["vpc", "list"]) == 1
    with pytest.raises(ZeroDivisionError):
        run(["vpc", "list", "--debug"])


def test_a_profile_and_a_region_are_used_for_this_command_alone(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = {}

    def look(query: object) -> None:
        names = ("AWS_PROFILE", "AWS_REGION", "AWS_ACCESS_KEY_ID")
        seen.update({name: os.environ.get(name) for name in names})
        raise KeyboardInterrupt

    monkeypatch.setattr("landkeeper.cli.vpc.run.show.read_silently", look)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    assert run(["vpc", "show", "vpc-1", "--profile", "tools", "--region", "eu-west-1"]) == 130
    assert seen == {"AWS_PROFILE": "tools", "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": None}
    assert "AWS_PROFILE" not in os.environ
    assert (os.environ["AWS_REGION"], os.environ["AWS_ACCESS_KEY_ID"]) == ("us-east-1", "AKIAIOSFODNN7EXAMPLE")
    assert run(["vpc", "show", "vpc-1", "--region", "mars"]) == 2
    assert "'mars' is not a region code" in capsys.readouterr().err
    assert run(["vpc", "show", "vpc-1", "--table", "VPCs", "--profile", "missing"]) == 130


def test_a_default_store_is_named_and_one_that_is_given_is_not(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert str(DEFAULT_FILE) == _DEFAULT_FILE
    assert run(["vpc", "list"]) == 0
    assert capsys.readouterr().err.endswith(_STORE)
    assert run(["vpc", "list", "--file", "landkeeper.db"]) == 0
    assert _STORE not in capsys.readouterr().err
    assert run(["broom", "cases"]) == 0
    assert capsys.readouterr().err == (
        "Ledger: the file landkeeper.db (default); --file or --ledger names another one.\n"
    )
    monkeypatch.setenv("LANDKEEPER_FILE", "landkeeper.db")
    assert run(["broom", "cases"]) == 0
    assert capsys.readouterr().err == ""


def _help(name: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert run([*name.split()[1:], "--help"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("vpc list", "LANDKEEPER_VPC_TABLE LANDKEEPER_FILE NO_COLOR LANDKEEPER_DEBUG AWS_PROFILE AWS_REGION"),
        ("vpc track", "LANDKEEPER_REGIONS LANDKEEPER_ACCOUNTS LANDKEEPER_ROLE_NAME LANDKEEPER_ACCOUNT_SECONDS"),
        ("vpc vend", "LANDKEEPER_NETWORK_ROLE_NAME LANDKEEPER_CONFIG LANDKEEPER_EXTERNAL_ID"),
        ("broom sweep", "LANDKEEPER_LEDGER_TABLE LANDKEEPER_POLICY LANDKEEPER_ACTIONS LANDKEEPER_TOPIC_ARN"),
        ("report", "LANDKEEPER_REPORT_BUCKET LANDKEEPER_BUCKET_OWNER"),
        ("config check", "LANDKEEPER_CONFIG"),
    ],
)
def test_help_names_the_variables_that_a_command_honors(
    name: str, variables: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    page = _help(f"landkeeper {name}", capsys)
    assert [variable for variable in variables.split() if f"[env: {variable}]" not in page] == []


def test_the_page_has_every_variable_that_the_code_reads_and_every_exit_code() -> None:
    page = (ROOT / "docs" / "command.md").read_text(encoding="utf-8")
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src" / "landkeeper").rglob("*.py"))
    read = set(re.findall(r"\b(LANDKEEPER_[A-Z_]*[A-Z])\b", code))
    assert {name for name in read if f"`{name}`" not in page} == set()
    named = set(re.findall(r"`((?:LANDKEEPER|AWS|XDG)_[A-Z_]+[A-Z]|NO_COLOR)`", page))
    assert {name for name in named - read if not _FOREIGN.match(name)} == set()
    helps = [param.help or "" for command in _COMMANDS.values() for param in command.params
             if isinstance(param, click.Option)]  # fmt: skip
    texts = [*helps, *(command.epilog or "" for command in _COMMANDS.values())]
    marked = {mark for text in texts for mark in re.findall(r"\[env: (\w+)\]", text)}
    assert marked - named == set()
    assert set(re.findall(r"^\| (\d+) \|", page, re.MULTILINE)) == {"0", "1", "2", "3", "4", "130", "141"}

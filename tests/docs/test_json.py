"""docs/json.md names every key that the commands print as JSON, and no other."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from tests.broom_world import EVENTS, LAUNCHED_AT, STRICT, launch
from tests.docs.pages import ROOT
from tests.docs.test_commands import options_of
from tests.strategies import ACCOUNTS, REGIONS, vpc_ids

from landkeeper.broom.case import Outcome, State, move, open_case
from landkeeper.broom.policy.starter import starter_policy
from landkeeper.cli import run
from landkeeper.cli.root import root
from landkeeper.embedded.ledger_file import LedgerFile
from landkeeper.embedded.pool_file import PoolFile
from landkeeper.operate.doctor.lines import Line, Verdict
from landkeeper.org import Account, AccountId, Failure, FailureReason
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.differences import Complete, diff_account
from landkeeper.vpctracker.inventory import Subnet, Vpc

_PAGE = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
_NOW = datetime.now(UTC)
_LOG = str(EVENTS / "log_file.json")
_COMMANDS = {
    "vpc list": "",
    "vpc show": vpc_ids(1),
    "vpc history": vpc_ids(1),
    "vpc coverage": "",
    "vpc overlaps": "",
    "vpc overlaps --pairs": "",
    "vpc connect": f"{ACCOUNTS[0]} {ACCOUNTS[1]}",
    "vpc pool list": "",
    "vpc pool show": "prod",
    "vpc allocate": f"--pool prod --prefix-length 24 --account {ACCOUNTS[0]} --for shop --ttl 7d --grow-to 22",
    "broom sweep": f"{_LOG} --offline --policy policy.yaml",
    "config check": "config.yaml",
    "broom cases": "",
    "broom policy check": "policy.yaml",
    "broom policy explain": f"{_LOG} --policy policy.yaml",
    "broom policy try": "--policy policy.yaml --tag Code=LOL",
    "broom policy test": "tests.yaml",
    "cost": "",
}
"""What is typed behind a command: each runs without AWS."""
_FREE = frozenset({"Tags", "LoggedTags", "ignored", "left_out", "Parts"})
"""Objects whose keys are tags, reasons and the like."""
_DIGITS = re.compile(r"Id$|^ReadBy$|^Seen$")
"""Texts that may be digits: ids of accounts, and a year."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working directory with a policy, and a file that has something for each command."""
    folder = tmp_path_factory.mktemp("json")
    before = Path.cwd()
    os.chdir(folder)
    (folder / "policy.yaml").write_text(STRICT)
    (folder / "tests.yaml").write_text(starter_policy("Code"))
    _fill(folder / "landkeeper.db")
    (folder / "config.yaml").write_text("version: 1\nspacse: []\n")
    assert run(["vpc", "pool", "create", "prod", "--cidr", "10.64.0.0/16"]) == 0
    yield folder
    os.chdir(before)


def _fill(path: Path) -> None:
    denied = Failure(FailureReason.MISSING_PERMISSION, "UnauthorizedOperation", "no")
    accounts = (Account(ACCOUNTS[0], "shop"), Account(ACCOUNTS[1], "lake"))
    with closing(PoolFile(path)) as store:
        for number, account in enumerate(accounts):
            subnet = Subnet("subnet-1", "euw1-az1", "10.0.0.0/24", 251)
            vpc = Vpc(vpc_ids(number + 1), account.id, REGIONS[0], "10.0.0.0/16", tags={"a": "b"}, subnets=(subnet,))
            reads = {REGIONS[0]: Complete((vpc,))}
            assert not store.write_changes(diff_account((), reads, account, _NOW - timedelta(days=2)))
            regions = {REGIONS[0]: RegionCoverage(_NOW), REGIONS[1]: RegionCoverage(_NOW, _NOW, failure=denied)}
            store.write_coverage(Coverage(account.id, account.name, _NOW, regions=regions))
    made = launch("i-1", account=AccountId(ACCOUNTS[0]), tags={"a": "b"})
    case = move(open_case(made, made.instances[0], LAUNCHED_AT), State.JUDGED, LAUNCHED_AT, "code", rule="code")
    with closing(LedgerFile(path)) as ledger:
        assert ledger.write_case(case)
        assert ledger.write_case(move(case, State.HELD, LAUNCHED_AT, "limit", outcome=Outcome.HELD, error="limit"))


def _section(command: str) -> str:
    found = re.search(rf"^## `landkeeper {re.escape(command)}`$(.*?)(?=^## |\Z)", _PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/json.md has no section on {command}"
    return found[1]


def _keys(value: object, around: str = "") -> Iterator[str]:
    """Yield every key, of the objects inside it too."""
    if isinstance(value, Mapping) and around not in _FREE:
        for name, content in value.items():
            yield str(name)
            yield from _keys(content, name)
    elif isinstance(value, list):
        for part in value:
            yield from _keys(part, around)


def _texts(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for inner, content in value.items():
            yield from _texts(content, str(inner))
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part, name)
    elif isinstance(value, str):
        yield name, value


def _answer(command: str, capsys: pytest.CaptureFixture[str]) -> Any:
    assert run([*command.split(), *_COMMANDS[command].split(), "--format", "json"]) in {0, 2, 3}
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("folder", "no_aws")
@pytest.mark.parametrize("command", _COMMANDS)
def test_every_key_of_an_answer_is_on_the_page(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = _answer(command, capsys)
    _check(command, answer)
    numeric = [(name, text) for name, text in _texts(answer) if re.fullmatch(r"-?\d+(\.\d+)?", text)]
    assert [name for name, _ in numeric if not _DIGITS.search(name)] == []


def _check(command: str, answer: Any) -> None:
    section = _section(command)
    known = set(re.findall(r"`(\w+)`", section))
    always = {name for row in re.findall(r"^\| (.*?) \| (?!only )", section, re.MULTILINE)
              for name in re.findall(r"`(\w+)`", row)}  # fmt: skip
    printed = set(_keys(answer))
    assert printed - known == set()
    assert always - printed == set()


def test_the_checks_of_the_doctor_are_on_the_page() -> None:
    # Here: the package `landkeeper.cli.run` would take the place of the function above.
    from landkeeper.cli.stack.run.doctor import line_as_json  # noqa: PLC0415

    _check("doctor", [line_as_json(Line("trail", Verdict.OK, "logs"))])


def test_every_command_with_json_has_a_section() -> None:
    named = set(re.findall(r"`landkeeper ([a-z -]+)`", _PAGE))
    with_json = {name for name, command in _named(root) if "--format" in options_of(command)}
    assert with_json - named == set()


def _named(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    yield name.strip(), command
    if isinstance(command, click.Group):
        for word in command.list_commands(click.Context(command)):
            below = command.get_command(click.Context(command), word)
            assert below is not None
            yield from _named(below, f"{name} {word}")

"""What commands do to the file that `--file` names: those that only read change nothing, and no file of others is used.

Of the commands that take log files or call AWS, these are the ones that open their store before anything else.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.broom_world import EVENTS, STRICT

from landkeeper.cli import run
from landkeeper.cli.vpc.query import settings_of, store_flags
from landkeeper.embedded.ledger_file import LedgerFile
from landkeeper.embedded.pool_file import PoolFile

_READ = (
    "vpc list", "vpc overlaps", "vpc coverage", "vpc pool list", "vpc export --format csv", "broom cases", "report",
)  # fmt: skip
_WRITTEN = ("vpc pool create prod --cidr 10.0.0.0/8",)
_LOG = str(EVENTS / "log_file.json")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_aws: None) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _foreign(folder: Path) -> bytes:
    with closing(sqlite3.connect(folder / "places.sqlite")) as connection:
        connection.execute("CREATE TABLE places (id INTEGER)")
    return (folder / "places.sqlite").read_bytes()


@pytest.mark.parametrize("command", [*_READ, *_WRITTEN])
def test_a_file_of_another_program_is_refused_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    before = _foreign(folder)
    assert run([*command.split(), "--file", "places.sqlite"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "this is not a Landkeeper file (another program made it)" in err
    assert (err.count("\n"), "places.sqlite" in err) == (1, True)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {"places.sqlite": before}


@pytest.mark.parametrize("command", _READ)
@pytest.mark.parametrize("maker", [PoolFile, LedgerFile])
def test_a_command_that_only_reads_changes_nothing(
    folder: Path, command: str, maker: type[PoolFile | LedgerFile]
) -> None:
    maker(folder / "ours.db").close()
    before = (folder / "ours.db").read_bytes()
    assert run([*command.split(), "--file", "ours.db"]) == 0
    (folder / "report.html").unlink(missing_ok=True)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {"ours.db": before}


@pytest.mark.embedded
@pytest.mark.usefixtures("aws_environment")
def test_a_dry_run_creates_no_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broom.yaml").write_text(STRICT, encoding="utf-8")
    PoolFile(Path("ours.db")).close()
    before = Path("ours.db").read_bytes()
    foreign = _foreign(tmp_path)
    command = ["broom", "sweep", "--dry-run", "--policy", "broom.yaml", "--role", "OrganizationAccountAccessRole", _LOG]
    run([*command, "--file", "ours.db"])
    assert Path("ours.db").read_bytes() == before
    for flags in (["--dry-run"], []):
        capsys.readouterr()
        code = run([*(word for word in command if word != "--dry-run"), *flags, "--file", "places.sqlite"])
        assert (code, capsys.readouterr().err.count("another program made it")) == (2, 1)
    assert Path("places.sqlite").read_bytes() == foreign
    assert sorted(file.name for file in tmp_path.iterdir()) == ["broom.yaml", "ours.db", "places.sqlite"]


@pytest.mark.parametrize(
    ("environment", "table", "file", "flags"),
    [
        ({}, None, None, ""),
        ({}, None, "landkeeper.db", ""),
        ({}, None, "my own.db", " --file 'my own.db'"),
        ({}, "Mine", None, " --table Mine"),
        ({"LANDKEEPER_VPC_TABLE": "Mine"}, None, None, ""),
        ({"LANDKEEPER_VPC_TABLE": "Mine"}, None, "own.db", " --file own.db"),
        ({"LANDKEEPER_FILE": "own.db"}, None, None, ""),
    ],
)
def test_the_next_command_is_named_with_the_store_where_that_is_not_the_usual_one(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], table: str | None, file: str | None, flags: str
) -> None:
    for name in ("LANDKEEPER_VPC_TABLE", "LANDKEEPER_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert store_flags(settings_of(table, None if file is None else Path(file))) == flags

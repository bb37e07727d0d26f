"""Nothing that other people wrote steers the terminal, whichever way the command prints it."""

from __future__ import annotations

import ast
import csv
import io
import json
import logging
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text
from tests.broom_world import LAUNCHED_AT, launch
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

import landkeeper.cli
from landkeeper.broom.case import Outcome, State, move, open_case
from landkeeper.cli import run
from landkeeper.cli.output import Column, print_rows, stderr, stdout, write_csv
from landkeeper.cli.terminal import aside, guarded, harmless, harmless_json, one_line, say, unguarded
from landkeeper.embedded.ledger_file import LedgerFile
from landkeeper.embedded.pool_file import PoolFile
from landkeeper.org import Account, AccountId, Failure, FailureReason
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.differences import Complete, diff_account
from landkeeper.vpctracker.inventory import Subnet, Vpc

HOSTILE = "a\x1b[2Jb\x9b31mc\u202ed\u2028e\u2029f\x85g\rh\x07i\u2066j\u200ek\x7fl\ufeffm\nlandkeeper: forged"
_JOINERS = "\u200c\u200d"
_STEERING = [
    char
    for char in map(chr, range(sys.maxunicode + 1))
    if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and char not in _JOINERS
]


def hostile_in(text: str) -> set[str]:
    """What of a text must not reach a terminal."""
    return set(text) & {*_STEERING} - {"\n", "\t"}


def test_every_character_that_steers_or_breaks_a_line_is_escaped_and_no_other() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    assert not set(one_line(everything)) & set(_STEERING)
    assert hostile_in(harmless(everything)) == set()
    # Of those that this Python does not know, some will be format characters.
    kept = [char for char in everything if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp", "Cn"}]
    assert one_line("".join(kept) + _JOINERS) == "".join(kept) + _JOINERS
    assert harmless("one\ttwo\nthree\x9b\u202e") == "one\ttwo\nthree\\x9b\\u202e"
    assert one_line("one\ttwo\nthree") == "one\\ttwo\\nthree"


@given(st.text(st.characters() | st.sampled_from(_STEERING)))
def test_json_is_harmless_and_means_the_same(text: str) -> None:
    shown = harmless_json(json.dumps([text], ensure_ascii=False))
    assert json.loads(shown) == [text]
    assert hostile_in(shown) == set()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_aws: None) -> Path:
    """A file in the working directory in which everything that others name is hostile."""
    monkeypatch.chdir(tmp_path)
    account, other = Account(ACCOUNTS[0], HOSTILE), Account(ACCOUNTS[1], HOSTILE)
    denied = Failure(FailureReason.MISSING_PERMISSION, "UnauthorizedOperation", HOSTILE)
    subnet = Subnet("subnet-1", HOSTILE, "10.0.0.0/24", 251)
    with closing(PoolFile(tmp_path / "landkeeper.db")) as store:
        for hour, owner in enumerate((account, other, account)):
            tags = {HOSTILE: f"{hour}{HOSTILE}", "Name": HOSTILE}
            vpc = Vpc(vpc_ids(1 + (owner is other)), owner.id, REGIONS[0], "10.0.0.0/16", name=HOSTILE, tags=tags,
                      subnets=(subnet,))  # fmt: skip
            changes = diff_account(
                store.read_owned(owner.id), {REGIONS[0]: Complete((vpc,))}, owner, START + timedelta(hours=hour)
            )
            assert store.write_changes(changes) == []
        for owner in (account, other):
            regions = {REGIONS[0]: RegionCoverage(START), REGIONS[1]: RegionCoverage(START, START, failure=denied)}
            store.write_coverage(Coverage(owner.id, HOSTILE, START, regions=regions, failure=denied, failed_runs=2))
    made = launch("i-1", account=AccountId(ACCOUNTS[0]), tags={HOSTILE: HOSTILE})
    case = move(open_case(made, made.instances[0], LAUNCHED_AT), State.JUDGED, LAUNCHED_AT, HOSTILE, rule=HOSTILE)
    with closing(LedgerFile(tmp_path / "landkeeper.db")) as ledger:
        assert ledger.write_case(case)
        held = move(case, State.HELD, LAUNCHED_AT, HOSTILE, outcome=Outcome.HELD, error=HOSTILE)
        assert ledger.write_case(held)
    return tmp_path / "landkeeper.db"


@pytest.mark.parametrize("format_", ["table", "json", "csv"])
@pytest.mark.parametrize(
    "command",
    ["vpc list", f"vpc show {vpc_ids(1)}", f"vpc history {vpc_ids(1)}", "vpc coverage", "vpc overlaps", "vpc defaults",
     "vpc connect", "vpc export", "broom cases", "broom case i-1"],
)  # fmt: skip
def test_no_answer_steers_the_terminal(
    file: Path, capsys: pytest.CaptureFixture[str], command: str, format_: str
) -> None:
    assert run([*command.split(), "--format", format_, "--file", str(file)]) in {0, 2, 3}
    out, err = capsys.readouterr()
    may_have = {"\r"} if format_ == "csv" else set()
    assert hostile_in(out) - may_have == hostile_in(err) == set()
    assert not any(line.startswith("landkeeper: forged") for line in [*out.splitlines(), *err.splitlines()]
                   if format_ != "csv")  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [["vpc", "list", "--file", f"none{HOSTILE}"], ["vpc", HOSTILE], ["vpc", "list", f"--{HOSTILE}"],
     ["broom", "sweep", "--offline", "--policy", HOSTILE, HOSTILE], ["vpc", "list", "--format", HOSTILE]],
)  # fmt: skip
def test_no_error_steers_the_terminal(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(words) == 2
    out, err = capsys.readouterr()
    assert (hostile_in(err), err.count("\n"), out) == (set(), 1, "")


def test_what_is_logged_or_written_past_the_command_is_harmless_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def log(**_: object) -> int:
        # As logging's own of last resort, which the tests' one is before.
        handler, logger = logging.StreamHandler(), logging.getLogger("landkeeper.test")
        logger.addHandler(handler)
        logger.warning(HOSTILE)
        logger.removeHandler(handler)
        sys.stderr.write(HOSTILE)
        sys.stderr.writelines([HOSTILE])
        aside("styled", "red")
        assert sys.stderr.isatty() is False
        return 0

    monkeypatch.setattr("landkeeper.cli.root.main", log)
    monkeypatch.setenv("FORCE_COLOR", "1")
    before = sys.stderr
    assert run([]) == 0
    assert sys.stderr is before
    err = capsys.readouterr().err
    assert err.endswith("\x1b[31mstyled\x1b[0m\n")
    assert hostile_in(err.removesuffix("\x1b[31mstyled\x1b[0m\n")) == set()


def test_a_stream_is_guarded_once() -> None:
    stream = io.StringIO()
    guard = guarded(guarded(stream))
    assert unguarded(guard) is stream
    assert guard.write("\x9b") == 1
    assert stream.getvalue() == "\\x9b"


def test_rich_says_nothing_that_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    for console in (stdout(), stderr()):
        console.print(Text(HOSTILE), soft_wrap=True)
        console.print(HOSTILE, markup=False)
        table = Table(title=HOSTILE)
        table.add_column(HOSTILE)
        table.add_row(Text(HOSTILE))
        console.print(table)
        console.print("styled", style="bold")
    for printed in capsys.readouterr():
        assert "\\u202e" in printed
        assert hostile_in(printed) == set()


def _saved(*cells: object, for_terminal: bool = False) -> tuple[str, list[list[str]]]:
    out = io.StringIO()
    names = [f"c{number}" for number in range(len(cells))]
    write_csv(out, [dict(zip(names, cells, strict=True))], names, for_terminal=for_terminal)
    return out.getvalue(), list(csv.reader(io.StringIO(out.getvalue(), newline="")))[1:]


def test_a_carriage_return_ends_no_row_of_csv() -> None:
    text, rows = _saved("prod\r=1+1", "a\nb", "")
    assert text == 'c0,c1,c2\n"prod\r=1+1","a\nb",\n'
    assert rows == [["prod\r=1+1", "a\nb", ""]]
    assert _saved("prod\r=1+1", "a\nb\t", for_terminal=True)[0] == "c0,c1\nprod\\r=1+1,a\\nb\\t\n"


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])  # noqa: RUF001
def test_no_cell_of_csv_is_a_formula(begin: str) -> None:
    assert _saved(f"{begin}1+1", [f"{begin}1"], {"a": 1})[1] == [[f"'{begin}1+1", f"'{begin}1", '{"a":1}']]


@pytest.mark.parametrize("separator", [";", "|", "\t", ","])
def test_no_cell_of_csv_becomes_two_where_another_separator_is_used(separator: str) -> None:
    assert _saved(f"a{separator}=1+1", 'say "x"')[0] == f'c0,c1\n"a{separator}=1+1","say ""x"""\n'


def test_an_empty_row_of_csv_is_a_row() -> None:
    assert _saved("")[1] == [[""]]


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=4))
def test_csv_is_read_as_it_was_written(cells: list[str]) -> None:
    (row,) = _saved(*cells)[1]
    for cell, read in zip(cells, row, strict=True):
        assert read.removeprefix("'") == "\r".join(map(harmless, cell.split("\r"))).removeprefix("'")


def test_a_table_has_a_row_for_a_row_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"Name": "one\ntwo\u2028three"}], [Column("Name", "Name")], "table")
    say("four\nfive")
    assert capsys.readouterr().out.splitlines()[-3:] == [" one\\ntwo\\u2028three", "", "four\\nfive"]


def _writers() -> Iterator[str]:
    """Where the command writes without `terminal`, `output` and `consoles`."""
    folder = Path(landkeeper.cli.__file__).parent
    for module in sorted([*folder.rglob("*.py"), *(folder.parent / "demo").rglob("*.py")]):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {
                "click.echo", "click.secho", "print", "Console", "sys.stdout.write", "sys.stderr.write",
                "sys.stdout.buffer.write",
            }:  # fmt: skip
                yield module.relative_to(folder.parent).as_posix()


def test_there_is_one_place_that_writes() -> None:
    # Exports and kept answers are what `output` made harmless; Parquet and log files are bytes that no terminal gets.
    bytes_or_harmless = {"cli/vpc/run/export.py", "cli/common/answer_file.py", "cli/broom/run/sample_log.py"}
    assert {*_writers()} == {"cli/terminal.py", "cli/output.py"} | bytes_or_harmless

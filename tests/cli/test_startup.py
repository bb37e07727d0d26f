"""What starts fast: a command loads what it needs, and its help page less."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from ast import literal_eval
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
import pytest
from benchmarks.landscape import make_report_input

from landkeeper.broom.case import State
from landkeeper.broom.policy.rules import Penalty
from landkeeper.broom.policy.starter import starter_policy
from landkeeper.cli.broom.cases import STATES
from landkeeper.cli.broom.policy.exchange import ACTIONS
from landkeeper.cli.lazy_group import LazyGroup
from landkeeper.cli.root import root
from landkeeper.cli.stack.cost import TRAILS
from landkeeper.embedded.ledger_file import LedgerFile
from landkeeper.embedded.pool_file import PoolFile
from landkeeper.operate.cost.landscape import TrailUse
from landkeeper.vpctracker.differences import Appeared
from landkeeper.vpctracker.pools.items import PoolWrite, pool_to_item, reservation_to_item

_EXAMPLES = Path(__file__).parents[2] / "examples"
_NEVER = (
    "boto3", "botocore", "asyncio", "concurrent.futures", "email", "http", "logging", "multiprocessing", "rich", "ssl",
    "unittest", "urllib3",
)  # fmt: skip
"""What no command needs that answers from a file or from text."""
_NOT_FOR_HELP = (*_NEVER, "json", "re2", "sqlite3", "yaml", "landkeeper.vpctracker", "landkeeper.broom")
_SAY_WHAT_IS_LOADED = """
import io, sys
from landkeeper.cli import run
with open(sys.argv[1]) as file:
    commands = file.read().splitlines()
stdout, stderr, told, before = sys.stdout, sys.stderr, [], set()
for words in commands:
    said = io.TextIOWrapper(io.BytesIO(), write_through=True)
    sys.stdout = sys.stderr = said
    try:
        code = run(words.split())
    except SystemExit as stop:
        code = stop.code
    sys.stdout, sys.stderr = stdout, stderr
    told.append((code or 0, sorted(set(sys.modules) - before), said.buffer.getvalue().decode()))
    before = set(sys.modules)
with open(sys.argv[1], "w") as file:
    file.write(repr(told))
"""
"""One process runs all the commands: what one of them loads is told of the first that does."""
_Told = tuple[int, set[str], str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with a store of two dozen VPCs, pools, cases, a policy and a configuration."""
    folder = tmp_path_factory.mktemp("startup")
    report_input = make_report_input(vpcs=24, accounts=6, cases=3)
    store = PoolFile(folder / "landkeeper.db")
    store.write_changes([Appeared(one) for one in report_input.known.vpcs])
    for coverage in report_input.known.coverage.values():
        store.write_coverage(coverage)
    for state in report_input.pools:
        items = (pool_to_item(state.pool), *map(reservation_to_item, state.reservations))
        store.write_pools(PoolWrite({state.pool.id: 0}, items))
    store.close()
    for name in ("broom.yaml", "landkeeper.yaml"):
        shutil.copy(_EXAMPLES / name, folder)
    (folder / "tests.yaml").write_text(starter_policy("Code"), encoding="utf-8")
    LedgerFile(folder / "landkeeper.db").close()
    return folder


def _loaded(folder: Path, commands: Sequence[str], environment: Mapping[str, str] | None = None) -> list[_Told]:
    """Of each command the exit code, what it was the first to load, and what it said."""
    listing = folder / "commands.txt"
    listing.write_text("".join(f"{words}\n" for words in commands))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LANDKEEPER_", "COV"))}
    subprocess.run(
        [sys.executable, "-c", _SAY_WHAT_IS_LOADED, str(listing)],
        capture_output=True, text=True, check=True, cwd=folder, env={**inherited, **(environment or {})},
    )  # fmt: skip
    return [(code, set(modules), said) for code, modules, said in literal_eval(listing.read_text())]


def _vpc_ids(folder: Path) -> list[str]:
    store = PoolFile(folder / "landkeeper.db")
    try:
        return [one.vpc.id for one in store.read_all()]
    finally:
        store.close()


_ANSWERS = [
    "vpc list", "vpc list --format json", "vpc list --as-of 2025-09-01", "vpc show VPC", "vpc history VPC",
    "vpc coverage", "vpc defaults", "vpc overlaps", "vpc overlaps --pairs", "vpc connect VPC 320000000001",
    "vpc export --format csv", "vpc export --format json", "vpc pool list", "vpc pool show workloads",
    "broom policy check broom.yaml", "broom policy schema", "broom policy init",
    "broom policy try --policy broom.yaml --type t3.micro", "broom policy test tests.yaml",
    "broom sample-log --out log.json.gz", "broom policy export --as scp broom.yaml",
    "broom policy export --as tag-policy broom.yaml", "broom cases", "broom cases --file landkeeper.db",
    "config check", "config schema", "report --out report.html", "--version", "completion zsh",
]  # fmt: skip


@pytest.fixture(scope="module")
def answered(folder: Path) -> dict[str, _Told]:
    """What each of the answers loaded."""
    vpc = _vpc_ids(folder)[0]
    return dict(zip(_ANSWERS, _loaded(folder, [words.replace("VPC", vpc) for words in _ANSWERS]), strict=True))


@pytest.mark.parametrize("words", _ANSWERS)
def test_what_answers_from_a_file_or_from_text_loads_no_sdk(words: str, answered: dict[str, _Told]) -> None:
    code, modules, said = answered[words]
    assert code in {0, 3}, said
    assert not modules & set(_NEVER)


def _commands(group: LazyGroup = root, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, group
    for name in group.places:
        command = group.get_command(click.Context(group), name)
        assert command is not None
        if isinstance(command, LazyGroup):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


_ALL = list(_commands())


@pytest.fixture(scope="module")
def helped(folder: Path) -> dict[tuple[str, ...], _Told]:
    """What each of the help pages loaded."""
    paths = [path for path, _ in _ALL]
    return dict(zip(paths, _loaded(folder, [" ".join([*path, "--help"]) for path in paths]), strict=True))


@pytest.mark.parametrize("path", [path for path, _ in _ALL], ids=" ".join)
def test_a_help_page_loads_nothing_that_its_command_works_with(
    path: tuple[str, ...], helped: dict[tuple[str, ...], _Told]
) -> None:
    code, modules, said = helped[path]
    assert code == 0
    assert "Usage: landkeeper" in said
    assert not modules & set(_NOT_FOR_HELP)


def test_a_group_loads_the_one_command_that_is_asked_for(folder: Path) -> None:
    ((_, modules, _),) = _loaded(folder, ["vpc list"])
    commands = {name for name in modules if name.startswith("landkeeper.cli.vpc.")}
    assert commands == {
        f"landkeeper.cli.vpc.{name}" for name in ("filters", "known", "list", "options", "query", "run", "run.list")
    }  # fmt: skip


@pytest.mark.parametrize("group", [command for _, command in _ALL if isinstance(command, LazyGroup)])
def test_a_group_says_of_its_commands_what_they_say_themselves(group: LazyGroup) -> None:
    for name, place in group.places.items():
        command = group.get_command(click.Context(group), name)
        assert command is not None
        assert command.name == name
        assert command.help is not None
        assert place.short_help == " ".join(command.help.split("\n\n")[0].split())


def test_choices_that_are_written_down_twice_are_the_same() -> None:
    assert list(STATES) == [str(state) for state in State]
    assert sorted(ACTIONS) == sorted(map(str, Penalty))
    assert list(TRAILS) == [use.value for use in TrailUse]


def test_a_tab_loads_no_sdk_and_no_other_command(folder: Path) -> None:
    words = {"COMP_WORDS": "landkeeper vpc show vpc-", "COMP_CWORD": "3", "_LANDKEEPER_COMPLETE": "bash_complete"}
    ((code, modules, said),) = _loaded(folder, [""], words)
    assert code == 0
    assert sorted(said.split()) == sorted(f"plain,{id_}" for id_ in _vpc_ids(folder))
    assert not modules & {*_NEVER, "landkeeper.vpctracker.inventory", "landkeeper.cli.vpc.list"}

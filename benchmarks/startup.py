"""Measure the start of commands: the CPU time of each process, compared with a process that imports boto3.

Processes run in turn, so that other load affects all alike; the time is what the kernel reports for the process.
Modules are compiled beforehand, as after an installation.
"""

from __future__ import annotations

import compileall
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

import landkeeper
from benchmarks.landscape import make_report_input
from benchmarks.results import write_results
from landkeeper.cli.lazy_group import LazyGroup
from landkeeper.cli.root import root
from landkeeper.embedded.ledger_file import LedgerFile
from landkeeper.embedded.pool_file import PoolFile
from landkeeper.vpctracker.differences import Appeared

_RUNS = 5
_ANSWER_BAR, _HELP_BAR, _TAB_BAR = 0.5, 0.4, 0.5
_POLICY = Path(__file__).parents[1] / "examples" / "broom.yaml"
_VPCS, _ACCOUNTS = 40, 12
_SEED = 5
"""A seed with which some blocks of the few VPCs collide."""
_MANY_VPCS, _MANY_ACCOUNTS = 10_000, 500


@dataclass(frozen=True, slots=True)
class Started:
    """A command to measure."""

    name: str
    arguments: Sequence[str]
    bar: float | None = None
    """The highest allowed share of the time that importing boto3 takes."""
    environment: Mapping[str, str] = field(default_factory=dict)


def _command(words: str, bar: float | None = None) -> Started:
    return Started(f"landkeeper {words}", [_program(), *words.split()], bar)


def _tab(line: str) -> Started:
    environment = {
        "COMP_WORDS": line, "COMP_CWORD": str(line.count(" ")), "_LANDKEEPER_COMPLETE": "bash_complete",
    }  # fmt: skip
    return Started(f"Tab after `{line}`", [_program()], _TAB_BAR, environment)


def _program() -> str:
    return str(Path(sys.executable).with_name("landkeeper"))


def _seconds(started: Started, folder: Path) -> float:
    """Return the CPU time of the process, user and system, in seconds."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONDONTWRITEBYTECODE" and not name.startswith(("LANDKEEPER_", "COVERAGE"))
    }
    actions = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    here = Path.cwd()
    os.chdir(folder)
    try:
        pid = os.posix_spawn(
            started.arguments[0], list(started.arguments), {**inherited, **started.environment}, file_actions=actions
        )
    finally:
        os.chdir(here)
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) not in {0, 3}:
        raise RuntimeError(f"{started.name} ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime


def _help_pages(group: click.Command = root, words: tuple[str, ...] = ()) -> list[Started]:
    """Return the help pages of every group and command."""
    pages = [_command(" ".join((*words, "--help")), _HELP_BAR)]
    if isinstance(group, LazyGroup):
        for name in group.places:
            command = group.get_command(click.Context(group), name)
            assert command is not None  # noqa: S101 - it is in the list
            pages += _help_pages(command, (*words, name))
    return pages


def _write_store(path: Path, vpcs: int, accounts: int) -> None:
    report_input = make_report_input(vpcs, accounts, cases=0, seed=_SEED)
    store = PoolFile(path)
    store.write_changes([Appeared(stored) for stored in report_input.known.vpcs])
    for coverage in report_input.known.coverage.values():
        store.write_coverage(coverage)
    store.close()
    LedgerFile(path).close()


def run() -> None:
    """Measure, and write the results to RESULTS.md."""
    compileall.compile_dir(Path(landkeeper.__file__).parent, quiet=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_store(folder / "landkeeper.db", _VPCS, _ACCOUNTS)
        _write_store(folder / "many.db", _MANY_VPCS, _MANY_ACCOUNTS)
        shutil.copy(_POLICY, folder)
        beside = Started("importing boto3", [sys.executable, "-c", "import boto3"])
        pages = _help_pages()
        answers = [
            _command("vpc list --file landkeeper.db", _ANSWER_BAR),
            _command("vpc overlaps --file landkeeper.db", _ANSWER_BAR),
            _command("broom policy check broom.yaml", _ANSWER_BAR),
            _tab("landkeeper vpc "),
            _tab("landkeeper vpc show "),
            _tab("landkeeper vpc list --account "),
        ]
        many = [_command("vpc list --file many.db"), _command("vpc overlaps --file many.db")]
        everything = [beside, *answers, *many, *pages]
        taken: dict[str, list[float]] = {started.name: [] for started in everything}
        for number in range(_RUNS + 1):
            for started in everything:
                seconds = _seconds(started, folder)
                if number:  # The first round fills caches, and compiles what is not compiled yet.
                    taken[started.name].append(seconds)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    write_results("startup", _rows(beside, answers, pages, many, medians))


def _rows(
    beside: Started,
    answers: Sequence[Started],
    pages: Sequence[Started],
    many: Sequence[Started],
    medians: Mapping[str, float],
) -> list[tuple[str, str]]:
    whole = medians[beside.name]
    shares = {name: seconds / whole for name, seconds in medians.items()}
    slowest = sorted(pages, key=lambda page: -shares[page.name])[:3]
    groups = [page for page in pages if page.name in {"landkeeper --help", "landkeeper vpc --help"}]
    shown = [*answers, *groups, *(page for page in slowest if page not in groups)]
    missed = [page.name for page in pages if shares[page.name] > _HELP_BAR]
    return [
        (f"{beside.name}: CPU time, user and system, median of {_RUNS}, all in turn", f"{1000 * whole:.0f} ms"),
        *((_label(started), _share(shares[started.name], started.bar)) for started in shown),
        (f"help pages that take more than {_HELP_BAR}, of {len(pages)}", ", ".join(missed) or "none"),
        *((f"{started.name} with {_MANY_VPCS:,} VPCs in it", f"{shares[started.name]:.2f}") for started in many),
    ]


def _label(started: Started) -> str:
    return f"{started.name} (bar: {started.bar})"


def _share(share: float, bar: float | None) -> str:
    return f"{share:.2f}" + (" MISSED" if bar is not None and share > bar else "")

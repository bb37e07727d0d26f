"""`landkeeper demo`: both products at work on an AWS made up on this machine."""

from __future__ import annotations

import importlib.util
import shlex
import signal
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from landkeeper.cli.consoles import HarmlessConsole
from landkeeper.cli.output import print_json
from landkeeper.cli.terminal import aside, say, say_text
from landkeeper.org import UsageError

if TYPE_CHECKING:
    from landkeeper.demo.story import DemoRun

_FAILED = 1
_NARROWEST, _WIDEST = 80, 110
"""Columns that the story's tables need, and beyond which lines of prose are hard to follow."""


def run(as_json: bool, report: Path, keep: bool) -> int:
    """Run both products against an AWS simulated on this machine."""
    if any(importlib.util.find_spec(name) is None for name in ("moto", "ministack", "samtranslator")):
        raise UsageError("the demo requires the extra `local`: run pip install '.[local]' in the checkout")
    # Only now: the simulators' libraries take a second to import.
    from landkeeper.demo.narration import TerminalNarrator
    from landkeeper.demo.story import run_demo
    from landkeeper.wiring.texts import check_writable

    check_writable(report)
    console = HarmlessConsole(quiet=as_json, highlight=False, width=_width())
    narrator = TerminalNarrator(console)
    # Whoever ends this run ends its simulators too.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        run = run_demo(narrator, report, keep=keep)
    finally:
        narrator.close()
    if as_json:
        print_json(_as_json(run, keep=keep))
    else:
        _conclude(console, run)
    for fault in run.faults:
        aside(f"landkeeper: demo: {fault}")
    if not as_json and keep:
        _print_exports(run)
    return _FAILED if run.faults else 0


def _width() -> int:
    return max(_NARROWEST, min(HarmlessConsole().width, _WIDEST))


def _as_json(run: DemoRun, *, keep: bool) -> Mapping[str, Any]:
    if not keep:
        return run.result
    return {
        **run.result,
        "exports": dict(run.exports),
        "process_ids": list(run.process_ids),
        "directory": run.directory,
    }


def _conclude(console: Console, run: DemoRun) -> None:
    result = run.result
    console.print()
    console.print(
        f"[bold]{result['vpcs_tracked']} of {result['vpcs_expected']} VPCs tracked, "
        f"{result['overlap_groups']} overlaps, {len(result['unreadable'])} account unreadable; "
        f"{result['launched']} instances launched, {len(result['destroyed'])} destroyed, "
        f"{len(result['kept'])} kept, {result['reports']} reports for {result['bad_launches']} bad launches.[/]"
    )
    verdict = "[bold green]All checks passed[/]" if not run.faults else "[bold red]Checks failed[/]"
    console.print(f"{verdict}, verified against EC2, DynamoDB and the queue, in {result['seconds']} s.")


def _print_exports(run: DemoRun) -> None:
    say_text("\nThe simulated AWS is still running. To use it with the AWS CLI or landkeeper:\n\n")
    for line in _export_lines(run.exports):
        say(f"  {line}")
    say_text("\nBroom's commands need another role in the accounts: pass --role landkeeper-terminate.\n")
    say_text("\nTo stop it:\n\n")
    say(f"  kill {' '.join(map(str, run.process_ids))}; rm -rf {shlex.quote(run.directory)}")


def _export_lines(exports: Mapping[str, str]) -> Iterable[str]:
    return (f"export {name}={shlex.quote(value)}" for name, value in exports.items())

"""`landkeeper doctor`: what is wrong with a deployed stack, and how to mend it."""

from __future__ import annotations

import os
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Literal

from rich.console import Console
from rich.text import Text

from landkeeper.cli.exit_codes import DONE, FINDINGS, INCOMPLETE
from landkeeper.cli.output import counted, print_json, stdout
from landkeeper.operate.doctor.lines import Line, Verdict
from landkeeper.settings import read_settings

_WORDS = {Verdict.OK: ("ok", "green"), Verdict.WRONG: ("WRONG", "bold red"), Verdict.UNCHECKED: ("?", "yellow")}
_CHECK_WIDTH = 24
_INDENT = 6 + _CHECK_WIDTH


def run(*, stack_name: str, every_account: bool, role: str | None, format_: Literal["table", "json"]) -> int:
    """Check a deployed stack, and print a fix for every problem."""
    # Here, so that a wrong flag does not wait for boto3.
    from landkeeper.wiring.doctor import Asked, examine

    request = Asked(stack_name, every_account=every_account, role=role)
    lines = examine(read_settings(os.environ), request, clock=lambda: datetime.now(UTC))
    if format_ == "json":
        examined = list(lines)
        print_json([_as_json(line) for line in examined])
    else:
        examined = list(_printing(lines))
    verdicts = {line.verdict for line in examined}
    if Verdict.WRONG in verdicts:
        return FINDINGS
    return INCOMPLETE if Verdict.UNCHECKED in verdicts else DONE


def _as_json(line: Line) -> dict[str, object]:
    return {
        "Check": line.check,
        "Verdict": str(line.verdict),
        "Found": line.found,
        "Mend": line.mend,
        "Subjects": list(line.subjects),
    }


def _printing(lines: Iterable[Line]) -> Iterator[Line]:
    """The same lines, each printed as it comes, and how many there were."""
    console = stdout()
    seen: Counter[Verdict] = Counter()
    for line in lines:
        _print(console, line)
        seen[line.verdict] += 1
        yield line
    parts = [counted(seen.total(), "check"), f"{seen[Verdict.OK]} ok", f"{seen[Verdict.WRONG]} wrong"]
    if seen[Verdict.UNCHECKED]:
        parts.append(f"{seen[Verdict.UNCHECKED]} could not be checked")
    console.print(f"{parts[0]}: {', '.join(parts[1:])}.", style="bold", markup=False)


def _print(console: Console, line: Line) -> None:
    word, style = _WORDS[line.verdict]
    found = line.found if line.verdict is not Verdict.UNCHECKED else f"could not be checked: {line.found}"
    first, *others = _wrapped(found, console.width)
    console.print(
        Text.assemble((f"{word:<6}", style), (f"{line.check:<{_CHECK_WIDTH}}", "bold"), first), soft_wrap=True
    )
    for part in others:
        console.print(Text(f"{'':<{_INDENT}}{part}"), soft_wrap=True)
    for number, part in enumerate(_wrapped(line.mend, console.width - 4)) if line.mend else ():
        console.print(Text(f"{'':<{_INDENT}}{'fix: ' if not number else ''}{part}", style="cyan"), soft_wrap=True)


def _wrapped(text: str, width: int) -> list[str]:
    """Lines that break between words only: an id or a path in pieces cannot be copied."""
    room = max(width - _INDENT, 30)
    return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]

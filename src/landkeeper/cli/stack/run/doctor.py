"""`landkeeper doctor`: what is wrong with a deployed stack, and how to mend it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from landkeeper.cli.exit_codes import DONE, FINDINGS, INCOMPLETE
from landkeeper.cli.output import Column, Format, print_rows
from landkeeper.cli.terminal import harmless, paint, say, say_painted, width, wrapped
from landkeeper.operate.doctor.lines import Line, Verdict
from landkeeper.org import counted
from landkeeper.settings import read_settings

_WORDS = {Verdict.OK: ("ok", "green"), Verdict.WRONG: ("WRONG", "bold red"), Verdict.UNCHECKED: ("?", "yellow")}
_COLUMNS = [Column(name, name) for name in ("Check", "Verdict", "Found", "Mend", "Subjects")]
_CHECK_WIDTH = 24
_INDENT = 6 + _CHECK_WIDTH


def run(*, stack_name: str, every_account: bool, role: str | None, details: bool, format_: Format) -> int:
    """Check a deployed stack, and print a fix for every problem."""
    # Here, so that a wrong flag does not wait for boto3.
    from landkeeper.wiring.doctor import Asked, examine

    request = Asked(stack_name, every_account=every_account, role=role)
    lines = examine(read_settings(os.environ), request, clock=lambda: datetime.now(UTC))
    if format_ == "table":
        examined = list(_printing(lines, details=details))
    else:
        examined = list(lines)
        print_rows([line_as_json(line) for line in examined], _COLUMNS, format_)
    verdicts = {line.verdict for line in examined}
    if Verdict.WRONG in verdicts:
        return FINDINGS
    return INCOMPLETE if Verdict.UNCHECKED in verdicts else DONE


def line_as_json(line: Line) -> dict[str, object]:
    """Return a check as JSON has it."""
    return {
        "Check": line.check,
        "Verdict": str(line.verdict),
        "Found": line.found,
        "Mend": line.mend,
        "Subjects": list(line.subjects),
    }


def _printing(lines: Iterable[Line], *, details: bool) -> Iterator[Line]:
    """The same lines, each printed as it comes, and how many there were."""
    seen: Counter[Verdict] = Counter()
    for line in lines:
        _print(line, details=details)
        seen[line.verdict] += 1
        yield line
    parts = [counted(seen.total(), "check"), f"{seen[Verdict.OK]} ok", f"{seen[Verdict.WRONG]} wrong"]
    if seen[Verdict.UNCHECKED]:
        parts.append(f"{seen[Verdict.UNCHECKED]} could not be checked")
    say(f"{parts[0]}: {', '.join(parts[1:])}.", "bold")


def _print(line: Line, *, details: bool) -> None:
    word, style = _WORDS[line.verdict]
    found = line.found if line.verdict is not Verdict.UNCHECKED else f"could not be checked: {line.found}"
    first, *others = _wrapped(found)
    say_painted(f"{paint(f'{word:<6}', style)}{paint(f'{line.check:<{_CHECK_WIDTH}}', 'bold')}{first}".rstrip())
    for part in others:
        say_painted(f"{'':<{_INDENT}}{part}")
    for part in (part for subject in line.subjects if details for part in _wrapped(f"- {subject}")):
        say_painted(f"{'':<{_INDENT}}{part}")
    for part in _wrapped(f"fix: {line.mend}") if line.mend else ():
        say_painted(f"{'':<{_INDENT}}{paint(part, 'cyan')}")


def _wrapped(text: str) -> list[str]:
    """Lines that break between words only: an id or a path in pieces cannot be copied."""
    columns = width()
    shown = harmless(" ".join(text.split()))
    return wrapped(shown, columns and max(columns - _INDENT, 30), breaks_words=False)

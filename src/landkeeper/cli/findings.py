"""What a check of files finds: sentences for people, records for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from landkeeper.cli.output import JSON_VERSION, Column, Format, print_json, print_rows
from landkeeper.cli.terminal import aside, say

if TYPE_CHECKING:
    from landkeeper.documents import Problem

_COLUMNS = ("File", "Line", "Severity", "Message")


class Finding(NamedTuple):
    """Something about a file; `line` is None where it is about the whole file."""

    file: str
    line: int | None
    severity: Literal["error", "warning"]
    message: str

    def __str__(self) -> str:
        if self.line is None:
            return self.message
        severity = "warning: " if self.severity == "warning" else ""
        return f"{self.file}:{self.line}: {severity}{self.message}"


class CheckedFile(NamedTuple):
    """A file, what it has in it, and what is wrong with it."""

    name: str
    summary: str
    contents: Mapping[str, Any]
    """The same as the summary, as JSON has it."""
    findings: tuple[Finding, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Return whether the file can be used."""
        return not any(finding.severity == "error" for finding in self.findings)


def broken_file(name: str, problems: Iterable[Problem]) -> CheckedFile:
    """Return a file that cannot be used."""
    return CheckedFile(name, "", {}, tuple(Finding(file, line, "error", text) for file, line, text in problems))


def print_checked(files: Sequence[CheckedFile], format_: Format) -> None:
    """Print what a check found. Findings go to stderr, except in JSON and CSV, of which they are the answer."""
    rows = [dict(zip(_COLUMNS, finding, strict=True)) for checked in files for finding in checked.findings]
    if format_ == "json":
        records = [{"File": checked.name, "IsValid": checked.is_valid, **checked.contents} for checked in files]
        print_json({"Version": JSON_VERSION, "files": records, "problems": rows})
    elif format_ == "csv":
        print_rows(rows, [Column(name, name) for name in _COLUMNS], "csv")
    else:
        for checked in files:
            _print_sentences(checked)


def _print_sentences(checked: CheckedFile) -> None:
    for finding in checked.findings:
        aside(str(finding), "red" if finding.severity == "error" else "yellow")
    if checked.is_valid:
        say(f"{checked.name}: OK ({checked.summary})")

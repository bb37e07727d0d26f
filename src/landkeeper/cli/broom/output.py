"""How `landkeeper broom` shows launches: a table to read, JSON or CSV for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from landkeeper.cli.output import Column, Format, counted, print_json, print_rows
from landkeeper.cli.terminal import aside, say

if TYPE_CHECKING:
    from landkeeper.broom.harvest import Harvest, JudgedInstance, JudgedLaunch

_ATTRIBUTES = (
    "EventId", "EventTime", "Principal", "AccountId", "Region", "InstanceId", "ImageId", "InstanceType", "Tags",
    "Verdict", "Action", "Because", "Outcome", "Source", "Repeat",
)  # fmt: skip


def warn(text: str) -> None:
    """One line on stderr. Control characters are shown as they would be written in code."""
    aside(one_line(text))


def print_launches(judged: Sequence[JudgedLaunch], harvest: Harvest, format_: Format, *, heading: str) -> None:
    """Print every launch, and what was found beside them."""
    if format_ == "json":
        print_json(_as_json(judged, harvest))
    elif format_ == "csv":
        print_rows(list(_rows(judged)), [Column(name, name) for name in _ATTRIBUTES], "csv")
    else:
        from landkeeper.cli.broom.launches_table import print_launches_table

        print_launches_table(judged, heading)
        _print_totals(judged, harvest)


def print_reports(texts: Iterable[str]) -> None:
    """Print reports that had no topic to go to, on stderr: stdout holds the answer."""
    for text in texts:
        aside(text)


def _print_totals(judged: Sequence[JudgedLaunch], harvest: Harvest) -> None:
    verdicts = Counter(each.verdict for launch in judged for each in launch.instances)
    found = ", ".join(f"{number} {verdict}" for verdict, number in sorted(verdicts.items())) or "none"
    repeats = sum(launch.found.is_repeat for launch in judged)
    again = f", {repeats} of them repeats" if repeats else ""
    say(
        f"{counted(harvest.files, 'file')}, {counted(len(judged), 'launch', 'launches')}{again}; instances: {found}; "
        f"{counted(sum(harvest.ignored.values()), 'record')} ignored, {len(harvest.faults)} unreadable"
    )


def _as_json(judged: Sequence[JudgedLaunch], harvest: Harvest) -> dict[str, Any]:
    verdicts = Counter(each.verdict for launch in judged for each in launch.instances)
    return {
        "launches": [launch_attributes(each) for each in judged],
        "ignored": dict(harvest.ignored),
        "malformed": [
            {"file": fault.source, "record": fault.where, "reason": fault.reason} for fault in harvest.faults
        ],
        "totals": {
            "files": harvest.files,
            "launches": len(judged),
            "repeats": sum(each.found.is_repeat for each in judged),
            "instances": sum(verdicts.values()),
            **{verdict: verdicts[verdict] for verdict in ("compliant", "exempt", "violation", "unknown")},
            "ignored": sum(harvest.ignored.values()),
            "malformed": len(harvest.faults),
        },
    }


def _rows(judged: Sequence[JudgedLaunch]) -> Iterator[dict[str, Any]]:
    for each in judged:
        launch = launch_attributes(each)
        for instance in launch.pop("Instances"):
            yield launch | instance


def launch_attributes(judged: JudgedLaunch) -> dict[str, Any]:
    """The launch as JSON has it."""
    launch = judged.found.launch
    return {
        "EventId": launch.event_id,
        "EventTime": launch.event_time.isoformat().replace("+00:00", "Z"),
        "Principal": launch.principal.name,
        "PrincipalArn": launch.principal.arn,
        "AccountId": launch.account,
        "Region": launch.region,
        "Source": judged.found.source,
        "Repeat": judged.found.is_repeat,
        "Instances": [_instance(each) for each in judged.instances],
    }


def _instance(judged: JudgedInstance) -> dict[str, Any]:
    return {
        "InstanceId": judged.instance.id,
        "ImageId": judged.instance.image_id,
        "InstanceType": judged.instance.type,
        "Tags": dict(judged.tags),
        "Verdict": judged.verdict,
        "Action": judged.action,
        "Because": judged.because,
        "Outcome": judged.outcome,
    }


def one_line(text: str) -> str:
    """The text with its control characters shown as they would be written in code."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)

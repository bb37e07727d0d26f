"""How `landkeeper broom sweep` shows launches: a table to read, JSON or CSV for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from landkeeper.broom.sweeping.result import VerdictKind
from landkeeper.cli.broom.policy.launch_attributes import launch_attributes
from landkeeper.cli.output import JSON_VERSION, Column, Format, print_json, print_rows
from landkeeper.cli.terminal import say
from landkeeper.org import counted

if TYPE_CHECKING:
    from landkeeper.broom.cloudtrail.found import Harvest
    from landkeeper.broom.offline import JudgedLaunch

_ATTRIBUTES = (
    "EventId", "EventTime", "Principal", "AccountId", "Region", "InstanceId", "ImageId", "InstanceType", "Tags",
    "Verdict", "Action", "Because", "Outcome", "Source", "Repeat",
)  # fmt: skip


def print_launches(
    judged: Sequence[JudgedLaunch],
    harvest: Harvest,
    format_: Format,
    *,
    heading: str,
    details: bool = False,
    is_dry_run: bool,
) -> None:
    """Print every launch, and what was found beside them."""
    if format_ == "json":
        print_json({"Version": JSON_VERSION, "DryRun": is_dry_run, **_as_json(judged, harvest)})
    elif format_ == "csv":
        print_rows(list(_rows(judged)), [Column(name, name) for name in _ATTRIBUTES], "csv")
    else:
        from landkeeper.cli.broom.launches_table import print_launches_table

        print_launches_table(judged, heading, details=details)
        _print_totals(judged, harvest)


def _print_totals(judged: Sequence[JudgedLaunch], harvest: Harvest) -> None:
    verdicts = Counter(str(instance.verdict) for launch in judged for instance in launch.instances)
    found = ", ".join(counted_verdicts(verdicts)) or "none"
    repeats = sum(launch.found.is_repeat for launch in judged)
    again = f", {repeats} of them duplicates" if repeats else ""
    say(
        f"{counted(harvest.files, 'file')}, {counted(len(judged), 'launch', 'launches')}{again}; instances: {found}; "
        f"{counted(sum(harvest.ignored.values()), 'record')} ignored, {len(harvest.faults)} unreadable"
    )


def counted_verdicts(verdicts: Mapping[str, int]) -> list[str]:
    """Return how often each verdict was passed, in words: only a violation is a noun."""
    return [
        counted(number, verdict) if verdict == VerdictKind.VIOLATION else f"{number:,} {verdict}"
        for verdict, number in sorted(verdicts.items())
    ]


def _as_json(judged: Sequence[JudgedLaunch], harvest: Harvest) -> dict[str, Any]:
    verdicts = Counter(str(instance.verdict) for launch in judged for instance in launch.instances)
    return {
        "launches": [launch_attributes(launch) for launch in judged],
        "ignored": dict(harvest.ignored),
        "malformed": [
            {"File": fault.source, "Record": fault.where, "Reason": fault.reason} for fault in harvest.faults
        ],
        "totals": {
            "files": harvest.files,
            "launches": len(judged),
            "repeats": sum(launch.found.is_repeat for launch in judged),
            "instances": sum(verdicts.values()),
            **{verdict: verdicts[verdict] for verdict in ("compliant", "exempt", "violation", "unknown")},
            "ignored": sum(harvest.ignored.values()),
            "malformed": len(harvest.faults),
        },
    }


def _rows(judged: Sequence[JudgedLaunch]) -> Iterator[dict[str, Any]]:
    for judged_launch in judged:
        launch = launch_attributes(judged_launch)
        for instance in launch.pop("Instances"):
            yield launch | instance

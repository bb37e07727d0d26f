"""Launches as a table with a line an instance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from landkeeper.broom.dry_run import describe_action
from landkeeper.cli.broom.policy.launch_attributes import launch_attributes
from landkeeper.cli.output import Column, chosen, print_rows

if TYPE_CHECKING:
    from landkeeper.broom.offline import JudgedLaunch

_COLUMNS = (
    Column("Instance", "InstanceId", style="cyan"),
    Column("Action", "Done", style="bold"),
    Column("Principal", "Principal"),
    Column("Account", "AccountId"),
    Column("Region", "Region", optional=1),
    Column("Type", "InstanceType", optional=2),
    Column("Note", "Note", style="dim"),
    Column("Why", "Because"),
)
_DETAILS = (Column("Image", "ImageId", optional=3), Column("Event", "EventId"), Column("Log file", "Source"))
_USUAL = {"Note": ("",), "InstanceType": ("",), "ImageId": ("",)}


def print_launches_table(judged: Sequence[JudgedLaunch], heading: str, *, details: bool = False) -> None:
    """Print a row for each instance; nothing where there is none. With `details`, also where the launch is logged."""
    rows = list(_rows(judged))
    if rows:
        columns = (*_COLUMNS, *_DETAILS) if details else _COLUMNS
        print_rows(rows, chosen(columns, rows, "table", usual=_USUAL), "table", title=heading)


def _rows(judged: Sequence[JudgedLaunch]) -> Iterator[dict[str, Any]]:
    for judged_launch in judged:
        launch = launch_attributes(judged_launch)
        note = "duplicate event" if judged_launch.found.is_repeat else ""
        for instance in launch.pop("Instances"):
            done = describe_action(instance["Action"], instance["Outcome"])
            yield {**launch, **instance, "Done": done, "Note": note}

"""Launches as a table that fills the width of the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from landkeeper.cli.broom.launch_attributes import launch_attributes
from landkeeper.cli.output import stdout
from landkeeper.cli.terminal import one_line

if TYPE_CHECKING:
    from landkeeper.broom.offline import JudgedLaunch
    from landkeeper.broom.sweep_result import InstanceResult


def print_launches_table(judged: Sequence[JudgedLaunch], heading: str) -> None:
    """Print a row for each instance, those of a launch together; nothing where there is none."""
    if not judged:
        return
    table = Table(title=heading, title_justify="left", title_style="bold", header_style="bold", expand=True)
    # An id in pieces cannot be copied: the other two columns take what room is left, and are folded, never cut.
    for title, style, ratio in (
        ("Principal, account, from", "", 1),
        ("What", "", None),
        ("Action", "bold", None),
        ("Why", "", 1),
    ):
        table.add_column(title, style=style or None, overflow="fold", ratio=ratio)
    for judged_launch in judged:
        launch = launch_attributes(judged_launch)
        repeat = "\n(duplicate event)" if judged_launch.found.is_repeat else ""
        who = f"{one_line(launch['Principal'])}\n{one_line(launch['AccountId'])} {one_line(launch['Region'])}"
        file = one_line(launch["Source"])
        first = Text.assemble(who, "\n", (file, "dim"), (repeat, "italic"))
        for index, instance in enumerate(judged_launch.instances):
            table.add_row(
                first if index == 0 else "", *_cells(instance), end_section=index + 1 == len(judged_launch.instances)
            )
    stdout().print(table)


def _cells(result: InstanceResult) -> tuple[Text, Text, Text]:
    instance = result.instance
    what = "\n".join(one_line(text) for text in (instance.id, instance.image_id, instance.type) if text)
    action = f"{result.action}: {result.outcome}" if result.outcome else result.action
    return Text(what), Text(one_line(action)), Text(one_line(result.because))

"""What led to a verdict, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from landkeeper.cli.output import Column, print_rows
from landkeeper.cli.terminal import one_line

if TYPE_CHECKING:
    from landkeeper.broom.policy.explain import Step

_COLUMNS = (
    Column("", "Decides", style="bold"),
    Column("What", "Kind"),
    Column("Name", "Name"),
    Column("Result", "Result", style="bold"),
    Column("Because", "Because"),
)


def step_attributes(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """Return the steps as JSON has them."""
    return [
        {
            "Kind": step.kind, "Name": step.name, "Result": str(step.result), "Because": step.because,
            "Decides": step.decides,
        }
        for step in steps
    ]  # fmt: skip


def print_steps(steps: Sequence[dict[str, Any]]) -> None:
    """Print the steps as a table, with an arrow at what decides."""
    rows = [
        {name: one_line(text) if isinstance(text, str) else "=>" if text else "" for name, text in step.items()}
        for step in steps
    ]
    print_rows(rows, _COLUMNS, "table")

"""How stacks are shown: a change set as a readable difference, and what happens to a stack while it happens."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from landkeeper.operate.stacks import Change, ChangeSet, PropertyChange, StackEvent
from landkeeper.org import counted

_WORDS = {"Add": "+ add", "Modify": "~ change", "Remove": "- remove", "Import": "= adopt", "Replace": "! replace"}
_STYLES = {"Add": "green", "Import": "green", "Modify": "yellow"}
_LONGEST_VALUE = 60


def print_change_set(console: Console, change_set: ChangeSet) -> None:
    """Every resource that will change, those that cannot be undone first, and below each what changes in it."""
    console.print(Text(f"Changes to the stack {change_set.stack_name}:", style="bold"))
    shown = [change for change in change_set.changes if not change.is_consequence]
    width = max((len(change.resource) for change in shown), default=0)
    for change in sorted(shown, key=_order):
        kind = "Replace" if change.replaces else change.action
        line = Text(f"{_WORDS.get(kind, kind.lower()):<9} ", style=_STYLES.get(kind, "bold red"))
        line.append(f"{change.resource:<{width}}  ", style="default")
        line.append(change.resource_type.removeprefix("AWS::"), style="dim")
        console.print(line, soft_wrap=True)
        for path, before, after in _shown(change.properties):
            detail = f"  {before} -> {after}" if before or after else ""
            console.print(Text(f"{'':<12}{path}{detail}"), soft_wrap=True)
    console.print(Text(_totals(shown, len(change_set.changes) - len(shown))), soft_wrap=True)


def print_event(console: Console, event: StackEvent) -> None:
    """One line for something that happened to a resource."""
    failed = event.status.endswith("FAILED")
    words = event.status.lower().replace("_", " ")
    line = f"{words:<28} {event.resource}" + (f"  {event.reason}" if event.reason else "")
    console.print(Text(line, style="red" if failed else "green" if words.endswith("complete") else ""), soft_wrap=True)


def _order(change: Change) -> tuple[int, str]:
    rank = {"Remove": 1, "Modify": 2, "Import": 3, "Add": 4}
    return (0 if change.replaces else rank.get(change.action, 5), change.resource)


def _shown(properties: tuple[PropertyChange, ...]) -> list[tuple[str, str, str]]:
    rows = {
        change.path: (change.path, _short(change.before), _short(change.after)) for change in properties if change.path
    }
    return [rows[path] for path in sorted(rows)]


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST_VALUE else f"{value[: _LONGEST_VALUE - 1]}…"


def _totals(shown: Sequence[Change], consequences: int) -> str:
    kinds = ["Replace" if change.replaces else change.action for change in shown]
    totals = [f"{kinds.count(kind)} to {_WORDS[kind][2:]}" for kind in _WORDS if kind in kinds]
    if consequences:
        totals.append(f"{counted(consequences, 'other resource')} updated by reference")
    return ", ".join(totals)

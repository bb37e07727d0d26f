"""How stacks are shown: a change set as a readable difference, and what happens to a stack while it happens."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from landkeeper.operate.stacks import Change, ChangeSet, PropertyChange, StackEvent

_WORDS = {"Add": "+ add", "Modify": "~ change", "Remove": "- remove", "Import": "= adopt", "Replace": "! replace"}
_STYLES = {"Add": "green", "Import": "green", "Modify": "yellow"}
_LONGEST_VALUE = 60


def print_change_set(console: Console, change_set: ChangeSet) -> None:
    """Every resource that will change, those that cannot be undone first, and below each what changes in it."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for _ in range(3):
        table.add_column(overflow="fold")
    for change in sorted(change_set.changes, key=_order):
        kind = "Replace" if change.replaces else change.action
        style = _STYLES.get(kind, "bold red")
        table.add_row(
            Text(_WORDS.get(kind, kind.lower()), style=style),
            Text(change.resource),
            Text(change.resource_type.removeprefix("AWS::"), style="dim"),
        )
        for path, before, after in _shown(change.properties):
            table.add_row("", Text(f"  {path}"), Text(f"{before} -> {after}" if before or after else "", style="dim"))
    console.print(Text(f"What will change in the stack {change_set.stack_name}:", style="bold"))
    console.print(table)
    console.print(Text(_totals(change_set)))


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
    rows = {each.path: (each.path, _short(each.before), _short(each.after)) for each in properties if each.path}
    return [rows[path] for path in sorted(rows)]


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST_VALUE else f"{value[: _LONGEST_VALUE - 1]}…"


def _totals(change_set: ChangeSet) -> str:
    kinds = ["Replace" if change.replaces else change.action for change in change_set.changes]
    told = [f"{kinds.count(kind)} to {_WORDS[kind][2:]}" for kind in _WORDS if kind in kinds]
    return ", ".join(told)

"""`landkeeper destroy`: the stack goes, what holds data stays unless it is named."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from landkeeper.cli.confirmation import agrees, has_terminal
from landkeeper.cli.exit_codes import DONE, INCOMPLETE
from landkeeper.cli.output import stderr, stdout
from landkeeper.cli.stack_progress import print_event
from landkeeper.cli.terminal import aside
from landkeeper.operate.destroy import Destroyed, DestroyPlan
from landkeeper.operate.stacks import StackResource
from landkeeper.org import UsageError, counted
from landkeeper.settings import read_settings


def run(stack_name: str, names: Sequence[str], yes: bool, plan: bool) -> int:
    """Delete the stack. Tables, trail and buckets are kept, and the next deployment adopts them."""
    if not yes and not plan and not has_terminal():
        raise UsageError("Not a terminal: pass --yes to delete, or --plan to see what would be deleted.")
    # Here, so that a wrong flag does not wait for boto3.
    from landkeeper.wiring.stack import destroy_stack

    console = stderr()
    done = destroy_stack(
        read_settings(os.environ),
        stack_name,
        names,
        approve=lambda shown: _approve(console, shown, unseen=yes, is_plan=plan),
        on_event=lambda event: print_event(console, event),
    )
    return _conclude(done, stack_name)


def _approve(console: Console, plan: DestroyPlan, *, unseen: bool, is_plan: bool) -> bool:
    console = stdout() if is_plan else console
    if plan.has_stack:
        console.print(Text(f"The stack {plan.stack_name} will be deleted:", style="bold"))
        console.print(Text(f"  {_summary(plan.goes)}"))
    if plan.deleted:
        console.print(Text("Deleted permanently, with all data:", style="bold red"))
        _print_lines(console, map(str, plan.deleted))
    if plan.stays:
        console.print(Text("Kept:", style="bold"))
        _print_lines(console, map(str, plan.stays))
    return not is_plan and (unseen or agrees("Delete it?"))


def _summary(resources: Sequence[StackResource]) -> str:
    kinds = [resource.resource_type.removeprefix("AWS::").replace("::", " ") for resource in resources]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))) or "no resources"


def _print_lines(console: Console, lines: Iterable[str]) -> None:
    for line in lines:
        console.print(Text(f"  {line}"), soft_wrap=True)


def _conclude(done: Destroyed | None, stack_name: str) -> int:
    console = stdout()
    if done is None:
        console.print("Nothing was deleted.")
        return DONE
    failed = {datum for datum, _ in done.failures}
    deleted = len(done.plan.deleted) - len(failed)
    sentences = [f"stack {stack_name} deleted"] if done.plan.has_stack else []
    sentences += [f"{deleted} of {counted(len(done.plan.deleted), 'named store')} deleted"] if done.plan.deleted else []
    console.print(Text(f"{'; '.join(sentences)}."), soft_wrap=True)
    if done.plan.stays:
        again = "" if stack_name == "landkeeper" else f" --stack-name {stack_name}"
        names = ", ".join(datum.name for datum in done.plan.stays)
        console.print(Text(f"Kept; the next landkeeper deploy{again} adopts: {names}"), soft_wrap=True)
    for datum, failure in done.failures:
        aside(f"landkeeper: the {datum} could not be deleted: {failure}")
    return INCOMPLETE if done.failures else DONE

"""Plans before acting: what changes an account shows its plan first, and acts where somebody agrees to it.

With `--yes` it acts without a question, and with `--dry-run` it never does. Without a terminal nobody can be asked: the
plan is shown, nothing is changed, and the exit code is 2.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, Protocol, TypeVar

import click

from landkeeper.cli.common.answer_file import print_kept_answer
from landkeeper.cli.terminal import aside
from landkeeper.org import UsageError

BANNER = "Dry run: nothing is changed."
UNCHANGED = "Nothing was changed."
_T = TypeVar("_T")
_NO_TERMINAL = "Not a terminal: pass --yes to apply."


class Task(Protocol[_T]):
    """Something that changes an account, first as a plan and then in earnest."""

    def rehearse(self) -> _T:
        """Return what would come of it. Nothing is changed."""

    def show(self, plan: _T) -> None:
        """Print the plan."""

    def has_effect(self, plan: _T) -> bool:
        """Return whether there is anything to apply."""

    def act(self, plan: _T | None) -> _T:
        """Do it, print what came of it and return that. With a plan, only what the plan shows is done."""


def apply_plan(task: Task[_T], *, yes: bool, dry_run: bool, is_table: bool = True, can_ask: bool = True) -> _T:
    """Return what came of the task where it was agreed to, else its plan.

    What is shown before a question goes to stderr unless it `is_table`: stdout is for the one answer of a program.
    Raise UsageError where nobody can be asked; the plan is printed by then.
    """
    if yes and not dry_run:
        return task.act(None)
    plan = task.rehearse()
    is_open = not dry_run and task.has_effect(plan)
    aside(BANNER if dry_run else "Plan: nothing is changed yet.")
    with beside_the_answer(is_aside=is_open and not is_table and can_ask and has_terminal()):
        task.show(plan)
    if not is_open:
        if not dry_run:
            aside("Nothing to apply.")
        return plan
    if agrees(can_ask=can_ask):
        return task.act(plan)
    aside(UNCHANGED)
    return plan


def plan_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options `--yes` and `--dry-run`; a command gets `yes` and `dry_run`. Where both are given nothing is
    changed."""
    yes = click.option("--yes", is_flag=True, help="Apply the plan without asking.")
    dry_run = click.option("--dry-run", is_flag=True, help="Print the plan and change nothing.")
    return yes(dry_run(function))


def plan_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option `--plan`, or `--dry-run`; a command gets `plan`, which outdoes its `--yes`."""
    return click.option("--plan", "--dry-run", "plan", is_flag=True, help="Show the plan and change nothing.")(function)


def agrees(question: str = "Apply this plan?", *, can_ask: bool = True) -> bool:
    """Return whether the person at the terminal agrees.

    Raise UsageError without a terminal, or where `can_ask` says that what is typed there is not an answer.
    """
    if not has_terminal() or not can_ask:
        raise UsageError(_NO_TERMINAL)
    print_kept_answer()
    return click.confirm(question, err=True)


def has_terminal() -> bool:
    """Return whether somebody can be asked."""
    return sys.stdin.isatty()


@contextmanager
def beside_the_answer(*, is_aside: bool) -> Iterator[None]:
    """Print what is inside on stderr, if it `is_aside`: stdout is for the one answer of a program."""
    if not is_aside:
        yield
        return
    with redirect_stdout(sys.stderr):
        yield

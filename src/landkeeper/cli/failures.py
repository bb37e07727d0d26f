"""Accounts and regions that could not be read, on stderr: by cause, or one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from landkeeper.causes import group_failures, list_failures
from landkeeper.cli.terminal import aside

if TYPE_CHECKING:
    from landkeeper.causes import FailedPlace

details_option = click.option("--details", is_flag=True, help="Print every error in full, account by account.")


def print_failures(what: str, places: Iterable[FailedPlace], *, details: bool, style: str = "red") -> bool:
    """Print a line for each cause, or with `details` for each account and error.

    Return whether something was left out that `details` would print.
    """
    found = tuple(places)
    full = list_failures(found)
    lines = full if details else tuple(map(str, group_failures(found)))
    for line in lines:
        aside(f"{what}: {line}", style)
    return set(lines) != set(full)


def print_unusable(profiles: Mapping[str, str]) -> None:
    """Print a line for each profile that was left out, with the reason."""
    for profile, why in profiles.items():
        aside(f"profile {profile} was left out: {why}", "red")


def print_hint(left_out: Sequence[bool]) -> None:
    """Say how to see what was left out, where something was."""
    if any(left_out):
        aside("--details prints every error in full.", "dim")

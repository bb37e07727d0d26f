"""CloudFormation stacks as values, and what the use cases need from whoever deploys them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from landkeeper.org import LandkeeperError


class StackError(LandkeeperError):
    """A stack or change set failed; the text holds CloudFormation's reasons."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a change set."""

    action: str
    """`Add`, `Modify`, `Remove`, …"""
    resource: str
    """The logical id."""
    resource_type: str
    replaces: bool
    """Whether carrying it out makes a new resource in place of the old one."""


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change set that is ready; executing it is another step. Without changes there is nothing to execute."""

    stack_name: str
    name: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class StackEvent:
    """Something that happened to a resource of a stack."""

    resource: str
    resource_type: str
    status: str
    reason: str


class Stacks(Protocol):
    """Makes and executes change sets."""

    def plan(self, stack_name: str, template: str, parameters: Mapping[str, str]) -> ChangeSet:
        """A change set that brings the stack to the template. Raises StackError when it is refused."""

    def execute(self, change_set: ChangeSet, on_event: Callable[[StackEvent], None]) -> dict[str, str]:
        """Execute the change set and answer the stack's outputs. Raises StackError when it fails."""

    def outputs(self, stack_name: str) -> dict[str, str]:
        """The stack's outputs by key."""


class Artifacts(Protocol):
    """Keeps what a stack is made from."""

    @property
    def bucket(self) -> str:
        """The bucket that `put` puts into."""

    def put(self, key: str, body: bytes) -> None:
        """Put an object, unless it is there already."""

"""CloudFormation stacks as values, and what the use cases need from whoever deploys them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from landkeeper.org import LandkeeperError


class StackError(LandkeeperError):
    """A stack or change set failed; the text holds CloudFormation's reasons."""


@dataclass(frozen=True, slots=True)
class PropertyChange:
    """A property of a resource that will not stay as it is."""

    path: str
    """As in `Environment/Variables/LANDKEEPER_POLICY`."""
    before: str = ""
    """Empty where CloudFormation does not tell."""
    after: str = ""
    is_consequence: bool = False
    """Whether it only refers to another resource that changes, and may well stay as it is."""


@dataclass(frozen=True, slots=True)
class Change:
    """One resource of a change set."""

    action: str
    """`Add`, `Modify`, `Remove`, `Import`, …"""
    resource: str
    """The logical id."""
    resource_type: str
    replaces: bool
    """Whether carrying it out makes a new resource in place of the old one."""
    properties: tuple[PropertyChange, ...] = ()
    """What is modified; empty where all of it is new or goes."""

    @property
    def is_consequence(self) -> bool:
        """Whether nothing of it changes but what refers to other resources."""
        return not self.replaces and bool(self.properties) and all(change.is_consequence for change in self.properties)


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


@dataclass(frozen=True, slots=True)
class StackState:
    """A stack that is there, and the values that its parameters have."""

    status: str
    """CloudFormation's, as in `UPDATE_COMPLETE`."""
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StackResource:
    """A resource that a stack has made."""

    logical_id: str
    physical_id: str
    resource_type: str


class Stacks(Protocol):
    """Makes and executes change sets, and deletes stacks."""

    def find(self, stack_name: str) -> StackState | None:
        """The stack as it is; None where there is none."""

    def plan(
        self, stack_name: str, template_url: str, parameters: Mapping[str, str], *, state: StackState | None
    ) -> ChangeSet:
        """A change set that brings the stack to the template. Raises StackError when it is refused."""

    def read_template(self, change_set: ChangeSet) -> str:
        """Return the template that CloudFormation has read for the change set, as it was written."""

    def read_code_digests(self, stack_name: str) -> dict[str, str]:
        """Return the SHA-256 of the code of the stack's functions in hexadecimal, by the function's name."""

    def execute(self, change_set: ChangeSet, on_event: Callable[[StackEvent], None]) -> dict[str, str]:
        """Execute the change set and answer the stack's outputs. Raises StackError when it fails."""

    def discard(self, change_set: ChangeSet) -> None:
        """Drop a change set that will not be executed, and the empty stack that it was to become."""

    def outputs(self, stack_name: str) -> dict[str, str]:
        """The stack's outputs by key."""

    def resources(self, stack_name: str) -> list[StackResource]:
        """What the stack has made and still holds."""

    def delete(self, stack_name: str, on_event: Callable[[StackEvent], None]) -> None:
        """Delete the stack; what its template says to keep stays. Raises StackError when something could not go."""


class Artifacts(Protocol):
    """Keeps what a stack is made from."""

    @property
    def bucket(self) -> str:
        """The bucket that `put` puts into."""

    def put(self, key: str, body: bytes) -> None:
        """Put an object, unless that very content is there already."""

    def holds(self, key: str, body: bytes) -> bool:
        """Whether that very content is there."""

    def url(self, key: str) -> str:
        """Where CloudFormation finds an object of the bucket."""

"""A deployed stack as the doctor looks at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from landkeeper.aws.sessions import AccountSessions
from landkeeper.aws.vpctracker.vpc_table import VpcTable
from landkeeper.operate.doctor.facts import Caller, Function, StackParts
from landkeeper.org import Failure, FailureReason, LandkeeperError
from landkeeper.settings import Settings
from landkeeper.vpctracker.coverage import Coverage


@dataclass(slots=True)
class DeployedStack:
    """A deployed stack, and what is needed to look at it."""

    settings: Settings
    sessions: AccountSessions
    caller: Caller
    parts: StackParts
    clock: Callable[[], datetime]
    functions: dict[str, Function | Failure] = field(default_factory=dict)
    """By logical id; those that the stack has."""
    versions: dict[str, str] = field(default_factory=dict)
    """What functions that were asked said of themselves, by logical id."""

    def function(self, name: str) -> Function | None:
        """The function, where it is there and can be read."""
        found = self.functions.get(name)
        return found if isinstance(found, Function) else None

    def environment(self, name: str) -> Mapping[str, str]:
        """The environment of a function; empty where it is not known."""
        found = self.function(name)
        return {} if found is None else found.environment


def read_coverage(patient: DeployedStack) -> Sequence[Coverage] | Failure:
    """What is known of each account, from the tracker's table."""
    table = patient.parts.find("VpcTable", "VpcTracker")
    if not table:
        return Failure(FailureReason.NOT_FOUND, message="the stack has no table of VPCs")
    try:
        return tuple(VpcTable(patient.sessions.home("dynamodb"), table).read_all_coverage())
    except LandkeeperError as error:
        return Failure(FailureReason.OTHER, message=str(error))

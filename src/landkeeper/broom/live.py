"""What EC2 says about an instance at this moment, and what it answers to an action."""

from __future__ import annotations

from dataclasses import dataclass

from landkeeper.broom.launches import InstanceId, Tags
from landkeeper.org import Failure

ENDED = frozenset({"shutting-down", "terminated"})


@dataclass(frozen=True, slots=True)
class LiveInstance:
    """An instance as DescribeInstances shows it."""

    id: InstanceId
    state: str
    """EC2's name: pending, running, stopping, stopped, shutting-down, terminated."""
    tags: Tags
    operator: str = ""
    """The service that operates the instance on the owner's behalf (`Operator.Managed`); empty for none."""

    @property
    def has_ended(self) -> bool:
        """Whether it is terminated, or about to be."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Absent:
    """The read was complete, and the instance was not in it."""


Seen = LiveInstance | Absent | Failure


@dataclass(frozen=True, slots=True)
class Done:
    """EC2 has accepted the action."""


@dataclass(frozen=True, slots=True)
class Gone:
    """There was no such instance any more."""


@dataclass(frozen=True, slots=True)
class Refused:
    """EC2 did not do it."""

    failure: Failure
    is_protected: bool = False
    """Whether termination or stop protection is what stands in the way."""


ActionResult = Done | Gone | Refused

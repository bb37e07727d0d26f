"""What EC2 says about an instance at this moment, and what it answers to an action."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from landkeeper.broom.launches import InstanceId, Tags
from landkeeper.org import Failure

FRESH = timedelta(seconds=5)
"""How long ago a read may have begun for an instance to be stopped or terminated on the strength of it."""
ENDED = frozenset({"shutting-down", "terminated"})
STOPPED = frozenset({"stopping", "stopped"})
GROUP_TAG = "aws:autoscaling:groupName"
# Tags by which those that keep up a number of instances mark theirs.
_FLEETS = {
    "aws:ec2:fleet-id": "EC2 Fleet",
    "aws:ec2spot:fleet-request-id": "Spot Fleet",
    "karpenter.sh/nodepool": "Karpenter's node pool",
    "aws:eks:cluster-name": "EKS cluster",
}


@dataclass(frozen=True, slots=True)
class LiveInstance:
    """An instance as DescribeInstances shows it."""

    id: InstanceId
    state: str
    """EC2's name: pending, running, stopping, stopped, shutting-down, terminated."""
    tags: Tags
    operator: str = ""
    """The service that operates the instance on the owner's behalf (`Operator.Managed`); empty for none."""
    image_id: str = ""
    type: str = ""
    launched_at: datetime | None = None
    spot_request: str = ""
    """The Spot request it was launched for; empty for none."""
    is_persistent_spot: bool = False
    """Whether that request launches another instance when this one ends."""
    has_instance_store_root: bool = False
    """Whether its root device is an instance store: such an instance can be ended, never stopped."""
    partition: str = "aws"
    """The id of the AWS partition that it runs in."""

    @property
    def has_ended(self) -> bool:
        """Whether it is terminated, or about to be."""
        return self.state in ENDED

    @property
    def has_stopped(self) -> bool:
        """Whether it is stopped, or about to be."""
        return self.state in STOPPED

    @property
    def group(self) -> str:
        """The Auto Scaling group it belongs to; empty for none."""
        return self.tags.get(GROUP_TAG, "")

    @property
    def successor(self) -> str:
        """What launches another instance in this one's place, as a sentence; empty where nothing is known to."""
        if self.group:
            return f"Auto Scaling group {self.group} launches another one in its place."
        if self.is_persistent_spot:
            return f"Spot request {self.spot_request} is persistent and launches another one in its place."
        for tag, owner in _FLEETS.items():
            if tag in self.tags:
                return f"{owner} {self.tags[tag]} may launch another one in its place."
        return ""


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
    is_final: bool = False
    """Whether EC2 cannot do that with such an instance at all, however often it is asked."""
    is_unknown: bool = False
    """Whether EC2 may have done it all the same: its answer was lost, or was an error of its own."""


@dataclass(frozen=True, slots=True)
class BatchFailed:
    """The call for several instances failed as a whole; EC2 may have done it to some of them."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class TooLate:
    """The call was not made: by then what was read of the instance was too old to act on."""


ActionResult = Done | Gone | Refused | BatchFailed | TooLate

"""What Broom talks about: a launch, and the instances it created."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from landkeeper.org import AccountId, Principal, Region

InstanceId = NewType("InstanceId", str)
Tags = Mapping[str, str]

AWS_KEYS = "aws:"
"""What the keys of tags begin with that only AWS puts on and takes off."""


@dataclass(frozen=True, slots=True)
class LaunchedInstance:
    """An instance as the answer to `RunInstances` described it."""

    id: InstanceId
    image_id: str
    """Empty where the log does not say."""
    type: str
    """Empty where the log does not say."""
    tags: Tags
    """The tags in the answer. A hint: what counts are the tags that the instance has now."""
    spot_request: str = ""
    """The Spot request it was launched for; empty for none, and where the log does not say."""


@dataclass(frozen=True, slots=True)
class Untagging:
    """A successful `DeleteTags`: the log's word on tags that the launch may still show."""

    event_time: datetime
    instance_ids: frozenset[InstanceId]
    keys: frozenset[str]
    """The tags that were taken off whatever their values."""

    account: str = field(default="", compare=False)
    """The account whose CloudTrail recorded it; empty where the record does not say."""
    region: str = field(default="", compare=False)
    pairs: frozenset[tuple[str, str]] = frozenset()
    """Keys, each with the value that the tag has to have to be taken off. Without these and `keys`, every tag goes."""

    @property
    def takes_all(self) -> bool:
        """Whether the call named no tags: then it takes off all but those of AWS."""
        return not self.keys and not self.pairs

    @property
    def named_keys(self) -> frozenset[str]:
        """The keys that the call named."""
        return self.keys | {key for key, _ in self.pairs}

    def without(self, tags: Tags) -> Tags:
        """Return the tags that are left.

        Source: Amazon EC2 API Reference, "DeleteTags": with a value, the tag goes only if its value matches (an empty
        one only if it is empty); without any tags, all go that a user has defined.
        """
        return {key: value for key, value in tags.items() if not self._takes(key, value)}

    def _takes(self, key: str, value: str) -> bool:
        is_named = self.takes_all or key in self.keys or (key, value) in self.pairs
        return is_named and not key.startswith(AWS_KEYS)


@dataclass(frozen=True, slots=True)
class SpotRequest:
    """A successful `RequestSpotInstances`: who asked for instances that EC2 Spot launches when it has them."""

    principal: Principal
    request_ids: frozenset[str]
    account: str = field(default="", compare=False)
    region: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Tagging:
    """A successful `CreateTags`: what tags were put on instances after their launch."""

    event_time: datetime
    instance_ids: frozenset[InstanceId]
    tags: Tags
    account: str = field(default="", compare=False)
    region: str = field(default="", compare=False)


class End(StrEnum):
    """How an instance ended, or was stopped."""

    TERMINATED = "terminated"
    INTERRUPTED = "interrupted"
    """EC2 took the capacity of a Spot Instance back."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Termination:
    """What ended or stopped instances: a successful call, or EC2 itself."""

    event_time: datetime
    instance_ids: frozenset[InstanceId]
    account: str = field(default="", compare=False)
    region: str = field(default="", compare=False)
    end: End = End.TERMINATED
    session: str = ""
    """The role and the session of the caller, as in `Developer/jane`; empty for any other caller."""
    may_return: bool = False
    """Whether EC2 said that it stops or hibernates the instance, which then may run again."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A successful `RunInstances`: who created which instances, where and when."""

    event_id: str
    event_time: datetime
    account: AccountId
    region: Region
    principal: Principal
    instances: tuple[LaunchedInstance, ...]
    """Empty where CloudTrail left the answer out for its size: then `client_token` finds them."""
    request_tags: Tags
    """The tags that the request asked EC2 to put on the instances."""
    client_token: str = ""
    shared_event_id: str = ""
    """What its record has in common with those that other accounts got of the same call; empty where it went to one."""
    launch_template: str = ""
    """The id or name of the template that the request named; the log may not show the tags that are in it."""
    where: str = field(default="", compare=False)
    """Which record of its file it is; empty for a record that came alone."""
    requesters: Mapping[str, Principal] = field(default_factory=dict, compare=False, repr=False)
    """Who asked for which Spot request, by its id, as far as the logs that were read along with this one tell."""
    warnings: tuple[str, ...] = ()
    """What is wrong in its record, a reason each, without keeping its instances from being judged."""
    losses: tuple[str, ...] = ()
    """The instances that its record does not name, a reason each: nothing but an audit finds them."""
    update_id: str = ""
    """The id of its record, where CloudTrail delivered the event anew to correct it; `event_id` is the first one's."""
    interruption: str = ""
    """What EC2 does to its Spot Instances when it interrupts them, as in `hibernate`; empty if the log does not say."""

    @property
    def call_id(self) -> str:
        """What is the same in every record of the call, however often and to whichever account it was delivered."""
        return self.shared_event_id or self.event_id

    def logged_tags(self, instance: LaunchedInstance) -> Tags:
        """Return the tags that the log shows for an instance: those of the request and those of the response."""
        return {**self.request_tags, **instance.tags}

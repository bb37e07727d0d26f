"""The account and region that a deployment goes into, as values: what was read before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from landkeeper.operate.stacks import StackState
from landkeeper.org import Failure


@dataclass(frozen=True, slots=True)
class OrganizationSeen:
    """The organization that the account belongs to, as far as the credentials at hand may read it."""

    id: str
    management_account: str
    root_id: str = ""
    """Empty where only the management account and its delegates may ask."""
    administers_trails: bool = False
    """Whether this account may make the organization's trail."""
    administers_stack_sets: bool = False
    """Whether this account may deploy StackSets to all accounts."""


@dataclass(frozen=True, slots=True)
class Notification:
    """What a bucket does when an object appears."""

    target_arn: str
    events: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class BucketSeen:
    """An existing bucket, and its notifications of new objects."""

    name: str
    region: str
    notifications: tuple[Notification, ...] = ()
    tells_event_bridge: bool = False


@dataclass(frozen=True, slots=True)
class BucketUnseen:
    """A bucket that could not be read, and why."""

    name: str
    because: str


@dataclass(frozen=True, slots=True)
class TrailSeen:
    """A trail of the organization, as CloudTrail describes it."""

    bucket: str
    key_arn: str = ""
    is_organization: bool = True
    is_multi_region: bool = True
    has_global_events: bool = True
    is_validated: bool = True
    is_logging: bool = True
    events: str = ""
    """`ReadWriteType` of its only selector, of management events; empty where somebody has chosen other events."""


@dataclass(frozen=True, slots=True)
class Environment:
    """All that is read before anything is changed."""

    account: str
    region: str
    partition: str = "aws"
    stack: StackState | None = None
    missing_services: tuple[str, ...] = ()
    """Services that the region does not have, of those that the stack needs."""
    denied_actions: tuple[str, ...] = ()
    """What the caller may not do, of what deploying takes; empty too where that could not be found out."""
    organization: OrganizationSeen | None = None
    bucket: BucketSeen | BucketUnseen | None = None
    """The existing trail's bucket, where one was named that belongs to this account."""
    organization_trail: TrailSeen | Failure | None = None
    """The management account's trail under the stack's name, where this account is not the management account; None
    where there is none, a Failure where CloudTrail does not say."""
    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of the tables that are there already, the names of their keys: partition key, then sort key."""
    key_policy: str = ""
    """The policy of the customer's key as JSON; empty where there is none or it could not be read."""
    unreserved_concurrency: int | None = None
    """Of Lambda's concurrency in this region, what no function has reserved; None where that could not be read."""
    enabled_regions: tuple[str, ...] = ()
    """The regions that this account has enabled; empty where that could not be found out."""

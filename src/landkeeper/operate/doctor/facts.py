"""What the doctor reads, as values. A read that failed is a `Failure` in the place of its fact, never an empty one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from landkeeper.org import Account, AccountId, Failure, Region

Document = Mapping[str, Any]
"""A policy document or an event pattern, parsed."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose credentials the doctor runs with, and what time AWS had when it said so."""

    arn: str
    account: AccountId
    told_at: datetime | None = None
    """The answer's `Date`; None where it had none."""
    asked_at: datetime | None = None
    """The same moment by this machine's clock."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of a stack."""

    physical_id: str
    type: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class StackParts:
    """A deployed stack as CloudFormation describes it."""

    name: str
    region: Region
    status: str
    status_reason: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, Resource] = field(default_factory=dict)
    """By logical id."""

    def find(self, output: str, logical_id: str = "") -> str:
        """What the output says, else the physical id of the resource, else nothing.

        Templates of other versions of Landkeeper may lack either.
        """
        resource = self.resources.get(logical_id)
        return self.outputs.get(output, "") or (resource.physical_id if resource is not None else "")

    def of_type(self, type_: str) -> dict[str, str]:
        """Physical ids of the resources of a type, by logical id."""
        return {
            name: resource.physical_id for name, resource in sorted(self.resources.items()) if resource.type == type_
        }


@dataclass(frozen=True, slots=True)
class Trail:
    """A trail as CloudTrail describes it."""

    name: str
    arn: str
    home_region: Region
    is_multi_region: bool
    is_organization: bool
    is_logging: bool | Failure
    stopped_at: datetime | None = None
    delivered_at: datetime | None = None
    delivery_error: str = ""
    """What S3 said to the newest try; empty where it took the file."""
    has_management_writes: bool | Failure = True
    """Whether its selectors log management events that change something."""
    topic_arn: str = ""
    """The topic that CloudTrail itself tells of each file; empty for none."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One entry of a bucket's notification configuration."""

    destination: str
    """The ARN of a topic, queue or function."""
    events: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class BucketNotifications:
    """A bucket's notification configuration."""

    entries: tuple[Notification, ...]
    to_event_bridge: bool = False


@dataclass(frozen=True, slots=True)
class LogFilesSeen:
    """What a look into the trail's bucket found."""

    newest_key: str
    """Empty where there was none among what was looked at."""
    newest_at: datetime | None
    looked_at: int
    """How many accounts' folders were looked into."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic's policy, and who gets what it tells."""

    arn: str
    policy: Document
    subscriptions: tuple[Subscription, ...]


@dataclass(frozen=True, slots=True)
class Subscription:
    """Somebody who gets what a topic tells."""

    protocol: str
    endpoint: str
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue's attributes."""

    arn: str
    url: str
    policy: Document
    messages: int
    """Visible, delayed or in flight."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An EventBridge rule."""

    arn: str
    name: str
    is_enabled: bool
    targets: tuple[str, ...]
    """ARNs."""
    takes_log_files: bool = False
    """Whether S3's event of a new log file in the trail's bucket matches its pattern."""


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function's configuration."""

    name: str
    arn: str
    state: str
    state_reason: str
    last_update: str
    last_update_reason: str
    runtime: str
    code_sha256: str
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Mapped:
    """A queue that feeds a function."""

    queue_arn: str
    state: str
    uuid: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table's description."""

    name: str
    status: str
    keys: tuple[tuple[str, str], ...]
    """Names with `HASH` or `RANGE`."""
    indexes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Organization:
    """The organization, and how the account at hand stands to it."""

    id: str
    management_account: AccountId
    is_delegated: bool | Failure
    """Whether the account at hand is a delegated administrator of some service."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What trying out a role in an account came to."""

    account: AccountId
    region: str
    way_in: Failure | None
    """Why the role could not be assumed; None where it was."""
    refused: Mapping[str, Failure]
    """Actions that were refused or could not be tried, and why."""


@dataclass(frozen=True, slots=True)
class Trials:
    """What a function, or whoever runs the doctor, answered to the question what it may do."""

    version: str
    """The Landkeeper that answered."""
    trials: tuple[Trial, ...]
    organization: Failure | None = None
    """Why it could not list the organization's accounts; None where it could, or was not asked."""
    log_file: Failure | None = None
    """The same of the log file that it was asked to read."""


@dataclass(frozen=True, slots=True)
class FailedRead:
    """An account, or one region of it, that the tracker could not read."""

    account: Account
    region: Region | None
    """None where the whole account could not be read."""
    failure: Failure


@dataclass(frozen=True, slots=True)
class AccountRun:
    """How the tracker's newest run went for one account."""

    account: Account
    tried_at: datetime | None
    failed: tuple[FailedRead, ...] = ()
    """What of it could not be read."""


@dataclass(frozen=True, slots=True)
class ActionSetting:
    """The kill switch in the ledger."""

    is_on: bool
    last: str
    """Who turned it last, when and why, or that it waits to be turned on; empty where nobody did and it is on."""


@dataclass(frozen=True, slots=True)
class OverdueCase:
    """A case of Broom's that should have moved by now."""

    instance_id: str
    state: str
    due_at: datetime

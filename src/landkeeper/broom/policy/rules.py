"""The tag policy: what it holds. `policy_file` reads it from YAML, `verdict` judges by it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from landkeeper.broom.policy.requirements import Requirement


class Penalty(StrEnum):
    """What a rule's `action` says shall happen to an instance that breaks it."""

    NOTIFY = "notify"
    STOP = "stop"
    TERMINATE = "terminate"


SEVERITY = {Penalty.NOTIFY: 1, Penalty.STOP: 2, Penalty.TERMINATE: 3}


@dataclass(frozen=True, slots=True)
class When:
    """Where a rule applies: patterns with `*`; empty ones fit everything."""

    regions: tuple[str, ...] = ()
    instance_types: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A requirement on tags, and what happens to an instance that does not meet it."""

    name: str
    require: Requirement
    action: Penalty
    when: When = When()
    grace: timedelta = timedelta(0)
    """How long after its launch an instance may still be tagged."""


@dataclass(frozen=True, slots=True)
class Exemption:
    """Instances that no rule applies to: by principal (its ARN, `*` allowed), by a tag they have, or by account.

    A pattern that means roles of AWS's own fits those alone that AWS has created (`reserved_roles`).
    """

    kind: str
    """`principal`, `tag` or `account`: what `pattern` is compared with."""
    pattern: str
    owner: str = ""
    expires: date | None = None
    """The last day (UTC) on which it counts."""

    def __str__(self) -> str:
        return f"{self.kind} {self.pattern}{f' (owner: {self.owner})' if self.owner else ''}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many instances may be terminated; None means that there is no limit."""

    terminations_per_hour: int | None = None
    terminations_per_run: int | None = None
    terminations_share: float | None = None
    """In an hour, of the instances that run in the account and region: above 0, up to 1 for all of them."""
    terminations_per_hour_per_account: int | None = None
    """So that the instances of one account do not use up `terminations_per_hour`, which is for all accounts."""


@dataclass(frozen=True, slots=True)
class Onboarding:
    """Organizational units and accounts that are new: there no action is more severe than this one."""

    units: tuple[str, ...]
    """Ids of units; each stands for everything under it."""
    action: Penalty
    accounts: tuple[str, ...] = ()
    """Patterns of account ids, with `*`."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A tag policy."""

    rules: tuple[Rule, ...]
    exempt: tuple[Exemption, ...] = ()
    limits: Limits = Limits()
    confirm_after: timedelta = timedelta(seconds=60)
    """How far apart the two reads are that must both find fault before an instance is stopped or terminated."""
    onboarding: Onboarding | None = None
    report_required: bool = True
    """Whether nothing is stopped or terminated without a place to report it to."""
    digest: str = field(default="", compare=False)
    """Of the text that it was read from, by which a case remembers what it was judged by."""


def terminates_without_limits(policy: Policy) -> bool:
    """Whether the policy may terminate any number of instances."""
    return policy.limits == Limits() and any(rule.action is Penalty.TERMINATE for rule in policy.rules)


def has_expired(exemption: Exemption, today: date) -> bool:
    """Whether the last day of the exemption is over. `today` is a day of UTC."""
    return exemption.expires is not None and exemption.expires < today

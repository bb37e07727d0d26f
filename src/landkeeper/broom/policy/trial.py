"""The verdict on a launch that somebody describes, as far as the description goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from landkeeper.broom.cloudtrail.principals.arns import identity_of_arn
from landkeeper.broom.cloudtrail.principals.identity import UNKNOWN_PRINCIPAL, describe_principal
from landkeeper.broom.policy.requirements import find_fault
from landkeeper.broom.policy.reserved_roles import reserved_path
from landkeeper.broom.policy.rules import SEVERITY, Onboarding, Policy, Rule, When, has_expired
from landkeeper.broom.policy.verdict import Exempt, Subject, Verdict, Violation, applies, evaluate
from landkeeper.broom.policy.wildcards import fits
from landkeeper.org import AccountId, Region, join_some

if TYPE_CHECKING:
    from landkeeper.broom.launches import Tags
    from landkeeper.org import Principal

_MOST_REASONS = 3


@dataclass(frozen=True, slots=True)
class DescribedLaunch:
    """A launch of one instance; None stands for what is not known of it."""

    tags: Tags = field(default_factory=dict)
    instance_type: str | None = None
    region: Region | None = None
    account: AccountId | None = None
    principal_arn: str = ""
    """Empty where the principal is not known; that of a session does not show the path of its role."""
    units: frozenset[str] | None = None
    """The ids of the root and the organizational units that the account is in."""
    image_id: str = ""
    at: datetime | None = None

    @property
    def known_account(self) -> AccountId | None:
        """Return the account, which is that of the principal if nothing else is said."""
        return (
            AccountId(self.principal_arn.split(":")[4]) if self.account is None and self.principal_arn else self.account
        )

    @property
    def principal(self) -> Principal:
        """Return the principal. Raises UsageError if no principal has its ARN."""
        known = describe_principal(identity_of_arn(self.principal_arn)) if self.principal_arn else None
        return known or UNKNOWN_PRINCIPAL


@dataclass(frozen=True, slots=True)
class Undecided:
    """The verdict depends on something that is not known of the launch."""

    missing: tuple[str, ...]
    """`region`, `type`, `account`, `ou` or `principal`."""
    because: str


class Trial(NamedTuple):
    """What a policy says about a described launch."""

    verdict: Verdict | Undecided
    subject: Subject
    assumed: tuple[str, ...] = ()
    """What the verdict takes for granted, a sentence each."""


def try_launch(policy: Policy, launch: DescribedLaunch, now: datetime) -> Trial:
    """Return the verdict that holds whatever the launch is besides; Undecided if there is none.

    The launch is evaluated with the rules that apply for certain, and with those that may apply. An exemption by a
    principal or an account that is not known does not count, which `assumed` says.
    """
    subject = Subject(
        launch.known_account or AccountId(""), launch.region or Region(""), launch.instance_type or "",
        launch.principal, launch.units,
    )  # fmt: skip
    now = launch.at or now
    unplaced = _unplaced(policy.onboarding, launch)
    settled = replace(policy, onboarding=None) if unplaced else policy
    certain = replace(settled, rules=tuple(rule for rule in policy.rules if not any(_unknown(rule.when, launch))))
    possible = replace(settled, rules=tuple(replace(rule, when=_known(rule.when, launch)) for rule in policy.rules))
    verdict = evaluate(certain, subject, launch.tags, now)
    open_rules = tuple(_open_rules(policy, subject, launch))
    if _kind(evaluate(possible, subject, launch.tags, now)) != _kind(verdict):
        return Trial(_undecided(rule for rule in open_rules if _is_severer(rule.rule, verdict)), subject)
    if unplaced and policy.onboarding is not None:
        new = replace(certain, onboarding=replace(policy.onboarding, accounts=("*",)))
        if _kind(evaluate(new, subject, launch.tags, now)) != _kind(verdict):
            because = f"in new accounts and units, at most {policy.onboarding.action} is done (onboarding)"
            return Trial(Undecided(unplaced, because), subject)
    if not isinstance(verdict, Violation):
        return Trial(verdict, subject)
    if (exemption := _exempt_by_path(certain, launch, subject, now)) is not None:
        return Trial(Undecided(("principal",), f"the path of the role decides whether it is {exemption}"), subject)
    return Trial(verdict, subject, (*_assumed(policy, launch, now), *map(_may_break, open_rules)))


class _OpenRule(NamedTuple):
    """A rule that is broken if it applies, which is not known."""

    rule: Rule
    conditions: tuple[tuple[str, tuple[str, ...]], ...]
    """The names of the conditions that may hold, with their patterns."""


def _open_rules(policy: Policy, subject: Subject, launch: DescribedLaunch) -> Iterator[_OpenRule]:
    for rule in policy.rules:
        conditions = tuple(_unknown(rule.when, launch))
        if conditions and applies(_known(rule.when, launch), subject) and find_fault(rule.require, launch.tags):
            yield _OpenRule(rule, conditions)


def _undecided(open_rules: Iterable[_OpenRule]) -> Undecided:
    open_rules = tuple(open_rules)
    missing = dict.fromkeys(name for open_rule in open_rules for name, _ in open_rule.conditions)
    return Undecided(tuple(missing), join_some([_where(open_rule) for open_rule in open_rules], _MOST_REASONS))


def _where(open_rule: _OpenRule) -> str:
    conditions = " and ".join(f"{name} {' or '.join(patterns)}" for name, patterns in open_rule.conditions)
    return f"rule {open_rule.rule.name} applies only to {conditions}"


def _may_break(open_rule: _OpenRule) -> str:
    names = " and ".join(name for name, _ in open_rule.conditions)
    return f"rule {open_rule.rule.name} may be broken as well: {names} unknown"


def _is_severer(rule: Rule, verdict: Verdict) -> bool:
    return not isinstance(verdict, Violation) or SEVERITY[rule.action] > SEVERITY[verdict.action]


def _unplaced(onboarding: Onboarding | None, launch: DescribedLaunch) -> tuple[str, ...]:
    """Return what has to be known of the launch to tell whether its account is new."""
    if onboarding is None or any(fits(pattern, launch.known_account or "") for pattern in onboarding.accounts):
        return ()
    account = ("account",) if onboarding.accounts and launch.known_account is None else ()
    return (*account, "ou") if onboarding.units and launch.units is None else account


def _exempt_by_path(policy: Policy, launch: DescribedLaunch, subject: Subject, now: datetime) -> str | None:
    """Return how a session is exempt if its role has the path of an exemption; None if no path makes it exempt."""
    head, sessions, _ = launch.principal_arn.partition(":assumed-role/")
    role = subject.principal.issuer_arn.rpartition("/")[2]
    patterns = [exemption.pattern for exemption in policy.exempt if exemption.kind == "principal" and sessions]
    paths = [pattern.partition(":role/")[2].rpartition("/")[0].replace("*", "-") for pattern in patterns]
    for path in dict.fromkeys((f"{reserved_path(role)}-", *filter(None, paths))):
        issuer = f"{head.replace(':sts:', ':iam:')}:role/{path}/{role}"
        principal = replace(subject.principal, issuer_arn=issuer)
        verdict = evaluate(policy, replace(subject, principal=principal), launch.tags, now)
        if isinstance(verdict, Exempt):
            return verdict.because
    return None


def _assumed(policy: Policy, launch: DescribedLaunch, now: datetime) -> Iterator[str]:
    kinds = {exemption.kind for exemption in policy.exempt if not has_expired(exemption, now.astimezone(UTC).date())}
    if "principal" in kinds and not launch.principal_arn:
        yield "no exemption by principal applies: the principal is unknown"
    if "account" in kinds and launch.known_account is None:
        yield "no exemption by account applies: the account is unknown"


def _conditions(when: When, launch: DescribedLaunch) -> tuple[tuple[str, tuple[str, ...], str | None], ...]:
    return (
        ("region", when.regions, launch.region),
        ("type", when.instance_types, launch.instance_type),
        ("account", when.accounts, launch.known_account),
    )


def _unknown(when: When, launch: DescribedLaunch) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the conditions of which it is not known whether they hold."""
    for name, patterns, text in _conditions(when, launch):
        if text is None and patterns and all(pattern.strip("*") for pattern in patterns):
            yield name, patterns


def _known(when: When, launch: DescribedLaunch) -> When:
    """Return the condition without those of its parts that may hold."""
    known = [patterns if text is not None else () for _, patterns, text in _conditions(when, launch)]
    return When(*known)


def _kind(verdict: Verdict) -> tuple[type[Verdict], str]:
    return type(verdict), verdict.action if isinstance(verdict, Violation) else ""

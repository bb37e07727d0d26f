"""The verdict that a tag policy gives on an instance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from landkeeper.broom.policy.requirements import find_fault
from landkeeper.broom.policy.reserved_roles import may_exempt
from landkeeper.broom.policy.rules import SEVERITY, Exemption, Onboarding, Penalty, Policy, When, has_expired
from landkeeper.broom.policy.wildcards import fits, fits_any
from landkeeper.org import Failure

if TYPE_CHECKING:
    from landkeeper.broom.launches import Tags
    from landkeeper.org import AccountId, Principal, Region


@dataclass(frozen=True, slots=True)
class Subject:
    """What a policy evaluates of an instance besides its tags."""

    account: AccountId
    region: Region
    instance_type: str
    principal: Principal
    units: frozenset[str] | Failure | None = None
    """The ids of the root and the organizational units that the account is in; a Failure if they could not be read,
    None if they were not read."""


@dataclass(frozen=True, slots=True)
class Compliant:
    """No rule is broken."""

    because: str = "it meets every rule that applies"


@dataclass(frozen=True, slots=True)
class Exempt:
    """No rule applies, because of this exemption."""

    because: str


@dataclass(frozen=True, slots=True)
class Violation:
    """The broken rule; of several, the one with the most severe action. `how` names all of them."""

    rule: str
    how: str
    action: Penalty
    grace: timedelta
    is_unplaced: bool = False
    """Whether the action is this mild only because the units of the account were not read."""

    @property
    def because(self) -> str:
        """Return the rule and how it was broken, as a sentence."""
        return f"rule {self.rule}: {self.how}"


Verdict = Compliant | Exempt | Violation


def evaluate(policy: Policy, subject: Subject, tags: Tags, now: datetime) -> Verdict:
    """Return the verdict on an instance with these tags. `now` decides which exemptions have expired."""
    exemption = _find_exemption(policy, subject, tags, now)
    if exemption is not None:
        return Exempt(f"exempt by {exemption}")
    broken = [
        (rule, fault)
        for rule in policy.rules
        if applies(rule.when, subject) and (fault := find_fault(rule.require, tags)) is not None
    ]
    if not broken:
        return Compliant()
    # The severest action decides; among equals the one that is due first.
    broken.sort(key=lambda pair: (-SEVERITY[pair[0].action], pair[0].grace))
    worst, fault = broken[0]
    others = "".join(f"; rule {rule.name}: {other}" for rule, other in broken[1:])
    return _softened(Violation(worst.name, fault + others, worst.action, worst.grace), policy.onboarding, subject)


def _softened(violation: Violation, onboarding: Onboarding | None, subject: Subject) -> Violation:
    if onboarding is None or SEVERITY[violation.action] <= SEVERITY[onboarding.action]:
        return violation
    why = find_newness(onboarding, subject)
    if why is None:
        return violation
    how = f"{violation.how} (onboarding: {why}, so {onboarding.action} instead of {violation.action})"
    is_unplaced = subject.units is None and not _is_new_account(onboarding, subject)
    return Violation(violation.rule, how, onboarding.action, violation.grace, is_unplaced)


def find_newness(onboarding: Onboarding, subject: Subject) -> str | None:
    """Return why the account counts as new; None if it does not. An account with unknown units counts as new."""
    if _is_new_account(onboarding, subject):
        return f"account {subject.account} is new"
    if not onboarding.units:
        return None
    match subject.units:
        case None:
            return "the organizational units of its account are unknown"
        case Failure():
            return f"the organizational units of its account could not be read: {subject.units}"
        case units:
            found = next((unit for unit in onboarding.units if unit in units), None)
            return f"its account is in the new unit {found}" if found is not None else None


def _is_new_account(onboarding: Onboarding, subject: Subject) -> bool:
    return any(fits(pattern, subject.account) for pattern in onboarding.accounts)


def applies(when: When, subject: Subject) -> bool:
    """Return whether a rule with this `when` applies to the instance."""
    return (
        fits_any(when.regions, subject.region)
        and fits_any(when.instance_types, subject.instance_type)
        and fits_any(when.accounts, subject.account)
    )


def _find_exemption(policy: Policy, subject: Subject, tags: Tags, now: datetime) -> Exemption | None:
    today = now.astimezone(UTC).date()
    for exemption in policy.exempt:
        if not has_expired(exemption, today) and find_exempted(exemption, subject, tags) is not None:
            return exemption
    return None


def find_exempted(exemption: Exemption, subject: Subject, tags: Tags) -> str | None:
    """Return the ARN, tag key or account that the exemption's pattern matches; None if it matches nothing."""
    return next((text for text in compared(exemption, subject, tags) if fits(exemption.pattern, text)), None)


def compared(exemption: Exemption, subject: Subject, tags: Tags) -> Iterator[str]:
    """Yield what the exemption's pattern is compared with."""
    if exemption.kind == "principal":
        if not may_exempt(exemption.pattern, subject.principal, subject.account):
            return
        # The last form lets one pattern, `*/Role/*`, fit the role's own ARN as well as that of its sessions.
        issuer = subject.principal.issuer_arn
        yield from filter(None, (subject.principal.arn, issuer, issuer and f"{issuer}/"))
    elif exemption.kind == "tag":
        yield from tags
    else:
        yield subject.account

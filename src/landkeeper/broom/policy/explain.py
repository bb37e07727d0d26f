"""Explain a verdict: what each exemption and each rule contributes to it, in the order of the policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from landkeeper.broom.policy.requirements import describe, find_fault
from landkeeper.broom.policy.reserved_roles import may_exempt
from landkeeper.broom.policy.rules import Exemption, Onboarding, Policy, Rule, has_expired
from landkeeper.broom.policy.verdict import (
    Compliant,
    Subject,
    Verdict,
    Violation,
    compared,
    evaluate,
    find_exempted,
    find_newness,
)
from landkeeper.broom.policy.wildcards import fits_any
from landkeeper.org import format_duration

if TYPE_CHECKING:
    from landkeeper.broom.launches import Tags


class Result(StrEnum):
    """What an exemption or a rule contributes."""

    EXEMPTS = "exempts"
    FITS_NOT = "does not fit"
    EXPIRED = "expired"
    MET = "met"
    BROKEN = "broken"
    APPLIES_NOT = "does not apply"
    SOFTENS = "softens"


@dataclass(frozen=True, slots=True)
class Step:
    """An exemption, a rule or the onboarding, what it contributes, and why."""

    kind: str
    """`exemption`, `rule` or `onboarding`."""
    name: str
    result: Result
    because: str
    decides: bool = False
    """Whether it decides the verdict."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict, and what led to it."""

    verdict: Verdict
    steps: tuple[Step, ...]


def explain(policy: Policy, subject: Subject, tags: Tags, now: datetime) -> Explanation:
    """Return the verdict of `evaluate` for the same arguments, and what each exemption and each rule contributes.

    If an exemption decides, the rules are evaluated all the same, to show which of them it suspends.
    """
    verdict = evaluate(policy, subject, tags, now)
    rules = _rules(policy.rules, subject, tags, verdict)
    return Explanation(
        verdict, (*_exemptions(policy, subject, tags, now), *rules, *_onboarding(policy.onboarding, subject))
    )


def _exemptions(policy: Policy, subject: Subject, tags: Tags, now: datetime) -> Iterator[Step]:
    today = now.astimezone(UTC).date()
    decided = False
    for exemption in policy.exempt:
        found = find_exempted(exemption, subject, tags)
        if has_expired(exemption, today):
            yield Step("exemption", str(exemption), Result.EXPIRED, f"its last day was {exemption.expires}")
        elif found is None:
            yield Step("exemption", str(exemption), Result.FITS_NOT, _why_not(exemption, subject, tags))
        else:
            yield Step("exemption", str(exemption), Result.EXEMPTS, f"it fits {found}", decides=not decided)
            decided = True


def _why_not(exemption: Exemption, subject: Subject, tags: Tags) -> str:
    texts = [text for text in compared(exemption, subject, tags) if not text.endswith("/")]
    if exemption.kind == "tag":
        return f"its tag keys are {', '.join(texts)}" if texts else "there are no tags"
    if exemption.kind == "principal":
        if not (subject.principal.arn or subject.principal.issuer_arn):
            return "the principal's ARN is unknown"
        if not may_exempt(exemption.pattern, subject.principal, subject.account):
            return f"the principal's role is not one that AWS created in account {subject.account}"
        return f"the principal is {', issued by '.join(texts)}"
    return f"the account is {subject.account or 'unknown'}"


def _rules(rules: tuple[Rule, ...], subject: Subject, tags: Tags, verdict: Verdict) -> Iterator[Step]:
    for rule in rules:
        fault = find_fault(rule.require, tags)
        decides = isinstance(verdict, Violation) and verdict.rule == rule.name
        if (elsewhere := _why_elsewhere(rule, subject)) is not None:
            yield Step("rule", rule.name, Result.APPLIES_NOT, elsewhere)
        elif fault is not None:
            after = f" after a grace of {format_duration(rule.grace)}" if rule.grace else ""
            yield Step("rule", rule.name, Result.BROKEN, f"{fault}; action: {rule.action}{after}", decides=decides)
        else:
            yield Step("rule", rule.name, Result.MET, describe(rule.require), decides=isinstance(verdict, Compliant))


def _onboarding(onboarding: Onboarding | None, subject: Subject) -> Iterator[Step]:
    if onboarding is None:
        return
    name = ", ".join((*onboarding.units, *onboarding.accounts))
    why = find_newness(onboarding, subject)
    if why is None:
        yield Step("onboarding", name, Result.FITS_NOT, _why_not_new(subject))
    else:
        yield Step("onboarding", name, Result.SOFTENS, f"{why}: at most {onboarding.action} is done")


def _why_not_new(subject: Subject) -> str:
    units = ", ".join(sorted(subject.units)) if isinstance(subject.units, frozenset) else ""
    return f"the account is in {units}" if units else f"the account is {subject.account or 'unknown'}"


def _why_elsewhere(rule: Rule, subject: Subject) -> str | None:
    """Return the condition of `when` that excludes the instance; None if the rule applies."""
    conditions = (
        ("region", rule.when.regions, subject.region),
        ("instance type", rule.when.instance_types, subject.instance_type),
        ("account", rule.when.accounts, subject.account),
    )
    for what, patterns, text in conditions:
        if not fits_any(patterns, text):
            return f"it applies to {what} {' or '.join(patterns)}, and this one is {text or 'unknown'}"
    return None

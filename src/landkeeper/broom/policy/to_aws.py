"""Export a policy as AWS tag policies or service control policies, and name what those cannot express."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, assert_never

from landkeeper.broom.policy.principal_arns import principal_arns
from landkeeper.broom.policy.requirements import AllOf, AnyOf, HasTag, Not, Requirement, describe
from landkeeper.broom.policy.rules import Penalty, Policy, Rule, When, has_expired
from landkeeper.broom.policy.service_control import LARGEST_SCP, Condition, deny, escaped, fits_none, fits_one
from landkeeper.broom.policy.tag_policy import INSTANCES, LARGEST_TAG_POLICY, TagStatement, write_tag_policy
from landkeeper.org import UsageError, format_duration

MOST_POLICIES = 10
"""Of either kind on one root, unit or account. Source: AWS Organizations User Guide, "Quotas and service limits"."""

_OF_EVERY_SCP = (
    "service control policies do not apply to the management account",
    "nor do they apply to service-linked roles, such as that of Auto Scaling",
    "only the tags in the launch request count, not those that are added or removed later",
    "AWS ignores the case of tag keys here: 'code' counts as 'Code'",
)
_OF_EVERY_TAG_POLICY = (
    "AWS reports instances without a required tag, but does not prevent their launch",
    "if any value is allowed, an empty one is allowed too",
    "to AWS, a key with other capitals does not comply; to Broom, it is another tag",
)


class ExportError(UsageError):
    """A policy that cannot be expressed in the target at all."""


class Need(StrEnum):
    """What is required of one tag."""

    REQUIRED = "required"
    OPTIONAL = "checked where it is there"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class Demand:
    """What a rule requires of one tag, as far as AWS's policies can express it."""

    need: Need
    key: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exported:
    """The documents, each as JSON on one line, and what they do not express."""

    documents: tuple[str, ...]
    lost: tuple[str, ...]


def export_tag_policy(policy: Policy, *, enforce: bool = False) -> Exported:
    """Return the policy as tag policies; with `enforce`, AWS prevents tagging of instances that does not comply.

    Raises ExportError if nothing of it can be expressed, or if it is too large.
    """
    lost = [*_OF_EVERY_TAG_POLICY, *(f"the exemption of {exemption}" for exemption in policy.exempt)]
    lost += _lost_of_onboarding(policy)
    statements: dict[str, TagStatement] = {}
    for rule in policy.rules:
        if rule.when != When():
            lost.append(f"rule {rule.name}: a tag policy applies wherever it is attached, not only {_where(rule.when)}")
            continue
        if rule.action is not Penalty.NOTIFY:
            lost.append(f"rule {rule.name}: AWS only reports, but the rule says {rule.action}")
        lost += _lost_of_grace(rule)
        for part in _conjuncts(rule.require):
            demand = _demand(part)
            if demand is None or demand.need is Need.FORBIDDEN:
                lost.append(f"rule {rule.name}: {describe(part)}")
                continue
            statement = _statement(demand, enforce=enforce)
            if statements.setdefault(demand.key.lower(), statement) != statement:
                lost.append(f"rule {rule.name}: {describe(part)} (another rule has that key)")
    tags = list(statements.values())
    return Exported(_packed(tags, write_tag_policy, LARGEST_TAG_POLICY, "tag policies"), tuple(lost))


def export_scp(policy: Policy, today: date) -> Exported:
    """Return the policy as service control policies that deny the launches that would break it.

    `today`, a day in UTC, decides which exemptions have expired. Raises ExportError as `export_tag_policy` does.
    """
    unless, lost_exemptions = _spared(policy, today)
    lost = [*_OF_EVERY_SCP, *lost_exemptions, *_lost_of_onboarding(policy)]
    statements: list[dict[str, Any]] = []
    for rule in policy.rules:
        if rule.action is Penalty.NOTIFY:
            lost.append(f"rule {rule.name}: AWS denies the launch, but the rule says {rule.action}")
        lost += _lost_of_grace(rule)
        for part in _conjuncts(rule.require):
            demand = _demand(part)
            if demand is None:
                lost.append(f"rule {rule.name}: {describe(part)}")
                continue
            statement = deny(demand.key, len(statements) + 1, _faults(demand), _places(rule.when), unless)
            if statement["Condition"] not in [other["Condition"] for other in statements]:
                statements.append(statement)
    documents = _packed(statements, _scp, LARGEST_SCP, "service control policies")
    return Exported(documents, tuple(lost))


def _spared(policy: Policy, today: date) -> tuple[Condition, list[str]]:
    """Return the conditions under which a launch is not exempt, and what they do not express of the exemptions."""
    unless: Condition = {}
    lost: list[str] = []
    for exemption in policy.exempt:
        if has_expired(exemption, today):
            continue
        what = f"the exemption of {exemption}"
        if exemption.kind == "tag" and exemption.pattern.lower().startswith("aws:"):
            lost.append(f"{what}: a launch request cannot contain tags that are reserved for AWS")
            continue
        if exemption.kind == "tag" and "*" in exemption.pattern:
            lost.append(f"{what}: AWS does not support wildcards in tag keys")
            continue
        patterns: tuple[str, ...] = (exemption.pattern,)
        loss = ""
        if exemption.kind == "principal":
            patterns, loss = principal_arns(exemption.pattern)
        if loss:
            lost.append(f"{what}{loss}")
        if patterns and exemption.expires is not None:
            lost.append(f"{what} will not expire on {exemption.expires}")
        _spare(unless, exemption.kind, patterns)
    return unless, lost


def _conjuncts(requirement: Requirement) -> Iterator[Requirement]:
    if isinstance(requirement, AllOf):
        for part in requirement.parts:
            yield from _conjuncts(part)
    else:
        yield requirement


def _demand(requirement: Requirement) -> Demand | None:
    """Return what AWS's policies can express; None for what they cannot."""
    match requirement:
        case HasTag(key, values, None):
            return Demand(Need.REQUIRED, key, () if "*" in values else values)
        case Not(HasTag(key, values, None)):
            return Demand(Need.FORBIDDEN, key, () if "*" in values else values)
        case AnyOf((Not(HasTag(absent, (), None)), HasTag(key, values, None))) if absent == key and values:
            return None if "*" in values else Demand(Need.OPTIONAL, key, values)
        case HasTag() | Not() | AnyOf() | AllOf():
            return None
        case _:
            assert_never(requirement)


def _statement(demand: Demand, *, enforce: bool) -> TagStatement:
    required_for = (INSTANCES,) if demand.need is Need.REQUIRED else ()
    return TagStatement(demand.key, demand.values, (INSTANCES,) if enforce else (), required_for)


def _faults(demand: Demand) -> Condition:
    """Return the condition that holds for launches that break the demand."""
    tag = f"aws:RequestTag/{demand.key}"
    # A negated operator is true of a key that is not there, and `?*` is what has one letter at least: an empty value is
    # a fault. Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
    presence = {"StringLike": {tag: ["?*"]}}
    match demand.need:
        case Need.REQUIRED:
            return fits_none(tag, demand.values) if demand.values else {"StringNotLike": {tag: ["?*"]}}
        case Need.OPTIONAL:
            return {**presence, **fits_none(tag, demand.values)}
        case Need.FORBIDDEN:
            return fits_one(tag, demand.values) if demand.values else presence
        case _:
            assert_never(demand.need)


def _places(when: When) -> Condition:
    found = {
        "aws:RequestedRegion": when.regions, "ec2:InstanceType": when.instance_types,
        "aws:PrincipalAccount": when.accounts,
    }  # fmt: skip
    like = {key: [escaped(pattern) for pattern in patterns] for key, patterns in found.items() if patterns}
    return {"StringLike": like} if like else {}


def _spare(unless: Condition, kind: str, patterns: Sequence[str]) -> None:
    """Add an exemption to the conditions under which a launch is not denied."""
    if kind == "tag":
        unless.setdefault("Null", {}).update({f"aws:RequestTag/{key}": ["true"] for key in patterns})
    elif patterns:
        key = "aws:PrincipalArn" if kind == "principal" else "aws:PrincipalAccount"
        unless.setdefault("StringNotLike", {}).setdefault(key, []).extend(map(escaped, patterns))


def _lost_of_grace(rule: Rule) -> list[str]:
    return [f"rule {rule.name}: its grace of {format_duration(rule.grace)}"] if rule.grace else []


def _lost_of_onboarding(policy: Policy) -> list[str]:
    if policy.onboarding is None:
        return []
    return [
        f"onboarding: do not attach the policy to {', '.join((*policy.onboarding.units, *policy.onboarding.accounts))}"
    ]


def _where(when: When) -> str:
    return " and ".join(f"in {', '.join(part)}" for part in (when.regions, when.instance_types, when.accounts) if part)


def _scp(statements: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _packed(
    parts: Sequence[Any], wrap: Callable[[Sequence[Any]], dict[str, Any]], largest: int, what: str
) -> tuple[str, ...]:
    """Return as few documents as hold the parts in order, none above its size. Sizes count as printed."""
    if not parts:
        raise ExportError(f"none of the policy's rules can be expressed as {what}")
    packed: list[list[Any]] = [[]]
    for part in parts:
        if len(_text(wrap([part]))) > largest:
            raise ExportError(
                f"what one rule requires of a tag takes more than the {largest:,} characters allowed in {what}"
            )
        if packed[-1] and len(_text(wrap([*packed[-1], part]))) > largest:
            packed.append([])
        packed[-1].append(part)
    if len(packed) > MOST_POLICIES:
        raise ExportError(f"the policy takes {len(packed)} {what}; a root, unit or account can have {MOST_POLICIES}")
    return tuple(_text(wrap(group)) for group in packed)


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))

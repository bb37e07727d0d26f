"""Warnings about a policy: what it allows, but its author has hardly meant. None of them is an error."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date
from typing import assert_never

from landkeeper.broom.policy.file import PolicyFile
from landkeeper.broom.policy.principal_arns import fits_no_arn
from landkeeper.broom.policy.requirements import AllOf, AnyOf, HasTag, Not, Requirement
from landkeeper.broom.policy.rules import (
    SEVERITY,
    Exemption,
    Penalty,
    Policy,
    Rule,
    has_expired,
    terminates_without_limits,
)
from landkeeper.broom.policy.wildcards import fits
from landkeeper.documents import Problem

_LONGEST_KEY, _LONGEST_VALUE = 128, 256
"""Characters of a tag. Source: Amazon EC2 User Guide, "Tag your Amazon EC2 resources"."""

_UNIT = re.compile(r"(r-[0-9a-z]{4,32})|(ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})")
"""Source: AWS Organizations API Reference, "Parent"."""

_ONE_SERVICE_ROLE = re.compile(r"(AWSServiceRoleFor[A-Za-z0-9]+)(?:/\**)?$")
"""A pattern that ends with the name of a service-linked role, so that it fits no role with a suffix."""

_SERVICE_TAGS = (
    "aws:autoscaling:groupName", "aws:eks:cluster-name", "eks:cluster-name", "karpenter.sh/nodepool",
    "aws:elasticmapreduce:job-flow-id",
)  # fmt: skip
_SERVICE_ROLES = tuple(
    f"arn:aws:sts::111122223333:assumed-role/{role}/session"
    for role in ("AWSServiceRoleForAutoScaling", "AWSServiceRoleForAmazonEKSNodegroup", "Karpenter-node", "EMR_Role")
)


def find_warnings(parsed: PolicyFile, known_regions: Collection[str], today: date) -> tuple[Problem, ...]:
    """Return the warnings, by line.

    `known_regions` are the codes of all regions that exist; `today`, a day in UTC, decides which exemptions have
    expired.
    """
    policy, lines = parsed.policy, parsed.lines
    found = [*_about_whole(policy), *_about_exemptions(policy, today), *_about_rules(policy, known_regions)]
    problems = [Problem(parsed.file, lines.get(where, 1), text) for where, text in found]
    problems += [
        Problem(parsed.file, test.line, f"test {test.name}: {text}")
        for test in parsed.tests
        if test.launch.region is not None and (text := about_region(test.launch.region, known_regions))
    ]
    return tuple(sorted(problems, key=lambda problem: problem.line))


def about_region(region: str, known_regions: Collection[str]) -> str:
    """Return that a region or pattern is not known, and which one is probably meant; empty if it is known."""
    if any(fits(region, known) for known in known_regions):
        return ""
    import difflib  # noqa: PLC0415

    near = difflib.get_close_matches(region, sorted(known_regions), n=1)
    return f"'{region}' is not a known region{_meant(near)}"


def _about_whole(policy: Policy) -> Iterator[tuple[str, str]]:
    severest = max((rule.action for rule in policy.rules), key=SEVERITY.__getitem__)
    onboarding = policy.onboarding
    if onboarding is not None and SEVERITY[onboarding.action] >= SEVERITY[severest]:
        yield "onboarding", f"onboarding has no effect: no rule has a more severe action than {onboarding.action}"
    for unit in onboarding.units if onboarding is not None else ():
        if not _UNIT.fullmatch(unit):
            yield (
                "onboarding",
                f"onboarding names '{unit}', which is not the id of an organizational unit: it matches no account",
            )
    if severest is Penalty.NOTIFY:
        return
    if not policy.confirm_after:
        yield "confirm_after", "confirm_after is 0s: EC2 may show tags some seconds late, after the instance is lost"
    if not policy.report_required:
        yield "report", f"report is optional: Broom applies {severest} even if it cannot report it"
    limits = policy.limits
    if terminates_without_limits(policy):
        yield "rules", "rules terminate without limits: a mistake in a rule costs every instance that it applies to"
    if limits.terminations_per_hour is not None and limits.terminations_per_hour_per_account is None:
        yield "limits", "without terminations_per_hour_per_account, one account can use up the limit of all accounts"
    if not any(_exempts_a_service(exemption) for exemption in policy.exempt):
        where = "exempt" if policy.exempt else "rules"
        yield where, "no service is exempt: Auto Scaling, EKS, Karpenter and EMR may tag instances after their launch"


def _exempts_a_service(exemption: Exemption) -> bool:
    known = {"tag": _SERVICE_TAGS, "principal": _SERVICE_ROLES}.get(exemption.kind, ())
    return any(fits(exemption.pattern, text) for text in known)


def _about_exemptions(policy: Policy, today: date) -> Iterator[tuple[str, str]]:
    seen = set[Exemption]()
    for index, exemption in enumerate(policy.exempt):
        where = f"exempt[{index}]"
        if has_expired(exemption, today):
            yield where, f"the exemption of {exemption} expired on {exemption.expires} and has no effect"
        elif not exemption.pattern.strip("*"):
            which = "every instance with a tag" if exemption.kind == "tag" else "every instance"
            yield where, f"{exemption.kind} '{exemption.pattern}' exempts {which}: no rule applies to it"
        elif exemption.kind == "tag":
            for rule in policy.rules:
                if any(fits(exemption.pattern, tag.key) for tag in _wanted(rule.require)):
                    yield (
                        where,
                        f"{exemption} exempts every instance that has it, and rule {rule.name} requires that very tag",
                    )
        if exemption.kind == "principal" and fits_no_arn(exemption.pattern):
            yield (
                where,
                f"{exemption} exempts nobody: it is compared with ARNs; write */{exemption.pattern.lstrip('/')}",
            )
        if exemption.kind == "principal" and (role := _ONE_SERVICE_ROLE.search(exemption.pattern)) is not None:
            # Source: AWS IAM API Reference, "CreateServiceLinkedRole", `CustomSuffix`.
            yield (
                where,
                f"{exemption} does not exempt service-linked roles with a suffix, as {role[1]}_x: write {role[1]}*",
            )
        if exemption in seen:
            yield where, f"the exemption of {exemption} is listed twice"
        seen.add(exemption)


def _about_rules(policy: Policy, known_regions: Collection[str]) -> Iterator[tuple[str, str]]:
    for index, rule in enumerate(policy.rules):
        where = f"rules[{index}]"
        for text in (*_never_applies(policy, rule, known_regions), *_is_never_met(rule.require)):
            yield where, f"rule {rule.name} {text}"
        others = (other for place, other in enumerate(policy.rules) if _shadows(other, rule, is_first=place < index))
        if (other := next(others, None)) is not None:
            yield where, f"rule {rule.name} never decides: rule {other.name} requires the same wherever it applies"


def _never_applies(policy: Policy, rule: Rule, known_regions: Collection[str]) -> Iterator[str]:
    for pattern in rule.when.regions:
        if text := about_region(pattern, known_regions):
            yield f"never applies there: {text}"
    for pattern in rule.when.instance_types:
        if "." not in pattern and "*" not in pattern:
            yield f"names '{pattern}', which is not an instance type{_meant([f'{pattern}.*'])}"
    accounts = rule.when.accounts
    exempt = [
        exemption.pattern for exemption in policy.exempt if exemption.kind == "account" and exemption.expires is None
    ]
    if accounts and all(any(fits(pattern, account) for pattern in exempt) for account in accounts):
        yield "never applies: all its accounts are exempt"


def _meant(near: list[str]) -> str:
    return f": did you mean '{near[0]}'?" if near else ""


def _is_never_met(requirement: Requirement) -> Iterator[str]:
    match requirement:
        case HasTag():
            yield from _is_never_there(requirement)
        case AllOf(parts):
            for part in parts:
                yield from _is_never_met(part)
            yield from _contradiction(parts)
        case AnyOf(parts):
            reasons = [tuple(_is_never_met(part)) for part in parts]
            yield from (reason for group in reasons for reason in group if all(reasons))
        case Not():
            return
        case _:
            assert_never(requirement)


def _is_never_there(tag: HasTag) -> Iterator[str]:
    if tag.key.casefold().startswith("aws:"):
        yield f"can only be met by AWS: nobody else may set the tag {tag.key}"
    if len(tag.key) > _LONGEST_KEY:
        yield f"can never be met: no tag has a key of {len(tag.key)} characters"
    if tag.values and all(len(value) > _LONGEST_VALUE for value in tag.values):
        yield f"can never be met: no tag has a value of more than {_LONGEST_VALUE} characters"
    exact = tag.matches is not None and tag.values and not any("*" in value for value in tag.values)
    if exact and tag.matches is not None and not any(map(tag.matches.accepts, tag.values)):
        yield f"can never be met: none of the values of {tag.key} matches {tag.matches.text}"


def _contradiction(parts: tuple[Requirement, ...]) -> Iterator[str]:
    values: dict[str, set[str]] = {}
    for part in parts:
        if isinstance(part, Not) and part.part in parts:
            yield "can never be met: it requires a condition and its opposite"
        if isinstance(part, HasTag) and part.values and not any("*" in value for value in part.values):
            left = values.setdefault(part.key, set(part.values))
            left &= set(part.values)
            if not left:
                yield f"can never be met: it requires two different values of {part.key} at once"


def _shadows(other: Rule, rule: Rule, *, is_first: bool) -> bool:
    """Return whether `other` is broken and decides wherever `rule` is broken."""
    if other is rule or other.require != rule.require or not _covers(other, rule):
        return False
    rank, other_rank = ((SEVERITY[candidate.action], -candidate.grace) for candidate in (rule, other))
    return other_rank > rank or (other_rank == rank and is_first)


def _covers(other: Rule, rule: Rule) -> bool:
    pairs = (
        (other.when.regions, rule.when.regions),
        (other.when.instance_types, rule.when.instance_types),
        (other.when.accounts, rule.when.accounts),
    )
    return all(
        not wide or (narrow and all(any(fits(pattern, value) for pattern in wide) for value in narrow))
        for wide, narrow in pairs
    )


def _wanted(requirement: Requirement) -> Iterator[HasTag]:
    """Yield the tags that an owner would set in order to comply."""
    match requirement:
        case HasTag():
            yield requirement
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _wanted(part)
        case Not():
            return
        case _:
            assert_never(requirement)

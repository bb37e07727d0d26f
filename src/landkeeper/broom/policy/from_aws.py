"""Policies from what AWS already has: Organizations tag policies, and AWS Config's rule REQUIRED_TAGS."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import re2

from landkeeper.broom.policy.requirements import AnyOf, HasTag, Matcher, Not, Requirement
from landkeeper.broom.policy.rules import Penalty
from landkeeper.broom.policy.tag_policy import (
    EffectiveTagPolicy,
    TagPolicyError,
    TagStatement,
    covers_instances,
    merge_tag_policies,
    parse_effective,
    read_json,
)
from landkeeper.broom.policy.writing import write_policy
from landkeeper.org import join_some

_INSTANCE_TYPE = "AWS::EC2::Instance"
_CONFIG_KEY = re.compile(r"tag[1-6]Key")
_CONFIG_PARAMETER = re.compile(r"tag[1-6](?:Key|Value)")
_EMPTY = "An empty value counts as no tag at all here; AWS counts the key as present."


def import_tag_policies(
    files: Sequence[tuple[str, str]], action: Penalty, *, effective: bool = False, require_all: bool = False
) -> str:
    """The text of a policy that asks of instances what the tag policies ask, given by name from the root down.

    `effective` says that the files are effective policies, one each for an account: only one makes sense. Keys that AWS
    does not report as missing are only checked where they are there, unless `require_all`. What AWS wraps around a
    policy (DescribePolicy, DescribeEffectivePolicy) is taken off. Raises TagPolicyError.
    """
    documents = [(name, _unwrapped(name, read_json(name, text))) for name, text in files]
    if effective:
        if len(documents) > 1:
            raise TagPolicyError(f"{documents[1][0]}: an effective policy is whole: give one, not {len(documents)}")
        merged = parse_effective(*documents[0])
    else:
        merged = merge_tag_policies(documents)
    rules = [
        (statement.key, requirement)
        for statement in merged.statements
        if (requirement := _requirement(statement, require_all=require_all)) is not None
    ]
    source = ", ".join(name for name, _ in files)
    if not rules:
        raise TagPolicyError(f"{source}: nothing in it can be checked of an instance; --require-all asks for its keys")
    remarks = [f"From the tag policy {source}.", *_lost(merged, require_all=require_all)]
    return write_policy(rules, action, remarks)


def import_config_rule(name: str, text: str, action: Penalty) -> str:
    """The text of a policy that asks what a REQUIRED_TAGS rule of AWS Config asks.

    The text is the rule's parameters (`tag1Key`, `tag1Value`, … `tag6Value`), the rule, or the answer of
    DescribeConfigRules. Raises TagPolicyError.
    """
    rules: list[tuple[str, Requirement]] = []
    remarks = [f"From the AWS Config rule {name}.", f"Not carried over: {_EMPTY}"]
    for rule in _config_rules(name, read_json(name, text)):
        if "InputParameters" in rule:
            remarks += _about_scope(name, rule)
            rules += _config_tags(name, _parameters(name, rule["InputParameters"]))
        else:
            rules += _config_tags(name, rule)
    if not rules:
        raise TagPolicyError(f"{name}: no REQUIRED_TAGS rule with a tag1Key … tag6Key is in it")
    return write_policy(rules, action, remarks)


def _unwrapped(name: str, document: Any) -> Any:
    for outer, inner in (("Policy", "Content"), ("EffectivePolicy", "PolicyContent")):
        if isinstance(document, dict) and isinstance(document.get(outer), dict):
            content = document[outer].get(inner)
            if isinstance(content, str):
                return read_json(f"{name}: {outer}.{inner}", content)
    return document


def _requirement(statement: TagStatement, *, require_all: bool) -> Requirement | None:
    values = tuple(value for value in statement.values if value)
    tag = HasTag(statement.key, values)
    if statement.is_required or require_all:
        return tag if values or not statement.values else None
    if not statement.values:
        return None
    # An empty value is to Broom what a missing tag is, so where it is the only one allowed, no other may be there.
    return AnyOf((Not(HasTag(statement.key)), tag)) if values else Not(HasTag(statement.key))


def _lost(merged: EffectiveTagPolicy, *, require_all: bool) -> Iterator[str]:
    statements = merged.statements
    yield "Not carried over:"
    yield f"- {_EMPTY}"
    capitals = ", ".join(f"{one.key}" for one in statements)
    yield f"- A key in another capitalisation than {capitals} does not comply in AWS; here it is another tag."
    for one in statements:
        if _requirement(one, require_all=require_all) is None:
            what = "a tag whose value is empty" if one.values else "the capitalisation of its key alone"
            yield f"- {one.key}: the tag policy asks for {what}."
        if covers_instances(one.enforced_for):
            yield f"- {one.key}: AWS refuses tagging that does not comply; Broom prevents none, it looks afterwards."
        others = [
            each for each in dict.fromkeys((*one.enforced_for, *one.required_for)) if not covers_instances([each])
        ]
        if others:
            yield f"- {one.key}: other resource types ({join_some(others, 4)}); Broom checks instances."
        if require_all and not one.is_required:
            yield f"- {one.key} is required here; AWS takes an instance without it."
    for sentence in merged.ignored:
        yield f"- {sentence}."


def _config_rules(name: str, document: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(document, dict):
        raise TagPolicyError(f"{name}: a Config rule is an object")
    listed = document.get("ConfigRules", [document])
    if not isinstance(listed, list) or not all(isinstance(rule, dict) for rule in listed):
        raise TagPolicyError(f"{name}: ConfigRules takes a list of rules")
    for rule in listed:
        source = rule.get("Source")
        identifier = source.get("SourceIdentifier") if isinstance(source, dict) else "REQUIRED_TAGS"
        if identifier == "REQUIRED_TAGS":
            yield rule


def _parameters(name: str, value: Any) -> Mapping[str, Any]:
    parameters = read_json(f"{name}: InputParameters", value) if isinstance(value, str) else value
    if not isinstance(parameters, dict):
        raise TagPolicyError(f"{name}: InputParameters takes an object, or its JSON as text")
    return parameters


def _about_scope(name: str, rule: Mapping[str, Any]) -> Iterator[str]:
    scope = rule.get("Scope")
    types = scope.get("ComplianceResourceTypes") if isinstance(scope, dict) else None
    if not isinstance(types, list):
        return
    if _INSTANCE_TYPE not in types:
        raise TagPolicyError(f"{name}: the rule is not for instances: its scope has no {_INSTANCE_TYPE}")
    if others := [str(each) for each in types if each != _INSTANCE_TYPE]:
        yield f"Not carried over: the resource types {', '.join(others)}."


def _config_tags(name: str, parameters: Mapping[str, Any]) -> Iterator[tuple[str, Requirement]]:
    for parameter, value in parameters.items():
        if not _CONFIG_PARAMETER.fullmatch(parameter):
            raise TagPolicyError(f"{name}: '{parameter}' is no parameter of REQUIRED_TAGS: it has tag1Key … tag6Value")
        if not isinstance(value, str) or not value:
            raise TagPolicyError(f"{name}: {parameter} takes a text")
        if parameter.endswith("Value") and f"{parameter[:4]}Key" not in parameters:
            raise TagPolicyError(f"{name}: {parameter} is there without a {parameter[:4]}Key")
    for parameter in sorted(filter(_CONFIG_KEY.fullmatch, parameters)):
        values = parameters.get(f"{parameter[:4]}Value", "").split(",")
        key = parameters[parameter]
        try:
            yield key, _exactly(key, tuple(dict.fromkeys(filter(None, (value.strip() for value in values)))))
        except re2.error as error:
            raise TagPolicyError(f"{name}: {parameter[:4]}Value is more than a regular expression can hold") from error


def _exactly(key: str, values: Iterable[str]) -> Requirement:
    """The tag with one of the values, in which `*` is a letter like any other, as AWS Config has it."""
    values = tuple(values)
    if not any("*" in value for value in values):
        return HasTag(key, values)
    pattern, options = "|".join(map(re2.escape, values)), re2.Options()
    options.log_errors = False
    return HasTag(key, (), Matcher(pattern, re2.compile(pattern, options)))

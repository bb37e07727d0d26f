"""Import policies from AWS: tag policies of AWS Organizations, and the rule REQUIRED_TAGS of AWS Config."""

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
_EMPTY = "To Broom, a tag with an empty value is missing; to AWS, it is present."


def import_tag_policies(
    files: Sequence[tuple[str, str]], action: Penalty, *, effective: bool = False, require_all: bool = False
) -> str:
    """Return the text of a policy that requires of instances what the tag policies require.

    `files` are names and texts, from the root down to the account. With `effective`, the one file is the effective
    policy of an account. A key that AWS does not report as missing is only checked if the instance has it, unless
    `require_all`. The answers of DescribePolicy and DescribeEffectivePolicy are accepted too. Raises TagPolicyError.
    """
    documents = [(name, _unwrapped(name, read_json(name, text))) for name, text in files]
    if effective:
        if len(documents) > 1:
            raise TagPolicyError(
                f"{documents[1][0]}: an effective policy is complete: pass one file, not {len(documents)}"
            )
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
        raise TagPolicyError(f"{source}: nothing in it applies to instances; --require-all requires its keys")
    remarks = [f"From the tag policy {source}.", *_lost(merged, require_all=require_all)]
    return write_policy(rules, action, remarks)


def import_config_rule(name: str, text: str, action: Penalty) -> str:
    """Return the text of a policy that requires what a REQUIRED_TAGS rule of AWS Config requires.

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
        raise TagPolicyError(f"{name}: there is no REQUIRED_TAGS rule with tag1Key … tag6Key")
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
    capitals = ", ".join(statement.key for statement in statements)
    yield f"- To AWS, a key with other capitals than {capitals} does not comply; to Broom, it is another tag."
    for statement in statements:
        if _requirement(statement, require_all=require_all) is None:
            what = "a tag whose value is empty" if statement.values else "only the capitalization of its key"
            yield f"- {statement.key}: the tag policy requires {what}."
        if covers_instances(statement.enforced_for):
            yield f"- {statement.key}: AWS prevents tagging that does not comply; Broom checks afterwards."
        others = [
            type_
            for type_ in dict.fromkeys((*statement.enforced_for, *statement.required_for))
            if not covers_instances([type_])
        ]
        if others:
            yield f"- {statement.key}: other resource types ({join_some(others, 4)}); Broom checks only instances."
        if require_all and not statement.is_required:
            yield f"- {statement.key} is required by Broom; AWS accepts an instance without it."
    for sentence in merged.ignored:
        yield f"- {sentence}."


def _config_rules(name: str, document: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(document, dict):
        raise TagPolicyError(f"{name}: expected an object with a Config rule")
    listed = document.get("ConfigRules", [document])
    if not isinstance(listed, list) or not all(isinstance(rule, dict) for rule in listed):
        raise TagPolicyError(f"{name}: ConfigRules must be a list of rules")
    for rule in listed:
        source = rule.get("Source")
        identifier = source.get("SourceIdentifier") if isinstance(source, dict) else "REQUIRED_TAGS"
        if identifier == "REQUIRED_TAGS":
            yield rule


def _parameters(name: str, value: Any) -> Mapping[str, Any]:
    parameters = read_json(f"{name}: InputParameters", value) if isinstance(value, str) else value
    if not isinstance(parameters, dict):
        raise TagPolicyError(f"{name}: InputParameters must be an object, or its JSON as text")
    return parameters


def _about_scope(name: str, rule: Mapping[str, Any]) -> Iterator[str]:
    scope = rule.get("Scope")
    types = scope.get("ComplianceResourceTypes") if isinstance(scope, dict) else None
    if not isinstance(types, list):
        return
    if _INSTANCE_TYPE not in types:
        raise TagPolicyError(
            f"{name}: the rule does not apply to instances: its scope does not include {_INSTANCE_TYPE}"
        )
    if others := [str(type_) for type_ in types if type_ != _INSTANCE_TYPE]:
        yield f"Not carried over: the resource types {', '.join(others)}."


def _config_tags(name: str, parameters: Mapping[str, Any]) -> Iterator[tuple[str, Requirement]]:
    for parameter, value in parameters.items():
        if not _CONFIG_PARAMETER.fullmatch(parameter):
            raise TagPolicyError(f"{name}: '{parameter}' is not a parameter of REQUIRED_TAGS (tag1Key … tag6Value)")
        if not isinstance(value, str) or not value:
            raise TagPolicyError(f"{name}: {parameter} must be text")
        if parameter.endswith("Value") and f"{parameter[:4]}Key" not in parameters:
            raise TagPolicyError(f"{name}: {parameter} is given without {parameter[:4]}Key")
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

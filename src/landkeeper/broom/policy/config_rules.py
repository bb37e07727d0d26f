"""Import the managed rule REQUIRED_TAGS of AWS Config.

Sources: AWS Config API Reference, "ConfigRule", "Scope", "Source", "OrganizationConfigRule"; AWS Config Developer
Guide, "required-tags"; AWS CloudFormation User Guide, "AWS::Config::ConfigRule".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import re2

from landkeeper.broom.policy.from_aws import EMPTY_VALUES
from landkeeper.broom.policy.requirements import AnyOf, HasTag, Matcher, Not, Requirement
from landkeeper.broom.policy.rules import Penalty
from landkeeper.broom.policy.tag_policy import TagPolicyError, read_json
from landkeeper.broom.policy.writing import write_policy
from landkeeper.org import join_some

_REQUIRED_TAGS = "REQUIRED_TAGS"
_INSTANCE_TYPE = "AWS::EC2::Instance"
_CUSTOM = frozenset({"CUSTOM_LAMBDA", "CUSTOM_POLICY"})
_KEY = re.compile(r"tag[1-6]Key")
_PARAMETER = re.compile(r"tag[1-6](?:Key|Value)")
_OF_A_RULE = frozenset({"ConfigRuleName", "Source", "InputParameters", "Scope", "ConfigRuleState"})
"""Members of which a rule has one at least, and its bare parameters none."""
_MOST_TYPES = 4


@dataclass(frozen=True, slots=True)
class _ConfigRule:
    """A rule, with what counts here."""

    name: str
    """As a sentence names it: `tags-ec2`, or `number 2` without a name."""
    state: str = ""
    identifier: str = _REQUIRED_TAGS
    is_custom: bool = False
    parameters: Any = None
    types: tuple[str, ...] = ()
    """Empty for all."""
    resource: str = ""
    tag_key: str = ""
    tag_value: str = ""
    excluded_accounts: tuple[str, ...] = ()


@dataclass(slots=True)
class _Import:
    """What came of the rules so far."""

    requirements: list[tuple[str, Requirement]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """Rules, a sentence each."""
    lost: list[str] = field(default_factory=list)


def import_config_rule(name: str, text: str, action: Penalty) -> str:
    """Return the text of a policy that requires what REQUIRED_TAGS rules of AWS Config require of instances.

    The text is the parameters of a rule (`tag1Key`, `tag1Value`, … `tag6Value`), a rule, the answer of
    DescribeConfigRules or DescribeOrganizationConfigRules, or a CloudFormation template in JSON, such as that of a
    conformance pack. Rules that do not concern instances, or only one of them, are named in its comments and left out.
    Raises TagPolicyError, also where no rule is left.
    """
    found = _Import()
    for rule in _rules(name, read_json(name, text)):
        _take_in(found, name, rule)
    if not found.requirements:
        reasons = "".join(f"; {sentence}" for sentence in found.left_out)
        raise TagPolicyError(f"{name}: there is no {_REQUIRED_TAGS} rule to import{reasons}")
    left_out = [f"Left out: {sentence}." for sentence in found.left_out]
    lost = [f"Not carried over: {sentence}" for sentence in (EMPTY_VALUES, *found.lost)]
    return write_policy(found.requirements, action, [f"From the AWS Config rule {name}.", *lost, *left_out])


def _take_in(found: _Import, name: str, rule: _ConfigRule) -> None:
    reason = _why_left_out(rule)
    if reason is not None:
        found.left_out.append(f"rule {rule.name} {reason}")
        return
    tags = _tags(name, _parameters(name, rule))
    if not tags:
        found.left_out.append(f"rule {rule.name} has no tag1Key … tag6Key")
        return
    scope = _scope(rule)
    if scope is not None:
        tags = [(key, AnyOf((Not(scope), requirement))) for key, requirement in tags]
    found.requirements += tags
    if others := [type_ for type_ in rule.types if type_ != _INSTANCE_TYPE]:
        found.lost.append(f"the resource types {join_some(others, _MOST_TYPES)}.")
    if rule.excluded_accounts:
        accounts = join_some(rule.excluded_accounts, _MOST_TYPES)
        found.lost.append(f"rule {rule.name} excludes accounts ({accounts}); add exemptions for them.")


def _why_left_out(rule: _ConfigRule) -> str | None:
    """Return why the rule is not imported, as words after its name; None if it is.

    A rule in the state DELETING_RESULTS stays: only its evaluation results are being deleted.
    """
    types = join_some(rule.types, _MOST_TYPES)
    reasons = (
        (rule.state == "DELETING", "is being deleted"),
        (rule.is_custom, "is a custom rule"),
        (
            rule.identifier != _REQUIRED_TAGS,
            f"is {rule.identifier or 'a rule without an identifier'}, not {_REQUIRED_TAGS}",
        ),
        (
            rule.types and _INSTANCE_TYPE not in rule.types,
            f"does not apply to instances: its scope is {types}",
        ),
        (rule.resource, f"applies to one resource, {rule.resource}"),
        (
            rule.tag_value and not rule.tag_key,
            f"has a scope with the tag value '{rule.tag_value}' but no tag key",
        ),
        (
            _has_functions(rule.parameters),
            "has template functions or a condition: import the answer of describe-config-rules instead",
        ),
        (rule.parameters is None, "has no parameters"),
    )
    return next((reason for applies, reason in reasons if applies), None)


def _scope(rule: _ConfigRule) -> Requirement | None:
    """Return what an instance's tags must be for the rule to apply; None if it applies to every instance."""
    if not rule.tag_key:
        return None
    return _exactly(rule.tag_key, (rule.tag_value,) if rule.tag_value else ())


def _rules(name: str, document: Any) -> Iterator[_ConfigRule]:
    if isinstance(document, list) and document:
        # What `--query` of the AWS CLI takes out of the answer.
        is_of_organization = any(isinstance(rule, dict) and "OrganizationConfigRuleName" in rule for rule in document)
        document = {"OrganizationConfigRules" if is_of_organization else "ConfigRules": document}
    if not isinstance(document, dict):
        raise TagPolicyError(f"{name}: expected an object with a Config rule")
    if "ConfigRules" in document:
        for number, raw in enumerate(_listed(name, document, "ConfigRules"), 1):
            yield _rule(name, raw, f"number {number}")
    elif "OrganizationConfigRules" in document:
        for number, raw in enumerate(_listed(name, document, "OrganizationConfigRules"), 1):
            yield _organization_rule(name, raw, f"number {number}")
    elif isinstance(document.get("Resources"), dict):
        yield from _template_rules(name, document["Resources"])
    elif _OF_A_RULE.isdisjoint(document):
        yield _ConfigRule("of these parameters", parameters=document)
    else:
        yield _rule(name, document, "number 1")


def _listed(name: str, document: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    listed = document[key]
    if not isinstance(listed, list) or not all(isinstance(rule, dict) for rule in listed):
        raise TagPolicyError(f"{name}: {key} must be a list of rules")
    return listed


def _rule(name: str, raw: Mapping[str, Any], number: str) -> _ConfigRule:
    scope, source = _object(name, raw, "Scope"), _object(name, raw, "Source")
    return _ConfigRule(
        name=_text(name, raw, "ConfigRuleName") or number,
        state=_text(name, raw, "ConfigRuleState"),
        # Who gives the rule by hand may leave out where it comes from.
        identifier=_text(name, source, "SourceIdentifier") if source else _REQUIRED_TAGS,
        is_custom=source.get("Owner") in _CUSTOM,
        parameters=raw.get("InputParameters"),
        types=_texts(name, scope, "ComplianceResourceTypes"),
        resource=_text(name, scope, "ComplianceResourceId"),
        tag_key=_text(name, scope, "TagKey"),
        tag_value=_text(name, scope, "TagValue"),
    )


def _organization_rule(name: str, raw: Mapping[str, Any], number: str) -> _ConfigRule:
    managed = _object(name, raw, "OrganizationManagedRuleMetadata")
    return _ConfigRule(
        name=_text(name, raw, "OrganizationConfigRuleName") or number,
        identifier=_text(name, managed, "RuleIdentifier"),
        is_custom=not managed,
        parameters=managed.get("InputParameters"),
        types=_texts(name, managed, "ResourceTypesScope"),
        resource=_text(name, managed, "ResourceIdScope"),
        tag_key=_text(name, managed, "TagKeyScope"),
        tag_value=_text(name, managed, "TagValueScope"),
        excluded_accounts=_texts(name, raw, "ExcludedAccounts"),
    )


def _template_rules(name: str, resources: Mapping[str, Any]) -> Iterator[_ConfigRule]:
    for logical_id, resource in resources.items():
        if not isinstance(resource, dict) or resource.get("Type") != "AWS::Config::ConfigRule":
            continue
        properties = {**_object(name, resource, "Properties"), "ConfigRuleName": logical_id}
        if "Condition" in resource:
            yield _ConfigRule(logical_id, parameters={"Ref": resource["Condition"]})
        elif _has_functions({**properties, "InputParameters": None}):
            yield _ConfigRule(logical_id, parameters=properties)
        else:
            yield _rule(name, properties, logical_id)


def _has_functions(value: Any) -> bool:
    """Return whether CloudFormation would fill in a part of the value."""
    if isinstance(value, list):
        return any(map(_has_functions, value))
    if not isinstance(value, dict):
        return False
    return any(key == "Ref" or key.startswith("Fn::") or _has_functions(part) for key, part in value.items())


def _object(name: str, raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = raw.get(key)
    if value is not None and not isinstance(value, dict):
        raise TagPolicyError(f"{name}: {key} must be an object")
    return value or {}


def _text(name: str, raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    if value is not None and not isinstance(value, str):
        raise TagPolicyError(f"{name}: {key} must be text")
    return value or ""


def _texts(name: str, raw: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = raw.get(key)
    if value is not None and not (isinstance(value, list) and all(isinstance(text, str) for text in value)):
        raise TagPolicyError(f"{name}: {key} must be a list of texts")
    return tuple(value or ())


def _parameters(name: str, rule: _ConfigRule) -> Mapping[str, Any]:
    value = rule.parameters
    parameters = read_json(f"{name}: InputParameters", value) if isinstance(value, str) else value
    if not isinstance(parameters, dict):
        raise TagPolicyError(f"{name}: InputParameters must be an object, or its JSON as text")
    return parameters


def _tags(name: str, parameters: Mapping[str, Any]) -> list[tuple[str, Requirement]]:
    for parameter, value in parameters.items():
        if not _PARAMETER.fullmatch(parameter):
            raise TagPolicyError(f"{name}: '{parameter}' is not a parameter of {_REQUIRED_TAGS} (tag1Key … tag6Value)")
        if not isinstance(value, str) or not value:
            raise TagPolicyError(f"{name}: {parameter} must be text")
        if parameter.endswith("Value") and f"{parameter[:4]}Key" not in parameters:
            raise TagPolicyError(f"{name}: {parameter} is given without {parameter[:4]}Key")
    return [_tag(name, parameter, parameters) for parameter in sorted(filter(_KEY.fullmatch, parameters))]


def _tag(name: str, parameter: str, parameters: Mapping[str, str]) -> tuple[str, Requirement]:
    key, values = parameters[parameter], parameters.get(f"{parameter[:4]}Value", "").split(",")
    try:
        return key, _exactly(key, tuple(dict.fromkeys(filter(None, (value.strip() for value in values)))))
    except re2.error as error:
        raise TagPolicyError(f"{name}: {parameter[:4]}Value is more than a regular expression can hold") from error


def _exactly(key: str, values: Iterable[str]) -> Requirement:
    """Return the tag with one of the values, in which `*` is a letter like any other, as AWS Config has it."""
    values = tuple(values)
    if not any("*" in value for value in values):
        return HasTag(key, values)
    pattern, options = "|".join(map(re2.escape, values)), re2.Options()
    options.log_errors = False
    return HasTag(key, (), Matcher(pattern, re2.compile(pattern, options)))

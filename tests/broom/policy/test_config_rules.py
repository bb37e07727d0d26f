"""REQUIRED_TAGS rules of AWS Config: what of them is required of instances, and what is named as left out or lost."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landkeeper.broom.policy.config_rules import import_config_rule
from landkeeper.broom.policy.file import parse_policy
from landkeeper.broom.policy.requirements import AnyOf, HasTag, Not, find_fault
from landkeeper.broom.policy.rules import Penalty, Rule
from landkeeper.broom.policy.tag_policy import TagPolicyError
from landkeeper.org import UsageError

CONFIG = {"tag1Key": "Code", "tag1Value": "LOL, GGG,LOL", "tag2Key": "Owner"}
WHOLE = {"Source": {"Owner": "AWS", "SourceIdentifier": "REQUIRED_TAGS"}, "InputParameters": json.dumps(CONFIG)}
INSTANCES, BUCKETS = "AWS::EC2::Instance", "AWS::S3::Bucket"


def rules(text: str) -> dict[str, Rule]:
    return {rule.name: rule for rule in parse_policy(text, "imported").rules}


def imported(document: Any) -> str:
    return import_config_rule("c.json", json.dumps(document), Penalty.TERMINATE)


def requires(key: str, name: str = "", **members: Any) -> dict[str, Any]:
    """A rule, as DescribeConfigRules answers it, that requires one tag."""
    return {**WHOLE, "ConfigRuleName": name, "InputParameters": json.dumps({"tag1Key": key}), **members}


def organization_rule(name: str, **metadata: Any) -> dict[str, Any]:
    metadata = {"RuleIdentifier": "REQUIRED_TAGS", "InputParameters": json.dumps({"tag1Key": name}), **metadata}
    return {"OrganizationConfigRuleName": name, "OrganizationManagedRuleMetadata": metadata}


@pytest.mark.parametrize(
    "document",
    [
        CONFIG,
        WHOLE,
        {"InputParameters": CONFIG},
        {"ConfigRules": [WHOLE]},
        [WHOLE],
        [organization_rule("r", InputParameters=json.dumps(CONFIG))],
        {**WHOLE, "Scope": {"ComplianceResourceTypes": [INSTANCES]}},
        {**WHOLE, "Scope": {"ComplianceResourceTypes": []}},
        {**WHOLE, "Scope": {}},
        # As a rule of a conformance pack is answered.
        {"ConfigRules": [{**WHOLE, "ConfigRuleName": "tags-conformance-pack-ab12cd34", "ConfigRuleState": "ACTIVE",
                          "CreatedBy": "config-conforms.amazonaws.com", "EvaluationModes": [{"Mode": "DETECTIVE"}]}]},
        {"OrganizationConfigRules": [organization_rule("r", InputParameters=json.dumps(CONFIG))]},
        {"Resources": {"Tags": {"Type": "AWS::Config::ConfigRule", "Properties": {**WHOLE, "InputParameters": CONFIG}},
                       "Topic": {"Type": "AWS::SNS::Topic"}, "Odd": 1}},
    ],
)  # fmt: skip
def test_the_parameters_of_config_are_rules_wherever_they_stand(document: Any) -> None:
    text = imported(document)
    assert rules(text) == {
        "Code": Rule("Code", HasTag("Code", ("LOL", "GGG")), Penalty.TERMINATE),
        "Owner": Rule("Owner", HasTag("Owner"), Penalty.TERMINATE),
    }
    assert "Left out" not in text


def test_a_star_is_a_letter_to_config() -> None:
    require = rules(imported({"tag1Key": "Code", "tag1Value": "a*,b.c"}))["Code"].require
    assert [value for value in ("a*", "ab", "b.c", "bxc", "a*b.c") if not find_fault(require, {"Code": value})] == [
        "a*",
        "b.c",
    ]


def test_other_resource_types_of_config_are_said_to_be_lost() -> None:
    types = [INSTANCES, BUCKETS, *(f"AWS::RDS::T{number}" for number in range(4))]
    text = imported({**WHOLE, "Scope": {"ComplianceResourceTypes": types}})
    lost = "the resource types AWS::S3::Bucket, AWS::RDS::T0, AWS::RDS::T1, AWS::RDS::T2 and 1 more"
    assert f"# Not carried over: {lost}.\n" in text


REST = [
    (requires("X", "buckets", Scope={"ComplianceResourceTypes": [BUCKETS]}),
     "rule buckets does not apply to instances: its scope is AWS::S3::Bucket"),
    (requires("X", "single", Scope={"ComplianceResourceTypes": [INSTANCES], "ComplianceResourceId": "i-0abc"}),
     "rule single applies to one resource, i-0abc"),
    (requires("X", "old", ConfigRuleState="DELETING"), "rule old is being deleted"),
    (requires("X", "mine", Source={"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": "arn:aws:lambda:x"}),
     "rule mine is a custom rule"),
    (requires("X", "guard", Source={"Owner": "CUSTOM_POLICY"}), "rule guard is a custom rule"),
    ({"ConfigRuleName": "logs", "Source": {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_LOGGING_ENABLED"}},
     "rule logs is S3_BUCKET_LOGGING_ENABLED, not REQUIRED_TAGS"),
    ({"Source": {"Owner": "AWS"}}, "rule number 2 is a rule without an identifier, not REQUIRED_TAGS"),
    ({**WHOLE, "ConfigRuleName": "bare", "InputParameters": None}, "rule bare has no parameters"),
    ({**WHOLE, "ConfigRuleName": "none", "InputParameters": "{}"}, "rule none has no tag1Key … tag6Key"),
    (requires("X", "half", Scope={"TagValue": "prod"}),
     "rule half has a scope with the tag value 'prod' but no tag key"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "left_out"), REST)
def test_what_does_not_concern_all_instances_is_left_out_by_name(rule: Any, left_out: str) -> None:
    text = imported({"ConfigRules": [requires("Code", "tags"), rule]})
    assert list(rules(text)) == ["Code"]
    assert f"# Left out: {left_out}.\n" in text
    with pytest.raises(TagPolicyError) as caught:
        imported({"ConfigRules": [{"Source": {"Owner": "CUSTOM_POLICY"}}, rule]})
    assert str(caught.value) == (
        f"c.json: there is no REQUIRED_TAGS rule to import; rule number 1 is a custom rule; {left_out}"
    )


def test_a_rule_whose_results_are_being_deleted_stays() -> None:
    """Config sets the state DELETING_RESULTS while it deletes evaluation results; the rule itself remains."""
    text = imported({"ConfigRules": [requires("Code", "tags", ConfigRuleState="DELETING_RESULTS")]})
    assert list(rules(text)) == ["Code"]


@pytest.mark.parametrize(
    ("scope", "tags", "complies"),
    [
        ({"TagKey": "Env", "TagValue": "prod"}, {}, True),
        ({"TagKey": "Env", "TagValue": "prod"}, {"Env": "test"}, True),
        ({"TagKey": "Env", "TagValue": "prod"}, {"Env": "prod"}, False),
        ({"TagKey": "Env", "TagValue": "prod"}, {"Env": "prod", "CostCenter": "1"}, True),
        ({"TagKey": "Env"}, {"Env": "test"}, False),
        ({"TagKey": "Env"}, {"Other": "x"}, True),
        ({"TagKey": "Env", "TagValue": "p*"}, {"Env": "prod"}, True),
        ({"TagKey": "Env", "TagValue": "p*"}, {"Env": "p*"}, False),
    ],
)
def test_a_scope_by_tag_applies_to_instances_with_that_tag(
    scope: dict[str, str], tags: dict[str, str], complies: bool
) -> None:
    given_rules = {"ConfigRules": [requires("CostCenter", "prod", Scope=scope)]}
    organization = {
        "OrganizationConfigRules": [
            organization_rule("CostCenter", TagKeyScope=scope["TagKey"], TagValueScope=scope.get("TagValue"))
        ]
    }
    for document in (given_rules, organization):
        (rule,) = rules(imported(document)).values()
        assert (find_fault(rule.require, tags) is None) == complies


def test_a_scope_by_tag_is_written_as_an_alternative() -> None:
    (rule,) = rules(imported(requires("CostCenter", Scope={"TagKey": "Env", "TagValue": "prod"}))).values()
    assert rule.require == AnyOf((Not(HasTag("Env", ("prod",))), HasTag("CostCenter")))


def test_rules_of_the_organization_name_the_accounts_that_they_exclude() -> None:
    text = imported(
        {
            "OrganizationConfigRules": [
                {**organization_rule("Code"), "ExcludedAccounts": ["111122223333"]},
                organization_rule("Name", ResourceTypesScope=[BUCKETS]),
                organization_rule("Owner", ResourceIdScope="i-1"),
                {"OrganizationConfigRuleName": "own", "OrganizationCustomRuleMetadata": {"LambdaFunctionArn": "arn"}},
            ]
        }
    )
    assert list(rules(text)) == ["Code"]
    assert [line for line in text.splitlines() if line.startswith("#")][2:] == [
        "# Not carried over: rule Code excludes accounts (111122223333); add exemptions for them.",
        "# Left out: rule Name does not apply to instances: its scope is AWS::S3::Bucket.",
        "# Left out: rule Owner applies to one resource, i-1.",
        "# Left out: rule own is a custom rule.",
    ]


@pytest.mark.parametrize(
    "members",
    [
        {"InputParameters": {"tag1Key": {"Fn::If": ["has", {"Ref": "Key"}, {"Ref": "AWS::NoValue"}]}}},
        {"Scope": {"ComplianceResourceTypes": ["AWS::EC2::Instance", {"Ref": "Type"}]}},
    ],
)
def test_what_cloudformation_would_fill_in_is_left_out_by_name(members: Any) -> None:
    def resource(properties: Any) -> Any:
        return {"Type": "AWS::Config::ConfigRule", "Properties": properties}

    sometimes = {**resource(WHOLE), "Condition": "IsProduction"}
    text = imported({"Resources": {"A": resource(WHOLE), "B": resource({**WHOLE, **members}), "C": sometimes}})
    assert list(rules(text)) == ["Code", "Owner"]
    why = "has template functions or a condition: import the answer of describe-config-rules instead"
    assert f"# Left out: rule B {why}.\n# Left out: rule C {why}.\n" in text


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ([], "c.json: expected an object with a Config rule"),
        ([1], "c.json: ConfigRules must be a list of rules"),
        ({"ConfigRules": {}}, "c.json: ConfigRules must be a list of rules"),
        ({"ConfigRules": [1]}, "c.json: ConfigRules must be a list of rules"),
        ({"ConfigRules": []}, "c.json: there is no REQUIRED_TAGS rule to import"),
        ({"OrganizationConfigRules": 1}, "c.json: OrganizationConfigRules must be a list of rules"),
        ({"InputParameters": "[]"}, "c.json: InputParameters must be an object, or its JSON as text"),
        ({"InputParameters": "{"}, "c.json: InputParameters:1: not JSON: Expecting property name"),
        ({"Source": "AWS"}, "c.json: Source must be an object"),
        ({"ConfigRuleName": 1}, "c.json: ConfigRuleName must be text"),
        ({"Scope": {"ComplianceResourceTypes": INSTANCES}}, "c.json: ComplianceResourceTypes must be a list of texts"),
        ({"Resources": {"A": {"Type": "AWS::Config::ConfigRule", "Properties": []}}},
         "c.json: Properties must be an object"),
        (
            {"tag1Key": "Code", "tag1Value": ",".join(f"{n}*" for n in range(500_000))},
            "c.json: tag1Value is more than a regular expression can hold",
        ),
        ({"tag7Key": "x"}, "c.json: 'tag7Key' is not a parameter of REQUIRED_TAGS"),
        ({"tag1Key": 1}, "c.json: tag1Key must be text"),
        ({"tag1Value": "x"}, "c.json: tag1Value is given without tag1Key"),
    ],
)  # fmt: skip
def test_what_is_no_config_rule_is_named(document: Any, complaint: str) -> None:
    with pytest.raises(TagPolicyError) as caught:
        imported(document)
    assert str(caught.value).startswith(complaint)


WORDS = st.sampled_from(
    ["InputParameters", "ConfigRules", "OrganizationConfigRules", "Resources", "Properties", "Scope", "Source",
     "Owner", "TagKey", "TagValue", "tag1Key", "tag1Value"]
)  # fmt: skip
TEXTS = WORDS | st.text(max_size=4)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


@given(DOCUMENTS.map(json.dumps) | st.text() | TEXTS.map(lambda key: json.dumps({"tag1Key": key, "tag1Value": key})))
def test_no_text_ends_in_anything_but_a_policy_or_its_problem(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert rules(import_config_rule("f", text, Penalty.STOP))

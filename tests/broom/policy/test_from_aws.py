"""Policies from AWS's own: which rules they come to, and what is said to be lost."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landkeeper.broom.policy.file import parse_policy
from landkeeper.broom.policy.from_aws import import_tag_policies
from landkeeper.broom.policy.requirements import AllOf, AnyOf, HasTag, Not, Requirement, find_fault
from landkeeper.broom.policy.rules import Penalty, Rule
from landkeeper.broom.policy.tag_policy import TagPolicyError
from landkeeper.broom.policy.writing import write_policy
from landkeeper.org import UsageError


def tag_policy(**settings: Any) -> dict[str, Any]:
    return {"tags": {"code": {"tag_key": {"@@assign": "Code"}, **settings}}}


def rules(text: str) -> dict[str, Rule]:
    return {rule.name: rule for rule in parse_policy(text, "imported").rules}


def imported(*documents: Any, **options: bool) -> str:
    files = [(f"{index}.json", json.dumps(document)) for index, document in enumerate(documents)]
    return import_tag_policies(files, Penalty.STOP, **options)


VALUES = {"tag_value": {"@@assign": ["LOL", "G*"]}}
REQUIRED = {"report_required_tag_for": {"@@assign": ["ec2:instance"]}}


@pytest.mark.parametrize("types", ["ec2:instance", "ec2:*", "ec2:ALL_SUPPORTED"])
def test_a_required_key_is_required(types: str) -> None:
    text = imported(tag_policy(**VALUES, report_required_tag_for={"@@assign": [types]}))
    assert rules(text) == {"Code": Rule("Code", HasTag("Code", ("LOL", "G*")), Penalty.STOP)}


def test_a_key_that_is_not_required_is_checked_where_it_is_there() -> None:
    text = imported(tag_policy(**VALUES, report_required_tag_for={"@@assign": ["s3:bucket"]}))
    require = rules(text)["Code"].require
    assert require == AnyOf((Not(HasTag("Code")), HasTag("Code", ("LOL", "G*"))))
    assert find_fault(require, {}) is None
    assert find_fault(require, {"Code": "GGG"}) is None
    assert find_fault(require, {"Code": "XXX"}) is not None
    assert "# - Code: other resource types (s3:bucket); Broom checks only instances.\n" in text


def test_a_policy_with_hidden_characters_shows_them_and_means_the_same() -> None:
    hostile = "L\u202eO\u2028L\x9b"
    text = imported(tag_policy(tag_value={"@@assign": [hostile]}, **REQUIRED))
    assert text.replace("\n", "").isprintable()
    assert rules(text)["Code"].require == HasTag("Code", (hostile,))
    assert "Größe" in imported(tag_policy(tag_value={"@@assign": ["Größe"]}, **REQUIRED))


def test_every_key_may_be_required_and_that_is_said() -> None:
    text = imported(tag_policy(**VALUES), require_all=True)
    assert rules(text)["Code"].require == HasTag("Code", ("LOL", "G*"))
    assert "# - Code is required by Broom; AWS accepts an instance without it.\n" in text


def test_empty_values_are_what_a_missing_tag_is() -> None:
    some, only = {"@@assign": ["", "a"]}, {"@@assign": [""]}
    assert rules(imported(tag_policy(tag_value=some)))["Code"].require == AnyOf(
        (Not(HasTag("Code")), HasTag("Code", ("a",)))
    )
    assert rules(imported(tag_policy(tag_value=only)))["Code"].require == Not(HasTag("Code"))
    assert rules(imported(tag_policy(tag_value=some, **REQUIRED)))["Code"].require == HasTag("Code", ("a",))
    both = {"tags": {**tag_policy(tag_value=only, **REQUIRED)["tags"], "owner": REQUIRED}}
    assert "# - Code: the tag policy requires a tag whose value is empty.\n" in imported(both)


def test_what_is_lost_is_said_above_the_policy() -> None:
    enforced = {"enforced_for": {"@@assign": ["ec2:instance", *(f"s3:{letter}" for letter in "abcde")]}}
    lock = {"tag_value": {"@@assign": ["a"], "@@operators_allowed_for_child_policies": ["@@none"]}}
    text = imported(
        {"tags": {**tag_policy(**lock, **enforced)["tags"], "Color": {"tag_key": {"@@assign": "Color"}}}},
        tag_policy(tag_value={"@@assign": ["b"]}),
    )
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# From the tag policy 0.json, 1.json.",
        "# Not carried over:",
        "# - To Broom, a tag with an empty value is missing; to AWS, it is present.",
        "# - To AWS, a key with other capitals than Code, Color does not comply; to Broom, it is another tag.",
        "# - Code: AWS prevents tagging that does not comply; Broom checks afterwards.",
        "# - Code: other resource types (s3:a, s3:b, s3:c, s3:d and 1 more); Broom checks only instances.",
        "# - Color: the tag policy requires only the capitalization of its key.",
        "# - 1.json: tags.code.tag_value: @@assign is locked by a parent policy and has no effect.",
    ]


def test_the_answers_of_aws_are_taken_as_they_come() -> None:
    policy = {"Policy": {"Content": json.dumps(tag_policy(**VALUES)), "PolicySummary": {}}}
    assert list(rules(imported(policy))) == ["Code"]
    content = json.dumps({"tags": {"code": {"tag_key": "Code", "tag_value": ["a"]}}})
    effective = {"EffectivePolicy": {"PolicyContent": content, "PolicyType": "TAG_POLICY"}}
    assert list(rules(imported(effective, effective=True))) == ["Code"]
    with pytest.raises(TagPolicyError, match=r"0.json: a tag policy has one key at its top, .* and this has 'Policy'"):
        imported({"Policy": {}})


def test_a_tag_policy_that_comes_to_nothing_is_an_error() -> None:
    with pytest.raises(TagPolicyError, match=r"^0.json: nothing in it applies to instances; --require-all"):
        imported(tag_policy())
    with pytest.raises(TagPolicyError, match=r"^1.json: an effective policy is complete: pass one file, not 2"):
        imported({"tags": {}}, {"tags": {}}, effective=True)


def test_a_written_policy_is_read_again_as_it_was() -> None:
    require: Requirement = AllOf((AnyOf((HasTag("a: b", ("NO", "0123", "ü")), Not(HasTag("#")))), HasTag("y")))
    text = write_policy([("x", require), ("x", HasTag("x")), ("x-2", HasTag("z"))], Penalty.NOTIFY, ["a\nb"])
    assert text.startswith("# a\\nb\nversion: 1\n")
    assert {name: rule.require for name, rule in rules(text).items()} == {
        "x": require, "x-2": HasTag("x"), "x-2-2": HasTag("z"),
    }  # fmt: skip


WORDS = st.sampled_from(
    ["tags", "code", "Code", "tag_key", "tag_value", "@@assign", "@@append", "@@operators_allowed_for_child_policies",
     "@@none", "Policy", "Content"]
)  # fmt: skip
TEXTS = WORDS | st.text(max_size=4)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


@given(DOCUMENTS.map(json.dumps) | st.text())
def test_no_text_ends_in_anything_but_a_policy_or_its_problem(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert rules(import_tag_policies([("f", text)], Penalty.STOP))
    with contextlib.suppress(UsageError):
        assert rules(import_tag_policies([("f", text)], Penalty.STOP, effective=True, require_all=True))


@given(TEXTS, st.lists(TEXTS, max_size=3))
def test_any_key_and_value_is_a_policy_or_a_problem(key: str, values: list[str]) -> None:
    document = {"tags": {key: {"tag_key": {"@@assign": key}, "tag_value": {"@@assign": values}}}}
    with contextlib.suppress(UsageError):
        assert list(rules(imported(document, require_all=True))) == [key]

"""AWS's tag policies: what their operators come to on the way down, and what is no tag policy."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landkeeper.broom.policy.tag_policy import (
    TagPolicyError,
    TagStatement,
    merge_tag_policies,
    parse_effective,
    read_json,
    write_tag_policy,
)

LOCK = {"@@operators_allowed_for_child_policies": ["@@none"]}


def merged(*documents: Any) -> tuple[TagStatement, ...]:
    return merge_tag_policies([(f"{index}.json", document) for index, document in enumerate(documents)]).statements


def code(**settings: Any) -> dict[str, Any]:
    return {"tags": {"code": settings}}


def values(*texts: str, operator: str = "@@assign") -> dict[str, Any]:
    return code(tag_value={operator: list(texts)})


def test_one_policy_says_what_it_assigns() -> None:
    assert merged(
        code(
            tag_key={"@@assign": "Code"},
            tag_value={"@@assign": ["LOL", "G*", "LOL"]},
            enforced_for={"@@assign": ["ec2:ALL_SUPPORTED", "s3:bucket"]},
            report_required_tag_for={"@@assign": ["ec2:instance"]},
        )
    ) == (TagStatement("Code", ("LOL", "G*"), ("ec2:ALL_SUPPORTED", "s3:bucket"), ("ec2:instance",)),)


def test_a_key_without_a_capitalisation_is_in_lower_case() -> None:
    assert merged({"tags": {"CostCenter": {"tag_value": {"@@assign": ["1"]}}}}) == (TagStatement("costcenter", ("1",)),)


@pytest.mark.parametrize(
    ("below", "found"),
    [
        (values("x"), ("x",)),
        (values("c", "a", operator="@@append"), ("a", "b", "c")),
        (values("a", "z", operator="@@remove"), ("b",)),
        (code(tag_value={"@@append": ["c", "a"], "@@remove": ["a"]}), ("b", "c", "a")),
        (values(), ()),
        (code(tag_key={"@@assign": "Code"}), ("a", "b")),
        ({"tags": {"CODE": {"tag_value": {"@@append": ["c"]}}}}, ("a", "b", "c")),
    ],
)
def test_a_policy_below_changes_what_it_inherits(below: Any, found: tuple[str, ...]) -> None:
    (statement,) = merged(values("a", "b"), below)
    assert statement.values == found


def test_operators_work_where_nothing_is_inherited() -> None:
    assert merged(values("a", operator="@@append"))[0].values == ("a",)
    assert merged(values("a", operator="@@remove"))[0].values == ()


@pytest.mark.parametrize(
    "above",
    [
        code(tag_value={"@@assign": ["a"], **LOCK}),
        {"tags": {"code": {"tag_value": {"@@assign": ["a"]}, **LOCK}}},
        {"tags": {"code": {"tag_value": {"@@assign": ["a"]}}, **LOCK}},
    ],
)
def test_what_a_policy_above_locks_stays_and_that_is_said(above: Any) -> None:
    documents = [("root.json", above), ("unit.json", {"tags": {}}), ("account.json", values("b", operator="@@append"))]
    found = merge_tag_policies(documents)
    assert found.statements[0].values == ("a",)
    assert found.ignored == (
        "account.json: tags.code.tag_value: @@append is locked by a parent policy and has no effect",
    )


def test_a_lock_leaves_what_it_names_and_cannot_be_taken_back_below() -> None:
    allow = "@@operators_allowed_for_child_policies"
    root = code(tag_value={"@@assign": ["a"], allow: ["@@append"]})
    unit = code(tag_value={"@@append": ["b"], allow: ["@@all"]})
    found = merge_tag_policies([("r", root), ("u", unit), ("a", values("c"))])
    assert found.statements[0].values == ("a", "b")
    assert len(found.ignored) == 1


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ([], "0.json: the tag policy is a list: expected an object"),
        ({}, "0.json: a tag policy has one key at its top, 'tags', and this has nothing"),
        ({"Version": "x", "Statement": []}, "and this has 'Version', 'Statement'"),
        ({"tags": 1}, "0.json: tags is 1: expected an object"),
        ({"tags": {"a": "b"}}, "0.json: tags.a is 'b': expected an object"),
        ({"tags": {"a": {}, "A": {}}}, "0.json: tags.A is there twice, in two capitalisations"),
        (
            code(tag_values={}),
            "0.json: tags.code has 'tag_values', which is not known there: did you mean 'tag_value'?",
        ),
        (code(tag_value=["a"]), "0.json: tags.code.tag_value is a list: expected an object"),
        (code(tag_value={"@@asign": ["a"]}), "has '@@asign', which is not known there: did you mean '@@assign'?"),
        (
            code(tag_value={"xyz": ["a"]}),
            "has 'xyz', which is not known there: expected one of @@assign, @@append, @@remove",
        ),
        (code(tag_key={"@@append": "Code"}), "has '@@append', which is not known there: "),
        (code(tag_key={"@@assign": "Codes"}), "tag_key.@@assign is 'Codes': it has to be 'code' in some capital"),
        (code(tag_key={"@@assign": ["Code"]}), "tag_key.@@assign is a list: it has to be 'code'"),
        (values("a*b*"), "tag_value.@@assign has 'a*b*': a value may contain * once at most"),
        (code(tag_value={"@@assign": "a"}), "tag_value.@@assign is 'a': expected a list of texts"),
        (code(tag_value={"@@assign": [1]}), "tag_value.@@assign is a list: expected a list of texts"),
        (code(tag_value={"@@assign": [], "@@append": []}), "has @@assign and another operator"),
        (code(**{"@@operators_allowed_for_child_policies": "@@none"}), "tags.code.@@operators_allowed_for_child_pol"),
        (code(**{"@@operators_allowed_for_child_policies": ["@@any"]}), "takes a list of @@all, @@append, @@assign"),
    ],
)
def test_what_aws_would_not_take_is_named_by_file_and_field(document: Any, complaint: str) -> None:
    with pytest.raises(TagPolicyError) as caught:
        merged(document)
    assert complaint in str(caught.value)


def test_the_effective_form_has_plain_values() -> None:
    document = {"tags": {"CostCenter": {"tag_key": "CostCenter", "tag_value": ["1"], "enforced_for": ["s3:bucket"]}}}
    assert parse_effective("e", document).statements == (TagStatement("CostCenter", ("1",), ("s3:bucket",)),)
    with pytest.raises(TagPolicyError, match=r"e: tags.code.tag_value has operators: this is not the effective form"):
        parse_effective("e", values("a"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{\n,}", "f:2: not JSON: Expecting property name"),
        ('{"a": 1, "b": 2, "a": 3}', "f: 'a' is there twice in one object"),
        ("[" * 100_000, "f:1: not JSON: nested too deeply"),
        ("1" * 5_000, "f:1: a number has more digits than can be read"),
        ('["\\ud800"]', "f:1: half of a pair of surrogates stands for no character"),
        (json.dumps({f"k{n}": 1 for n in range(50_000)})[:-1] + ', "k7": 2}', "f: 'k7' is there twice in one object"),
    ],
)
def test_json_that_cannot_be_read_is_named(text: str, complaint: str) -> None:
    with pytest.raises(TagPolicyError) as caught:
        read_json("f", text)
    assert str(caught.value).startswith(complaint)


KEYS = st.sampled_from(["Code", "owner", "Cost:Center", "Straße"])
LISTS = st.lists(st.sampled_from(["a", "b*", "*c", "ec2:instance", "ec2:*"]), unique=True, max_size=3).map(tuple)
STATEMENTS = st.lists(
    st.builds(TagStatement, KEYS, LISTS, LISTS, LISTS), max_size=4, unique_by=lambda one: one.key.lower()
).map(tuple)


@given(STATEMENTS)
def test_what_is_written_is_read_again(statements: tuple[TagStatement, ...]) -> None:
    document = json.loads(json.dumps(write_tag_policy(statements)))
    assert merged(document) == statements
    assert merged({"tags": {}}, document, document) == statements


@given(STATEMENTS, LISTS, LISTS)
def test_appending_keeps_and_removing_takes(
    statements: tuple[TagStatement, ...], more: tuple[str, ...], fewer: tuple[str, ...]
) -> None:
    root = write_tag_policy(statements)
    for one in statements:
        appended, removed = (
            {"tags": {one.key: {"tag_value": {operator: list(texts)}}}}
            for operator, texts in (("@@append", more), ("@@remove", fewer))
        )
        after = {each.key: each for each in merged(root, appended)}[one.key]
        assert set(after.values) == {*one.values, *more}
        left = {each.key: each for each in merged(root, appended, removed)}[one.key]
        assert set(left.values) == {*one.values, *more} - set(fewer)

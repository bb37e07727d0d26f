"""Who a policy on a queue or a topic lets in, as IAM's evaluation logic has it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landkeeper.operate.doctor.resource_policy import Request, allows

TOPIC, QUEUE = "arn:aws:sns:eu-west-1:111122223333:logs", "arn:aws:sqs:eu-west-1:111122223333:broom"
REQUEST = Request("sns.amazonaws.com", "sqs:SendMessage", QUEUE, TOPIC, "111122223333", "o-exampleorgid")


def _allow(**changes: Any) -> dict[str, Any]:
    statement = {
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": QUEUE, "Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}},
    }  # fmt: skip
    return {name: value for name, value in {**statement, **changes}.items() if value is not None}


def _is_let_in(*statements: dict[str, Any]) -> bool:
    return allows({"Version": "2012-10-17", "Statement": list(statements)}, REQUEST)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Principal": "*"},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]}},
        {"Action": "SQS:Send*"},
        {"Action": ["sqs:ReceiveMessage", "sqs:SendMessage"]},
        {"Action": "*", "Resource": "*"},
        {"Action": None, "NotAction": "sqs:DeleteQueue"},
        {"Resource": None, "NotResource": "arn:aws:sqs:*:*:other"},
        {"Condition": None},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:lo?s"}}},
        {"Condition": {"StringEquals": {"AWS:SourceAccount": ["444455556666", "111122223333"]}}},
        {"Condition": {"StringEqualsIgnoreCase": {"aws:SourceOrgID": "O-EXAMPLEORGID"}}},
        {"Condition": {"StringLike": {"aws:SourceArn": "*:logs"}, "Bool": {"aws:SecureTransport": True}}},
        {"Condition": {"StringNotEquals": {"aws:SourceAccount": "444455556666"}}},
        {"Condition": {"Null": {"aws:SourceArn": "false"}}},
        {"Condition": {"Null": {"aws:PrincipalOrgID": "true"}}},
        {"Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-somebodyelse"}}},
    ],
)
def test_it_is_let_in(changes: dict[str, Any]) -> None:
    assert _is_let_in(_allow(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": {"Service": "events.amazonaws.com"}},
        {"Principal": {"AWS": "arn:aws:iam::111122223333:root"}},
        {"Principal": "sns.amazonaws.com"},
        {"Principal": None},
        {"Principal": None, "NotPrincipal": {"Service": "sns.amazonaws.com"}},
        {"Action": "sqs:ReceiveMessage"},
        {"Action": None},
        {"Action": None, "NotAction": "sqs:*"},
        {"Resource": f"{QUEUE}-other"},
        {"Resource": "arn:aws:sqs:eu-west-1:111122223333:b.oom"},
        {"Condition": {"ArnEquals": {"aws:SourceArn": f"{TOPIC}2"}}},
        {"Condition": {"ArnNotLike": {"aws:SourceArn": "arn:aws:sns:*:*:logs"}}},
        {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}},
        {"Condition": {"IpAddress": {"aws:SourceArn": "10.0.0.0/8"}}},
        {"Condition": {"StringEquals": {"aws:RequestTag/team": "red"}}},
        {"Effect": "Maybe"},
    ],
)
def test_it_is_kept_out(changes: dict[str, Any]) -> None:
    assert not _is_let_in(_allow(**changes))


def test_what_denies_goes_before_what_allows() -> None:
    for condition in (None, {"ArnEquals": {"aws:SourceArn": TOPIC}}, {"StringEquals": {"aws:Unheard": "of"}}):
        deny = _allow(Effect="Deny", Principal="*", Condition=condition)
        assert not _is_let_in(_allow(), deny)
    plain_text = _allow(Effect="Deny", Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    strangers = _allow(
        Effect="Deny", Principal="*",
        Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-exampleorgid"},
                   "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}},
    )  # fmt: skip
    assert _is_let_in(_allow(), plain_text, strangers)


def test_a_condition_on_an_organization_that_is_not_known_is_not_met() -> None:
    policy = {"Statement": _allow(Condition={"StringEquals": {"aws:SourceOrgID": "o-exampleorgid"}})}
    assert allows(policy, REQUEST)
    assert not allows(policy, Request("sns.amazonaws.com", "sqs:SendMessage", QUEUE, TOPIC, "111122223333"))


@pytest.mark.parametrize("policy", [{}, {"Statement": []}, {"Statement": ["nonsense"]}, {"Statement": None}])
def test_without_a_statement_nobody_gets_in(policy: dict[str, Any]) -> None:
    assert not allows(policy, REQUEST)


@given(st.lists(st.sampled_from([_allow(), _allow(Action="sqs:*"), _allow(Principal="*"), _allow(Resource="other")])))
def test_one_that_denies_everything_shuts_out_whatever_the_others_say(statements: list[dict[str, Any]]) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    assert not _is_let_in(*statements, deny)
    assert not _is_let_in(deny, *statements)


@given(st.text(alphabet="abc*?.[+", max_size=8))
def test_a_resource_without_wildcards_matches_itself_and_nothing_else(name: str) -> None:
    plain = name.replace("*", "").replace("?", "")
    request = Request("sns.amazonaws.com", "sqs:SendMessage", f"arn:{name}", TOPIC, "111122223333")
    assert allows({"Statement": _allow(Resource=f"arn:{plain}")}, request) == (plain == name)
    assert allows({"Statement": _allow(Resource="arn:*")}, request)

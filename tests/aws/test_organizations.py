"""Accounts of an organisation, as Organizations answers them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import boto3
import pytest
from tests.servers import Answer, answering

from landkeeper.aws.organizations import list_accounts
from landkeeper.org import Account, AccountId, Failure, FailureReason


def _listed(answer: Callable[[Mapping[str, str]], Answer]) -> tuple[Account, ...] | Failure:
    with answering(answer) as url:
        session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name="us-east-1")
        return list_accounts(session.client("organizations", endpoint_url=url))


def test_pages_may_be_empty_and_still_not_be_the_last() -> None:
    pages = {
        None: {"Accounts": [], "NextToken": "1"},
        "1": {"Accounts": [{"Id": "111122223333", "Name": "lake", "State": "ACTIVE"}], "NextToken": "2"},
        "2": {"Accounts": [], "NextToken": "3"},
        "3": {"Accounts": [{"Id": "444455556666", "Name": "apps", "State": "ACTIVE"}]},
    }
    found = _listed(lambda call: (200, json.dumps(pages[json.loads(call["Body"]).get("NextToken")])))
    assert found == (Account(AccountId("111122223333"), "lake"), Account(AccountId("444455556666"), "apps"))


def test_state_decides_and_status_only_where_there_is_no_state() -> None:
    accounts = [
        {"Id": "000000000001", "Name": "both", "State": "ACTIVE", "Status": "SUSPENDED"},
        {"Id": "000000000002", "Name": "closing", "State": "PENDING_CLOSURE", "Status": "ACTIVE"},
        {"Id": "000000000003", "Name": "old", "Status": "ACTIVE"},
        {"Id": "000000000004", "Name": "old and suspended", "Status": "SUSPENDED"},
        {"Id": "000000000005", "State": "ACTIVE"},
    ]
    found = _listed(lambda _: (200, json.dumps({"Accounts": accounts})))
    assert isinstance(found, tuple)
    assert [(account.id[-1], account.name) for account in found] == [("1", "both"), ("3", "old"), ("5", "")]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("AWSOrganizationsNotInUseException", FailureReason.NOT_FOUND),
        ("AccessDeniedException", FailureReason.MISSING_PERMISSION),
        ("ExpiredTokenException", FailureReason.CREDENTIALS),
    ],
)
def test_a_refusal_is_a_failure_and_no_empty_list(code: str, reason: FailureReason) -> None:
    found = _listed(lambda _: (400, json.dumps({"__type": code, "Message": "no"})))
    assert found == Failure(reason, code, "no")

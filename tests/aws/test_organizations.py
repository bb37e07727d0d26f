"""Accounts and units of an organization, as Organizations answers them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from tests.servers import Answer, answering

from landkeeper.aws.organizations import list_members, place_members, read_units
from landkeeper.org import Account, AccountId, Failure, FailureReason, Member, Membership
from landkeeper.vpctracker.discovery import Unit

_LAKE, _APPS, _CLOSED = AccountId("111122223333"), AccountId("444455556666"), AccountId("777788889999")


@contextmanager
def _client(answer: Callable[[Mapping[str, str]], Answer]) -> Iterator[Any]:
    with answering(answer) as url:
        session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name="us-east-1")
        yield session.client("organizations", endpoint_url=url)


def _listed(answer: Callable[[Mapping[str, str]], Answer]) -> tuple[Member, ...] | Failure:
    with _client(answer) as client:
        return list_members(client)


def test_pages_may_be_empty_and_still_not_be_the_last() -> None:
    pages = {
        None: {"Accounts": [], "NextToken": "1"},
        "1": {"Accounts": [{"Id": "111122223333", "Name": "lake", "State": "ACTIVE"}], "NextToken": "2"},
        "2": {"Accounts": [], "NextToken": "3"},
        "3": {"Accounts": [{"Id": "444455556666", "Name": "apps", "State": "ACTIVE"}]},
    }
    found = _listed(lambda call: (200, json.dumps(pages[json.loads(call["Body"]).get("NextToken")])))
    assert found == (Member(Account(_LAKE, "lake")), Member(Account(_APPS, "apps")))


def test_state_decides_and_status_only_where_there_is_no_state() -> None:
    accounts = [
        {"Id": "000000000001", "Name": "both", "State": "ACTIVE", "Status": "SUSPENDED"},
        {"Id": "000000000002", "Name": "closing", "State": "PENDING_CLOSURE", "Status": "ACTIVE"},
        {"Id": "000000000003", "Name": "old", "Status": "ACTIVE"},
        {"Id": "000000000004", "Name": "old and suspended", "Status": "SUSPENDED"},
        {"Id": "000000000005", "State": "CLOSED"},
        {"Id": "000000000006", "State": "PENDING_ACTIVATION"},
        {"Id": "000000000007", "State": "ARCHIVED"},
    ]
    found = _listed(lambda _: (200, json.dumps({"Accounts": accounts})))
    assert isinstance(found, tuple)
    assert [member.membership for member in found] == [
        Membership.ACTIVE, Membership.PENDING_CLOSURE, Membership.ACTIVE, Membership.SUSPENDED, Membership.CLOSED,
        Membership.PENDING_ACTIVATION, Membership.INACTIVE,
    ]  # fmt: skip


def test_the_organization_and_the_units_come_with_the_account() -> None:
    raw = {
        "Id": _LAKE,
        "Arn": f"arn:aws-us-gov:organizations::444455556666:account/o-exampleorgid/{_LAKE}",
        "State": "ACTIVE",
        "Paths": [f"o-exampleorgid/r-ab12/ou-ab12-11111111/ou-ab12-22222222/{_LAKE}/"],
    }
    found = _listed(lambda _: (200, json.dumps({"Accounts": [raw]})))
    units = ("r-ab12", "ou-ab12-11111111", "ou-ab12-22222222")
    assert found == (Member(Account(_LAKE, organizational_units=units, organization="o-exampleorgid")),)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("AWSOrganizationsNotInUseException", FailureReason.NOT_FOUND),
        ("AccessDeniedException", FailureReason.MISSING_PERMISSION),
        ("ExpiredTokenException", FailureReason.CREDENTIALS),
    ],
)
def test_a_refusal_is_a_failure_and_no_empty_list(code: str, reason: FailureReason) -> None:
    refusal = Failure(reason, code, "no")
    with _client(lambda _: (400, json.dumps({"__type": code, "Message": "no"}))) as client:
        assert list_members(client) == refusal
        assert read_units(client) == refusal
        assert place_members(client, (Member(Account(_LAKE)),)) == refusal


_TREE = {
    "r-ab12": [("ou-ab12-11111111", "Workloads"), ("ou-ab12-33333333", "Sandbox")],
    "ou-ab12-11111111": [("ou-ab12-22222222", "Prod")],
}
_PLACES = {"ou-ab12-22222222": _LAKE, "r-ab12": _APPS}


def _tree(call: Mapping[str, str]) -> Answer:
    body = json.loads(call["Body"])
    match call["Action"]:
        case "ListRoots":
            answer: Any = {"Roots": [{"Id": "r-ab12", "Name": "Root"}]}
        case "ListOrganizationalUnitsForParent":
            units = _TREE.get(body["ParentId"], [])
            answer = {"OrganizationalUnits": [{"Id": one, "Name": name} for one, name in units]}
        case _:
            assert call["Action"] == "ListAccountsForParent"
            found = _PLACES.get(body["ParentId"])
            answer = {"Accounts": [{"Id": found}] if found else []}
    return 200, json.dumps(answer)


def test_units_are_found_with_the_names_above_them() -> None:
    with _client(_tree) as client:
        units = read_units(client)
    assert isinstance(units, tuple)
    assert set(units) == {
        Unit("r-ab12", ""),
        Unit("ou-ab12-11111111", "Workloads"),
        Unit("ou-ab12-22222222", "Workloads/Prod"),
        Unit("ou-ab12-33333333", "Sandbox"),
    }


def test_accounts_without_paths_are_placed_by_asking_every_unit() -> None:
    with _client(_tree) as client:
        placed = place_members(
            client,
            (Member(Account(_LAKE, "lake")), Member(Account(_APPS)), Member(Account(_CLOSED), Membership.CLOSED)),
        )
    assert isinstance(placed, tuple)
    assert [member.account.organizational_units for member in placed] == [
        ("r-ab12", "ou-ab12-11111111", "ou-ab12-22222222"), ("r-ab12",), (),
    ]  # fmt: skip
    assert placed[0].account.name == "lake"


def test_accounts_with_paths_are_not_asked_for_again() -> None:
    members = (Member(Account(_LAKE, organizational_units=("r-ab12",))),)
    with _client(lambda _: (500, "nobody should ask")) as client:
        assert place_members(client, members) == members


def test_an_active_account_that_is_in_no_unit_was_not_looked_for_everywhere() -> None:
    with _client(_tree) as client:
        placed = place_members(client, (Member(Account(_LAKE)), Member(Account(_CLOSED, "lost"))))
    assert placed == Failure(FailureReason.OTHER, "NoParent", f"account lost ({_CLOSED}) is found in no unit")


def test_lists_that_are_never_empty_are_failures_where_they_are() -> None:
    with _client(lambda _: (200, json.dumps({"Accounts": [], "Roots": []}))) as client:
        failures = (list_members(client), read_units(client), place_members(client, (Member(Account(_LAKE)),)))
    assert [getattr(failure, "code", None) for failure in failures] == ["EmptyAnswer"] * 3


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"Accounts": [{"Name": "lake"}], "Roots": [{"Name": "Root"}]},
        {"Accounts": [{"Id": _LAKE, "Arn": "lake"}], "Roots": ["Root"]},
        {"Accounts": "none", "Roots": 1},
        {"Accounts": [{"Id": "444455556666:role/other"}], "Roots": [None]},
    ],
)
def test_a_garbled_answer_is_a_failure(body: object) -> None:
    with _client(lambda _: (200, json.dumps(body))) as client:
        failures = (list_members(client), read_units(client), place_members(client, (Member(Account(_LAKE)),)))
    assert [getattr(failure, "code", None) for failure in failures] == ["StrangeAnswer"] * 3


def test_names_with_half_of_a_pair_of_surrogates_are_written_as_in_source_code() -> None:
    body = '{"Accounts": [{"Id": "111122223333", "Name": "la\\ud800ke", "State": "ACTIVE"}]}'
    assert _listed(lambda _: (200, body)) == (Member(Account(_LAKE, "la\\ud800ke")),)

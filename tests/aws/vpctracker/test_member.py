"""One account of the organization, asked for by its id: there, closed, or none of ours."""

from __future__ import annotations

import json
import uuid
from contextlib import suppress
from typing import Any

import boto3
import pytest
from tests.servers import Answer, answering, home_session, home_sessions

from landkeeper.aws.vpctracker.member import find_member_state
from landkeeper.embedded.simulators import Embedded
from landkeeper.org import AccountId, Failure, FailureReason


@pytest.mark.embedded
def test_an_account_of_the_organization_is_active(aws_environment: Embedded) -> None:
    client = home_session().client("organizations")
    with suppress(client.exceptions.AlreadyInOrganizationException):
        client.create_organization(FeatureSet="ALL")
    made = client.create_account(AccountName="shop", Email=f"{uuid.uuid4().hex}@example.com")["CreateAccountStatus"]
    organizations = home_sessions().home("organizations")
    assert find_member_state(organizations, AccountId(made["AccountId"])) == "ACTIVE"
    unknown = find_member_state(organizations, AccountId("999988887777"))
    assert isinstance(unknown, Failure)
    assert unknown.reason is FailureReason.NOT_FOUND


@pytest.mark.parametrize(
    ("account", "state"),
    [
        ({"Id": "111122223333", "State": "SUSPENDED", "Status": "SUSPENDED"}, "SUSPENDED"),
        ({"Id": "111122223333", "State": "PENDING_CLOSURE", "Status": "PENDING_CLOSURE"}, "PENDING_CLOSURE"),
        ({"Id": "111122223333", "Status": "ACTIVE"}, "ACTIVE"),
        ({"Id": "111122223333", "State": "PENDING_ACTIVATION"}, "PENDING_ACTIVATION"),
    ],
)
def test_the_state_is_what_organizations_says_and_the_older_field_where_that_is_missing(
    account: dict[str, Any], state: str
) -> None:
    def answer(_: object) -> Answer:
        return 200, json.dumps({"Account": account})

    with answering(answer) as url:
        client = boto3.Session("1", "2", region_name="us-east-1").client("organizations", endpoint_url=url)
        assert find_member_state(client, AccountId("111122223333")) == state


@pytest.mark.parametrize("account", [{}, {"Id": "111122223333"}, {"Id": "444455556666", "State": "ACTIVE"}, "active"])
def test_an_answer_about_another_account_or_none_is_a_failure(account: object) -> None:
    with answering(lambda _: (200, json.dumps({"Account": account}))) as url:
        client = boto3.Session("1", "2", region_name="us-east-1").client("organizations", endpoint_url=url)
        state = find_member_state(client, AccountId("111122223333"))
    assert isinstance(state, Failure)
    assert state.code == "StrangeAnswer"

"""One session for every account: whose credentials a call is signed with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from landkeeper.aws.enabled_regions import find_unknown_regions
from landkeeper.aws.sessions import (
    AccountCredentials,
    AccountSessions,
    HomeAccountError,
    NoAccountSetError,
    open_sessions,
)
from landkeeper.embedded.simulators import HOME_ACCOUNT, Embedded
from landkeeper.org import AccountId, Failure, FailureReason, Region, UsageError

EU = Region("eu-west-1")
MEMBER = AccountId("111122223333")
OTHER = AccountId("444455556666")
ADMIN = "OrganizationAccountAccessRole"

pytestmark = pytest.mark.embedded


@pytest.fixture
def sessions(aws_environment: Embedded) -> AccountSessions:
    return open_sessions(EU, role_name=ADMIN)


def _owner(sessions: AccountSessions, account: AccountId) -> str:
    credentials = sessions.credentials_for(account)
    assert isinstance(credentials, AccountCredentials)
    with sessions.signing_as(credentials):
        return sessions.ec2(EU).describe_vpcs()["Vpcs"][0]["OwnerId"]


def test_a_call_is_signed_for_the_account_that_was_said(sessions: AccountSessions) -> None:
    assert _owner(sessions, MEMBER) == MEMBER
    assert _owner(sessions, OTHER) == OTHER
    assert _owner(sessions, sessions.home_account()) == HOME_ACCOUNT


def test_threads_do_not_take_each_others_credentials(sessions: AccountSessions) -> None:
    accounts = [AccountId(f"2222000000{number:02d}") for number in range(12)] * 3
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda account: _owner(sessions, account), accounts)) == accounts


def test_a_call_without_an_account_is_refused_and_not_made_with_the_credentials_at_hand(
    sessions: AccountSessions,
) -> None:
    with pytest.raises(NoAccountSetError):
        sessions.ec2(EU).describe_vpcs()


def test_a_role_is_assumed_once_until_it_is_about_to_expire(sessions: AccountSessions) -> None:
    first = sessions.credentials_for(MEMBER)
    assert sessions.credentials_for(MEMBER) is first
    later = datetime.now(UTC) + timedelta(minutes=58)
    assert sessions.credentials_for(MEMBER, now=later) is not first


def test_credentials_that_are_forgotten_are_made_anew(sessions: AccountSessions) -> None:
    first = sessions.credentials_for(MEMBER)
    sessions.forget(MEMBER)
    sessions.forget(OTHER)
    assert sessions.credentials_for(MEMBER) is not first


def test_clients_of_all_regions_have_the_same_methods(sessions: AccountSessions) -> None:
    here, there = type(sessions.ec2(EU)), type(sessions.ec2(Region("us-west-2")))
    assert here is not there
    assert here.describe_vpcs is there.describe_vpcs
    credentials = sessions.credentials_for(MEMBER)
    assert isinstance(credentials, AccountCredentials)
    with sessions.signing_as(credentials):
        names = {sessions.ec2(region).meta.region_name for region in (EU, Region("us-west-2"))}
        subnets = sessions.ec2(Region("us-west-2")).describe_subnets()["Subnets"]
    assert names == {"eu-west-1", "us-west-2"}
    assert subnets
    assert all(subnet["AvailabilityZone"].startswith("us-west-2") for subnet in subnets)


def test_regions_that_aws_does_not_have_are_found(sessions: AccountSessions) -> None:
    assert find_unknown_regions(sessions, [EU, Region("us-west-2")]) == ()
    assert find_unknown_regions(sessions, [EU, Region("eu-west-9")]) == ("eu-west-9",)


def test_the_region_of_a_profile_is_used_where_it_is_preferred(
    tmp_path: Path, no_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text("[profile lake]\nregion = eu-north-1\n[profile bare]\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    assert open_sessions(EU, profile="lake", prefer_profile_region=True).region == "eu-north-1"
    assert open_sessions(EU, profile="bare", prefer_profile_region=True).region == EU
    assert open_sessions(EU, profile="lake").region == EU


def test_a_role_that_cannot_be_assumed_is_a_value_with_its_reason(aws_environment: Embedded) -> None:
    refused = open_sessions(EU, role_name="nobody-made-this").credentials_for(MEMBER)
    assert isinstance(refused, Failure)
    assert refused.reason is FailureReason.ROLE_NOT_ASSUMABLE
    assert "nobody-made-this" in refused.message


def test_without_a_role_name_only_the_own_account_can_be_reached(aws_environment: Embedded) -> None:
    sessions = open_sessions(EU)
    assert isinstance(sessions.credentials_for(sessions.home_account()), AccountCredentials)
    refused = sessions.credentials_for(MEMBER)
    assert isinstance(refused, Failure)
    assert refused.reason is FailureReason.ROLE_NOT_ASSUMABLE


def test_the_partition_is_that_of_the_credentials_at_hand(sessions: AccountSessions) -> None:
    assert sessions.partition() == "aws"


def test_without_credentials_the_account_at_hand_is_an_error_that_says_so(no_aws: None) -> None:
    with pytest.raises(HomeAccountError, match="credentials missing or expired"):
        open_sessions(EU).home_account()


def test_a_profile_that_does_not_exist_is_named(no_aws: None) -> None:
    with pytest.raises(UsageError, match="nobody"):
        open_sessions(EU, profile="nobody")

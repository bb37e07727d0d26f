"""Shared words: what is an account id, what is a region, and how a failure reads."""

from __future__ import annotations

import pytest

from landkeeper.org import Account, AccountId, Failure, FailureReason, UsageError, parse_account_id, parse_region


def test_an_account_id_has_twelve_digits() -> None:
    assert parse_account_id("111122223333") == "111122223333"


@pytest.mark.parametrize("text", ["", "11112222333", "1111222233334", "11112222333a", "\uff11" * 12, " 111122223333"])
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError, match="twelve digits") as refused:
        parse_account_id(text)
    assert f"'{text}'" in str(refused.value)


@pytest.mark.parametrize("text", ["eu-west-1", "us-gov-west-1", "cn-northwest-1", "ap-southeast-2", "us-iso-east-1"])
def test_region_codes_of_every_partition_are_regions(text: str) -> None:
    assert parse_region(text) == text


@pytest.mark.parametrize("text", ["", "Ireland", "eu-west", "EU-WEST-1", "eu-west-1a", "*"])
def test_what_cannot_be_a_region_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="region code"):
        parse_region(text)


def test_an_account_is_called_by_its_name_where_it_has_one() -> None:
    assert Account(AccountId("111122223333"), "lake").label == "lake (111122223333)"
    assert Account(AccountId("111122223333")).label == "111122223333"


def test_a_failure_reads_as_reason_and_detail() -> None:
    assert str(Failure(FailureReason.THROTTLED)) == "throttled out"
    assert str(Failure(FailureReason.SCP_DENY, "AccessDenied", "no")) == (
        "denied by a service control policy (AccessDenied: no)"
    )

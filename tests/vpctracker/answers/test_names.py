"""Which account, VPC or region a person means."""

from __future__ import annotations

import pytest
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.org import AccountId, Region, UsageError
from landkeeper.vpctracker.answers.names import find_account, find_region, find_vpc, known_accounts, known_regions
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.inventory import DELETED, StoredVpc, Vpc


def _stored(number: int, name: str = "", state: str = "available", owner: int = 0) -> StoredVpc:
    vpc = Vpc(
        vpc_ids(number), ACCOUNTS[owner], REGIONS[0], f"10.{number}.0.0/16", name=name, state=state,
        account_name=("lake", "")[owner],
    )  # fmt: skip
    return StoredVpc(vpc, START, START, 1)


_VPCS = (
    _stored(1, "main"),
    _stored(2, "twin"),
    _stored(3, "twin", owner=1),
    _stored(4, "main", DELETED),
    _stored(5, "old", DELETED),
)
_COVERAGE = {
    account.account: account
    for account in (
        Coverage(ACCOUNTS[1], "shop", regions={REGIONS[1]: RegionCoverage(START)}),
        Coverage(ACCOUNTS[2], "empty"),
    )
}
_EXPECTED = "expected the id or the name of a tracked account, such as empty, lake, shop"
_NAMES = known_accounts(_VPCS, _COVERAGE)


def test_accounts_are_known_by_their_vpcs_and_by_what_was_tried() -> None:
    assert known_accounts(_VPCS, _COVERAGE) == {ACCOUNTS[0]: "lake", ACCOUNTS[1]: "shop", ACCOUNTS[2]: "empty"}
    assert known_regions(_VPCS, _COVERAGE) == {REGIONS[0], REGIONS[1]}


@pytest.mark.parametrize("text", [ACCOUNTS[2], "empty"])
def test_an_account_without_a_vpc_is_found_by_id_and_by_name(text: str) -> None:
    assert find_account(text, _NAMES) == ACCOUNTS[2]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nobody", f"unknown account 'nobody': {_EXPECTED}"),
        ("laek", "unknown account 'laek': did you mean 'lake'?"),
        ("", f"unknown account '': {_EXPECTED}"),
        ("1111222233", "'1111222233' is not an AWS account id: expected twelve digits"),
        ("111122223334", "the account 111122223334 has never been tracked: did you mean '111122223333'?"),
        ("987654321098", "the account 987654321098 has never been tracked"),
        (vpc_ids(1), f"unknown account '{vpc_ids(1)}': {_EXPECTED}"),
    ],
)
def test_an_account_that_cannot_match_is_refused_with_a_suggestion(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_account(text, _NAMES)
    assert str(caught.value) == sentence


def test_twelve_digits_are_an_id_and_never_the_name_that_an_account_has_chosen() -> None:
    names = {ACCOUNTS[0]: "999999999999", ACCOUNTS[1]: str(ACCOUNTS[0])}
    assert find_account(ACCOUNTS[0], names) == ACCOUNTS[0]
    with pytest.raises(UsageError, match="the account 999999999999 has never been tracked"):
        find_account("999999999999", names)


def test_accounts_without_a_name_are_not_found_by_an_empty_one() -> None:
    with pytest.raises(UsageError, match="unknown account ''"):
        find_account("", {AccountId("111122223333"): ""})


@pytest.mark.parametrize(
    ("text", "number"), [(vpc_ids(1), 1), (vpc_ids(4), 4), ("main", 1), ("old", 5)], ids=["id", "gone", "name", "was"]
)
def test_a_vpc_is_found_by_id_and_by_name_the_live_one_first(text: str, number: int) -> None:
    assert [stored.vpc.id for stored in find_vpc(text, _VPCS)] == [vpc_ids(number)]


def test_a_vpc_that_has_had_two_owners_is_one_vpc() -> None:
    moved = (_stored(7, "moved"), _stored(7, "moved", owner=1))
    assert find_vpc("moved", moved) == moved
    assert find_vpc(vpc_ids(7), moved) == moved


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("mian", "VPC 'mian' is not tracked: did you mean 'main'?"),
        ("zzz", "VPC 'zzz' is not tracked: expected the id or the name of a tracked VPC"),
        ("", "VPC '' is not tracked: expected the id or the name of a tracked VPC"),
        (f"{vpc_ids(1)[:-1]}9", f"VPC '{vpc_ids(1)[:-1]}9' is not tracked: did you mean '{vpc_ids(1)}'?"),
        ("vpc-ffffffff", "VPC 'vpc-ffffffff' is not tracked"),
        (
            "twin",
            (
                f"several VPCs are called 'twin': {vpc_ids(2)} of lake (111122223333) in {REGIONS[0]}, "
                f"{vpc_ids(3)} of {ACCOUNTS[1]} in {REGIONS[0]}; pass the id"
            ),
        ),
    ],
)
def test_a_vpc_that_cannot_be_told_is_refused_with_what_may_be_meant(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_vpc(text, _VPCS)
    assert str(caught.value) == sentence


def _existing() -> frozenset[str]:
    return frozenset({"eu-west-1", "eu-west-2", "us-east-1"})


@pytest.mark.parametrize("text", ["eu-west-2", "xx-new-1"], ids=["AWS has it", "only the store knows it"])
def test_a_region_is_taken_where_the_store_knows_it_or_aws_has_it(text: str) -> None:
    assert find_region(text, {Region("xx-new-1")}, _existing) == text


@pytest.mark.parametrize(
    ("text", "stored", "sentence"),
    [
        ("eu-west-9", {"eu-west-1"}, "unknown region 'eu-west-9': did you mean 'eu-west-1'?"),
        ("us-esat-1", {"eu-west-1"}, "unknown region 'us-esat-1': did you mean 'us-east-1'?"),
        ("Ireland", set(), "unknown region 'Ireland': expected a region code such as eu-west-1"),
    ],
)
def test_a_region_that_cannot_match_is_refused_and_those_in_use_are_suggested_first(
    text: str, stored: set[Region], sentence: str
) -> None:
    with pytest.raises(UsageError) as caught:
        find_region(text, stored, _existing)
    assert str(caught.value) == sentence

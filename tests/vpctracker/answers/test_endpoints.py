"""What a person calls an account or a VPC."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.org import AccountId, UsageError
from landkeeper.vpctracker.answers.endpoints import find_endpoint
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.inventory import DELETED, StoredVpc, Vpc


def _stored(number: int, owner: int, name: str = "", state: str = "available") -> StoredVpc:
    vpc = Vpc(vpc_ids(number), ACCOUNTS[owner], REGIONS[0], f"10.{number}.0.0/16", account_name=name, state=state)
    return StoredVpc(vpc, START, START, 1)


_VPCS = (
    _stored(2, 0, "lake"),
    _stored(1, 0, "lake"),
    _stored(3, 0, "lake", DELETED),
    _stored(4, 1),
)
_COVERAGE = {one.account: one for one in (Coverage(ACCOUNTS[1], "shop"), Coverage(ACCOUNTS[2], "empty"))}


@pytest.mark.parametrize("text", [ACCOUNTS[0], "lake"])
def test_an_account_is_its_live_vpcs_by_id_or_by_name(text: str) -> None:
    side = find_endpoint(text, _VPCS, _COVERAGE)
    assert (side.label, side.account, side.is_vpc) == ("lake (111122223333)", ACCOUNTS[0], False)
    assert [one.vpc.id for one in side.vpcs] == [vpc_ids(1), vpc_ids(2)]


def test_an_account_of_which_only_the_coverage_knows_the_name_is_found_and_may_have_no_vpc() -> None:
    assert [one.vpc.id for one in find_endpoint("shop", _VPCS, _COVERAGE).vpcs] == [vpc_ids(4)]
    assert find_endpoint("empty", _VPCS, _COVERAGE).vpcs == ()


def test_a_vpc_is_itself_and_names_its_owner() -> None:
    side = find_endpoint(vpc_ids(2), _VPCS, _COVERAGE)
    assert side.label == f"{vpc_ids(2)} of lake (111122223333)"
    assert (side.is_vpc, [one.vpc.id for one in side.vpcs]) == (True, [vpc_ids(2)])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("laek", "unknown account 'laek': did you mean 'lake'?"),
        ("zzz", "unknown account 'zzz': expected the id or the name of an account or a VPC, such as empty, lake, shop"),
        ("11112222333", "'11112222333' is not an AWS account id: expected twelve digits"),
        ("999999999999", "the account 999999999999 has never been tracked"),
        ("vpc-fedcba98", "VPC 'vpc-fedcba98' is not tracked"),
        (vpc_ids(3), f"the VPC {vpc_ids(3)} was deleted"),
    ],
)
def test_what_is_not_known_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_endpoint(text, _VPCS, _COVERAGE)
    assert str(caught.value) == sentence


def test_a_name_that_several_accounts_have_is_not_guessed() -> None:
    ids = [AccountId(f"{number:012}") for number in range(7)]
    coverage = {one: Coverage(one, "twin") for one in ids}
    with pytest.raises(UsageError, match=f"several accounts are called 'twin': {', '.join(ids[:5])} and 2 more; pass"):
        find_endpoint("twin", (), coverage)
    few = {one: replace(coverage[one]) for one in ids[:2]}
    with pytest.raises(UsageError, match=f"{ids[0]}, {ids[1]}; pass the id"):
        find_endpoint("twin", (), few)


def _named(number: int, owner: int, name: str, state: str = "available") -> StoredVpc:
    stored = _stored(number, owner, ("lake", "shop")[owner], state)
    return replace(stored, vpc=replace(stored.vpc, name=name))


def test_a_vpc_is_found_by_its_name() -> None:
    side = find_endpoint("web", (_named(1, 0, "web"), _named(2, 0, "")), {})
    assert (side.is_vpc, side.label) == (True, f"{vpc_ids(1)} of lake (111122223333)")
    with pytest.raises(UsageError, match=f"the VPC {vpc_ids(3)} was deleted"):
        find_endpoint("old", (_named(3, 0, "old", DELETED),), {})


def test_a_name_of_an_account_and_of_its_own_vpc_is_the_account() -> None:
    assert not find_endpoint("lake", (_named(1, 0, "lake"), _named(2, 0, "")), {}).is_vpc
    assert not find_endpoint("lake", (_named(1, 0, ""), _named(2, 1, "lake", DELETED)), {}).is_vpc


def test_a_name_of_an_account_and_of_another_one_s_vpc_is_not_guessed() -> None:
    with pytest.raises(UsageError) as caught:
        find_endpoint("lake", (_named(1, 0, ""), _named(2, 1, "lake")), {})
    assert str(caught.value) == (
        f"'lake' is the account lake (111122223333) and the VPC {vpc_ids(2)} of shop (444455556666) in {REGIONS[0]}: "
        "pass the id"
    )

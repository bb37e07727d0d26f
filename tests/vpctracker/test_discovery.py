"""Which accounts are read, and what is noted of the others."""

from __future__ import annotations

import pytest
from tests.memory_store import MemoryStore
from tests.strategies import ACCOUNTS, START

from landkeeper.org import Account, AccountId, Member, Membership, UsageError
from landkeeper.vpctracker.config import Discovery
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.discovery import (
    Listing,
    Unit,
    choose_accounts,
    choose_named_accounts,
    note_membership,
    settle_membership,
)

_ORG = "o-exampleorgid"
_UNITS = (
    Unit("r-ab12", ""),
    Unit("ou-ab12-11111111", "Workloads"),
    Unit("ou-ab12-22222222", "Workloads/Prod"),
    Unit("ou-ab12-33333333", "Sandbox"),
)


def _account(number: int, *units: str) -> Account:
    return Account(ACCOUNTS[number], f"team {number}", ("r-ab12", *units), _ORG)


_PROD = _account(0, "ou-ab12-11111111", "ou-ab12-22222222")
_TEST = _account(1, "ou-ab12-11111111")
_SANDBOX = _account(2, "ou-ab12-33333333")
_MEMBERS = tuple(map(Member, (_PROD, _TEST, _SANDBOX)))


@pytest.mark.parametrize(
    ("discovery", "chosen"),
    [
        (Discovery(), {_PROD, _TEST, _SANDBOX}),
        (Discovery(include_ous=("Workloads",)), {_PROD, _TEST}),
        (Discovery(include_ous=("/Workloads/Prod/",)), {_PROD}),
        (Discovery(include_ous=("ou-ab12-22222222", "Sandbox")), {_PROD, _SANDBOX}),
        (Discovery(include_ous=("r-ab12",)), {_PROD, _TEST, _SANDBOX}),
        (Discovery(skip_ous=("Workloads/Prod",)), {_TEST, _SANDBOX}),
        (Discovery(include_ous=("Workloads",), skip_ous=("ou-ab12-22222222",)), {_TEST}),
        (Discovery(include_ous=("Workloads/Prod",), skip_ous=("Workloads",)), set()),
        (Discovery(skip_accounts=(ACCOUNTS[1], AccountId("000000000000"))), {_PROD, _SANDBOX}),
    ],
)
def test_a_unit_stands_for_all_that_is_under_it_and_skipping_beats_including(
    discovery: Discovery, chosen: set[Account]
) -> None:
    listing = choose_accounts(_MEMBERS, _UNITS, discovery)
    assert set(listing.accounts) == chosen
    others = {member.account.id for member in _MEMBERS} - {account.id for account in chosen}
    assert listing.left_out == dict.fromkeys(others, Membership.SKIPPED)


@pytest.mark.parametrize("named", ["Workloads/Test", "workloads", "ou-ab12-99999999", "/", "Prod"])
def test_a_unit_that_is_not_there_is_named(named: str) -> None:
    with pytest.raises(UsageError, match=f"organizational unit '{named}', which the organization does not have"):
        choose_accounts(_MEMBERS, _UNITS, Discovery(skip_ous=(named,)))


def test_accounts_that_are_not_active_are_left_out_with_their_state() -> None:
    members = (Member(_PROD), Member(_TEST, Membership.SUSPENDED), Member(_SANDBOX, Membership.PENDING_CLOSURE))
    listing = choose_accounts(members, (), Discovery(skip_accounts=(_TEST.id,)))
    assert listing.accounts == (_PROD,)
    assert listing.left_out == {_TEST.id: Membership.SUSPENDED, _SANDBOX.id: Membership.PENDING_CLOSURE}


def test_accounts_left_out_are_named_by_the_reason() -> None:
    members = (Member(_TEST), Member(_SANDBOX, Membership.SUSPENDED), Member(_PROD))
    listing = choose_accounts(members, (), Discovery(skip_accounts=(_TEST.id,)))
    assert [(member.account.name, member.membership) for member in listing.members_left_out] == [
        ("team 1", Membership.SKIPPED),
        ("team 2", Membership.SUSPENDED),
    ]


def test_accounts_that_are_named_one_by_one_are_skipped_too() -> None:
    listing = choose_named_accounts([_PROD, _TEST], Discovery(skip_accounts=(_TEST.id, _SANDBOX.id)))
    assert (listing.accounts, listing.left_out) == ((_PROD,), {_TEST.id: Membership.SKIPPED})
    with pytest.raises(UsageError, match=rf"the configuration skips {_TEST.id} \(discovery.skip_accounts\)"):
        choose_named_accounts([_TEST], Discovery(skip_accounts=(_TEST.id,)))


def test_of_accounts_named_one_by_one_only_those_left_out_are_noted() -> None:
    store = MemoryStore()
    for account in ACCOUNTS:
        store.write_coverage(Coverage(account, membership=Membership.SUSPENDED))
    note_membership(choose_named_accounts([_PROD], Discovery()), store)
    note_membership(choose_named_accounts([_PROD, _TEST], Discovery(skip_accounts=(_TEST.id,))), store)
    assert [store.read_coverage(account).membership for account in ACCOUNTS] == [
        Membership.SUSPENDED,
        Membership.SKIPPED,
        Membership.SUSPENDED,
    ]


def test_an_account_that_is_listed_no_more_has_departed() -> None:
    known = Coverage(ACCOUNTS[2], "sandbox", START, organization=_ORG, failed_runs=1)
    (after,) = settle_membership([known], Listing((_PROD, _TEST)))
    assert after == Coverage(
        ACCOUNTS[2], "sandbox", START, organization=_ORG, failed_runs=1, membership=Membership.DEPARTED
    )
    assert settle_membership([after], Listing((_PROD, _TEST))) == ()


def test_an_account_that_this_organization_never_listed_is_left_alone() -> None:
    strangers = [Coverage(ACCOUNTS[1]), Coverage(ACCOUNTS[2], organization="o-another0orgid")]
    assert settle_membership(strangers, Listing((_PROD,))) == ()
    assert settle_membership(strangers, Listing(())) == ()
    assert Listing(()).organization == ""


def test_what_became_of_known_accounts_is_written_and_nothing_else() -> None:
    store = MemoryStore()
    for account, membership in zip(ACCOUNTS, (Membership.ACTIVE, Membership.DEPARTED, Membership.ACTIVE), strict=True):
        store.write_coverage(Coverage(account, organization=_ORG, membership=membership))
    note_membership(Listing((_PROD, _TEST), {_SANDBOX.id: Membership.SUSPENDED}), store)
    assert [store.read_coverage(account).membership for account in ACCOUNTS] == [
        Membership.ACTIVE, Membership.ACTIVE, Membership.SUSPENDED,
    ]  # fmt: skip


def test_an_account_that_a_worker_read_learns_its_organization() -> None:
    (after,) = settle_membership([Coverage(_PROD.id)], Listing((_PROD,)))
    assert (after.organization, after.membership) == (_ORG, Membership.ACTIVE)


def test_known_accounts_are_noted_with_the_unit_that_they_are_in() -> None:
    listing = choose_accounts(_MEMBERS, _UNITS, Discovery(include_ous=("Workloads",)))
    moved = Coverage(_SANDBOX.id, organization=_ORG, unit="Workloads/Test")
    settled = settle_membership([Coverage(_PROD.id), Coverage(_TEST.id), moved], listing)
    assert [one.unit for one in settled] == ["Workloads/Prod", "Workloads", "Sandbox"]


def test_a_run_that_looks_no_units_up_leaves_them_as_they_were() -> None:
    listing = choose_accounts(_MEMBERS, (), Discovery())
    assert listing.units == {}
    known = Coverage(_PROD.id, organization=_ORG, unit="Workloads/Prod")
    assert settle_membership([known], listing) == ()

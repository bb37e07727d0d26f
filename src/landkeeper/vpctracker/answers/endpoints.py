"""What a person calls an account or a VPC, and what that is among those that are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landkeeper.org import Account, AccountId, UsageError
from landkeeper.vpctracker.answers.names import (
    VPC_ID,
    accounts_named,
    describe_vpc,
    find_account,
    find_vpc,
    known_accounts,
    vpcs_named,
)

if TYPE_CHECKING:
    from landkeeper.vpctracker.coverage import Coverage
    from landkeeper.vpctracker.inventory import StoredVpc

_EXPECTED = "expected the id or the name of an account or a VPC"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An account with its VPCs, or one VPC."""

    label: str
    account: AccountId
    vpcs: tuple[StoredVpc, ...]
    """Live ones, in the order of their region and block."""
    is_vpc: bool = False


def find_endpoint(text: str, vpcs: Sequence[StoredVpc], coverage: Mapping[AccountId, Coverage]) -> Endpoint:
    """Return the VPC of that id or name, or the account of that id or name with its live VPCs.

    A name that an account and one of its own VPCs have is that of the account. Raise UsageError where nothing, or more
    than one thing, is known by it.
    """
    names = known_accounts(vpcs, coverage)
    named = [] if VPC_ID.fullmatch(text) else vpcs_named(text, vpcs)
    accounts = accounts_named(text, names)
    if VPC_ID.fullmatch(text) or (named and not accounts):
        return _vpc_side(text, vpcs)
    others = [stored for stored in named if stored.is_live and stored.vpc.owner not in accounts]
    if others:
        account = Account(accounts[0], text).label
        raise UsageError(f"'{text}' is the account {account} and the VPC {describe_vpc(others[0])}: pass the id")
    account_id = find_account(text, names, expected=_EXPECTED)
    owned = (stored for stored in vpcs if stored.is_live and stored.vpc.owner == account_id)
    own = sorted(owned, key=lambda stored: (stored.vpc.region, stored.vpc.cidr_block, stored.vpc.id))
    return Endpoint(Account(account_id, names[account_id]).label, account_id, tuple(own))


def _vpc_side(text: str, vpcs: Sequence[StoredVpc]) -> Endpoint:
    found = find_vpc(text, vpcs)
    stored = next((stored for stored in found if stored.is_live), None)
    if stored is None:
        raise UsageError(f"the VPC {found[0].vpc.id} was deleted")
    owner = Account(stored.vpc.owner, stored.vpc.account_name).label
    return Endpoint(f"{stored.vpc.id} of {owner}", stored.vpc.owner, (stored,), is_vpc=True)

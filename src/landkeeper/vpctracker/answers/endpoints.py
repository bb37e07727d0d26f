"""What a person calls an account or a VPC, and what that is among those that are known."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from landkeeper.org import Account, AccountId, UsageError, join_some, parse_account_id

if TYPE_CHECKING:
    from landkeeper.vpctracker.coverage import Coverage
    from landkeeper.vpctracker.inventory import StoredVpc

_VPC_ID = re.compile(r"vpc-[0-9a-f]{8,17}")
_NAMED_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An account with its VPCs, or one VPC."""

    label: str
    account: AccountId
    vpcs: tuple[StoredVpc, ...]
    """Live ones, in the order of their region and block."""
    is_vpc: bool = False


@dataclass(slots=True)
class _Known:
    vpcs: dict[AccountId, list[StoredVpc]] = field(default_factory=lambda: defaultdict(list))
    names: dict[AccountId, str] = field(default_factory=dict)


def find_endpoint(text: str, vpcs: Sequence[StoredVpc], coverage: Mapping[AccountId, Coverage]) -> Endpoint:
    """The VPC of that id, or the account of that id or name, with its live VPCs.

    Raises UsageError where nothing, or more than one thing, is known by it.
    """
    if _VPC_ID.fullmatch(text):
        return _vpc_side(text, vpcs)
    known = _known_accounts(vpcs, coverage)
    account = _account_named(text, known.names)
    live = sorted(
        known.vpcs.get(account, ()), key=lambda stored: (stored.vpc.region, stored.vpc.cidr_block, stored.vpc.id)
    )
    return Endpoint(Account(account, known.names[account]).label, account, tuple(live))


def _vpc_side(vpc: str, vpcs: Sequence[StoredVpc]) -> Endpoint:
    found = [stored for stored in vpcs if stored.vpc.id == vpc]
    if not found:
        raise UsageError(f"no VPC '{vpc}' is known")
    stored = next((stored for stored in found if stored.is_live), None)
    if stored is None:
        raise UsageError(f"the VPC {vpc} was deleted")
    owner = Account(stored.vpc.owner, stored.vpc.account_name).label
    return Endpoint(f"{vpc} of {owner}", stored.vpc.owner, (stored,), is_vpc=True)


def _known_accounts(vpcs: Sequence[StoredVpc], coverage: Mapping[AccountId, Coverage]) -> _Known:
    known = _Known()
    for stored in vpcs:
        known.names[stored.vpc.owner] = stored.vpc.account_name or known.names.get(stored.vpc.owner, "")
        if stored.is_live:
            known.vpcs[stored.vpc.owner].append(stored)
    for account, covered in coverage.items():
        known.names[account] = covered.account_name or known.names.get(account, "")
    return known


def _account_named(text: str, names: Mapping[AccountId, str]) -> AccountId:
    if text.isdecimal():
        account = parse_account_id(text)
        if account not in names:
            raise UsageError(f"the account {account} has never been tracked")
        return account
    found = sorted(account for account, name in names.items() if name == text)
    if len(found) > 1:
        raise UsageError(f"several accounts are called '{text}': {join_some(found, _NAMED_AT_MOST)}; pass the id")
    if not found:
        near = difflib.get_close_matches(text, {name for name in names.values() if name}, n=1)
        meant = f"did you mean '{near[0]}'?" if near else "expected an account id, an account name or a VPC id"
        raise UsageError(f"unknown account '{text}': {meant}")
    return found[0]

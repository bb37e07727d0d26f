"""Which accounts of an organization are read, and what became of those that were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from landkeeper.org import Account, AccountId, Member, Membership, UsageError, join_some
from landkeeper.vpctracker.config import Discovery
from landkeeper.vpctracker.coverage import Coverage

if TYPE_CHECKING:
    from landkeeper.vpctracker.ports import VpcStore


_NAMED_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Unit:
    """An organizational unit, or the root of them all."""

    id: str
    path: str
    """The names from the top, as in `Workloads/Prod`; empty for the root."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The accounts of an organization, told apart by whether they are read."""

    accounts: tuple[Account, ...]
    left_out: Mapping[AccountId, Membership] = field(default_factory=dict)
    """Why the others are not read."""
    units: Mapping[AccountId, str] = field(default_factory=dict)
    """The path of the unit that each account is in, as far as units were looked up."""
    names: Mapping[AccountId, str] = field(default_factory=dict)
    """What the organization calls the accounts that are left out."""
    is_whole: bool = True
    """Whether it is an organization's, and not of accounts that were named one by one."""

    @property
    def organization(self) -> str:
        """The id of the organization; empty where that is not known."""
        return next((account.organization for account in self.accounts if account.organization), "")

    @property
    def members_left_out(self) -> tuple[Member, ...]:
        """The accounts that are not read, by the reason and their names."""
        left_out = (Member(Account(id_, self.names.get(id_, "")), reason) for id_, reason in self.left_out.items())
        return tuple(sorted(left_out, key=lambda member: (member.membership, member.account.label)))


def choose_accounts(members: Sequence[Member], units: Sequence[Unit], discovery: Discovery) -> Listing:
    """The active accounts that the configuration does not leave out.

    `units` are the units of the organization, needed where the configuration names any. A unit stands for everything
    under it, and being skipped beats being included. Raises UsageError for a unit that is not there.
    """
    included = {_find_unit(named, units) for named in discovery.include_ous}
    skipped = {_find_unit(named, units) for named in discovery.skip_ous}
    chosen: list[Account] = []
    left_out: dict[AccountId, Membership] = {}
    for member in members:
        account = member.account
        inside = set(account.organizational_units)
        is_skipped = account.id in discovery.skip_accounts or inside & skipped or (included and not inside & included)
        if member.membership is Membership.ACTIVE and not is_skipped:
            chosen.append(account)
        else:
            is_active = member.membership is Membership.ACTIVE
            left_out[account.id] = Membership.SKIPPED if is_active else member.membership
    names = {member.account.id: member.account.name for member in members if member.account.id in left_out}
    return Listing(tuple(chosen), left_out, _placed(members, units), names)


def choose_named_accounts(accounts: Sequence[Account], discovery: Discovery) -> Listing:
    """The accounts that were named otherwise than by an organization, without those that the configuration skips.

    Raises UsageError where none is left.
    """
    chosen = tuple(account for account in accounts if account.id not in discovery.skip_accounts)
    left_out = {account.id: Membership.SKIPPED for account in accounts if account not in chosen}
    if not chosen:
        raise UsageError(
            f"the configuration skips {join_some(list(left_out), _NAMED_AT_MOST)} (discovery.skip_accounts)"
        )
    return Listing(chosen, left_out, is_whole=False)


def _placed(members: Sequence[Member], units: Sequence[Unit]) -> dict[AccountId, str]:
    paths = {unit.id: unit.path for unit in units}
    above = {member.account.id: member.account.organizational_units for member in members}
    return {account: paths[ids[-1]] for account, ids in above.items() if ids and ids[-1] in paths}


def _find_unit(named: str, units: Sequence[Unit]) -> str:
    path = named.strip("/")
    for unit in units:
        if named == unit.id or (path and path == unit.path):
            return unit.id
    raise UsageError(
        f"the configuration's discovery names the organizational unit '{named}', which the organization does not have"
    )


def settle_membership(covered: Iterable[Coverage], listing: Listing) -> tuple[Coverage, ...]:
    """The coverage that has to be written so that it says how each account stands to the organization, and where in it.

    An account that the organization listed once and lists no more has departed. Accounts that it never listed are none
    of its business.
    """
    active = listing.accounts if listing.is_whole else ()
    listed = {account.id: Membership.ACTIVE for account in active} | dict(listing.left_out)
    settled = (_settle(before, listed.get(before.account), listing) for before in covered)
    return tuple(after for after in settled if after is not None)


def _settle(before: Coverage, membership: Membership | None, listing: Listing) -> Coverage | None:
    organization = listing.organization
    if membership is not None:
        unit = listing.units.get(before.account, before.unit)
        after = replace(before, membership=membership, organization=organization or before.organization, unit=unit)
    elif organization and before.organization == organization:
        after = replace(before, membership=Membership.DEPARTED)
    else:
        return None
    return None if after == before else after


def note_membership(listing: Listing, store: VpcStore) -> None:
    """Write down which known accounts are suspended, closed, left out, or no longer there, and which units they are in.

    One pass over the coverage; only what changed is written. An account that somebody else is just writing is left to
    the next run. Their VPCs keep their state, and their blocks stay taken.
    """
    if not listing.is_whole and not listing.left_out:
        return
    for coverage in settle_membership(store.read_all_coverage(), listing):
        store.write_coverage(coverage)

"""Which accounts of an organization are read, and what became of those that were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from landkeeper.org import Account, AccountId, Member, Membership, UsageError
from landkeeper.vpctracker.config import Discovery
from landkeeper.vpctracker.coverage import Coverage

if TYPE_CHECKING:
    from landkeeper.vpctracker.ports import VpcStore


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

    @property
    def organization(self) -> str:
        """The id of the organization; empty where that is not known."""
        return next((account.organization for account in self.accounts if account.organization), "")


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
    return Listing(tuple(chosen), left_out, _placed(members, units))


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
    listed = {account.id: Membership.ACTIVE for account in listing.accounts} | dict(listing.left_out)
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
    for coverage in settle_membership(store.read_all_coverage(), listing):
        store.write_coverage(coverage)

"""The accounts of an organization, and its units."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from landkeeper.aws.deadlines import Clock, deadline_after, do_within
from landkeeper.aws.failures import CALL_ERRORS, STRANGE_ANSWERS, empty_answer, failure_of, strange_answer
from landkeeper.aws.paging import pages
from landkeeper.org import Account, AccountId, Failure, FailureReason, Member, Membership, parse_account_id, well_formed
from landkeeper.vpctracker.discovery import Unit

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient

_SERVICE = "Organizations"
_LONGEST_SECONDS = 1800.0
"""How long it may take to list an organization, or to walk through its units."""
_PART_OF_WHAT_IS_LEFT = 0.8
T = TypeVar("T")
_MEMBERSHIPS = {
    "ACTIVE": Membership.ACTIVE,
    "PENDING_ACTIVATION": Membership.PENDING_ACTIVATION,
    "SUSPENDED": Membership.SUSPENDED,
    "PENDING_CLOSURE": Membership.PENDING_CLOSURE,
    "CLOSED": Membership.CLOSED,
}


def list_members(client: OrganizationsClient, *, clock: Clock = time.monotonic) -> tuple[Member, ...] | Failure:
    """Every account of the organization, whatever its state; a Failure when there is none, or it may not be listed.

    It takes the credentials of the management account or of a delegated administrator. A page may be empty and still
    not be the last, but an organization has at least its management account.
    Source: AWS Organizations API Reference, "ListAccounts", "Account"; User Guide, "Terminology and concepts".
    """

    def read() -> tuple[Member, ...]:
        return tuple(_parse_member(raw) for page in pages(client, "list_accounts") for raw in page["Accounts"])

    return _read_in_time(read, clock) or empty_answer(_SERVICE, "accounts")


def _read_in_time(read: Callable[[], T], clock: Clock) -> T | Failure:
    try:
        return do_within(deadline_after(_LONGEST_SECONDS, part=_PART_OF_WHAT_IS_LEFT, clock=clock), read)
    except CALL_ERRORS as error:
        return failure_of(error)
    except STRANGE_ANSWERS as error:
        return strange_answer(_SERVICE, error)


def _parse_member(raw: Mapping[str, Any]) -> Member:
    # `Status` is retired; an endpoint that does not know `State` yet answers it alone.
    state = raw.get("State", raw.get("Status"))
    account = Account(
        parse_account_id(raw["Id"]),
        well_formed(raw.get("Name", "")),
        organizational_units=_units_of(raw.get("Paths", ())),
        organization=raw.get("Arn", "").rpartition(":")[2].split("/")[1] if raw.get("Arn") else "",
    )
    return Member(account, _MEMBERSHIPS.get(str(state), Membership.INACTIVE))


def _units_of(paths: list[str]) -> tuple[str, ...]:
    """Root and units of `o-exampleorgid/r-ab12/ou-ab12-11111111/111122223333/`, outermost first."""
    return tuple(part for path in paths for part in path.split("/") if part.startswith(("r-", "ou-")))


def read_units(client: OrganizationsClient) -> tuple[Unit, ...] | Failure:
    """Every root and organizational unit, those above before those below: one call for each of them."""
    found = _walk(client, lambda _: ())
    return found if isinstance(found, Failure) else tuple(unit for unit, _, _ in found)


def place_members(client: OrganizationsClient, members: tuple[Member, ...]) -> tuple[Member, ...] | Failure:
    """The members with the units they are in: as `Paths` said where the API gives it, else by asking every unit.

    A Failure where an active account is found in none: every account is in a root or in a unit.
    Source: AWS Organizations User Guide, "Terminology and concepts".
    """
    if all(member.account.organizational_units for member in members):
        return members
    found = _walk(client, lambda unit: _accounts_in(client, unit))
    if isinstance(found, Failure):
        return found
    places = {account: above for _, above, accounts in found for account in accounts}
    for member in members:
        if member.membership is Membership.ACTIVE and member.account.id not in places:
            return Failure(FailureReason.OTHER, "NoParent", f"account {member.account.label} is found in no unit")
    return tuple(_placed(member, places.get(member.account.id, ())) for member in members)


def _accounts_in(client: OrganizationsClient, unit: Unit) -> tuple[AccountId, ...]:
    listed = pages(client, "list_accounts_for_parent", ParentId=unit.id)
    return tuple(AccountId(raw["Id"]) for page in listed for raw in page["Accounts"])


def _placed(member: Member, units: tuple[str, ...]) -> Member:
    return replace(member, account=replace(member.account, organizational_units=units))


_Found = tuple[Unit, tuple[str, ...], tuple[AccountId, ...]]
"""A unit, the ids from the root down to itself, and the accounts directly in it."""


def _walk(
    client: OrganizationsClient, accounts_in: Callable[[Unit], tuple[AccountId, ...]]
) -> tuple[_Found, ...] | Failure:
    def read() -> tuple[_Found, ...]:
        return tuple((unit, above, accounts_in(unit)) for unit, above in _walk_down(client))

    # An organization has one root (AWS Organizations User Guide, "Terminology and concepts").
    return _read_in_time(read, time.monotonic) or empty_answer(_SERVICE, "roots")


def _walk_down(client: OrganizationsClient) -> Iterator[tuple[Unit, tuple[str, ...]]]:
    waiting: list[tuple[Unit, tuple[str, ...]]] = [
        (Unit(raw["Id"], ""), (raw["Id"],)) for page in pages(client, "list_roots") for raw in page["Roots"]
    ]
    while waiting:
        unit, above = waiting.pop()
        yield unit, above
        for page in pages(client, "list_organizational_units_for_parent", ParentId=unit.id):
            for raw in page["OrganizationalUnits"]:
                name = well_formed(raw["Name"])
                path = f"{unit.path}/{name}" if unit.path else name
                waiting.append((Unit(raw["Id"], path), (*above, raw["Id"])))

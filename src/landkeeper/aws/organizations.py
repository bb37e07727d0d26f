"""The accounts of an organisation, and its units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from landkeeper.aws.failures import CALL_ERRORS, failure_of
from landkeeper.org import Account, AccountId, Failure, Member, Membership
from landkeeper.vpctracker.discovery import Unit

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient

_MEMBERSHIPS = {
    "ACTIVE": Membership.ACTIVE,
    "SUSPENDED": Membership.SUSPENDED,
    "PENDING_CLOSURE": Membership.PENDING_CLOSURE,
    "CLOSED": Membership.CLOSED,
}


def list_members(client: OrganizationsClient) -> tuple[Member, ...] | Failure:
    """Every account of the organisation, whatever its state; a Failure when there is none, or it may not be listed.

    It takes the credentials of the management account or of a delegated administrator. A page may be empty and still
    not be the last. Source: AWS Organizations API Reference, "ListAccounts", "Account".
    """
    try:
        pages = client.get_paginator("list_accounts").paginate()
        return tuple(_parse_member(one) for page in pages for one in page["Accounts"])
    except CALL_ERRORS as error:
        return failure_of(error)


def _parse_member(raw: Mapping[str, Any]) -> Member:
    # `Status` is retired; an endpoint that does not know `State` yet answers it alone.
    state = raw.get("State", raw.get("Status"))
    account = Account(
        AccountId(raw["Id"]),
        raw.get("Name", ""),
        organizational_units=_units_of(raw.get("Paths", ())),
        organization=raw.get("Arn", "").rpartition(":")[2].split("/")[1] if raw.get("Arn") else "",
    )
    return Member(account, _MEMBERSHIPS.get(str(state), Membership.INACTIVE))


def _units_of(paths: list[str]) -> tuple[str, ...]:
    """Root and units of `o-exampleorgid/r-ab12/ou-ab12-11111111/111122223333/`, outermost first."""
    return tuple(part for path in paths for part in path.split("/") if part.startswith(("r-", "ou-")))


def read_units(client: OrganizationsClient) -> tuple[Unit, ...] | Failure:
    """Every root and organizational unit, those above before those below: one call for each of them."""
    try:
        return tuple(unit for unit, _ in _walk(client))
    except CALL_ERRORS as error:
        return failure_of(error)


def place_members(client: OrganizationsClient, members: tuple[Member, ...]) -> tuple[Member, ...] | Failure:
    """The members with the units they are in: as `Paths` said where the API gives it, else by asking every unit."""
    if all(member.account.organizational_units for member in members):
        return members
    try:
        places = {
            AccountId(raw["Id"]): above
            for unit, above in _walk(client)
            for page in client.get_paginator("list_accounts_for_parent").paginate(ParentId=unit.id)
            for raw in page["Accounts"]
        }
    except CALL_ERRORS as error:
        return failure_of(error)
    return tuple(_placed(member, places.get(member.account.id, ())) for member in members)


def _placed(member: Member, units: tuple[str, ...]) -> Member:
    return replace(member, account=replace(member.account, organizational_units=units))


def _walk(client: OrganizationsClient) -> Iterator[tuple[Unit, tuple[str, ...]]]:
    """Each unit with the ids from the root down to itself."""
    roots = client.get_paginator("list_roots").paginate()
    waiting: list[tuple[Unit, tuple[str, ...]]] = [
        (Unit(raw["Id"], ""), (raw["Id"],)) for page in roots for raw in page["Roots"]
    ]
    while waiting:
        unit, above = waiting.pop()
        yield unit, above
        pages = client.get_paginator("list_organizational_units_for_parent").paginate(ParentId=unit.id)
        for page in pages:
            for raw in page["OrganizationalUnits"]:
                path = f"{unit.path}/{raw['Name']}" if unit.path else raw["Name"]
                waiting.append((Unit(raw["Id"], path), (*above, raw["Id"])))

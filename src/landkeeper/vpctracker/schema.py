"""The version of stored items: written into every one of them, looked at before one is read or replaced.

An item without `SchemaVersion` is of version 1. Older items are read as they are and become the present version when
they are next written. Items of a newer version are left out by readers, which name them, and never replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from landkeeper.vpctracker.attributes import Attributes
from landkeeper.vpctracker.ports import StoreError

SCHEMA_VERSION = 2
"""Of the items and files that this version of Landkeeper writes."""


class NewerItemError(StoreError):
    """An item, or a whole file, was written by a newer Landkeeper, which may mean by it what this one cannot know."""

    def __init__(self, item: str, version: object) -> None:
        super().__init__(f"{item} was written by a newer Landkeeper (schema {version}): update Landkeeper")
        self.item = item
        self.version = version


def stamped(attributes: Attributes) -> Attributes:
    """The item with the present version, as it is stored."""
    return {**attributes, "SchemaVersion": SCHEMA_VERSION}


def upgraded(attributes: Attributes) -> Attributes:
    """The stored item as the present version has it. Raises NewerItemError for a newer one."""
    version = attributes.get("SchemaVersion", 1)
    if not isinstance(version, int) or not 1 <= version <= SCHEMA_VERSION:
        raise NewerItemError(_name(attributes), version)
    for step in range(version, SCHEMA_VERSION):
        attributes = _UPGRADES[step](attributes)
    return attributes


def known_items(items: Iterable[Attributes], say: Callable[[str], object]) -> Iterator[Attributes]:
    """The items as the present version has them; those of a newer one are left out, and `say` is told which."""
    for item in items:
        try:
            known = upgraded(item)
        except NewerItemError as error:
            say(f"left out: {error}")
        else:
            yield known


def _name(attributes: Mapping[str, object]) -> str:
    match attributes:
        case {"VpcId": vpc, "At": at}:
            return f"the history entry {at} of {vpc}"
        case {"VpcId": vpc, "OwnerId": owner}:
            return f"the item {vpc} of {owner}"
        case {"AccountId": account}:
            return f"the coverage of {account}"
        case {"PoolId": pool, "Item": item}:
            return f"the item {item} of {pool}"
        case _:
            return "an item without a name"


def _with_connections(attributes: Attributes) -> Attributes:
    """Version 2 added peerings and transit gateway attachments to VPCs."""
    if "CidrBlock" not in attributes:
        return attributes
    return {"PeeringConnections": [], "TransitGatewayAttachments": [], **attributes}


_UPGRADES: Mapping[int, Callable[[Attributes], Attributes]] = {1: _with_connections}
"""How an item of that version becomes one of the next."""

"""Pools and reservations as stored items, the same in both stores.

The key of an item is `PoolId` and `Item`. Under a pool's name lie `META`, with the `Version` that every write of the
pool is conditional on, and `RES#id` for each reservation; `GONE#time#id` is what was released or is over. Under `POOLS`
lies the list of all pools the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from landkeeper.org import AccountId, Region, format_time
from landkeeper.vpctracker.attributes import Attributes, parse_stored, parse_time
from landkeeper.vpctracker.cidr import Block, parse_block
from landkeeper.vpctracker.pools.pool import Kind, Pool, PoolState, Reservation

LIST = "POOLS"
"""The `PoolId` under which all pools are listed."""
META = "META"
_RESERVATION, _GONE = "RES#", "GONE#"


@dataclass(frozen=True, slots=True)
class PoolWrite:
    """What is written in one transaction, or not at all."""

    expected: Mapping[str, int]
    """The version that must be stored, by `PoolId`; 0 means none yet. Each goes up by one."""
    puts: tuple[Attributes, ...] = ()
    deletes: tuple[tuple[str, str], ...] = ()
    """`PoolId` and `Item`."""

    def and_then(self, *, puts: Iterable[Attributes] = (), deletes: Iterable[tuple[str, str]] = ()) -> PoolWrite:
        """The same with more in it."""
        return replace(self, puts=(*self.puts, *puts), deletes=(*self.deletes, *deletes))


def reservation_key(reservation: Reservation) -> tuple[str, str]:
    """`PoolId` and `Item` of a reservation."""
    return reservation.pool, f"{_RESERVATION}{reservation.id}"


def pool_to_item(pool: Pool) -> Attributes:
    """The pool's item in the list of pools."""
    return {
        "PoolId": LIST,
        "Item": f"{_RESERVATION}{pool.id}",
        "Name": pool.id,
        "CidrBlock": str(pool.block),
        "Space": pool.space,
        "MinPrefixLength": pool.shortest,
        "MaxPrefixLength": pool.longest,
        "MadeBy": pool.made_by,
        **_present(
            Region=pool.region, Parent=pool.parent, MadeAt=_formatted(pool.made_at), IpamPoolId=pool.ipam_pool or None
        ),
    }


def pool_from_item(item: Mapping[str, Any]) -> Pool:
    """The pool that `pool_to_item` made the item of. Raises StoredItemError for what is none."""
    return parse_stored(item, _pool_from_item, _name)


def _pool_from_item(item: Mapping[str, Any]) -> Pool:
    return Pool(
        id=item["Name"],
        block=_ipv4(item["CidrBlock"]),
        space=item["Space"],
        region=_optional(Region, item.get("Region")),
        parent=item.get("Parent"),
        shortest=int(item["MinPrefixLength"]),
        longest=int(item["MaxPrefixLength"]),
        made_at=_optional(parse_time, item.get("MadeAt")),
        made_by=item.get("MadeBy", ""),
        ipam_pool=item.get("IpamPoolId", ""),
    )


def reservation_to_item(reservation: Reservation) -> Attributes:
    """The item of a reservation."""
    pool, item = reservation_key(reservation)
    return {
        "PoolId": pool,
        "Item": item,
        "ReservationId": reservation.id,
        "CidrBlock": str(reservation.block),
        "Kind": reservation.kind.value,
        "For": reservation.purpose,
        "MadeAt": format_time(reservation.made_at),
        "MadeBy": reservation.made_by,
        **_present(
            RoomToGrow=_optional(str, reservation.room), AccountId=reservation.account, Region=reservation.region,
            ExpiresAt=_formatted(reservation.expires_at), RequestId=reservation.request_id or None,
            Resource=reservation.resource or None,
        ),
    }  # fmt: skip


def gone_item(reservation: Reservation, how: str, by: str, now: datetime) -> Attributes:
    """What is kept of a reservation that is no more: what it was, why it went, when, and through whom."""
    item = f"{_GONE}{format_time(now)}#{reservation.id}"
    return {**reservation_to_item(reservation), "Item": item, "Gone": how, "GoneAt": format_time(now), "GoneBy": by}


def reservation_from_item(item: Mapping[str, Any]) -> Reservation:
    """The reservation of a stored item. Raises StoredItemError for what is none."""
    return parse_stored(item, _reservation_from_item, _name)


def _reservation_from_item(item: Mapping[str, Any]) -> Reservation:
    return Reservation(
        id=item["ReservationId"],
        pool=item["PoolId"],
        block=_ipv4(item["CidrBlock"]),
        kind=Kind(item["Kind"]),
        made_at=parse_time(item["MadeAt"]),
        room=_optional(_ipv4, item.get("RoomToGrow")),
        account=_optional(AccountId, item.get("AccountId")),
        region=_optional(Region, item.get("Region")),
        purpose=item.get("For", ""),
        request_id=item.get("RequestId", ""),
        expires_at=_optional(parse_time, item.get("ExpiresAt")),
        made_by=item.get("MadeBy", ""),
        resource=item.get("Resource", ""),
    )


def version_of(items: Iterable[Mapping[str, Any]]) -> int:
    """The version among the items of one pool; 0 where there is none."""
    return next((int(item["Version"]) for item in items if item["Item"] == META), 0)


def pools_from_items(items: Iterable[Mapping[str, Any]]) -> tuple[Pool, ...]:
    """All pools, by space and address, from the items of the list. One with the block of its parent comes after it."""
    pools = [pool_from_item(item) for item in items if item["Item"].startswith(_RESERVATION)]
    parents = {pool.id: pool.parent for pool in pools}
    return tuple(sorted(pools, key=lambda pool: (pool.space, pool.block.sort_key, _depth(pool, parents))))


def _depth(pool: Pool, parents: Mapping[str, str | None]) -> int:
    depth, parent = 0, pool.parent
    while parent is not None and depth < len(parents):
        depth, parent = depth + 1, parents.get(parent)
    return depth


def state_from_items(pool: Pool, items: Iterable[Mapping[str, Any]]) -> PoolState:
    """The pool's state from all items under its name."""
    items = list(items)
    found = (reservation_from_item(item) for item in items if item["Item"].startswith(_RESERVATION))
    return PoolState(
        pool,
        version_of(items),
        tuple(sorted(found, key=lambda reservation: (reservation.block.sort_key, reservation.id))),
    )


def _ipv4(text: str) -> Block:
    block = parse_block(text)
    if block.version != 4:
        raise ValueError(f"{block} is not of IPv4")
    return block


def _present(**attributes: Any) -> Attributes:
    return {name: value for name, value in attributes.items() if value is not None}


def _optional(make: Any, value: Any) -> Any:
    return None if value is None else make(value)


def _formatted(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)


def _name(item: Mapping[str, Any]) -> str:
    return f"{item.get('Item', 'without Item')} of {item.get('PoolId', 'an unknown pool')}"

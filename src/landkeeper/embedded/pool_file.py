"""Pools in the SQLite file of VPC Tracker: the same items as in DynamoDB, without a deployment."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from landkeeper.embedded.database import has_table
from landkeeper.embedded.vpc_file import VpcFile, as_json
from landkeeper.vpctracker.attributes import blocks_from_attributes
from landkeeper.vpctracker.inventory import DELETED
from landkeeper.vpctracker.pools.items import META
from landkeeper.vpctracker.schema import stamped, upgraded

if TYPE_CHECKING:
    from landkeeper.vpctracker.attributes import Attributes
    from landkeeper.vpctracker.cidr import Block
    from landkeeper.vpctracker.inventory import Vpc
    from landkeeper.vpctracker.pools.items import PoolWrite

_TABLE = (
    "CREATE TABLE IF NOT EXISTS vpc_pools (pool_id TEXT, item_id TEXT, version INTEGER, item TEXT NOT NULL,"
    " PRIMARY KEY (pool_id, item_id)) WITHOUT ROWID"
)


class PoolFile(VpcFile):
    """The tracker's file, which is a `PoolStore` and a `TrackedStore` besides."""

    _OTHER_TABLES: ClassVar[Sequence[str]] = (_TABLE,)

    def _is_current(self, connection: sqlite3.Connection) -> bool:
        return super()._is_current(connection) and has_table(connection, "vpc_pools")

    def read_pool_items(self, pool: str) -> Sequence[Attributes]:
        """`META` and the reservations under that `PoolId`, at one moment, without what is gone."""
        rows = self._rows("SELECT item FROM vpc_pools WHERE pool_id = ? AND item_id >= ? ORDER BY item_id", pool, META)
        return list(map(upgraded, rows))

    def find_pool_items(self, keys: Collection[tuple[str, str]]) -> Sequence[Attributes]:
        """Those of the keys that are stored."""
        query = "SELECT item FROM vpc_pools WHERE pool_id = ? AND item_id = ?"
        return [upgraded(row) for key in sorted(keys) for row in self._rows(query, *key)]

    def write_pools(self, write: PoolWrite) -> bool:
        """Write all of it and raise the versions, or nothing; False where a version is not the expected one."""
        with self._transaction() as connection:
            for pool, expected in write.expected.items():
                found = connection.execute(
                    "SELECT version FROM vpc_pools WHERE pool_id = ? AND item_id = ?", (pool, META)
                ).fetchone()
                if (found[0] if found else 0) != expected:
                    return False
            for pool, expected in write.expected.items():
                _put(connection, {"PoolId": pool, "Item": META, "Version": expected + 1})
            for item in write.puts:
                _put(connection, item)
            connection.executemany("DELETE FROM vpc_pools WHERE pool_id = ? AND item_id = ?", write.deletes)
        return True

    def read_live_vpcs(self, within: Block | None = None) -> Iterator[Vpc]:
        """Every VPC that is not deleted. Raises StoreError or StoredItemError for one that cannot be read."""
        for item in self.read_all_attributes():
            known = upgraded(item)
            if known.get("State") != DELETED:
                yield blocks_from_attributes(known)


def _put(connection: sqlite3.Connection, item: Attributes) -> None:
    values = (item["PoolId"], item["Item"], item.get("Version"), as_json(stamped(item)))
    connection.execute("INSERT OR REPLACE INTO vpc_pools VALUES (?, ?, ?, ?)", values)

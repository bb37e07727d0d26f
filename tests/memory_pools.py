"""Pools in memory: for tests of what is done with them, held to the same contract as the real stores."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence

from landkeeper.vpctracker.attributes import Attributes
from landkeeper.vpctracker.cidr import Block
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.inventory import Vpc
from landkeeper.vpctracker.pools.items import META, PoolWrite


class MemoryPools:
    """A `PoolStore` and `TrackedStore` that forgets everything when it goes."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Attributes] = {}
        self.vpcs: list[Vpc] = []
        self.coverage: list[Coverage] = []
        self._lock = threading.Lock()

    def read_pool_items(self, pool: str) -> Sequence[Attributes]:
        with self._lock:
            return [item for key, item in sorted(self.items.items()) if key[0] == pool and key[1] >= META]

    def find_pool_items(self, keys: Collection[tuple[str, str]]) -> Sequence[Attributes]:
        with self._lock:
            return [self.items[key] for key in sorted(keys) if key in self.items]

    def write_pools(self, write: PoolWrite) -> bool:
        with self._lock:
            for pool, expected in write.expected.items():
                if self.items.get((pool, META), {"Version": 0})["Version"] != expected:
                    return False
            for pool, expected in write.expected.items():
                self.items[pool, META] = {"PoolId": pool, "Item": META, "Version": expected + 1}
            self.items.update({(item["PoolId"], item["Item"]): item for item in write.puts})
            for key in write.deletes:
                self.items.pop(key, None)
            return True

    def read_all_coverage(self) -> Iterable[Coverage]:
        return list(self.coverage)

    def read_live_vpcs(self, within: Block | None = None) -> Iterable[Vpc]:
        return list(self.vpcs)

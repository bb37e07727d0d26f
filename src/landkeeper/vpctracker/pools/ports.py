"""What pools need from outside."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from landkeeper.vpctracker.ports import StoreError

if TYPE_CHECKING:
    from landkeeper.vpctracker.attributes import Attributes
    from landkeeper.vpctracker.cidr import Block
    from landkeeper.vpctracker.coverage import Coverage
    from landkeeper.vpctracker.inventory import Vpc
    from landkeeper.vpctracker.pools.items import PoolWrite


class ContentionError(StoreError):
    """So many write the same pool that this one did not get its turn; nothing was written."""


class PoolStore(Protocol):
    """Keeps the items of `pools_items`. Every method may raise StoreError."""

    def read_pool_items(self, pool: str) -> Sequence[Attributes]:
        """`META` and the reservations under that `PoolId`, as they are right now, without what is gone.

        Where somebody writes meanwhile, `META` is from before that.
        """

    def find_pool_items(self, keys: Collection[tuple[str, str]]) -> Sequence[Attributes]:
        """Those of the keys (`PoolId`, `Item`) that are stored, as they are right now."""

    def write_pools(self, write: PoolWrite) -> bool:
        """Write all of it and raise the versions, or nothing; False where a version is not the expected one."""


class TrackedStore(Protocol):
    """What the tracker knows. Every method may raise StoreError."""

    def read_all_coverage(self) -> Iterable[Coverage]:
        """What is known of every account that was ever tried."""

    def read_live_vpcs(self, within: Block | None = None) -> Iterable[Vpc]:
        """Every VPC that is not deleted, as it was last known: at least its owner, region, IPv4 blocks and tags.

        `within` allows to leave out VPCs and blocks that have no address of that block. Raises StoredItemError for a
        VPC that cannot be read: what is not known is not free.
        """

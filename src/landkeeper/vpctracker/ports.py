"""What the use cases need from outside."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from landkeeper.org import Account, AccountId, Failure, LandkeeperError, Region, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from landkeeper.vpctracker.attributes import Attributes
    from landkeeper.vpctracker.coverage import Coverage
    from landkeeper.vpctracker.differences import Change, RegionRead
    from landkeeper.vpctracker.inventory import StoredVpc, VpcId, VpcKey


class StoreError(LandkeeperError):
    """The store does not answer, or is not one of ours. Its text names the store."""


class WrongStoreError(StoreError, UsageError):
    """The store that was named does not exist, or is not one of ours."""


class VpcReader(Protocol):
    """Reads VPCs where they are. Called from several threads at once."""

    def read_account(
        self, account: Account, regions: Collection[Region] | None = None
    ) -> Mapping[Region, RegionRead] | Failure:
        """Every region of the account, or just `regions`; a Failure when there is no way in, or its regions are not
        known."""


class VpcStore(Protocol):
    """Keeps VPCs, their history, and what is known of the accounts. Called from several threads at once.

    Every method may raise StoreError.
    """

    def read_owned(self, account: AccountId) -> Sequence[StoredVpc]:
        """What the account owns, deleted ones included; the newest writes may be missing."""

    def read_items(self, keys: Collection[VpcKey]) -> Sequence[StoredVpc]:
        """Those of the keys that are stored, as they are right now."""

    def read_all(self) -> Iterable[StoredVpc]:
        """Everything, deleted ones included."""

    def read_all_attributes(self) -> Iterable[Attributes]:
        """Everything as it is stored, unchecked and of whatever schema: one bad item does not hide the others."""

    def write_changes(self, changes: Sequence[Change]) -> Sequence[Change]:
        """Write each change with its history entry, both or neither; answers those that came too late."""

    def read_coverage(self, account: AccountId) -> Coverage:
        """What is known of the account; an empty Coverage for one that was never tried."""

    def write_coverage(self, coverage: Coverage) -> bool:
        """Replace what is known of the account, one version on; False where somebody else wrote it meanwhile."""

    def read_all_coverage(self) -> Iterable[Coverage]:
        """What is known of every account that was ever tried."""

    def read_history(self, vpc: VpcId) -> Sequence[Attributes]:
        """The history of one VPC, oldest first; the entries are as `attributes.history_of` makes them."""

    def read_all_history(self, since: datetime | None = None) -> Iterable[Attributes]:
        """The history of every VPC: by VPC, and of each the oldest first; only what came after `since`, if given."""

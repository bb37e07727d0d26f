"""What every answer is made from: what is stored, now or at an earlier time, and how fresh it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from landkeeper.org import AccountId, LandkeeperError
from landkeeper.vpctracker.answers.as_of import first_record, reconstruct_items
from landkeeper.vpctracker.answers.freshness import Freshness, by_account, vpc_freshness
from landkeeper.vpctracker.attributes import Attributes, StoredItemError, vpc_from_attributes
from landkeeper.vpctracker.schema import NewerItemError, upgraded

if TYPE_CHECKING:
    from landkeeper.vpctracker.coverage import Coverage
    from landkeeper.vpctracker.inventory import StoredVpc
    from landkeeper.vpctracker.ports import VpcStore


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is known."""

    vpcs: tuple[StoredVpc, ...]
    """By account, region and id; deleted ones included."""
    coverage: Mapping[AccountId, Coverage]
    left_out: tuple[LandkeeperError, ...] = ()
    """Items that are not what Landkeeper writes, or that a newer one wrote: the answers are without them."""
    as_of: datetime | None = None
    """The time it is of; None for the present."""
    first_record: str | None = None
    """When the first VPC of all was first seen, as it is stored; None where there is none."""

    def about(self, stored: StoredVpc) -> Freshness:
        """How fresh the VPC is; of an earlier time that is not recorded, and nothing is called stale."""
        return vpc_freshness(self.coverage, stored) if self.as_of is None else Freshness()


def read_known(store: VpcStore, as_of: datetime | None = None) -> Snapshot:
    """Everything in the store, as it is or as it was. One bad item is left out and does not hide the others."""
    coverage = by_account(store.read_all_coverage())
    items = list(store.read_all_attributes())
    then: Iterable[Attributes | StoredItemError] = items
    if as_of is not None:
        # After the items: what is written in between has an entry then, and one that is too new is not counted.
        then = reconstruct_items(items, store.read_all_history(as_of), as_of)
    vpcs: list[StoredVpc] = []
    left_out: list[LandkeeperError] = []
    for item in then:
        read = item if isinstance(item, StoredItemError) else _read(item)
        if isinstance(read, LandkeeperError):
            left_out.append(read)
        else:
            vpcs.append(read)
    vpcs.sort(key=lambda stored: (stored.vpc.owner, stored.vpc.region, stored.vpc.id))
    return Snapshot(tuple(vpcs), coverage, tuple(left_out), as_of, first_record(items))


def _read(item: Attributes) -> StoredVpc | StoredItemError | NewerItemError:
    try:
        return vpc_from_attributes(upgraded(item))
    except (StoredItemError, NewerItemError) as error:
        return error

"""What a read of an account changes in the store, where other runs write at the same time.

What is stored is loaded before the first call of a read, and each change is conditional on the version that was loaded.
So nothing is touched that somebody saw or changed since the read began, whatever the clocks of the machines say: a VPC
that another run has stored meanwhile is not among the known ones that the read could miss, and the version of one that
another run has changed meanwhile is not the expected one. Such a VPC is answered as late, to be read again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from landkeeper.org import AccountId, Region
from landkeeper.vpctracker.differences import Change, RegionRead, seen_vpcs
from landkeeper.vpctracker.inventory import StoredVpc, VpcKey
from landkeeper.vpctracker.ports import VpcStore

_WRITE_ATTEMPTS = 6


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the store held of an account before its regions were read."""

    shared: frozenset[VpcKey]
    """VPCs of other owners that it saw."""
    stored: Mapping[VpcKey, StoredVpc]
    """Those, and what it owns."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the changes of a read."""

    stored: Mapping[VpcKey, StoredVpc]
    """What the store holds now, as far as this run knows."""
    done: tuple[Change, ...]
    late: Mapping[VpcKey, Region]
    """VPCs that somebody else has written since the read began, and their regions; nothing was changed of them."""


class Decide(Protocol):
    """Returns what has to be written so that the store agrees with the reads."""

    def __call__(self, stored: Iterable[StoredVpc], reads: Mapping[Region, RegionRead]) -> tuple[Change, ...]: ...


def take_snapshot(store: VpcStore, account: AccountId, late: Collection[VpcKey] = ()) -> Snapshot:
    """Return what the store holds now.

    `late` are VPCs that were written a moment ago: the index by owner may not show that yet.
    """
    shared = store.read_coverage(account).shared
    owned = _by_key(store.read_owned(account))
    return Snapshot(shared, {**owned, **_by_key(store.read_items(shared.union(late)))})


def write_differences(
    account: AccountId, before: Snapshot, reads: Mapping[Region, RegionRead], store: VpcStore, decide: Decide
) -> Written:
    """Write what `decide` finds different, and leave what others have written since the snapshot.

    A participant's own place in a shared VPC is nobody else's to write: there the difference is taken anew. All the
    rest would take another read.
    """
    new = {vpc.key for vpc in seen_vpcs(reads) if vpc.owner != account} - before.stored.keys()
    found = _by_key(store.read_items(new)) if new else {}
    # Another run of this account has written those since: this one had never seen them.
    late = {key: known.vpc.region for key, known in found.items() if known.vpc.read_by == account}
    stored = {**before.stored, **found}
    done: list[Change] = []
    for _ in range(_WRITE_ATTEMPTS):
        changes = [change for change in decide(stored.values(), reads) if change.after.vpc.key not in late]
        refused = store.write_changes(changes)
        keys = {change.after.vpc.key for change in refused}
        written = [change for change in changes if change.after.vpc.key not in keys]
        done += written
        stored.update({change.after.vpc.key: change.after for change in written})
        late.update(
            _regions_of(change for change in refused if account in {change.after.vpc.owner, change.after.vpc.read_by})
        )
        keys -= late.keys()
        if not keys:
            return Written(stored, tuple(done), late)
        stored = {key: known for key, known in stored.items() if key not in keys}
        stored.update(_by_key(store.read_items(keys)))
        late.update({key: stored[key].vpc.region for key in keys & stored.keys() if stored[key].vpc.read_by == account})
    return Written(stored, tuple(done), {**late, **_regions_of(refused)})


def _regions_of(changes: Iterable[Change]) -> dict[VpcKey, Region]:
    return {change.after.vpc.key: change.after.vpc.region for change in changes}


def _by_key(stored: Sequence[StoredVpc]) -> dict[VpcKey, StoredVpc]:
    return {known.vpc.key: known for known in stored}

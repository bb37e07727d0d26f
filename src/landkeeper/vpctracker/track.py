"""Track: read every account, find out what changed, write only that, and keep record of what could not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Protocol

from landkeeper.org import Account, AccountId, Failure, FailureReason, Region
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.covering import cover_account, shared_after
from landkeeper.vpctracker.differences import Change, Complete, RegionRead, Unreadable, diff_account, kind_of, seen_vpcs
from landkeeper.vpctracker.fan_out import fan_out
from landkeeper.vpctracker.inventory import StoredVpc, VpcId, VpcKey
from landkeeper.vpctracker.ports import StoreError, VpcReader, VpcStore

_WRITE_ATTEMPTS = 6
_OVERTAKEN = Failure(FailureReason.OTHER, message="another run keeps writing the same VPCs")


@dataclass(frozen=True, slots=True)
class UnreadablePlace:
    """An account, or one region of it, that could not be read this time."""

    account: Account
    region: Region | None
    """None when the whole account could not be read."""
    failure: Failure

    def __str__(self) -> str:
        where = f"{self.account.label} {self.region}" if self.region else self.account.label
        return f"{where}: {self.failure}"


@dataclass(frozen=True, slots=True)
class AccountOutcome:
    """What tracking one account came to."""

    account: Account
    was_read: bool = False
    """Whether at least one region was read completely."""
    seen: frozenset[VpcKey] = frozenset()
    changes: Counter[str] = field(default_factory=Counter)
    unreadable: tuple[UnreadablePlace, ...] = ()
    unconnected: tuple[UnreadablePlace, ...] = ()
    """Regions of which the VPCs were read, and their peerings and transit gateway attachments could not be."""
    missed: frozenset[Region] = frozenset()
    """Regions in which this read was the first one not to show a VPC; a second one has to confirm that it is gone."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come."""

    accounts_done: int
    accounts: int
    vpcs: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class TrackOutcome:
    """What a run came to."""

    accounts: int
    """How many were tried."""
    accounts_read: int
    """Of how many at least one region was read."""
    vpcs: int
    """How many different VPCs were seen."""
    changes: Mapping[str, int]
    """How many appeared, changed, disappeared."""
    unreadable: tuple[UnreadablePlace, ...]
    unconnected: tuple[UnreadablePlace, ...] = ()
    """Regions of which the VPCs were read, and their peerings and transit gateway attachments could not be."""

    @property
    def is_complete(self) -> bool:
        """Whether everything that was tried was read."""
        return not self.unreadable and not self.unconnected


def track(
    accounts: Sequence[Account],
    reader: VpcReader,
    store: VpcStore,
    *,
    clock: Callable[[], datetime],
    max_workers: int = 16,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> TrackOutcome:
    """Track these accounts, several at a time. An account that cannot be read does not stop the others.

    `on_progress` is called in the caller's thread, once at the start and after every account. Raises what the store
    raises: without a place to write to there is nothing left to do.
    """
    tally = _Tally(len(accounts))
    on_progress(tally.progress())

    def work(account: Account, _: Callable[[], bool]) -> AccountOutcome:
        return track_account(account, reader, store, clock=clock)

    with closing(fan_out(accounts, work, max_workers=max_workers)) as outcomes:
        for outcome in outcomes:
            tally.add(outcome)
            on_progress(tally.progress())
    return tally.outcome()


def note_coverage(store: VpcStore, before: Coverage, change: Callable[[Coverage], Coverage]) -> Coverage:
    """Change what is known of an account, on top of what others wrote meanwhile; answers what is stored then.

    Raises StoreError when others never leave off writing it.
    """
    for _ in range(_WRITE_ATTEMPTS):
        after = change(before)
        if store.write_coverage(after):
            return replace(after, version=after.version + 1)
        before = store.read_coverage(before.account)
    raise StoreError(f"other runs keep writing the data of account {before.account}")


def track_account(
    account: Account,
    reader: VpcReader,
    store: VpcStore,
    *,
    clock: Callable[[], datetime],
    regions: Collection[Region] | None = None,
    confirm_deletions: bool = True,
    deleted_by: Mapping[VpcId, str] = MappingProxyType({}),
) -> AccountOutcome:
    """Track one account, or just some `regions` of it. Its coverage is written last, so that it never claims more than
    what is stored.

    Without `confirm_deletions` a VPC that is not seen is only marked, and gone at the next complete read. `deleted_by`
    says of VPCs that Landkeeper itself deleted for whom it did.
    """
    now = clock()
    is_whole = regions is None
    before = store.read_coverage(account.id)
    reads = reader.read_account(account, regions)
    if isinstance(reads, Failure):
        refused = reads
        note_coverage(store, before, lambda known: cover_account(known, account, refused, now, is_whole=is_whole))
        return AccountOutcome(account, unreadable=(UnreadablePlace(account, None, reads),))
    seen = frozenset(vpc.key for vpc in seen_vpcs(reads))
    foreign = {key for key in seen if key.owner != account.id}
    if not foreign <= before.shared:
        # Remembered before the items name this account: after a crash in between nothing would find them again.
        before = note_coverage(store, before, lambda known: replace(known, shared=known.shared | foreign))
    decide = partial(diff_account, account=account, now=now, confirm_deletions=confirm_deletions, deleted_by=deleted_by)
    written = _write_differences(account.id, reads, store, before.shared, decide)
    reads = {**reads, **dict.fromkeys(written.overtaken, Unreadable(_OVERTAKEN))}
    settled = reads

    def cover(known: Coverage) -> Coverage:
        after = cover_account(known, account, settled, now, is_whole=is_whole)
        shared = shared_after(known, written.stored.values(), settled, confirm_deletions=confirm_deletions)
        return replace(after, shared=shared)

    note_coverage(store, before, cover)
    return AccountOutcome(
        account,
        was_read=any(isinstance(read, Complete) for read in reads.values()),
        seen=seen,
        changes=written.changes,
        unreadable=_unreadable_places(account, reads),
        unconnected=_unconnected_places(account, reads),
        missed=frozenset(one.vpc.region for one in written.stored.values() if one.missing_since == now),
    )


@dataclass(frozen=True, slots=True)
class _Written:
    stored: Mapping[VpcKey, StoredVpc]
    changes: Counter[str]
    overtaken: frozenset[Region]
    """Regions of VPCs that somebody else wrote again and again meanwhile."""


class _Decide(Protocol):
    def __call__(self, stored: Iterable[StoredVpc], reads: Mapping[Region, RegionRead]) -> tuple[Change, ...]: ...


def _write_differences(
    account: AccountId,
    reads: Mapping[Region, RegionRead],
    store: VpcStore,
    shared: frozenset[VpcKey],
    decide: _Decide,
) -> _Written:
    stored = {one.vpc.key: one for one in (*store.read_owned(account), *store.read_items(shared))}
    written: Counter[str] = Counter()
    refused: Sequence[Change] = ()
    for _ in range(_WRITE_ATTEMPTS):
        changes = decide(stored.values(), reads)
        refused = store.write_changes(changes)
        missed = {change.after.vpc.key for change in refused}
        done = [change for change in changes if change.after.vpc.key not in missed]
        written.update(kind_of(change) for change in done)
        stored.update({change.after.vpc.key: change.after for change in done})
        if not missed:
            break
        # What another run wrote in between is read anew, and the difference is taken against that.
        stored = {key: one for key, one in stored.items() if key not in missed}
        stored.update({one.vpc.key: one for one in store.read_items(missed)})
    return _Written(stored, written, frozenset(change.after.vpc.region for change in refused))


def _unreadable_places(account: Account, reads: Mapping[Region, RegionRead]) -> tuple[UnreadablePlace, ...]:
    return tuple(
        UnreadablePlace(account, region, read.failure)
        for region, read in sorted(reads.items())
        if isinstance(read, Unreadable)
    )


def _unconnected_places(account: Account, reads: Mapping[Region, RegionRead]) -> tuple[UnreadablePlace, ...]:
    return tuple(
        UnreadablePlace(account, region, read.connections_failure)
        for region, read in sorted(reads.items())
        if isinstance(read, Complete) and read.connections_failure is not None
    )


class _Tally:
    """Counts outcomes as they come, and keeps of each account no more than its failures."""

    def __init__(self, accounts: int) -> None:
        self._accounts = accounts
        self._done = 0
        self._read = 0
        self._own = 0
        self._foreign: set[VpcKey] = set()
        self._owners: set[AccountId] = set()
        self._changes: Counter[str] = Counter()
        self._unreadable: list[UnreadablePlace] = []
        self._unconnected: list[UnreadablePlace] = []

    def add(self, outcome: AccountOutcome) -> None:
        own = sum(1 for key in outcome.seen if key.owner == outcome.account.id)
        self._done += 1
        self._own += own
        self._foreign |= {key for key in outcome.seen if key.owner != outcome.account.id}
        if outcome.was_read:
            self._read += 1
            self._owners.add(outcome.account.id)
        self._changes += outcome.changes
        self._unreadable += outcome.unreadable
        self._unconnected += outcome.unconnected

    def vpcs(self) -> int:
        """A shared VPC counts once: with its owner, or by itself where the owner was not read."""
        return self._own + sum(1 for key in self._foreign if key.owner not in self._owners)

    def progress(self) -> Progress:
        return Progress(self._done, self._accounts, self.vpcs(), len(self._unreadable))

    def outcome(self) -> TrackOutcome:
        changes = {kind: self._changes[kind] for kind in ("appeared", "changed", "disappeared")}
        return TrackOutcome(
            self._accounts, self._read, self.vpcs(), changes, _in_order(self._unreadable), _in_order(self._unconnected)
        )


def _in_order(places: Iterable[UnreadablePlace]) -> tuple[UnreadablePlace, ...]:
    return tuple(sorted(places, key=lambda place: (place.account.id, place.region or "")))

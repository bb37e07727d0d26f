"""Track: read every account, find out what changed, write only that, and keep record of what could not be read.

Several runs may track the same account at once, on several machines. What one of them writes, another one's older read
does not undo: see `writes` for VPCs and `covering` for what is known of regions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from types import MappingProxyType

from landkeeper.org import Account, AccountId, Failure, FailureReason, Region
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.covering import cover_account, has_later_read, shared_after
from landkeeper.vpctracker.differences import (
    Change,
    Complete,
    NotRead,
    RegionRead,
    Unreadable,
    began_at,
    diff_account,
    kind_of,
    seen_vpcs,
)
from landkeeper.vpctracker.fan_out import fan_out
from landkeeper.vpctracker.inventory import StoredVpc, VpcId, VpcKey
from landkeeper.vpctracker.ports import StoreError, VpcReader, VpcStore
from landkeeper.vpctracker.writes import Decide, take_snapshot, write_differences

_WRITE_ATTEMPTS = 6
_READ_ATTEMPTS = 6
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
    missed: Mapping[Region, datetime] = field(default_factory=dict)
    """Regions in which this read was the first one not to show a VPC, and when it began; a second read has to confirm
    that the VPC is gone."""

    def and_then(self, later: AccountOutcome, regions: Collection[Region]) -> AccountOutcome:
        """Return the outcome of both reads, the later one of just these regions."""
        return AccountOutcome(
            self.account,
            was_read=self.was_read or later.was_read,
            seen=self.seen | later.seen,
            changes=self.changes + later.changes,
            unreadable=(*_outside(self.unreadable, regions), *later.unreadable),
            unconnected=(*_outside(self.unconnected, regions), *later.unconnected),
            missed={**self.missed, **later.missed},
        )


def _outside(places: Iterable[UnreadablePlace], regions: Collection[Region]) -> tuple[UnreadablePlace, ...]:
    return tuple(place for place in places if place.region not in regions)


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

    A region of which another run has written VPCs meanwhile is read again. Without `confirm_deletions` a VPC that is
    not seen is only marked, and gone at the next complete read. `deleted_by` says of VPCs that Landkeeper itself
    deleted for whom it did.
    """
    began = clock()
    decide = partial(
        diff_account, account=account, run_began=began, confirm_deletions=confirm_deletions, deleted_by=deleted_by
    )
    tracked = _track_regions(account, reader, store, regions=regions, decide=decide, clock=clock)
    is_whole = regions is None
    if isinstance(tracked, Failure):
        return _note_refusal(account, tracked, store, began, clock=clock, is_whole=is_whole)

    def cover(known: Coverage) -> Coverage:
        now = clock()
        after = cover_account(known, account, tracked.reads, began, now=now, is_whole=is_whole)
        fresh = _without_later(known, tracked.reads, began, now)
        shared = shared_after(known, tracked.stored.values(), fresh, confirm_deletions=confirm_deletions)
        # What another run has seen meanwhile is not among what this one knows; what it has not seen may be named here.
        named = {change.after.vpc.key for change in tracked.done if account.id in change.after.vpc.shared_with}
        return replace(after, shared=shared | (known.shared - tracked.shared_before) | named)

    after = note_coverage(store, tracked.coverage, cover)
    outcome = _outcome_of(account, tracked, began)
    changed = {change.after.vpc.region for change in tracked.done}
    overtaken = changed - _without_later(after, tracked.reads, began, clock()).keys()
    if not overtaken:
        return outcome
    # A later read came to its end while this one was writing what may be older.
    later = track_account(
        account, reader, store, clock=clock, regions=overtaken, confirm_deletions=confirm_deletions,
        deleted_by=deleted_by,
    )  # fmt: skip
    return outcome.and_then(later, overtaken)


def _note_refusal(
    account: Account,
    refused: Failure,
    store: VpcStore,
    began: datetime,
    *,
    clock: Callable[[], datetime],
    is_whole: bool,
) -> AccountOutcome:
    """Write down that nothing of the account could be read, and return that as its outcome."""
    note_coverage(
        store,
        store.read_coverage(account.id),
        lambda known: cover_account(known, account, refused, began, now=clock(), is_whole=is_whole),
    )
    return AccountOutcome(account, unreadable=(UnreadablePlace(account, None, refused),))


@dataclass(frozen=True, slots=True)
class _Tracked:
    """What the reads of an account came to, before its coverage is written."""

    coverage: Coverage
    """What is known of the account from before."""
    shared_before: frozenset[VpcKey]
    """The other owners' VPCs that it saw before this run."""
    reads: Mapping[Region, RegionRead]
    seen: frozenset[VpcKey]
    stored: Mapping[VpcKey, StoredVpc]
    done: tuple[Change, ...]
    late: Mapping[VpcKey, Region]
    """VPCs that others have written since the read began, and their regions."""

    def with_late(self, failure: Failure) -> _Tracked:
        """Return the same with the regions of late VPCs as unreadable."""
        return replace(self, reads={**self.reads, **dict.fromkeys(self.late.values(), Unreadable(failure))}, late={})

    def and_then(self, later: _Tracked) -> _Tracked:
        """Return what both passes came to, the later one of some of the regions."""
        return _Tracked(
            later.coverage,
            self.shared_before,
            {**self.reads, **later.reads},
            self.seen | later.seen,
            {**self.stored, **later.stored},
            (*self.done, *later.done),
            later.late,
        )


def _track_regions(
    account: Account,
    reader: VpcReader,
    store: VpcStore,
    *,
    regions: Collection[Region] | None,
    decide: Decide,
    clock: Callable[[], datetime],
) -> _Tracked | Failure:
    """Read the regions and write the differences; again where somebody else has written the same VPCs meanwhile."""

    def pass_over(wanted: Collection[Region] | None, late: Collection[VpcKey]) -> _Tracked | Failure:
        began = clock()
        before = take_snapshot(store, account.id, late)
        reads = reader.read_account(account, wanted)
        if isinstance(reads, Failure):
            return reads
        reads = _with_begin(reads, began)
        seen = frozenset(vpc.key for vpc in seen_vpcs(reads))
        known = _remember_shared(store, account.id, seen)
        written = write_differences(account.id, before, _without_later(known, reads, began, clock()), store, decide)
        return _Tracked(known, before.shared, reads, seen, written.stored, written.done, written.late)

    tracked = pass_over(regions, ())
    for _ in range(_READ_ATTEMPTS - 1):
        if isinstance(tracked, Failure) or not tracked.late:
            return tracked
        later = pass_over(frozenset(tracked.late.values()), tracked.late)
        if isinstance(later, Failure):
            return tracked.with_late(later)
        tracked = tracked.and_then(later)
    return tracked if isinstance(tracked, Failure) else tracked.with_late(_OVERTAKEN)


def _with_begin(reads: Mapping[Region, RegionRead], began: datetime) -> Mapping[Region, RegionRead]:
    return {
        region: read if isinstance(read, NotRead) else replace(read, began=began_at(read, began))
        for region, read in reads.items()
    }


def _remember_shared(store: VpcStore, account: AccountId, seen: Collection[VpcKey]) -> Coverage:
    """Write down which VPCs of others the account sees, and return what is known of it by now.

    Before the items name this account: after a crash in between nothing would find them again.
    """
    foreign = {key for key in seen if key.owner != account}
    known = store.read_coverage(account)
    if foreign <= known.shared:
        return known
    return note_coverage(store, known, lambda known: replace(known, shared=known.shared | foreign))


def _without_later(
    known: Coverage, reads: Mapping[Region, RegionRead], began: datetime, now: datetime
) -> Mapping[Region, RegionRead]:
    """Return the reads without those of regions of which a complete read is known that began later."""
    return {
        region: read
        for region, read in reads.items()
        if not has_later_read(known.regions.get(region), began_at(read, began), now)
    }


def _outcome_of(account: Account, tracked: _Tracked, began: datetime) -> AccountOutcome:
    missing = ((known.vpc.region, known.missing_since) for known in tracked.stored.values())
    starts = {region: began_at(read, began) for region, read in tracked.reads.items()}
    return AccountOutcome(
        account,
        was_read=any(isinstance(read, Complete) for read in tracked.reads.values()),
        seen=tracked.seen,
        changes=Counter(kind_of(change) for change in tracked.done),
        unreadable=_unreadable_places(account, tracked.reads),
        unconnected=_unconnected_places(account, tracked.reads),
        missed={region: since for region, since in missing if since is not None and since == starts.get(region)},
    )


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

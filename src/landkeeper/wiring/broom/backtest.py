"""The backtest's wiring: logs on disk and in S3, what is kept of those that were read, and Athena in their place.

The local engine calls nothing but S3, to list and to read.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from landkeeper import __version__
from landkeeper.broom.backtest.history import Chronicle
from landkeeper.broom.cloudtrail.found import FoundFault, check_origin, find_losses
from landkeeper.broom.cloudtrail.keys import Days, ListedLog
from landkeeper.broom.cloudtrail.records import CHANGE_EVENTS
from landkeeper.broom.launches import InstanceId
from landkeeper.org import Failure
from landkeeper.settings import Settings
from landkeeper.wiring.broom.past_files import Found, PastFile, Skipped, find_files
from landkeeper.wiring.broom.past_scans import Fetch, FileScan, have_same_content, scan_files

if TYPE_CHECKING:
    from landkeeper.aws.broom.trail_bucket import TrailBuckets
    from landkeeper.embedded.scan_cache import KeptScan, ScanCache

_KEPT_AT_ONCE = 256
# What decides which records are found in a file, and what is kept of them.
_READERS = (
    "cloudtrail/records",
    "cloudtrail/launch_records",
    "cloudtrail/change_records",
    "cloudtrail/fields",
    "cloudtrail/identity",
    "cloudtrail/services",
    "launches",
    "cloudtrail/origin",
    "cloudtrail/envelopes",
    "cloudtrail/kinds",
    "cloudtrail/layouts",
    "cloudtrail/text",
    "cloudtrail/stream",
    "cloudtrail/engine",
    "cloudtrail/engine_choice",
    "cloudtrail/search",
    "cloudtrail/cuts",
    "cloudtrail/fast_engine",
    "cloudtrail/simd",
    "cloudtrail/scan",
    "cloudtrail/scan_text",
)


@dataclass(slots=True)
class Progress:
    """How far the reading has come."""

    files: int = 0
    files_done: int = 0
    bytes: int = 0
    bytes_done: int = 0
    events: int = 0
    """How many records those files hold."""


@dataclass(slots=True)
class Past:
    """What was read."""

    chronicle: Chronicle = field(default_factory=Chronicle)
    progress: Progress = field(default_factory=Progress)
    skipped: list[Skipped] = field(default_factory=list)
    pruned: Counter[str] = field(default_factory=Counter)
    faults: list[FoundFault] = field(default_factory=list)
    copies: list[tuple[str, str]] = field(default_factory=list)
    """Files with the same content as one before, each with that one; their records count once."""
    kept: int = 0
    """How many files need not be read, for what they hold was kept."""
    missing: int = 0
    """How many of the paths there are not."""
    unread: int = 0
    """How many files were not read, or not to their end, because reading was stopped."""
    is_partial: bool = False
    """Whether reading was stopped before its end."""
    cache_trouble: str = ""
    """Why nothing, or not everything, is kept of what was read."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How logs are read."""

    days: Days = field(default_factory=Days)
    requester_pays: bool = False
    cache_file: Path | None = None
    """Where what was found is kept; None for nowhere."""
    is_stopped: Callable[[], bool] = lambda: False
    show: Callable[[Progress], None] = lambda _: None
    note_fault: Callable[[FoundFault], None] = lambda _: None
    """Told of each fault as it is found."""


def default_cache_file(environ: dict[str, str] | os._Environ[str]) -> Path:
    """Where what was found is kept: below `XDG_CACHE_HOME`, or `~/.cache`."""
    root = environ.get("XDG_CACHE_HOME", "")
    # The XDG Base Directory Specification has relative paths ignored.
    base = Path(root) if root.startswith("/") else Path.home() / ".cache"
    return base / "landkeeper" / "backtest.db"


def read_past(paths: Sequence[str], settings: Settings, reading: Reading) -> Past:
    """Everything that the logs at the paths tell, or what was read of it until it was stopped."""
    buckets = cache(lambda: open_buckets(settings, requester_pays=reading.requester_pays))
    found = find_files(paths, reading.days, buckets, reading.is_stopped)
    past = Past(skipped=found.skipped, pruned=found.pruned, missing=found.missing)
    for fault in found.faults:
        _note(past, fault, reading)
    unique = list({file.name: file for file in found.files}.values())
    past.progress = Progress(len(unique), bytes=sum(file.size for file in unique))
    with _open_cache(reading.cache_file) as kept:
        _read_files(unique, kept, _Taker(past, reading), settings.log_limit_bytes, buckets)
        past.cache_trouble = kept.trouble if kept is not None else ""
    past.unread += past.progress.files - past.progress.files_done
    past.is_partial = reading.is_stopped()
    return past


def open_buckets(settings: Settings, *, requester_pays: bool) -> TrailBuckets:
    """S3 with the credentials at hand."""
    # Imported where it is needed: reading files on disk does not wait for botocore.
    from landkeeper.aws.broom.trail_bucket import TrailBuckets
    from landkeeper.wiring.sessions import home_sessions

    client = home_sessions(settings).home("s3")
    return TrailBuckets(client, limit_bytes=settings.log_limit_bytes, requester_pays=requester_pays)


def _read_files(
    found: Sequence[PastFile],
    kept: ScanCache | None,
    taker: _Taker,
    limit_bytes: int,
    buckets: Callable[[], TrailBuckets],
) -> None:
    def fetch(listed: ListedLog) -> bytes | Failure:
        return buckets().read(listed)

    def scan(files: Sequence[PastFile], deferred: Collection[str] = ()) -> Iterator[FileScan]:
        stopped = taker.reading.is_stopped
        scans = scan_files(files, fetch, limit_bytes=limit_bytes, is_stopped=stopped, deferred=deferred)
        return _keeping(scans, kept)

    known = (
        {entry.name: entry for entry in kept.find((file.key, file.stamp) for file in found if file.stamp)}
        if kept
        else {}
    )
    unread = []
    for file in found:
        if (stored := known.get(file.key)) is None:
            unread.append(file)
        else:
            taker.past.kept += 1
            taker.take(FileScan(file, stored.digest, stored.scanned), fetch)
    for file_scan in scan(unread, CHANGE_EVENTS):
        taker.take(file_scan, fetch)
    # Only now is it known which instances there are, and so whose tags matter.
    again = taker.find_unread()
    progress = Progress(len(again), bytes=sum(file.size for file in again), events=taker.past.progress.events)
    for file_scan in scan(again):
        taker.take_rest(file_scan, progress)
    taker.past.unread = progress.files - progress.files_done


def _keeping(scans: Iterator[FileScan], kept: ScanCache | None) -> Iterator[FileScan]:
    """The same scans, while those are kept that may be."""
    fresh: list[KeptScan] = []
    for scan in scans:
        yield scan
        if kept is not None and scan.digest and scan.file.stamp:
            fresh.append(_to_keep(scan))
            if len(fresh) >= _KEPT_AT_ONCE:
                kept.keep(fresh)
                fresh.clear()
    if kept is not None and fresh:
        kept.keep(fresh)


@dataclass(slots=True)
class _Taker:
    """Takes in files, one after the other."""

    past: Past
    reading: Reading
    _firsts: dict[bytes, list[PastFile]] = field(default_factory=dict)
    """Files of different contents, by their digest."""
    _unread: list[tuple[PastFile, frozenset[InstanceId]]] = field(default_factory=list)

    def take(self, scan: FileScan, fetch: Fetch) -> None:
        """Take in one file, unless its content was there before."""
        progress, name = self.past.progress, scan.file.name
        progress.files_done += 1
        progress.bytes_done += scan.file.size
        first = self._find_first(scan, fetch)
        if first is not None:
            self.past.copies.append((name, first.name))
        else:
            progress.events += scan.scanned.records
            self._tell(scan)
            if scan.scanned.unread_ids:
                self._unread.append((scan.file, scan.scanned.unread_ids))
        self.reading.show(progress)

    def find_unread(self) -> list[PastFile]:
        """The files in which something was not read that is about an instance of a launch."""
        launched = self.past.chronicle.instance_ids
        return [file for file, ids in self._unread if not ids.isdisjoint(launched)]

    def take_rest(self, scan: FileScan, progress: Progress) -> None:
        """Take in what was not read of a file before."""
        progress.files_done += 1
        progress.bytes_done += scan.file.size
        self._tell(scan)
        self.reading.show(progress)

    def _find_first(self, scan: FileScan, fetch: Fetch) -> PastFile | None:
        if not scan.digest:
            return None
        alike = self._firsts.setdefault(scan.digest, [])
        first = next((file for file in alike if have_same_content((file, scan.file), fetch)), None)
        if first is None:
            alike.append(scan.file)
        return first

    def _tell(self, scan: FileScan) -> None:
        believed, refused = check_origin(scan.file.name, scan.scanned.found)
        self.past.chronicle.add(scan.file.name, believed)
        unread = [FoundFault(scan.file.name, fault.where, fault.reason) for fault in scan.scanned.faults]
        for fault in (*refused, *find_losses(scan.file.name, believed), *unread):
            _note(self.past, fault, self.reading)


def _note(past: Past, fault: FoundFault, reading: Reading) -> None:
    past.faults.append(fault)
    reading.note_fault(fault)


def _to_keep(scan: FileScan) -> KeptScan:
    from landkeeper.embedded.scan_cache import KeptScan

    return KeptScan(scan.file.key, scan.file.stamp, scan.digest, scan.scanned)


@contextmanager
def _open_cache(file: Path | None) -> Iterator[ScanCache | None]:
    if file is None:
        yield None
        return
    from landkeeper.embedded.scan_cache import ScanCache

    with closing(ScanCache(file, _reader())) as opened:
        yield opened


def _reader() -> str:
    """What changes when the code does that reads logs."""
    digest = hashlib.sha256(__version__.encode(), usedforsecurity=False)
    for name in _READERS:
        source = files("landkeeper.broom").joinpath(f"{name}.py")
        # An installation may come without its sources; then its version has to do.
        digest.update(source.read_bytes() if source.is_file() else b"")
    return digest.hexdigest()[:16]


__all__ = ["Found", "Past", "Progress", "Reading", "default_cache_file", "open_buckets", "read_past"]

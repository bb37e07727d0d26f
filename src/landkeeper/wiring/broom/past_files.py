"""The log files that a backtest is pointed at: found on disk and in S3, with those left out that cannot matter."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, assert_never

from landkeeper.broom.cloudtrail.found import FoundFault
from landkeeper.broom.cloudtrail.keys import Days, ListedLog, LogObject
from landkeeper.broom.feeds import skip_reason
from landkeeper.org import Failure
from landkeeper.wiring.broom.log_folders import FolderFile, PassedOver, Unlisted, walk_folder, why_unreadable

if TYPE_CHECKING:
    from landkeeper.aws.broom.trail_bucket import TrailBuckets

_LOG_SUFFIXES = (".json", ".jsonl", ".ndjson", ".log", ".gz")
_FIREHOSE = re.compile(r"-\d{4}(?:-\d\d){5}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
"""How Firehose ends the name of a file to which it was told to give no extension (Amazon Data Firehose Developer Guide,
"Configure Amazon S3 object name format")."""
_ARCHIVES = {
    ".zip": "a ZIP archive",
    ".7z": "a 7-Zip archive",
    ".tar": "a tar archive",
    ".tgz": "a tar archive",
    ".tar.gz": "a tar archive",
    ".bz2": "a bzip2 file",
    ".xz": "an xz file",
    ".zst": "a Zstandard file",
    ".lz4": "an LZ4 file",
    ".snappy": "a Snappy file",
}
"""Files that may hold logs, by the end of their names."""
_NOT_THOSE_DAYS = "outside the days asked for"
_OTHER = "not named like a log file"


@dataclass(frozen=True, slots=True)
class PastFile:
    """A file that may hold records of interest. `listed` is what S3 says of it, None for one on disk."""

    name: str
    size: int
    stamp: str
    """What changes when the file does; empty for a pipe, of which nobody knows."""
    listed: ListedLog | None = None

    @property
    def key(self) -> str:
        """What it is called wherever the command is started."""
        name = self.name if self.listed is not None else os.path.abspath(self.name)  # noqa: PTH100 - links stay links
        try:
            name.encode()
        except UnicodeEncodeError:
            # Of bytes that are no UTF-8, which nothing that keeps text takes.
            return f"bytes:{os.fsencode(name).hex()}"
        return name


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder that was not read."""

    name: str
    reason: str


@dataclass(slots=True)
class Found:
    """What there is at the paths that were given."""

    files: list[PastFile] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    pruned: Counter[str] = field(default_factory=Counter)
    """How many files were left out without being looked at, by reason."""
    faults: list[FoundFault] = field(default_factory=list)
    missing: int = 0
    """How many of the paths there are not."""


def find_files(
    paths: Sequence[str], days: Days, open_buckets: Callable[[], TrailBuckets], is_stopped: Callable[[], bool]
) -> Found:
    """Everything at the paths; what was found so far where `is_stopped` says so meanwhile."""
    found = Found()
    for path in paths:
        if path.startswith("s3://"):
            _find_in_s3(path, days, open_buckets(), found, is_stopped)
        elif os.path.isdir(path):  # noqa: PTH112 - a Path raises where this says no
            _find_in_folder(path, days, found, is_stopped)
        else:
            _add_file(path, found)
        if is_stopped():
            break
    return found


def _find_in_folder(folder: str, days: Days, found: Found, is_stopped: Callable[[], bool]) -> None:
    is_empty = True
    for entry in walk_folder(folder):
        is_empty = False
        match entry:
            case FolderFile(name):
                _sort_in(name, days, found)
            case PassedOver(name, reason):
                found.skipped.append(Skipped(name, reason))
            case Unlisted(name, reason):
                found.faults.append(FoundFault(name, "", reason))
            case _:
                assert_never(entry)
        if is_stopped():
            return
    if is_empty:
        found.faults.append(FoundFault(folder, "", "the folder is empty"))


def _sort_in(file: str, days: Days, found: Found) -> None:
    name = Path(file).as_posix()
    match _judge_name(name):
        case FoundFault(reason=reason):
            found.faults.append(FoundFault(file, "", reason))
        case str(reason):
            found.skipped.append(Skipped(file, reason))
        case None if days.hold(name):
            _add_file(file, found)
        case None:
            found.pruned[_NOT_THOSE_DAYS] += 1


def _judge_name(name: str) -> str | FoundFault | None:
    """Why a file of that name holds no log, or why it cannot be read though it may; None for one to read."""
    if (reason := skip_reason(name)) is not None:
        return reason
    archive = next((kind for suffix, kind in _ARCHIVES.items() if name.lower().endswith(suffix)), "")
    if archive:
        return FoundFault(name, "", f"{archive}, which is not unpacked here")
    return None if name.lower().endswith(_LOG_SUFFIXES) or _FIREHOSE.search(name) else _OTHER


def _add_file(file: str, found: Found) -> None:
    try:
        about = os.stat(file)  # noqa: PTH116 - a Path for each file takes longer
    except OSError as error:
        is_missing = isinstance(error, FileNotFoundError) and not os.path.islink(file)  # noqa: PTH114 - as above
        reason = "there is no such file or folder" if is_missing else why_unreadable(file, error)
        found.faults.append(FoundFault(file, "", reason))
        found.missing += is_missing
    else:
        stamp = f"{about.st_size}:{about.st_mtime_ns}" if S_ISREG(about.st_mode) else ""
        found.files.append(PastFile(file, about.st_size, stamp))


def _find_in_s3(url: str, days: Days, buckets: TrailBuckets, found: Found, is_stopped: Callable[[], bool]) -> None:
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    count = 0
    for count, listed in enumerate(buckets.list_logs(bucket, prefix, days), 1):  # noqa: B007 - looked at below
        match listed:
            case Failure():
                found.faults.append(FoundFault(url, "", str(listed)))
            case ListedLog(object=LogObject(key=key) as object_):
                match _judge_name(key):
                    case FoundFault(reason=reason):
                        found.faults.append(FoundFault(str(object_), "", reason))
                    case str(reason):
                        found.skipped.append(Skipped(str(object_), reason))
                    case None:
                        stamp = f"{listed.size}:{listed.etag}"
                        found.files.append(PastFile(str(object_), listed.size, stamp, listed))
            case _:
                found.skipped.append(Skipped(listed.name, listed.reason))
        if is_stopped():
            return
    if not count:
        found.faults.append(FoundFault(url, "", "nothing is there" + (" of those days" if days != Days() else "")))

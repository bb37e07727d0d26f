"""The log files that a backtest is pointed at: found on disk and in S3, with those left out that cannot matter."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

from landkeeper.broom.cloudtrail.found import FoundFault
from landkeeper.broom.cloudtrail.keys import Days, ListedLog, LogObject
from landkeeper.broom.feeds import skip_reason
from landkeeper.org import Failure

if TYPE_CHECKING:
    from landkeeper.aws.broom.trail_bucket import TrailBuckets

_LOG_SUFFIXES = (".json", ".json.gz", ".jsonl", ".jsonl.gz", ".log.gz", ".gz")
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
        return self.name if self.listed is not None else os.path.abspath(self.name)  # noqa: PTH100 - links stay links


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
        elif Path(path).is_dir():
            _find_in_folder(Path(path), days, found, is_stopped)
        else:
            _add_file(Path(path), found)
        if is_stopped():
            break
    return found


def _find_in_folder(folder: Path, days: Days, found: Found, is_stopped: Callable[[], bool]) -> None:
    seen, faults = 0, len(found.faults)
    for seen, file in enumerate(_walk(folder, found), 1):  # noqa: B007 - looked at below
        name = file.as_posix()
        reason = skip_reason(name) or (None if name.lower().endswith(_LOG_SUFFIXES) else _OTHER)
        if reason is not None:
            found.skipped.append(Skipped(str(file), reason))
        elif file.exists() and not file.is_file():
            found.skipped.append(Skipped(str(file), "not a file"))
        elif not days.hold(name):
            found.pruned[_NOT_THOSE_DAYS] += 1
        else:
            _add_file(file, found)
        if is_stopped():
            return
    if not seen and faults == len(found.faults):
        found.faults.append(FoundFault(str(folder), "", "the folder is empty"))


def _walk(folder: Path, found: Found) -> Iterator[Path]:
    def note(error: OSError) -> None:
        found.faults.append(FoundFault(str(error.filename), "", f"cannot be read: {error.strerror}"))

    for where, folders, names in os.walk(folder, onerror=note):
        folders.sort()
        yield from (Path(where, name) for name in sorted(names))


def _add_file(file: Path, found: Found) -> None:
    try:
        about = file.stat()
    except FileNotFoundError:
        found.faults.append(FoundFault(str(file), "", "there is no such file or folder"))
        found.missing += 1
    except OSError as error:
        found.faults.append(FoundFault(str(file), "", f"cannot be read: {error.strerror}"))
    else:
        stamp = f"{about.st_size}:{about.st_mtime_ns}" if S_ISREG(about.st_mode) else ""
        found.files.append(PastFile(str(file), about.st_size, stamp))


def _find_in_s3(url: str, days: Days, buckets: TrailBuckets, found: Found, is_stopped: Callable[[], bool]) -> None:
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    count = 0
    for count, listed in enumerate(buckets.list_logs(bucket, prefix, days), 1):  # noqa: B007 - looked at below
        match listed:
            case Failure():
                found.faults.append(FoundFault(url, "", str(listed)))
            case ListedLog(object=LogObject(key=key) as object_):
                reason = skip_reason(key) or (None if key.lower().endswith(_LOG_SUFFIXES) else _OTHER)
                if reason is None:
                    found.files.append(PastFile(str(object_), listed.size, f"{listed.size}:{listed.etag}", listed))
                else:
                    found.skipped.append(Skipped(str(object_), reason))
            case _:
                found.skipped.append(Skipped(listed.name, listed.reason))
        if is_stopped():
            return
    if not count:
        found.faults.append(FoundFault(url, "", "nothing is there" + (" of those days" if days != Days() else "")))

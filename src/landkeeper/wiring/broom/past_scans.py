"""Log files read and scanned, by as many processes as there are processors, in the order in which they were named.

The decoders hold the interpreter's lock: only processes use more than one processor. Files in S3 are fetched by threads
of this process, some ahead of the scanning; one file is all that a worker holds.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import connection
from pathlib import Path
from typing import TypeVar

from landkeeper.broom.cloudtrail.keys import ListedLog
from landkeeper.broom.cloudtrail.records import PAST_EVENTS, Malformed
from landkeeper.broom.cloudtrail.scan import Scanned, scan_log
from landkeeper.broom.cloudtrail.text import is_packed
from landkeeper.org import Failure
from landkeeper.wiring.broom.past_files import PastFile

_FETCHED_AHEAD = 32
_FILES_A_TASK = 16
_FEW_BYTES = 4 * 1024 * 1024
"""What one process has read before others would have started."""
_LOOKED_UP_SECONDS = 0.1
_FOOTER_BYTES = 8
"""A packed file ends with the checksum and the length of its content."""

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class FileScan:
    """What a file holds."""

    file: PastFile
    digest: bytes
    """The same for files of the same content, and hardly ever for others; empty for one that could not be read."""
    scanned: Scanned


Outcome = tuple[bytes, Scanned]
Fetch = Callable[[ListedLog], bytes | Failure]


def scan_files(
    files: Sequence[PastFile],
    fetch: Fetch,
    *,
    limit_bytes: int,
    is_stopped: Callable[[], bool],
    processes: int | None = None,
    deferred: Collection[str] = (),
) -> Iterator[FileScan]:
    """What each file holds, until `is_stopped` says so. `fetch` reads those that are in S3.

    Several of `processes` are used where there is enough to read; None for as many as there are processors. `deferred`
    is that of `scan_log`; it does not hold for what can be read only once.
    """
    local = [file for file in files if file.listed is None]
    remote = [file for file in files if file.listed is not None]
    many = (processes or _processors()) if sum(file.size for file in files) > _FEW_BYTES else 1
    with _executor(many) as executor:
        scan = _Scan(limit_bytes, frozenset(deferred))
        yield from _scan_local(local, executor, scan, is_stopped, 2 * many)
        yield from _scan_remote(remote, executor, fetch, scan, is_stopped=is_stopped, ahead=2 * many)


@dataclass(frozen=True, slots=True)
class _Scan:
    """What a worker does."""

    limit_bytes: int
    deferred: frozenset[str] = frozenset()

    def scan_bytes(self, data: bytes) -> Outcome:
        """What the content of a file holds, and its digest."""
        found = scan_log(data, wanted=PAST_EVENTS, deferred=self.deferred, limit_bytes=self.limit_bytes)
        return content_digest(data), found

    def scan_paths(self, paths: Sequence[tuple[str, bool]]) -> list[Outcome]:
        """The same for files on disk, each with whether it can be read again."""
        return [self._scan_path(path, can_wait=can_wait) for path, can_wait in paths]

    def _scan_path(self, path: str, *, can_wait: bool) -> Outcome:
        scan = self if can_wait else _Scan(self.limit_bytes)
        try:
            with open(path, "rb") as file:  # noqa: PTH123 - a Path for each file takes longer than opening it
                return scan.scan_bytes(file.read())
        except OSError as error:
            return _unread(f"cannot be read: {error.strerror}")


def content_digest(data: bytes) -> bytes:
    """The same for the same content. Of what is packed it is the checksum that is there already, and the length."""
    if is_packed(data):
        return len(data).to_bytes(8, "big") + data[-_FOOTER_BYTES:]
    return hashlib.sha256(data, usedforsecurity=False).digest()


def have_same_content(files: tuple[PastFile, PastFile], fetch: Fetch) -> bool:
    """Whether both files can be read and hold the same bytes."""
    first, second = (_read(file, fetch) if file.stamp else None for file in files)
    return first is not None and first == second


def _read(file: PastFile, fetch: Fetch) -> bytes | None:
    if file.listed is not None:
        data = fetch(file.listed)
        return data if isinstance(data, bytes) else None
    try:
        return Path(file.name).read_bytes()
    except OSError:
        return None


def _unread(reason: str) -> Outcome:
    return b"", Scanned(faults=(Malformed("", reason),))


def _scan_local(
    files: Sequence[PastFile], executor: Executor, scan: _Scan, is_stopped: Callable[[], bool], ahead: int
) -> Iterator[FileScan]:
    def submit(batch: Sequence[PastFile]) -> Future[list[Outcome]]:
        return executor.submit(scan.scan_paths, [(file.name, bool(file.stamp)) for file in batch])

    for batch, outcomes in _ahead(submit, _batches(files), ahead, is_stopped):
        results = outcomes if isinstance(outcomes, list) else [outcomes] * len(batch)
        yield from (FileScan(file, *outcome) for file, outcome in zip(batch, results, strict=True))


def _scan_remote(
    files: Sequence[PastFile],
    executor: Executor,
    fetch: Fetch,
    scan: _Scan,
    *,
    is_stopped: Callable[[], bool],
    ahead: int,
) -> Iterator[FileScan]:
    if not files:
        return
    with ThreadPoolExecutor(_FETCHED_AHEAD // 2, "fetch") as threads:

        def submit(fetched: tuple[PastFile, bytes | Failure | Outcome]) -> Future[Outcome]:
            _, data = fetched
            if isinstance(data, bytes):
                return executor.submit(scan.scan_bytes, data)
            done: Future[Outcome] = Future()
            done.set_result(_unread(str(data)) if isinstance(data, Failure) else data)
            return done

        def start(file: PastFile) -> Future[bytes | Failure]:
            assert file.listed is not None  # noqa: S101 - only these are asked for
            return threads.submit(fetch, file.listed)

        fetched = _ahead(start, files, _FETCHED_AHEAD, is_stopped)
        for (file, _), outcome in _ahead(submit, fetched, ahead, is_stopped):
            yield FileScan(file, *outcome)


def _ahead(
    start: Callable[[_Job], Future[_Result]], jobs: Iterable[_Job], most: int, is_stopped: Callable[[], bool]
) -> Iterator[tuple[_Job, _Result | Outcome]]:
    """Each job with its result, in order, while up to `most` of those that follow are under way.

    Once it is stopped, what is done is still given, and the rest is called off.
    """
    waiting: deque[tuple[_Job, Future[_Result]]] = deque()
    left = iter(jobs)
    while True:
        waiting.extend((job, _started(start, job)) for job in islice(left, 0 if is_stopped() else most - len(waiting)))
        if not waiting:
            return
        job, future = waiting.popleft()
        # A signal is only seen between waits.
        while not wait([future], _LOOKED_UP_SECONDS).done:
            if is_stopped() and future.cancel():
                break
        if not future.cancelled():
            try:
                yield job, future.result()
            except BrokenProcessPool:
                yield job, _unread("cannot be read: the reading process died, possibly out of memory")


def _started(start: Callable[[_Job], Future[_Result]], job: _Job) -> Future[_Result]:
    try:
        return start(job)
    except BrokenProcessPool as error:
        broken: Future[_Result] = Future()
        broken.set_exception(error)
        return broken


def _batches(files: Sequence[PastFile]) -> Iterator[Sequence[PastFile]]:
    return (files[start : start + _FILES_A_TASK] for start in range(0, len(files), _FILES_A_TASK))


class _Here(Executor):
    """Runs what it is given at once, in this process."""

    def submit(self, fn: Callable[..., _Result], /, *args: object, **kwargs: object) -> Future[_Result]:
        future: Future[_Result] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@contextmanager
def _executor(processes: int) -> Iterator[Executor]:
    if processes == 1:
        yield _Here()
        return
    # A copy of this process has imported everything already. One with threads cannot be copied safely, and on macOS
    # none that uses the system's frameworks.
    method = "fork" if sys.platform == "linux" and threading.active_count() == 1 else "spawn"
    with ProcessPoolExecutor(processes, multiprocessing.get_context(method), _begin_worker) as pool:
        # The copies are made now, before any thread of this process is about.
        pool.submit(os.getpid).result()
        try:
            yield pool
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _begin_worker() -> None:
    """Leave a Ctrl-C to the command, and end when the command does, even if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if command := multiprocessing.parent_process():
        connection.wait([command.sentinel])
        os._exit(1)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1

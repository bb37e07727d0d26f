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
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeVar

from landkeeper.broom.scan import Scanned, scan_log
from landkeeper.broom.trail import PAST_EVENTS, Malformed
from landkeeper.broom.trail_keys import ListedLog
from landkeeper.org import Failure
from landkeeper.wiring.past_files import PastFile

_FETCHED_AHEAD = 32
_FILES_A_TASK = 16
_FEW_BYTES = 4 * 1024 * 1024
"""What one process has read before others would have started."""
_LOOKED_UP_SECONDS = 0.1

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class FileScan:
    """What a file holds. `digest` is that of its content, empty for one that could not be read."""

    file: PastFile
    digest: bytes
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
) -> Iterator[FileScan]:
    """What each file holds, until `is_stopped` says so. `fetch` reads those that are in S3.

    Several of `processes` are used where there is enough to read; None for as many as there are processors.
    """
    local = [file for file in files if file.listed is None]
    remote = [file for file in files if file.listed is not None]
    many = (processes or _processors()) if sum(file.size for file in files) > _FEW_BYTES else 1
    with _executor(many) as executor:
        yield from _scan_local(local, executor, limit_bytes, is_stopped, 2 * many)
        yield from _scan_remote(remote, executor, fetch, limit_bytes=limit_bytes, is_stopped=is_stopped, ahead=2 * many)


def scan_bytes(data: bytes, limit_bytes: int) -> Outcome:
    """What the content of a file holds, and its digest."""
    digest = hashlib.sha256(data, usedforsecurity=False).digest()
    return digest, scan_log(data, wanted=PAST_EVENTS, limit_bytes=limit_bytes)


def scan_paths(paths: Sequence[str], limit_bytes: int) -> list[Outcome]:
    """The same for files on disk."""
    return [_scan_path(path, limit_bytes) for path in paths]


def _scan_path(path: str, limit_bytes: int) -> Outcome:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a Path for each file takes longer than opening it
            return scan_bytes(file.read(), limit_bytes)
    except OSError as error:
        return _unread(f"cannot be read: {error.strerror}")


def _unread(reason: str) -> Outcome:
    return b"", Scanned(faults=(Malformed("", reason),))


def _scan_local(
    files: Sequence[PastFile], executor: Executor, limit_bytes: int, is_stopped: Callable[[], bool], ahead: int
) -> Iterator[FileScan]:
    def submit(batch: Sequence[PastFile]) -> Future[list[Outcome]]:
        return executor.submit(scan_paths, [file.name for file in batch], limit_bytes)

    for batch, outcomes in _ahead(submit, _batches(files), ahead, is_stopped):
        results = outcomes if isinstance(outcomes, list) else [outcomes] * len(batch)
        yield from (FileScan(file, *outcome) for file, outcome in zip(batch, results, strict=True))


def _scan_remote(
    files: Sequence[PastFile],
    executor: Executor,
    fetch: Fetch,
    *,
    limit_bytes: int,
    is_stopped: Callable[[], bool],
    ahead: int,
) -> Iterator[FileScan]:
    if not files:
        return
    with ThreadPoolExecutor(_FETCHED_AHEAD // 2, "fetch") as threads:

        def submit(fetched: tuple[PastFile, bytes | Failure | Outcome]) -> Future[Outcome]:
            _, data = fetched
            if isinstance(data, bytes):
                return executor.submit(scan_bytes, data, limit_bytes)
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
                yield job, _unread("cannot be read: the process that read it died, perhaps for want of memory")


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
    ignore = partial(signal.signal, signal.SIGINT, signal.SIG_IGN)
    with ProcessPoolExecutor(processes, multiprocessing.get_context(method), ignore) as pool:
        # The copies are made now, before any thread of this process is about.
        pool.submit(os.getpid).result()
        try:
            yield pool
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1

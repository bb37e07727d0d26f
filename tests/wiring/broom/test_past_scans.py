"""Log files scanned ahead, in order, whatever becomes of the processes that do it."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from tests import past_logs as past
from tests.waiting import HANG_SECONDS

from landkeeper.broom.cloudtrail.keys import ListedLog
from landkeeper.broom.cloudtrail.records import CHANGE_EVENTS
from landkeeper.broom.launches import Launch
from landkeeper.org import Failure
from landkeeper.settings import read_settings
from landkeeper.wiring.broom.backtest import Progress, Reading, read_past
from landkeeper.wiring.broom.past_files import PastFile
from landkeeper.wiring.broom.past_scans import _ahead, _Scan, scan_files


def no_fetch(listed: ListedLog) -> Failure:
    raise AssertionError(listed)


def test_results_come_in_the_order_of_the_jobs_with_no_more_under_way_than_allowed() -> None:
    under_way: list[int] = []
    started: list[int] = []

    def start(job: int) -> Future[int]:
        started.append(job)
        under_way.append(len(started) - len(given))
        return threads.submit(lambda: job * 10)

    given: list[int] = []
    with ThreadPoolExecutor(4) as threads:
        for job, result in _ahead(start, range(50), 5, lambda: False):
            assert result == job * 10
            given.append(job)
    assert given == list(range(50))
    assert max(under_way) <= 5 + 1


def test_once_stopped_what_is_done_is_given_and_the_rest_called_off() -> None:
    gate, asked = Event(), Event()

    def start(job: int) -> Future[int]:
        return threads.submit(lambda: job if job < 2 else int(gate.wait(HANG_SECONDS)))

    with ThreadPoolExecutor(1) as threads:
        given = []
        for job, _ in _ahead(start, range(100), 10, asked.is_set):
            given.append(job)
            if job == 1:
                asked.set()
                gate.set()
        # The one that was under way is waited for; what had not begun is not.
        assert given[:2] == [0, 1]
        assert len(given) < 12


def test_a_process_that_dies_costs_its_files_and_not_the_run() -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        results = list(_ahead(lambda _: pool.submit(os._exit, 9), ["a", "b", "c"], 2, lambda: False))
    assert [job for job, _ in results] == ["a", "b", "c"]
    for _, (digest, scanned) in results:
        assert digest == b""
        assert [fault.reason for fault in scanned.faults] == [
            "cannot be read: the reading process died, possibly out of memory"
        ]


def test_what_cannot_be_read_or_is_too_large_is_a_fault_of_that_file_alone(tmp_path: Path) -> None:
    past.write_logs(
        tmp_path, {"a.json.gz": past.log(past.launch("i-1")), "b.json.gz": past.log(*[past.launch("i-2")] * 99)}
    )
    names = [(str(tmp_path / name), True) for name in ("a.json.gz", "b.json.gz", "none")]
    outcomes = _Scan(10_000).scan_paths(names)
    assert [len(scanned.found) for _, scanned in outcomes] == [1, 0, 0]
    reasons = [[fault.reason for fault in scanned.faults] for _, scanned in outcomes]
    assert reasons == [
        [], ["larger than 10000 bytes when unpacked, which is the limit"],
        ["cannot be read: No such file or directory"],
    ]  # fmt: skip


@pytest.mark.parametrize("processes", [1, 2])
def test_one_process_and_two_find_the_same(tmp_path: Path, processes: int) -> None:
    noise = os.urandom(60_000).hex()
    logs = {f"{at:03}.json.gz": past.log(past.launch(f"i-{at}", userAgent=f"{at}{noise}")) for at in range(80)}
    past.write_logs(tmp_path, logs)
    files = [PastFile(str(tmp_path / name), len(data), "x") for name, data in logs.items()]
    assert sum(file.size for file in files) > 4 * 1024 * 1024
    scans = list(scan_files(files, no_fetch, limit_bytes=10**9, is_stopped=lambda: False, processes=processes))
    assert [scan.file for scan in scans] == files
    found = [each for scan in scans for each in scan.scanned.found]
    assert [each.event_id for each in found if isinstance(each, Launch)] == [f"launch-i-{at}" for at in range(80)]


@pytest.mark.parametrize("is_stopped_between", [False, True])
def test_stopped_before_a_file_is_read_to_its_end_the_answer_is_partial(
    tmp_path: Path, *, is_stopped_between: bool
) -> None:
    tags = {"Owner": "jane"}
    logs = {
        "1.json.gz": past.log(past.tagged("i-1", "10:05:00", tags, event_id="tags")),
        "2.json.gz": past.log(past.launch("i-1")),
    }
    past.write_logs(tmp_path, logs)
    seen: list[int] = []

    def show(progress: Progress) -> None:
        seen.append(progress.files_done)

    reading = Reading(is_stopped=lambda: is_stopped_between and 2 in seen, show=show)
    found = read_past([str(tmp_path)], read_settings({}), reading)
    (instance,) = found.chronicle.instances()
    assert (found.is_partial, found.unread, len(instance.changes)) == (
        (True, 1, 0) if is_stopped_between else (False, 0, 1)
    )
    assert seen == ([1, 2] if is_stopped_between else [1, 2, 1])


def test_what_can_be_read_only_once_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "1.json.gz"
    path.write_bytes(past.log(past.tagged("i-1", "10:05:00", {"Owner": "jane"}, event_id="tags")))
    for stamp, ids in (("x", {"i-1"}), ("", set())):
        file = PastFile(str(path), path.stat().st_size, stamp)
        (scan,) = scan_files([file], no_fetch, limit_bytes=10**9, is_stopped=lambda: False, deferred=CHANGE_EVENTS)
        assert (set(scan.scanned.unread_ids), len(scan.scanned.found)) == (ids, 0 if ids else 1)

"""Measure how fast logs are scanned: Landkeeper, a naive loop, other tools, and decompression alone.

Each method runs in its own process, one after the other in several rounds, so that other load on the machine affects
all of them alike. Figures are medians of CPU seconds, and the time of the naive loop divided by them.

`LANDKEEPER_BENCH_EVENTS=10000000` generates that many events instead of 200,000 for the run on all processors; this
takes about 350 bytes of disk per event, and some minutes. `LANDKEEPER_BENCH_FOLDER` names the folder.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import Any

from benchmarks.log_command import rows_of_command, rows_of_memory
from benchmarks.log_files import write_log, write_log_from_pool
from benchmarks.log_methods import methods
from benchmarks.results import write_results
from landkeeper.broom.cloudtrail.keys import ListedLog
from landkeeper.broom.cloudtrail.records import CHANGE_EVENTS
from landkeeper.broom.cloudtrail.text import DEFAULT_LIMIT_BYTES
from landkeeper.org import Failure
from landkeeper.wiring.broom.past_files import PastFile
from landkeeper.wiring.broom.past_scans import scan_files

_FILES, _COMMAND_FILES, _RECORDS, _ROUNDS = 40, 400, 1_000, 5
_SLOW = {"jq": 1, "duckdb": 1}
"""The number of rounds of the slowest method."""
_SHARES = ((0.0, "no launches"), (0.001, "0.1 % launches"), (0.01, "1 % launches"))
_EVENTS = int(os.environ.get("LANDKEEPER_BENCH_EVENTS", "200000"))
_TITLES = {
    "naive": "gzip.open, json.loads and a loop",
    "libdeflate": "libdeflate alone, the upper bound (13)",
    "zlib": "zlib alone, the standard library's upper bound",
    "fast": "Landkeeper, extra fast",
    "fast-past": "Landkeeper, extra fast, as in a backtest",
    "standard": "Landkeeper, standard library",
    "standard-past": "Landkeeper, standard library, as in a backtest",
    "ripgrep": "rg -z -l, without parsing",
    "jq": "zcat and jq",
    "duckdb": "DuckDB, one thread",
}
_BARS = {"fast": (10, 7.5, 6.5), "standard": (4, 1.2, 1)}


def run() -> None:
    """Measure, and write the results to RESULTS.md."""
    folder = Path(tempfile.mkdtemp(prefix="landkeeper-logs-", dir=os.environ.get("LANDKEEPER_BENCH_FOLDER")))
    try:
        rows = []
        for what, value in _rows(folder):
            sys.stderr.write(f"{what}: {value}\n")
            rows.append((what, value))
        write_results("logs", rows)
    finally:
        shutil.rmtree(folder)


def _rows(folder: Path) -> Iterator[tuple[str, str]]:
    here = {name: title for name, title in _TITLES.items() if name in methods() and _is_installed(name)}
    how = f"{_FILES} of {_RECORDS:,} records per share of launches, {_ROUNDS} rounds, median CPU seconds"
    yield "files", f"{how}; load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    for index, (share, title) in enumerate(_SHARES):
        made = _make(folder / str(share), _FILES, share)
        measured = _measure(made, list(here))
        cpu = {name: statistics.median(run["cpu"] for run in runs) for name, runs in measured.items()}
        _check_answers(measured)
        for name, method in here.items():
            bar = f" (threshold: {_BARS[name][index]})" if name in _BARS else ""
            per_file = cpu[name] / _FILES * 1000
            yield f"{title}: {method}{bar}", f"{cpu['naive'] / cpu[name]:.2f} times; {per_file:.2f} ms per file"
    for name in sorted(_TITLES.keys() - here.keys()):
        yield _TITLES[name], "not measured: not installed"
    shares = zip(_SHARES, (" (threshold: 6.5)", " (threshold: 5)", ""), strict=True)
    yield from rows_of_command(
        [(title, _make(folder / f"command-{share}", _COMMAND_FILES, share), bar) for (share, title), bar in shares]
    )
    yield from rows_of_memory(folder)
    yield from _rows_of_both_processors(folder)


def _is_installed(name: str) -> bool:
    programs = {"jq": ("zcat", "jq"), "ripgrep": ("rg",)}.get(name, ())
    return all(map(shutil.which, programs)) and (name != "duckdb" or find_spec("duckdb") is not None)


def _make(folder: Path, files: int, share: float) -> Path:
    folder.mkdir()
    write = write_log if files < _COMMAND_FILES else write_log_from_pool
    with ProcessPoolExecutor() as pool:
        sizes = list(pool.map(partial(write, folder, records=_RECORDS, launches=share), range(files), chunksize=8))
    sys.stderr.write(f"made {files:,} files, {sum(sizes) / 1e6:,.0f} MB unpacked, in {folder}\n")
    return folder


def _measure(folder: Path, names: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    measured = defaultdict(list)
    for round_ in range(_ROUNDS):
        for name in (name for name in names if round_ < _SLOW.get(name, _ROUNDS)):
            command = [sys.executable, "-m", "benchmarks.log_methods", name, str(folder)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own code
            measured[name].append(json.loads(done.stdout))
    return measured


def _check_answers(measured: dict[str, list[dict[str, Any]]]) -> None:
    """Check that all methods that look for launches found the same ones."""
    expected = measured["naive"][0]["digest"]
    for name, runs in measured.items():
        if name not in {"libdeflate", "zlib", "ripgrep"} and {run["digest"] for run in runs} != {expected}:
            raise AssertionError(f"{name} found other launches than the naive loop")


def _rows_of_both_processors(folder: Path) -> Iterator[tuple[str, str]]:
    """The workers of `landkeeper broom backtest` on files with 0.1 % launches: one process, then all processors."""
    made = _make(folder / "many", _EVENTS // _RECORDS, 0.001)
    runs = {processes: [_scan_in(made, processes) for _ in range(3 if _EVENTS <= 1_000_000 else 1)]
            for processes in (1, os.cpu_count() or 1)}  # fmt: skip
    wall = {processes: min(run["wall"] for run in many) for processes, many in runs.items()}
    first = runs[1][0]
    size = f"{first['records']:,} events in {first['files']:,} files, {first['bytes'] / 1e9:.2f} GB unpacked"
    for processes, seconds in wall.items():
        speed = f"{first['records'] / seconds:,.0f} events and {first['bytes'] / seconds / 1e6:,.0f} MB per second"
        workers = "1 process" if processes == 1 else f"{processes} processes"
        yield f"{size}: {workers}, best of {len(runs[processes])}", f"{seconds:.2f} s; {speed}"
    yield "speed-up of all processors over one (threshold: 1.8)", f"{wall[1] / min(wall.values()):.2f} times"
    cpu = {processes: min(run["cpu"] for run in many) for processes, many in runs.items()}
    more = f"{cpu[max(cpu)] / cpu[1]:.2f} times that of one process, including start-up"
    yield f"CPU time of {max(cpu)} processes in total", f"{cpu[max(cpu)]:.2f} s, {more}"
    load = f"load average during the run: {os.getloadavg()[0]:.1f}"
    whole = 10_000_000 / first["records"]
    shared = f"CPU time per process: {cpu[max(cpu)] / max(cpu) * whole:.1f} s"
    title = f"10,000,000 events on idle processors (threshold: 25 s){'' if whole <= 1 else ', from this run'}"
    yield title, f"{min(wall.values()) * whole:.1f} s; {shared}; {load}"


def _scan_in(folder: Path, processes: int) -> dict[str, Any]:
    code = f"from benchmarks.logs import scan; scan({str(folder)!r}, {processes})"
    command = [sys.executable, "-c", code]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # type: ignore[no-any-return] # noqa: S603 - our own code


def scan(folder: str, processes: int) -> None:
    """Scan all files of a folder with so many processes, and print as JSON what there was and how long it took."""
    files = [
        PastFile(entry.path, entry.stat().st_size, "") for entry in sorted(os.scandir(folder), key=attrgetter("name"))
    ]
    start = time.perf_counter()
    found = scan_files(files, _no_fetch, limit_bytes=DEFAULT_LIMIT_BYTES, is_stopped=lambda: False,
                       processes=processes, deferred=CHANGE_EVENTS)  # fmt: skip
    scans = [file.scanned for file in found]
    wall = time.perf_counter() - start
    records, size = sum(scan.records for scan in scans), sum(scan.unpacked_bytes for scan in scans)
    spent = [getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in spent)
    json.dump({"wall": wall, "cpu": cpu, "files": len(scans), "records": records, "bytes": size}, sys.stdout)


def _no_fetch(listed: ListedLog) -> Failure:
    raise AssertionError(f"{listed} is on no disk")

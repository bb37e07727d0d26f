"""Measure the whole command `landkeeper broom backtest`, start-up included, and the memory of its workers.

Figures are CPU seconds of the command with all its processes, compared with the naive loop without its start-up.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from benchmarks.log_files import make_log
from landkeeper.broom.cloudtrail.engine import STANDARD
from landkeeper.broom.cloudtrail.engine_choice import best_engine
from landkeeper.broom.cloudtrail.scan import scan_log

_ROUNDS = 3
_POLICY = """
version: 1
rules:
  - name: owner
    require: {tag: owner}
    action: terminate
    grace: 15m
"""


def rows_of_command(folders: Sequence[tuple[str, Path, str]]) -> Iterator[tuple[str, str]]:
    """What the command takes for the logs of each folder, given with a title and the bar for it."""
    for title, folder, bar in folders:
        naive, spent, again = [], [], []
        with tempfile.TemporaryDirectory() as kept:
            policy = Path(kept, "broom.yaml")
            policy.write_text(_POLICY, encoding="utf-8")
            compiled = _compiled(Path(kept, "bytecode"))
            _run_command(folder, policy, {**compiled, "XDG_CACHE_HOME": kept})
            for round_ in range(_ROUNDS):
                naive.append(_run_naive(folder))
                environment = {**compiled, "XDG_CACHE_HOME": str(Path(kept, str(round_)))}
                spent.append(_run_command(folder, policy, environment))
                again.append(_run_command(folder, policy, environment))
        loop, first, second = map(statistics.median, (naive, spent, again))
        what = f"`landkeeper broom backtest`, {sum(1 for _ in folder.iterdir())} files, {title}"
        yield f"{what}{bar}", f"{loop / first:.2f} times the naive loop; {first:.2f} s of CPU"
        yield f"{what}, second run", f"{loop / second:.1f} times; {second:.2f} s"


def _compiled(folder: Path) -> dict[str, str]:
    """An environment in which Python keeps what it compiled, as `pip install` does once for all."""
    others = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**others, "PYTHONPYCACHEPREFIX": str(folder)}


def _run_naive(folder: Path) -> float:
    command = [sys.executable, "-m", "benchmarks.log_methods", "naive", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own code
    return float(json.loads(done.stdout)["cpu"])


def _run_command(folder: Path, policy: Path, environment: dict[str, str]) -> float:
    command = [sys.executable, "-m", "landkeeper", "broom", "backtest", str(folder), "--policy", str(policy)]
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, env=environment)  # noqa: S603 - our own code
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def rows_of_memory(folder: Path) -> Iterator[tuple[str, str]]:
    """The peak of a worker, for large files and for those that CloudTrail writes."""
    for megabytes, bar in ((57, 130), (4, 60)):
        for share, title in ((0.0, "no launches"), (0.01, "1 % launches")):
            path = folder / f"{megabytes}-{share}.json.gz"
            _write(path, megabytes, share)
            engines = ("fast", "standard") if find_spec("deflate") else ("standard",)
            for engine in engines:
                command = [sys.executable, "-m", "benchmarks.log_command", str(path), engine]
                done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own code
                yield f"peak of a worker, {megabytes} MB unpacked, {title}, {engine} (threshold: {bar} MB)", done.stdout
            path.unlink()


def _write(path: Path, megabytes: int, share: float) -> None:
    records = make_log("memory", 1_000, share)[len(b'{"Records":[') : -len(b"]}")]
    times = megabytes * 1_000_000 // len(records) + (1 if megabytes > 5 else 0)
    path.write_bytes(gzip.compress(b'{"Records":[' + b",".join([records] * times) + b"]}", 1))


def _measure_peak(path: Path, engine: str) -> str:
    clear = Path("/proc/self/clear_refs")
    if not clear.exists():
        return "not measured: there is no /proc here"
    # What it inherits from the process that started it does not count.
    clear.write_text("5", encoding="ascii")
    scan_log(path.read_bytes(), engine=STANDARD if engine == "standard" else best_engine())
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    return f"{int(found[1]) / 1024:.0f} MB" if found else "not measured"


if __name__ == "__main__":
    sys.stdout.write(_measure_peak(Path(sys.argv[1]), sys.argv[2]))

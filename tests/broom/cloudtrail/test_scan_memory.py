"""What a worker holds while it scans a file, measured in a process of its own."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.log_files import make_log

# The peak of this process alone: what it inherits from the one that started it does not count.
_WORKER = """
import re, sys
from pathlib import Path
from landkeeper.broom.cloudtrail.engine import STANDARD
from landkeeper.broom.cloudtrail.engine_choice import find_fast_engine
from landkeeper.broom.cloudtrail.scan import scan_log
Path("/proc/self/clear_refs").write_text("5")
scanned = scan_log(Path(sys.argv[1]).read_bytes(), engine=STANDARD if sys.argv[2] == "standard" else find_fast_engine())
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
print(peak, scanned.records, len(scanned.found), len(scanned.faults), scanned.unpacked_bytes)
"""

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="the peak is read from Linux's /proc"
)


def _write(path: Path, megabytes: int, *, launches: float) -> int:
    """Write a log of at least that size; answers how many records it has."""
    records = make_log("memory", 1_000, launches)[len(b'{"Records":[') : -len(b"]}")]
    times = megabytes * 1_000_000 // len(records) + 1
    path.write_bytes(gzip.compress(b'{"Records":[' + b",".join([records] * times) + b"]}", 1))
    return times * 1_000


@pytest.mark.parametrize("engine", ["standard", "fast"])
@pytest.mark.parametrize("launches", [0.0, 0.01], ids=["no launches", "launches"])
@pytest.mark.parametrize(("megabytes", "limit"), [(57, 130), (4, 60), (3, 60)])
def test_a_worker_stays_small(tmp_path: Path, engine: str, launches: float, megabytes: int, limit: int) -> None:
    expected = _write(tmp_path / "log.json.gz", megabytes, launches=launches)
    command = [sys.executable, "-c", _WORKER, str(tmp_path / "log.json.gz"), engine]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    peak, records, found, faults, size = map(float, done.stdout.split())
    assert (records, faults) == (expected, 0)
    assert size > megabytes * 1_000_000
    assert (found > 0) == (launches > 0)
    assert peak < limit

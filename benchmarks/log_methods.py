"""`python -m benchmarks.log_methods METHOD FOLDER`: read the logs of a folder by one method, in this process.

Prints as JSON the CPU seconds without start-up, the peak memory in MB, and the digest of the event ids of the launches
found, in order; the digest is empty for methods that only search or unpack. Programs that a method starts count too.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import resource
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from landkeeper.broom.cloudtrail.engine import STANDARD, Engine
from landkeeper.broom.cloudtrail.engine_choice import find_fast_engine
from landkeeper.broom.cloudtrail.records import CHANGE_EVENTS, LAUNCH_EVENTS, PAST_EVENTS, read_record
from landkeeper.broom.cloudtrail.scan import scan_log
from landkeeper.broom.launches import Launch

Files = list[Path]
_PICK = '.Records[] | select(.eventName == "RunInstances") | .eventID'


def _naive(files: Files) -> Iterator[str]:
    """The naive loop; the records of interest are read as Landkeeper reads them."""
    for file in files:
        with gzip.open(file) as log:
            records = json.loads(log.read())["Records"]
        for record in records:
            if record["eventName"] in LAUNCH_EVENTS:
                launch = read_record(record)
                if isinstance(launch, Launch):
                    yield launch.event_id


def _scan(
    engine: Engine, wanted: frozenset[str], deferred: frozenset[str] = frozenset()
) -> Callable[[Files], Iterator[str]]:
    def scan(files: Files) -> Iterator[str]:
        for file in files:
            found = scan_log(file.read_bytes(), wanted=wanted, deferred=deferred, engine=engine).found
            yield from (launch.event_id for launch in found if isinstance(launch, Launch))

    return scan


def _with_deflate(files: Files) -> Iterable[str]:
    import deflate  # noqa: PLC0415 - of the extra `fast`

    for file in files:
        deflate.gzip_decompress(file.read_bytes())
    return ()


def _with_zlib(files: Files) -> Iterable[str]:
    for file in files:
        zlib.decompress(file.read_bytes(), 31)
    return ()


def _jq(files: Files) -> Iterable[str]:
    with _start("zcat", *files) as zcat, _start("jq", "-r", _PICK, stdin=zcat.stdout) as jq:
        return jq.communicate()[0].decode().split()


def _ripgrep(files: Files) -> Iterable[str]:
    with _start("rg", "-z", "-l", "-j1", "-F", '"RunInstances"', *files) as ripgrep:
        ripgrep.communicate()
    return ()


def _start(*command: str | Path, stdin: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE)  # noqa: S603 - programs named here


def _duckdb(files: Files) -> Iterable[str]:
    import duckdb  # noqa: PLC0415 - may be missing

    query = """SELECT r.eventID FROM (SELECT unnest(Records) AS r FROM read_json(?,
        columns = {Records: 'STRUCT(eventName VARCHAR, eventID VARCHAR)[]'}, maximum_object_size = 200000000))
        WHERE r.eventName = 'RunInstances'"""
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    return [row[0] for row in connection.execute(query, [[str(file) for file in files]]).fetchall()]


def methods() -> dict[str, Callable[[Files], Iterable[str]]]:
    """Return every method that is available here, by name."""
    ways: dict[str, Callable[[Files], Iterable[str]]] = {
        "naive": _naive,
        "standard": _scan(STANDARD, LAUNCH_EVENTS),
        "standard-past": _scan(STANDARD, PAST_EVENTS, CHANGE_EVENTS),
        "zlib": _with_zlib,
        "jq": _jq,
        "ripgrep": _ripgrep,
        "duckdb": _duckdb,
    }
    fast = find_fast_engine()
    if fast is not None:
        ways |= {
            "fast": _scan(fast, LAUNCH_EVENTS),
            "fast-past": _scan(fast, PAST_EVENTS, CHANGE_EVENTS),
            "libdeflate": _with_deflate,
        }
    return ways


def _cpu_seconds() -> float:
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in spent)


def measure(name: str, folder: Path) -> dict[str, Any]:
    """Read all logs of the folder, the first two of them once before to be warm."""
    files, read = sorted(folder.iterdir()), methods()[name]
    for _ in read(files[:2]):
        pass
    cpu, wall = _cpu_seconds(), time.perf_counter()
    found = list(read(files))
    seconds = {"cpu": _cpu_seconds() - cpu, "wall": time.perf_counter() - wall}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    digest = hashlib.sha256(" ".join(sorted(found)).encode()).hexdigest() if found else ""
    return {**seconds, "peak": peak, "found": len(found), "digest": digest}


if __name__ == "__main__":
    json.dump(measure(sys.argv[1], Path(sys.argv[2])), sys.stdout)

"""Measure how fast overlaps are found, compared with all pairs of `ipaddress` objects, and for a million blocks."""

from __future__ import annotations

import ipaddress
import random
import resource
import subprocess
import sys
import time
from itertools import combinations

from benchmarks.results import write_results
from landkeeper.vpctracker.cidr import block_at, group_keys, parse_key

_FEW, _MANY, _SAMPLE = 10_000, 1_000_000, 1_500


def made_up_blocks(count: int) -> list[str]:
    """Blocks of the sizes that VPCs have, within 10.0.0.0/8, the same in every run."""
    chance = random.Random(1)  # noqa: S311 - a sample, not a secret
    return [str(block_at(4, (10 << 24) + chance.getrandbits(24), chance.randint(16, 28))) for _ in range(count)]


def _seconds_of_groups(texts: list[str]) -> tuple[float, float]:
    """Return the seconds of parsing and of grouping."""
    start = time.perf_counter()
    keys = [parse_key(text) for text in texts]
    parsed = time.perf_counter()
    group_keys(keys)
    return parsed - start, time.perf_counter() - parsed


def _seconds_of_a_pair(texts: list[str]) -> float:
    networks = [ipaddress.ip_network(text) for text in texts]
    start = time.perf_counter()
    for network, other in combinations(networks, 2):
        network.overlaps(other)
    return (time.perf_counter() - start) / (len(networks) * (len(networks) - 1) / 2)


def _measure_many() -> str:
    """Measure in a separate process, so that its peak memory is that of this work alone."""
    code = "from benchmarks.cidr import report_many; report_many()"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own code


def report_many() -> None:
    """Print seconds of parsing, seconds of grouping and the peak of memory in MB for a million blocks."""
    parsing, grouping = _seconds_of_groups(made_up_blocks(_MANY))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"{parsing} {grouping} {peak}")


def run() -> None:
    """Measure, and write the results to RESULTS.md."""
    few = made_up_blocks(_FEW)
    ours = min(sum(_seconds_of_groups(few)) for _ in range(5))
    pair = _seconds_of_a_pair(few[:_SAMPLE])
    theirs = pair * _FEW * (_FEW - 1) / 2
    parsing, grouping, peak = map(float, _measure_many().split())
    all_pairs = f"all pairs of parsed ipaddress objects (extrapolated from {_SAMPLE:,}: {pair * 1e6:.2f} µs a pair)"
    rows = [
        (f"{_FEW:,} blocks, from text to groups, best of 5", f"{ours * 1000:.1f} ms"),
        (f"{_FEW:,} blocks, {all_pairs}", f"{theirs:.1f} s"),
        ("ratio (threshold: 3,000)", f"{theirs / ours:,.0f}"),
        (f"{_MANY:,} blocks, parsing", f"{parsing:.2f} s"),
        (f"{_MANY:,} blocks, grouping", f"{grouping:.2f} s"),
        (f"{_MANY:,} blocks, parsing and grouping (threshold: 5 s)", f"{parsing + grouping:.2f} s"),
        (f"{_MANY:,} blocks, peak memory of the process, including the text (threshold: 1,024 MB)", f"{peak:.0f} MB"),
    ]
    write_results("cidr", rows)

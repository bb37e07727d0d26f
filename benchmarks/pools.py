"""How long it takes to find a free block among many that are taken."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from benchmarks.cidr import made_up_blocks
from benchmarks.results import write_results
from landkeeper.vpctracker.allocation import choose_block, count_addresses
from landkeeper.vpctracker.cidr import parse_block, parse_key

_USED, _RUNS = 10_000, 15


def _milliseconds(call: Callable[[], object]) -> float:
    """CPU time, the median of several runs."""
    spent = []
    for _ in range(_RUNS):
        start = time.process_time()
        call()
        spent.append(time.process_time() - start)
    return statistics.median(spent) * 1000


def run() -> None:
    """Measure, and write the results down."""
    pool, texts = parse_block("10.0.0.0/8"), made_up_blocks(_USED)
    keys = [parse_key(text) for text in texts]
    # Without a gap at the start the search has to pass everything.
    packed = [parse_key(f"10.{second}.0.0/16") for second in range(200)]
    packed += [parse_key(f"10.{second}.{third}.0/24") for second in range(200, 239) for third in range(251)]
    share = count_addresses(pool, keys) / pool.size
    what = f"a /24 in a /8 with {_USED:,} used blocks of /16 to /28 ({share:.1%} of it)"
    write_results("pools", [
        (f"{what}, from their texts (bar: 50 ms)",
         f"{_milliseconds(lambda: choose_block(pool, [parse_key(text) for text in texts], 24)):.1f} ms"),
        (f"{what}, parsed before", f"{_milliseconds(lambda: choose_block(pool, keys, 24)):.1f} ms"),
        (f"a /24 that grows to a /16, {len(packed):,} used blocks of which all but the last 17 of 256 /16 are full",
         f"{_milliseconds(lambda: choose_block(pool, packed, 24, 16)):.1f} ms"),
    ])  # fmt: skip

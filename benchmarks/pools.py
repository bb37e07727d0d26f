"""Measure how long it takes to find a free block among many taken blocks, and to allocate from a table.

The simulator has no prices. Read units are computed from what is stored: a consistent read takes a unit per 4 KB, and
a filter does not reduce them (DynamoDB guide, "Filter expressions for scan").
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from math import ceil
from typing import Any

import boto3

from benchmarks.cidr import made_up_blocks
from benchmarks.results import write_results
from benchmarks.store import Estate
from landkeeper.aws.items import count_bytes
from landkeeper.aws.sessions import client_config
from landkeeper.aws.vpctracker.pool_table import PoolTable
from landkeeper.aws.vpctracker.vpc_table import COVERAGE, VpcTable, create_tables
from landkeeper.embedded.simulators import HOME_ACCOUNT, Simulators
from landkeeper.vpctracker.cidr import parse_block, parse_key
from landkeeper.vpctracker.config import TrackerConfig
from landkeeper.vpctracker.pools.allocation import choose_block, count_addresses
from landkeeper.vpctracker.pools.operations import Request, Reserved, allocate, create_pool
from landkeeper.vpctracker.pools.pool import Pool
from landkeeper.vpctracker.pools.tracked import read_tracked
from landkeeper.vpctracker.track import track
from landkeeper.wiring.vpctracker.pools import actor_named

_USED, _RUNS = 10_000, 15


def _milliseconds(call: Callable[[], object], runs: int = _RUNS) -> float:
    """Return the median CPU time of several runs."""
    spent = []
    for _ in range(runs):
        start = time.process_time()
        call()
        spent.append(time.process_time() - start)
    return statistics.median(spent) * 1000


def run() -> None:
    """Measure, and write the results to RESULTS.md."""
    pool, texts = parse_block("10.0.0.0/8"), made_up_blocks(_USED)
    keys = [parse_key(text) for text in texts]
    # Without a gap at the start the search has to pass everything.
    packed = [parse_key(f"10.{second}.0.0/16") for second in range(200)]
    packed += [parse_key(f"10.{second}.{third}.0/24") for second in range(200, 239) for third in range(251)]
    share = count_addresses(pool, keys) / pool.size
    what = f"a /24 in a /8 with {_USED:,} used blocks of /16 to /28 ({share:.1%} of it)"
    write_results("pools", [
        *_from_a_table(),
        (f"{what}, from text (threshold: 50 ms)",
         f"{_milliseconds(lambda: choose_block(pool, [parse_key(text) for text in texts], 24)):.1f} ms"),
        (f"{what}, already parsed", f"{_milliseconds(lambda: choose_block(pool, keys, 24)):.1f} ms"),
        (f"a /24 with room to grow to a /16, {len(packed):,} used blocks that fill all but the last 17 of 256 /16",
         f"{_milliseconds(lambda: choose_block(pool, packed, 24, 16)):.1f} ms"),
    ])  # fmt: skip


_TABLE = "Tracker"


def _from_a_table() -> Sequence[tuple[str, str]]:
    """What allocations take while 10,000 VPCs are tracked: from a pool that all of them are in, and from one in it."""
    with Simulators() as simulators:
        session = boto3.Session(HOME_ACCOUNT, "embedded", region_name="us-east-1")
        url = simulators.environment()["AWS_ENDPOINT_URL"]
        client = session.client("dynamodb", endpoint_url=url, config=client_config())
        create_tables(client, _TABLE)
        estate, now = Estate(), datetime.now(UTC)
        track(estate.accounts, estate, VpcTable(client, _TABLE), clock=lambda: now, max_workers=4)
        table = PoolTable(client, _TABLE)
        create_pool(table, Pool("wide", parse_block("10.0.0.0/8")), actor_named("bench"))
        create_pool(table, Pool("narrow", parse_block("10.39.0.0/16"), parent="wide"), actor_named("bench"))
        calls: Counter[str] = Counter()
        client.meta.events.register("provide-client-params.dynamodb.*", lambda model, **_: calls.update([model.name]))
        spent = {name: _milliseconds(partial(_allocate, table, name, estate), runs=3) for name in ("wide", "narrow")}
        per_request = ", ".join(f"{name} {count // 6}" for name, count in sorted(calls.items()))
        units = {part: _read_units(client, _TABLE + part) for part in ("", COVERAGE)}
    tracked = f"an allocation with {sum(map(len, estate.vpcs.values())):,} tracked VPCs"
    return [
        (f"{tracked}: read units for VPCs, and for the coverage of {len(estate.accounts):,} accounts",
         f"{units['']:,} and {units[COVERAGE]:,}"),
        (f"{tracked}: calls, mean", per_request),
        (f"{tracked}: CPU, all of them in the pool's range", f"{spent['wide']:,.0f} ms"),
        (f"{tracked}: CPU, 16 of them in the pool's range", f"{spent['narrow']:,.0f} ms"),
    ]  # fmt: skip


def _allocate(table: PoolTable, pool: str, estate: Estate) -> None:
    request = Request(pool, 24, estate.accounts[0].id, "bench")
    given = allocate(
        table, request, lambda *of: read_tracked(table, of[0], TrackerConfig(), of[1]), actor_named("bench")
    )
    assert isinstance(given, Reserved)  # noqa: S101 - the pools have room


def _read_units(client: Any, table: str) -> int:
    # Coverage is not read consistently, which takes half.
    share = 8192 if table.endswith(COVERAGE) else 4096
    pages = client.get_paginator("scan").paginate(TableName=table)
    return ceil(sum(count_bytes(item) for page in pages for item in page["Items"]) / share)

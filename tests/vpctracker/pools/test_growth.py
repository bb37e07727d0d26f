"""How full a pool is, and when it will be full."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.config import TrackerConfig
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.inventory import StoredVpc, Vpc
from landkeeper.vpctracker.pools.growth import Growth, Usage, measure_growth, measure_usage
from landkeeper.vpctracker.pools.pool import Kind, Pool, PoolState, Reservation
from landkeeper.vpctracker.pools.tracked import tracked_in

DAY = timedelta(days=1)
POOL = Pool("prod", parse_block("10.0.0.0/16"))
COVERAGE = {ACCOUNTS[0]: Coverage(ACCOUNTS[0], regions={REGIONS[0]: RegionCoverage(START + 9 * DAY)})}


def _reservation(number: int, block: str, kind: Kind = Kind.ALLOCATION, **others: Any) -> Reservation:
    return Reservation(f"res-{number}", "prod", parse_block(block), kind, START, account=ACCOUNTS[0], **others)


def _vpc(number: int, block: str, first_seen: datetime = START, deleted_at: datetime | None = None) -> StoredVpc:
    vpc = Vpc(vpc_ids(number), ACCOUNTS[0], REGIONS[0], block)
    return StoredVpc(vpc, first_seen, first_seen, 1, deleted_at)


def _usage(state: PoolState, *vpcs: StoredVpc, around: tuple[Reservation, ...] = (), days: int = 10) -> Usage:
    tracked = tracked_in("default", [one.vpc for one in vpcs], COVERAGE, TrackerConfig())
    return measure_usage(state, around, tracked, START + days * DAY)


def test_every_address_counts_once_as_the_most_that_it_is() -> None:
    reservations = (
        _reservation(1, "10.0.0.0/18", Kind.POOL),
        _reservation(2, "10.0.64.0/20"),
        _reservation(3, "10.0.80.0/24", room=parse_block("10.0.80.0/20")),
        _reservation(4, "10.0.96.0/20", Kind.ELSEWHERE),
        _reservation(5, "10.0.112.0/20", expires_at=START + DAY),
    )
    vpcs = _vpc(1, "10.0.0.0/20"), _vpc(2, "10.0.64.0/20"), _vpc(3, "10.0.64.0/24"), _vpc(4, "192.168.0.0/16")
    usage = _usage(PoolState(POOL, 1, reservations), *vpcs)
    assert usage == Usage(2 * 4096, 2 * 4096, 3 * 4096, 9 * 4096, parse_block("10.0.128.0/17"), frozenset({"res-5"}))
    assert usage.size == POOL.block.size


def test_what_the_pools_around_reserved_is_reserved_here_and_their_pools_are_not() -> None:
    around = (_reservation(1, "10.0.0.0/16", Kind.POOL), _reservation(2, "10.0.0.0/17", Kind.ELSEWHERE))
    usage = _usage(PoolState(POOL, 1), around=around)
    assert (usage.reserved, usage.delegated, usage.free) == (32768, 0, 32768)


def test_a_full_pool_has_no_free_block() -> None:
    assert _usage(PoolState(POOL, 1), _vpc(1, "10.0.0.0/16")).largest_free is None


def _growth(days: int, *vpcs: StoredVpc, reservations: tuple[Reservation, ...] = ()) -> Growth | None:
    state = PoolState(POOL, 1, reservations)
    return measure_growth(state, _usage(state, *vpcs, days=days), vpcs, START, START + days * DAY)


def test_the_pace_is_that_of_the_history_without_its_first_day() -> None:
    found_first = _vpc(1, "10.0.0.0/20")
    came_later = _vpc(2, "10.0.16.0/20", START + 3 * DAY)
    growth = _growth(9, found_first, came_later)
    assert growth is not None
    assert growth.since == START + DAY
    assert growth.addresses_a_day == 4096 / 8
    assert growth.full_at == START + 9 * DAY + timedelta(days=(65536 - 8192) / 512)


def test_what_went_again_is_no_growth_nor_are_pools_and_blocks_elsewhere() -> None:
    went = _vpc(1, "10.0.0.0/20", START, START + 5 * DAY)
    came = _vpc(2, "10.0.0.0/20", START + 6 * DAY)
    once = (_reservation(1, "10.0.64.0/18", Kind.POOL), _reservation(2, "10.0.128.0/20", Kind.ELSEWHERE))
    growth = _growth(9, went, came, reservations=once)
    assert growth == Growth(START + DAY, 0.0, None)


def test_what_is_allocated_counts_from_then_on_unless_its_time_is_up() -> None:
    later = [Reservation("a", "prod", parse_block("10.0.0.0/20"), Kind.ALLOCATION, START + 4 * DAY),
             Reservation("b", "prod", parse_block("10.0.16.0/20"), Kind.ALLOCATION, START + 4 * DAY,
                         account=ACCOUNTS[0], expires_at=START + 5 * DAY)]  # fmt: skip
    growth = _growth(9, reservations=tuple(later))
    assert growth is not None
    assert growth.addresses_a_day == 4096 / 8


def test_a_pool_that_shrinks_or_hardly_grows_is_not_full_in_a_century() -> None:
    shrinking = _growth(9, _vpc(1, "10.0.0.0/20", START, START + 5 * DAY))
    assert shrinking is not None
    assert (shrinking.addresses_a_day, shrinking.full_at) == (-512.0, None)
    hardly = _growth(80, _vpc(1, "10.0.0.0/28", START + 3 * DAY))
    assert hardly is not None
    assert hardly.addresses_a_day > 0
    assert hardly.full_at is None


@pytest.mark.parametrize("days", [0, 1])
def test_a_short_history_says_nothing(days: int) -> None:
    assert _growth(days, _vpc(1, "10.0.0.0/20")) is None
    state = PoolState(POOL, 1)
    assert measure_growth(state, _usage(state), (), None, START + 99 * DAY) is None


def test_it_looks_back_ninety_days() -> None:
    growth = _growth(200, _vpc(1, "10.0.0.0/20", START + 50 * DAY), _vpc(2, "10.0.16.0/20", START + 150 * DAY))
    assert growth is not None
    assert (growth.since, growth.addresses_a_day) == (START + 110 * DAY, 4096 / 90)

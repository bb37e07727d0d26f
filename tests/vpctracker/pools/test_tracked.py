"""What the tracker's knowledge means for reservations: used, over, or blocked by accounts that nobody has read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.memory_pools import MemoryPools
from tests.strategies import ACCOUNTS, REGIONS, START, ipv4_blocks, vpc_ids

from landkeeper.org import Failure, FailureReason, Membership, Region, Standing
from landkeeper.vpctracker.cidr import Block, parse_block
from landkeeper.vpctracker.config import Space, TrackerConfig
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.inventory import CidrAssociation, Vpc
from landkeeper.vpctracker.pools.pool import Kind, Pool, Reservation
from landkeeper.vpctracker.pools.tracked import (
    Tracked,
    is_never_read,
    is_over,
    keys_of,
    places_to_read,
    read_tracked,
    tracked_in,
)

POOL = Pool("prod", parse_block("10.0.0.0/8"))
HOUR = timedelta(hours=1)
_READ = RegionCoverage(START + 3 * HOUR)
_FAILURE = Failure(FailureReason.ROLE_NOT_ASSUMABLE)


def _vpc(number: int, block: str, **others: Any) -> Vpc:
    return Vpc(vpc_ids(number), others.pop("owner", ACCOUNTS[0]), REGIONS[0], block, **others)


@given(st.lists(ipv4_blocks(), max_size=15), ipv4_blocks(shortest=14))
def test_the_vpcs_of_a_block_are_those_that_overlap_it(blocks: list[Block], wanted: Block) -> None:
    vpcs = [_vpc(number, str(block)) for number, block in enumerate(blocks)]
    found = tracked_in("default", vpcs, {}, TrackerConfig()).find_overlapping(wanted)
    assert {vpc.id for vpc in found} == {vpc.id for vpc in vpcs if parse_block(vpc.cidr_block).overlaps(wanted)}
    assert len(found) == len({vpc.id for vpc in found})


def test_blocks_that_come_and_go_are_taken_and_other_spaces_are_none_of_ours() -> None:
    associations = (
        CidrAssociation("a", "10.1.0.0/16", "disassociating"), CidrAssociation("b", "10.2.0.0/16", "failed"),
        CidrAssociation("c", "10.3.0.0/16", "associating"), CidrAssociation("d", "2001:db8::/56", "associated"),
    )  # fmt: skip
    ours = _vpc(1, "10.0.0.0/16", cidr_associations=associations)
    theirs = _vpc(2, "10.9.0.0/16", owner=ACCOUNTS[1])
    store = MemoryPools()
    store.vpcs = [ours, theirs]
    store.coverage = [Coverage(ACCOUNTS[0], regions={REGIONS[0]: _READ})]
    config = TrackerConfig(spaces=(Space("lab", accounts=(ACCOUNTS[1],)),))
    tracked = read_tracked(store, "default", config)
    asked = [parse_block(f"10.{number}.0.0/16") for number in range(10)]
    assert [str(block) for block in asked if tracked.find_overlapping(block)] == [
        "10.0.0.0/16", "10.1.0.0/16", "10.3.0.0/16",
    ]  # fmt: skip
    assert tracked_in("lab", store.vpcs, {}, config).find_overlapping(parse_block("10.9.0.0/24")) == (theirs,)
    assert keys_of(["2001:db8::/56", "10.0.0.0/16"]) == [parse_block("10.0.0.0/16").sort_key]


@pytest.mark.parametrize(
    ("coverage", "never"),
    [
        (Coverage(ACCOUNTS[0], regions={REGIONS[0]: _READ}), False),
        (Coverage(ACCOUNTS[0], regions={REGIONS[0]: _READ, REGIONS[1]: RegionCoverage(failure=_FAILURE)}), True),
        (Coverage(ACCOUNTS[0], regions={REGIONS[0]: replace(_READ, failure=_FAILURE)}), False),
        (Coverage(ACCOUNTS[0], failure=_FAILURE), True),
        (Coverage(ACCOUNTS[0], failure=_FAILURE, regions={REGIONS[0]: _READ}), False),
        (Coverage(ACCOUNTS[0], regions={REGIONS[0]: RegionCoverage(standing=Standing.GOVERNED)}), False),
        (Coverage(ACCOUNTS[0], regions={REGIONS[0]: RegionCoverage(standing=Standing.DISABLED)}), False),
        (Coverage(ACCOUNTS[0], membership=Membership.SUSPENDED), True),
        (Coverage(ACCOUNTS[0], membership=Membership.CLOSED), False),
        (Coverage(ACCOUNTS[0], membership=Membership.SKIPPED), False),
    ],
)
def test_an_account_was_never_read_while_one_of_its_regions_was_not(coverage: Coverage, *, never: bool) -> None:
    assert is_never_read(coverage) is never


def test_an_account_that_was_never_read_counts_in_every_space_where_it_may_have_vpcs() -> None:
    spaces = (
        Space("lab", accounts=("sandbox",)), Space("pods", tags={"Network": "pods"}), Space("shops", (ACCOUNTS[1],)),
    )  # fmt: skip
    unread = {
        ACCOUNTS[0]: Coverage(ACCOUNTS[0], "sandbox"),
        ACCOUNTS[1]: Coverage(ACCOUNTS[1], "shop"),
        ACCOUNTS[2]: Coverage(ACCOUNTS[2], "other"),
    }

    def never_read(space: str) -> list[str]:
        return [one.account for one in tracked_in(space, (), unread, TrackerConfig(spaces=spaces)).never_read]

    assert never_read("default") == [ACCOUNTS[2]]
    assert never_read("lab") == [ACCOUNTS[0]]
    assert never_read("shops") == [ACCOUNTS[1]]
    assert never_read("pods") == list(ACCOUNTS)


def _over(coverage: Coverage | None, *vpcs: Vpc, pool: Pool = POOL, hours: int = 4, **others: Any) -> bool:
    one = Reservation(
        "res-1", "prod", parse_block("10.0.0.0/20"), Kind.ALLOCATION, START, account=ACCOUNTS[0],
        expires_at=START + 2 * HOUR, room=parse_block("10.0.0.0/18"),
    )  # fmt: skip
    known = {} if coverage is None else {coverage.account: coverage}
    tracked = tracked_in("default", vpcs, known, TrackerConfig())
    return is_over(replace(one, **others), pool, tracked, START + hours * HOUR)


def _regions(*regions: RegionCoverage) -> Coverage:
    return Coverage(ACCOUNTS[0], regions=dict(zip(REGIONS, regions, strict=False)))


def test_a_reservation_is_over_after_a_complete_read_that_shows_no_vpc() -> None:
    assert _over(_regions(_READ, _READ))
    assert _over(_regions(_READ, RegionCoverage(standing=Standing.GOVERNED)))
    assert _over(_regions(_READ, RegionCoverage(START)), region=REGIONS[0])
    assert _over(_regions(_READ, RegionCoverage(START)), pool=replace(POOL, region=REGIONS[0]))


def test_a_reservation_is_not_over_while_its_time_is_not_up() -> None:
    assert not _over(_regions(_READ, _READ), hours=1)
    assert not _over(_regions(_READ, _READ), expires_at=None)


@pytest.mark.parametrize(
    "coverage",
    [
        None,
        Coverage(ACCOUNTS[0]),
        _regions(_READ, RegionCoverage(START + HOUR)),
        _regions(_READ, RegionCoverage()),
        _regions(RegionCoverage(START + 2 * HOUR)),
        replace(_regions(_READ, _READ), membership=Membership.DEPARTED),
        replace(_regions(_READ, _READ), failure=_FAILURE),
        _regions(RegionCoverage(START + 3 * HOUR, standing=Standing.GOVERNED)),
    ],
)
def test_a_reservation_is_not_over_while_a_vpc_of_it_may_have_gone_unseen(coverage: Coverage | None) -> None:
    assert not _over(coverage)


def test_a_reservation_for_a_region_that_is_not_read_stays() -> None:
    governed = _regions(RegionCoverage(START + 3 * HOUR, standing=Standing.GOVERNED), _READ)
    assert not _over(governed, region=REGIONS[0])
    assert not _over(_regions(RegionCoverage()), region=REGIONS[0])
    assert not _over(_regions(_READ), region=REGIONS[1])


def test_a_vpc_in_the_block_or_in_its_room_keeps_the_reservation() -> None:
    assert not _over(_regions(_READ, _READ), _vpc(1, "10.0.0.0/20"))
    assert not _over(_regions(_READ, _READ), _vpc(1, "10.0.48.0/24", owner=ACCOUNTS[1]))
    assert _over(_regions(_READ, _READ), _vpc(1, "10.0.64.0/24"))


def test_without_an_account_there_is_nothing_that_a_read_could_say() -> None:
    assert not _over(_regions(_READ, _READ), account=None)
    assert Tracked().find_overlapping(POOL.block) == ()


def _held(**others: Any) -> Reservation:
    return replace(
        Reservation("res-1", "prod", parse_block("10.0.0.0/20"), Kind.ALLOCATION, START, account=ACCOUNTS[0]), **others
    )


def test_a_block_is_looked_for_where_its_vpc_was_to_be() -> None:
    regions = {
        REGIONS[0]: _READ, REGIONS[1]: RegionCoverage(failure=_FAILURE),
        Region("us-west-2"): RegionCoverage(standing=Standing.GOVERNED),
    }  # fmt: skip
    tracked = Tracked(coverage={ACCOUNTS[0]: Coverage(ACCOUNTS[0], regions=regions)})
    assert places_to_read(_held(), POOL, tracked) == {ACCOUNTS[0]: {REGIONS[0], REGIONS[1]}}
    assert places_to_read(_held(region=Region("us-west-2")), POOL, tracked) == {ACCOUNTS[0]: {Region("us-west-2")}}
    assert places_to_read(_held(), replace(POOL, region=REGIONS[0]), tracked) == {ACCOUNTS[0]: {REGIONS[0]}}
    assert places_to_read(_held(account=ACCOUNTS[1]), POOL, tracked) == {ACCOUNTS[1]: frozenset()}, "all it has"


def test_a_block_is_looked_for_where_a_vpc_with_it_is_known() -> None:
    closed = {ACCOUNTS[0]: Coverage(ACCOUNTS[0], membership=Membership.CLOSED)}
    assert places_to_read(_held(), POOL, Tracked(coverage=closed)) == {}
    vpcs = [_vpc(1, "10.0.0.0/16", owner=ACCOUNTS[1]), _vpc(2, "10.1.0.0/16")]
    tracked = tracked_in("default", vpcs, closed, TrackerConfig())
    assert places_to_read(_held(), POOL, tracked) == {ACCOUNTS[1]: {REGIONS[0]}}
    assert places_to_read(_held(account=None, kind=Kind.ELSEWHERE), POOL, Tracked()) == {}

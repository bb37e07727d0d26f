"""A block is released only after a look at the places where its VPC may be."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.memory_pools import MemoryPools
from tests.memory_store import MemoryStore
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.org import Account, AccountId, Failure, FailureReason, Membership, Region, UsageError
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.config import TrackerConfig
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.differences import Complete, RegionRead
from landkeeper.vpctracker.inventory import Vpc
from landkeeper.vpctracker.pools.access import Pools
from landkeeper.vpctracker.pools.operations import Actor, Request, Reserved, allocate, create_pool
from landkeeper.vpctracker.pools.pool import Pool
from landkeeper.vpctracker.pools.release import release_after_reading
from landkeeper.vpctracker.ports import VpcReader

_ACCOUNT, _HERE = ACCOUNTS[0], REGIONS[0]
_DENIED = Failure(FailureReason.MISSING_PERMISSION, "UnauthorizedOperation")


class World:
    """An account with a reservation; also what reads it, and what keeps it all."""

    def __init__(self) -> None:
        self.vpcs: list[Vpc] = []
        self.is_shut = False
        self.entered: list[AccountId] = []
        self.store, self.pool_store = MemoryStore(), MemoryPools()
        seconds = itertools.count()
        actor = Actor("test", lambda: START + timedelta(seconds=next(seconds)), lambda: "res-1", lambda: iter(()))
        create_pool(self.pool_store, Pool("pool", parse_block("10.0.0.0/8")), actor)
        self.know(Coverage(_ACCOUNT, "team", START, regions={_HERE: RegionCoverage(START)}))
        self.pools = Pools(self.pool_store, self.store, TrackerConfig(), actor, lambda _: "ACTIVE")
        request = Request("pool", 16, _ACCOUNT, "a test", region=_HERE, accept_unread=True)
        reserved = allocate(self.pool_store, request, self.pools.tracked_of, actor)
        assert isinstance(reserved, Reserved)
        self.block = str(reserved.reservation.block)

    def know(self, coverage: Coverage) -> None:
        self.store.coverage[coverage.account] = replace(coverage, version=1)
        self.pool_store.coverage = [coverage]

    def read_account(
        self, account: Account, regions: Collection[Region] | None = None
    ) -> Mapping[Region, RegionRead] | Failure:
        if self.is_shut:
            return _DENIED
        self.pool_store.vpcs = list(self.vpcs)
        return {region: Complete(tuple(self.vpcs)) for region in regions or REGIONS}

    def open_reader(self, accounts: Collection[AccountId]) -> VpcReader | str:
        self.entered += accounts
        return self

    def release(self) -> str:
        return str(release_after_reading(self.pools, "res-1", self.open_reader).block)


def test_a_block_without_a_vpc_is_released_once_its_region_was_read() -> None:
    world = World()
    assert world.release() == world.block
    assert world.entered == [_ACCOUNT]


def test_a_block_with_a_vpc_that_the_read_shows_is_not_released() -> None:
    world = World()
    world.vpcs.append(Vpc(vpc_ids(1), _ACCOUNT, _HERE, world.block))
    with pytest.raises(UsageError, match="cannot be released: vpc-"):
        world.release()


def test_a_place_that_cannot_be_read_keeps_the_block() -> None:
    world = World()
    world.is_shut = True
    with pytest.raises(UsageError, match="its VPC may still exist: team"):
        world.release()


def test_an_account_that_cannot_be_entered_keeps_the_block() -> None:
    world = World()
    with pytest.raises(UsageError, match="may still exist: no role"):
        release_after_reading(world.pools, "res-1", lambda _: "no role")


def test_an_account_that_has_left_keeps_the_block_and_is_not_entered() -> None:
    world = World()
    world.know(Coverage(_ACCOUNT, "team", START, membership=Membership.DEPARTED))
    with pytest.raises(UsageError, match="may still exist: the account"):
        world.release()
    assert world.entered == []


def test_an_account_that_nobody_knows_is_read_all_the_same() -> None:
    world = World()
    world.pool_store.coverage = []
    assert world.release() == world.block
    assert world.entered == [_ACCOUNT]


def test_the_range_of_a_pool_is_not_released_and_nothing_is_read() -> None:
    world = World()
    actor = replace(world.pools.actor, new_id=lambda: "res-2")
    create_pool(world.pool_store, Pool("inner", parse_block("10.128.0.0/9"), parent="pool"), actor)
    with pytest.raises(UsageError, match="vpc pool delete"):
        release_after_reading(world.pools, "res-2", world.open_reader)
    assert world.entered == []

"""Importing an IPAM into a store: all of it, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.strategies import ACCOUNTS, REGIONS
from tests.vpctracker.pools.test_operations import Busy, Office

from landkeeper.org import UsageError
from landkeeper.vpctracker.pools.ipam import IpamAllocation, IpamPool, Selection, select_pools
from landkeeper.vpctracker.pools.ipam_import import Imported, import_pools
from landkeeper.vpctracker.pools.items import LIST, PoolWrite
from landkeeper.vpctracker.pools.operations import read_named_state, read_pools
from landkeeper.vpctracker.pools.pool import Kind
from landkeeper.vpctracker.pools.ports import ContentionError
from landkeeper.vpctracker.ports import StoreError

TOP = IpamPool("ipam-pool-1", "top", scope="scope-1", cidrs=("10.0.0.0/8",))
EU = IpamPool("ipam-pool-2", "eu", "ipam-pool-1", "scope-1", locale=REGIONS[0], cidrs=("10.0.0.0/12",))
VPC = IpamAllocation("alloc-1", "ipam-pool-2", "10.0.0.0/20", "vpc", "vpc-1", ACCOUNTS[0], REGIONS[0])
CUSTOM = IpamAllocation("alloc-2", "ipam-pool-2", "10.1.0.0/20", "custom", description="Frankfurt")
MANY = [replace(CUSTOM, id=f"alloc-{at}", cidr=f"10.0.{at}.0/24") for at in range(120)]


class Failing(Busy):
    """A store whose write of that number fails."""

    fails_at: int | None = None
    writes = 0

    def write_pools(self, write: PoolWrite) -> bool:
        self.writes += 1
        if self.writes - 1 == self.fails_at:
            raise StoreError("the store does not answer")
        return super().write_pools(write)


def _import(office: Office, pools: Sequence[IpamPool] = (TOP, EU), given: Sequence[IpamAllocation] = ()) -> Imported:
    return import_pools(office.store, select_pools(pools), given, "default", office.actor)


@pytest.fixture
def office() -> Office:
    """An empty store."""
    made = Office(store=Failing())
    made.store.items.clear()
    made.store.writes = 0  # type: ignore[attr-defined] # a Failing
    return made


def test_an_import_makes_all_of_it_and_a_second_one_nothing(office: Office) -> None:
    assert _import(office, given=[VPC, CUSTOM]) == Imported(2, 2, 0, ())
    pools = {pool.id: pool for pool in read_pools(office.store)}
    assert [(pools[name].ipam_pool, pools[name].made_by) for name in ("top", "eu")] == [
        ("ipam-pool-1", "jane"), ("ipam-pool-2", "jane"),
    ]  # fmt: skip
    entries = read_named_state(office.store, "eu")[0].reservations
    assert [(entry.kind, entry.made_by) for entry in entries] == [(Kind.ALLOCATION, "jane"), (Kind.ELSEWHERE, "jane")]
    assert _import(office, given=[VPC, CUSTOM]) == Imported(0, 0, 4, ())


def test_an_empty_ipam_makes_nothing(office: Office) -> None:
    assert import_pools(office.store, Selection(), [], "default", office.actor) == Imported(0, 0, 0, ())


def test_hundreds_of_allocations_are_written_in_several_turns(office: Office) -> None:
    assert _import(office, given=MANY) == Imported(2, 120, 0, ())
    assert read_named_state(office.store, "eu")[0].version == 3


@pytest.mark.parametrize("fails_at", range(5))
def test_an_import_that_is_interrupted_gives_nothing_out_and_the_next_one_completes_it(
    office: Office, fails_at: int
) -> None:
    store = office.store
    assert isinstance(store, Failing)
    store.fails_at = fails_at
    with pytest.raises(StoreError):
        _import(office, given=MANY)
    assert read_pools(store) == (), "what is not listed gives nothing out"
    done = _import(office, given=MANY)
    assert (done.pools, done.reservations + done.known, done.left_out) == (2, 120, ())
    assert len(read_named_state(store, "eu")[0].reservations) == 120
    assert [entry.purpose for entry in read_named_state(store, "top")[0].reservations] == ["eu"]
    assert _import(office, given=MANY) == Imported(0, 0, 122, ())


def test_a_pool_is_not_made_by_hand_of_what_an_interrupted_import_left(office: Office) -> None:
    office.store.fails_at = 3  # type: ignore[attr-defined] # a Failing
    with pytest.raises(StoreError):
        _import(office, given=MANY)
    with pytest.raises(UsageError, match="an import of the pool 'eu' was interrupted"):
        office.create("eu", "192.168.0.0/16")


def test_a_new_pool_in_a_known_one_takes_its_range_before_it_is_there(office: Office) -> None:
    _import(office, [TOP])
    office.store.fails_at = 3  # type: ignore[attr-defined] # a Failing
    office.store.writes = 0  # type: ignore[attr-defined] # a Failing
    with pytest.raises(StoreError):
        _import(office, given=MANY)
    assert str(office.get(16, "top").block) == "10.16.0.0/16"
    assert _import(office, given=MANY).left_out == ()


def test_what_others_write_meanwhile_is_planned_with(office: Office) -> None:
    _import(office, [TOP])
    office.store.others = (lambda: office.get(16, "top"),)
    done = _import(office, given=[VPC])
    assert (done.pools, done.reservations, done.known) == (1, 1, 1)
    assert office.held("top") == ["10.0.0.0/12", "10.0.0.0/16"]
    office.store.others = (lambda: office.create("lab", "192.168.0.0/16"), lambda: office.get(20, "lab"))
    assert _import(office, [TOP, replace(EU, cidrs=("10.0.0.0/12", "10.32.0.0/12"))], [VPC]).known == 3


def test_a_pool_that_is_made_while_pools_are_listed_does_not_cross_them(office: Office) -> None:
    class Late(Failing):
        is_late = False

        def write_pools(self, write: PoolWrite) -> bool:
            if LIST in write.expected and not self.is_late:
                self.is_late = True
                office.create("lab", "10.0.0.0/16")
            return super().write_pools(write)

    office.store = Late()
    done = _import(office, given=[VPC])
    assert [pool.id for pool in read_pools(office.store)] == ["lab"]
    assert "overlaps the pool 'lab'" in done.left_out[0]
    assert [entry.request_id for entry in read_named_state(office.store, "lab")[0].reservations] == ["alloc-1"]


def test_whoever_never_gets_a_turn_is_told(office: Office) -> None:
    _import(office, [TOP])
    office.store.others = (lambda: office.get(28, "top"),) * 9
    with pytest.raises(ContentionError, match="too many concurrent writes to the pools"):
        _import(office)


def test_the_range_of_a_pool_that_comes_back_is_replaced_on_record(office: Office) -> None:
    _import(office, [TOP, replace(EU, state="delete-in-progress")])
    done = _import(office, given=[VPC])
    assert (done.pools, done.left_out) == (1, ())
    assert [(entry.kind, entry.purpose) for entry in read_named_state(office.store, "top")[0].reservations] == [
        (Kind.POOL, "eu"),
    ]  # fmt: skip
    (gone,) = [item for (_, name), item in office.store.items.items() if name.startswith("GONE#")]
    assert (gone["Gone"], gone["Resource"]) == ("replaced by an import", "ipam-pool-2")
    assert str(office.get(20, "eu").block) == "10.0.16.0/20"


def test_pools_of_an_earlier_version_get_their_ids_once(office: Office) -> None:
    office.create("top", "10.0.0.0/8")
    assert _import(office, [TOP]) == Imported(0, 0, 1, ())
    (pool,) = read_pools(office.store)
    assert (pool.ipam_pool, pool.made_by) == ("ipam-pool-1", "jane")
    before = dict(office.store.items)
    assert _import(office, [replace(TOP, name="another")]) == Imported(0, 0, 1, ())
    assert office.store.items == before

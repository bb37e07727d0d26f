"""Making pools, reserving, allocating, releasing: decided from what is read, and written once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.memory_pools import MemoryPools
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.org import AccountId, UsageError
from landkeeper.vpctracker.cidr import Block, parse_block
from landkeeper.vpctracker.config import TrackerConfig
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.inventory import Vpc
from landkeeper.vpctracker.pools.allocation import PoolExhausted
from landkeeper.vpctracker.pools.items import PoolWrite
from landkeeper.vpctracker.pools.operations import (
    Actor,
    Allocation,
    Request,
    Reserved,
    Taken,
    allocate,
    create_pool,
    delete_pool,
    find_reservation,
    read_named_state,
    read_pools,
    release,
)
from landkeeper.vpctracker.pools.pool import Kind, Pool, Reservation
from landkeeper.vpctracker.pools.ports import ContentionError
from landkeeper.vpctracker.pools.refusals import explain
from landkeeper.vpctracker.pools.reserve import ReservedByHand, reserve_blocks
from landkeeper.vpctracker.pools.tracked import Tracked, read_tracked
from landkeeper.vpctracker.pools.unread import NeverRead

DAY = timedelta(days=1)


class Busy(MemoryPools):
    """A store in which somebody else writes first, as often as there are `others`."""

    others: tuple[Callable[[], object], ...] = ()

    def write_pools(self, write: PoolWrite) -> bool:
        while self.others:
            other, *left = self.others
            self.others = ()
            other()
            self.others = tuple(left)
            break
        return super().write_pools(write)


@dataclass
class Office:
    """A store with a pool, an account that was read, and somebody who works with them."""

    store: Busy = field(default_factory=Busy)
    now: datetime = START
    patience: int = 5

    def __post_init__(self) -> None:
        ids = (f"res-{number}" for number in itertools.count(1))
        self.actor = Actor("jane", lambda: self.now, lambda: next(ids), self._pauses)
        self.read_at(START)
        self.create("prod", "10.0.0.0/16")

    def _pauses(self) -> Iterator[bool]:
        return iter([True] * self.patience)

    def read_at(self, moment: datetime) -> None:
        self.store.coverage = [Coverage(ACCOUNTS[0], "lake", regions={REGIONS[0]: RegionCoverage(moment)})]

    def tracked_of(self, space: str, within: Block) -> Tracked:
        return read_tracked(self.store, space, TrackerConfig(), within)

    def create(self, name: str, block: str, **others: Any) -> Pool:
        return create_pool(self.store, Pool(name, parse_block(block), **others), self.actor)

    def ask(self, length: int = 20, pool: str = "prod", account: AccountId = ACCOUNTS[0], **others: Any) -> Allocation:
        request = Request(pool, length, account, "web", **others)
        return allocate(self.store, request, self.tracked_of, self.actor)

    def get(self, length: int = 20, pool: str = "prod", **others: Any) -> Reservation:
        outcome = self.ask(length, pool, **others)
        assert isinstance(outcome, Reserved)
        return outcome.reservation

    def reserve(self, block: str, purpose: str = "x") -> ReservedByHand:
        (made,) = reserve_blocks(
            self.store, "prod", [parse_block(block)], purpose, tracked_of=self.tracked_of, actor=self.actor
        )
        return made

    def held(self, pool: str = "prod") -> list[str]:
        return [str(one.held) for one in read_named_state(self.store, pool)[0].reservations]

    def track(self, *blocks: str) -> None:
        self.store.vpcs = [Vpc(vpc_ids(at), ACCOUNTS[1], REGIONS[0], block) for at, block in enumerate(blocks)]


@pytest.fixture
def office() -> Office:
    """A new one."""
    return Office()


def test_a_pool_knows_who_made_it_and_when(office: Office) -> None:
    (pool,) = read_pools(office.store)
    assert pool == Pool("prod", parse_block("10.0.0.0/16"), made_at=START, made_by="jane")


def test_blocks_are_given_from_the_lowest_on_around_all_that_is_taken(office: Office) -> None:
    office.track("10.0.16.0/20", "10.0.0.0/24")
    office.reserve("10.0.48.0/24", "Frankfurt")
    assert [str(office.get().block) for _ in range(3)] == ["10.0.32.0/20", "10.0.64.0/20", "10.0.80.0/20"]
    assert str(office.get(24).block) == "10.0.1.0/24"
    assert office.held() == ["10.0.1.0/24", "10.0.32.0/20", "10.0.48.0/24", "10.0.64.0/20", "10.0.80.0/20"]


def test_room_to_grow_is_kept_free(office: Office) -> None:
    first = office.get(20, grow_to=18)
    assert (str(first.block), str(first.room)) == ("10.0.0.0/20", "10.0.0.0/18")
    assert str(office.get(20).block) == "10.0.64.0/20"


def test_docker_s_own_network_is_never_given(office: Office) -> None:
    office.create("wide", "172.16.0.0/14")
    assert [str(office.get(16, "wide").block) for _ in range(3)] == ["172.16.0.0/16", "172.18.0.0/16", "172.19.0.0/16"]
    assert office.ask(16, "wide") == PoolExhausted(None)


def test_an_exhausted_pool_tells_the_largest_block_that_would_fit(office: Office) -> None:
    office.track("10.0.0.0/17", "10.0.128.0/18")
    assert office.ask(17) == PoolExhausted(parse_block("10.0.192.0/18"))
    assert office.ask(20, grow_to=17) == PoolExhausted(parse_block("10.0.192.0/18"))


def test_the_same_request_again_gets_the_same_block(office: Office) -> None:
    first = office.ask(request_id="a", region=REGIONS[0])
    assert isinstance(first, Reserved)
    assert office.ask(request_id="a", region=REGIONS[0]) == replace(first, is_new=False)
    assert len(office.held()) == 1
    changes: tuple[dict[str, Any], ...] = ({"length": 24}, {"grow_to": 18}, {"region": REGIONS[1]})
    for changed in changes:
        with pytest.raises(UsageError, match=r"the request id 'a' was used for another request: .*res-1 for web"):
            office.ask(**{"request_id": "a", "region": REGIONS[0], **changed})


def test_the_same_request_made_twice_at_once_gets_one_block(office: Office) -> None:
    won: list[Reservation] = []
    office.store.others = (lambda: won.append(office.get(request_id="a", grow_to=18)),)
    assert office.ask(request_id="a", grow_to=18) == Reserved(won[0], is_new=False)


def test_the_same_request_is_refused_once_vpcs_of_others_have_its_block(office: Office) -> None:
    first = office.get(24, request_id="a")
    office.track("10.0.0.0/22")
    outcome = office.ask(24, request_id="a")
    assert isinstance(outcome, Taken)
    assert (outcome.conflict.reservation, [vpc.id for vpc in outcome.conflict.vpcs]) == (first, [vpc_ids(0)])
    assert office.ask(24, request_id="b") == Reserved(office.get(24, request_id="b"))
    assert explain(outcome, Request("prod", 24, ACCOUNTS[0], "web")) == (
        f"10.0.0.0/24, reserved by this request as {first.id}, is in conflict: it overlaps {vpc_ids(0)} of "
        f"{ACCOUNTS[1]} in {REGIONS[0]} (10.0.0.0/22). Run `landkeeper vpc track` if that is gone; pass another "
        "--request-id to get another block."
    )


def test_a_vpc_of_others_in_the_room_is_a_conflict_too(office: Office) -> None:
    office.get(24, grow_to=20, request_id="a")
    office.track("10.0.8.0/24")
    outcome = office.ask(24, grow_to=20, request_id="a")
    assert isinstance(outcome, Taken)
    said = explain(outcome, Request("prod", 24, ACCOUNTS[0], "web"), for_another="do something else")
    assert "10.0.0.0/24 with its room 10.0.0.0/20, reserved by this request" in said
    assert said.endswith("do something else to get another block.")


def test_the_same_request_names_the_vpc_that_was_made_of_its_block(office: Office) -> None:
    first = office.get(request_id="a")
    made = Vpc(vpc_ids(7), ACCOUNTS[0], REGIONS[0], str(first.block))
    office.store.vpcs = [made]
    assert office.ask(request_id="a") == Reserved(first, is_new=False, used_by=(made,))


def test_the_same_request_gets_a_new_block_once_its_reservation_is_over(office: Office) -> None:
    """The old one could go to anybody at the next allocation."""
    first = office.get(request_id="a", ttl=DAY)
    others = [office.get(ttl=DAY) for _ in range(15)]
    office.now = START + 2 * DAY
    office.read_at(office.now)
    again = office.ask(request_id="a", ttl=DAY)
    assert isinstance(again, Reserved)
    assert (again.is_new, again.reservation.block, again.reservation.id) == (True, first.block, "res-17")
    assert office.held() == [str(first.block)]
    assert len(others) == 15


def test_an_over_reservation_is_not_renewed_while_accounts_are_unread(office: Office) -> None:
    office.get(request_id="a", ttl=DAY)
    office.now = START + 2 * DAY
    office.read_at(office.now)
    unread = Coverage(ACCOUNTS[1], "shop")
    office.store.coverage.append(unread)
    assert office.ask(request_id="a", ttl=DAY) == NeverRead((unread,))


def test_the_same_request_begins_its_time_anew_when_half_of_it_is_over(office: Office) -> None:
    first = office.get(request_id="a", ttl=DAY)
    office.now = START + DAY / 3
    assert office.get(request_id="a", ttl=DAY) == first
    office.now = START + 2 * DAY / 3
    office.store.others = (office.get,)
    assert office.get(request_id="a", ttl=DAY) == replace(first, expires_at=office.now + DAY)
    assert find_reservation(office.store, first.id)[1].expires_at == office.now + DAY
    assert office.get(request_id="a").expires_at == office.now + DAY


def test_a_block_that_a_vpc_has_is_reserved_for_that_vpc(office: Office) -> None:
    office.track("10.0.32.0/20", "10.0.48.0/24")
    made = office.reserve("10.0.32.0/20", "older than the pool")
    entry = made.reservation
    assert (entry.kind, entry.account, entry.region, entry.resource, entry.purpose) == (
        Kind.ALLOCATION, ACCOUNTS[1], REGIONS[0], vpc_ids(0), "older than the pool",
    )  # fmt: skip
    assert [vpc.id for vpc in made.holders.own] == [vpc_ids(0)]
    with pytest.raises(UsageError, match="overlaps"):
        office.reserve("10.0.32.0/20")


def test_a_block_that_is_wider_than_its_vpcs_is_in_use_outside_aws_and_in_conflict(office: Office) -> None:
    office.track("10.0.32.0/24", "10.0.33.0/24")
    made = office.reserve("10.0.32.0/20")
    assert (made.reservation.kind, made.reservation.resource) == (Kind.ELSEWHERE, "")
    assert [vpc.id for vpc in made.holders.others] == [vpc_ids(0), vpc_ids(1)]


def test_a_block_that_was_reserved_as_in_use_outside_aws_is_linked_to_its_vpc(office: Office) -> None:
    before = office.reserve("10.0.32.0/20", "unknown").reservation
    office.track("10.0.32.0/20")
    made = office.reserve("10.0.32.0/20", "team b").reservation
    assert (made.id, made.kind, made.resource, made.purpose) == (before.id, Kind.ALLOCATION, vpc_ids(0), "team b")
    assert office.held() == ["10.0.32.0/20"]


def test_several_blocks_are_reserved_all_or_none(office: Office) -> None:
    blocks = [parse_block(text) for text in ("10.0.0.0/24", "10.0.1.0/24", "10.0.1.0/25")]
    with pytest.raises(UsageError, match=r"10.0.1.0/25 overlaps 10.0.1.0/24"):
        reserve_blocks(office.store, "prod", blocks, "x", tracked_of=office.tracked_of, actor=office.actor)
    assert office.held() == []
    reserve_blocks(office.store, "prod", blocks[:2], "x", tracked_of=office.tracked_of, actor=office.actor)
    assert office.held() == ["10.0.0.0/24", "10.0.1.0/24"]


def test_who_comes_second_chooses_anew(office: Office) -> None:
    office.store.others = (office.get, office.get)
    assert str(office.get().block) == "10.0.32.0/20"
    assert len(office.held()) == 3


def test_whoever_never_gets_a_turn_is_told(office: Office) -> None:
    office.store.others = (office.get,) * 9
    with pytest.raises(ContentionError, match="too many concurrent writes to the pool 'prod'"):
        office.get()
    office.store.others = (office.get,) * 9
    with pytest.raises(ContentionError, match="too many concurrent writes to the pool 'prod'"):
        office.reserve("10.0.255.0/24", "x")


def test_nothing_is_given_while_an_account_of_the_space_was_never_read(office: Office) -> None:
    unread = Coverage(ACCOUNTS[1], "shop")
    office.store.coverage.append(unread)
    assert office.ask() == NeverRead((unread,))
    assert office.held() == []
    assert str(office.get(accept_unread=True).block) == "10.0.0.0/20"


def test_accounts_that_are_accepted_stand_in_nobodys_way(office: Office) -> None:
    unread = Coverage(ACCOUNTS[1], "shop")
    office.store.coverage.append(unread)
    asking = ACCOUNTS[2]
    assert office.ask(account=asking, accepted_unread=frozenset({asking})) == NeverRead((unread,))
    assert isinstance(office.ask(account=asking, accepted_unread=frozenset({asking, ACCOUNTS[1]})), Reserved)


def test_a_request_that_has_its_block_gets_it_again_although_what_it_accepts_was_read_meanwhile(office: Office) -> None:
    office.store.coverage.append(Coverage(ACCOUNTS[1], "shop"))
    again: Any = {"request_id": "run-7", "accepted_unread": frozenset({ACCOUNTS[1]})}
    first = office.get(**again)
    office.read_at(START)
    assert office.get(**again) == first


def test_the_account_that_asks_has_to_have_been_read_too(office: Office) -> None:
    assert office.ask(account=ACCOUNTS[2]) == NeverRead((Coverage(ACCOUNTS[2]),))
    assert isinstance(office.ask(account=ACCOUNTS[2], accept_unread=True), Reserved)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"pool": "nope"}, "there is no pool 'nope': there are eu, prod"),
        ({"pool": "eu", "region": REGIONS[1]}, "the pool 'eu' is for eu-west-1, not for us-east-1"),
        ({"pool": "eu", "length": 20}, "the pool 'eu' provides /22 to /26, not /20"),
        ({"pool": "eu", "length": 27}, "not /27"),
    ],
)
def test_a_request_that_does_not_fit_the_pool_is_refused(office: Office, asked: dict[str, Any], why: str) -> None:
    office.create("eu", "192.168.0.0/16", region=REGIONS[0], shortest=22, longest=26)
    with pytest.raises(UsageError, match=why):
        office.ask(**asked)


def test_a_block_is_for_the_region_of_its_pool(office: Office) -> None:
    office.create("eu", "192.168.0.0/16", region=REGIONS[0])
    assert office.get(pool="eu").region == REGIONS[0]
    assert office.get().region is None


def test_a_pool_inside_a_pool_takes_its_range_there(office: Office) -> None:
    office.create("eu", "10.0.0.0/18", parent="prod")
    (range_,) = read_named_state(office.store, "prod")[0].reservations
    assert (range_.kind, range_.purpose, str(range_.block)) == (Kind.POOL, "eu", "10.0.0.0/18")
    assert str(office.get().block) == "10.0.64.0/20"
    assert str(office.get(pool="eu").block) == "10.0.0.0/20"
    with pytest.raises(UsageError, match="overlaps the pool 'eu'"):
        office.reserve("10.0.1.0/24", "x")


def test_a_pool_inside_a_pool_keeps_off_what_was_reserved_there_before(office: Office) -> None:
    office.reserve("10.0.0.0/20", "Frankfurt")
    office.create("eu", "10.0.0.0/18", parent="prod")
    office.create("eu-1", "10.0.0.0/19", parent="eu")
    assert str(office.get(pool="eu-1").block) == "10.0.16.0/20"


def test_two_that_make_overlapping_pools_at_once_do_not_both_succeed(office: Office) -> None:
    office.store.others = (lambda: office.create("first", "192.168.0.0/16"),)
    with pytest.raises(UsageError, match=r"192.168.0.0/17 overlaps the pool 'first'"):
        office.create("second", "192.168.0.0/17")
    office.store.others = (office.get,)
    with pytest.raises(UsageError, match=r"10.0.0.0/21 overlaps 10.0.0.0/20"):
        office.create("inner", "10.0.0.0/21", parent="prod")


def test_an_empty_pool_can_be_deleted_and_gives_its_range_back(office: Office) -> None:
    office.create("eu", "10.0.0.0/18", parent="prod")
    given = [office.get(pool="eu"), office.get(pool="eu")]
    with pytest.raises(UsageError, match=r"not empty: it has 10.0.0.0/20, .* and 1 more"):
        delete_pool(office.store, "eu", office.actor)
    release(office.store, given[0].id, office.tracked_of, office.actor)
    with pytest.raises(UsageError, match=r"not empty: it has 10.0.16.0/20, res-3 for web$"):
        delete_pool(office.store, "eu", office.actor)
    release(office.store, given[1].id, office.tracked_of, office.actor)
    delete_pool(office.store, "eu", office.actor)
    assert office.held() == []
    delete_pool(office.store, "prod", office.actor)
    assert read_pools(office.store) == ()
    office.create("prod", "192.168.0.0/16")
    assert str(office.get().block) == "192.168.0.0/20"


def test_nothing_is_given_from_a_pool_that_is_deleted_meanwhile(office: Office) -> None:
    office.store.others = (lambda: delete_pool(office.store, "prod", office.actor),)
    with pytest.raises(UsageError, match="there is no pool 'prod'"):
        office.get()


def test_a_released_block_is_free_again_and_stays_on_record(office: Office) -> None:
    given = office.get()
    assert find_reservation(office.store, given.id)[1] == given
    assert release(office.store, given.id, office.tracked_of, office.actor) == given
    assert office.held() == []
    (gone,) = [item for (_, name), item in office.store.items.items() if name.startswith("GONE#")]
    assert (gone["Gone"], gone["GoneBy"], gone["ReservationId"]) == ("released", "jane", given.id)
    with pytest.raises(UsageError, match=f"there is no reservation '{given.id}'"):
        release(office.store, given.id, office.tracked_of, office.actor)


def test_a_block_is_not_released_while_a_known_vpc_has_an_address_of_it_or_of_its_room(office: Office) -> None:
    given = office.get(grow_to=18)
    office.track(*(f"10.0.{number}.0/28" for number in range(57, 64)))
    with pytest.raises(UsageError, match=r"10.0.0.0/18 cannot be released: vpc-0.* and 2 more has it"):
        release(office.store, given.id, office.tracked_of, office.actor)
    assert office.held() == ["10.0.0.0/18"]


def test_what_two_release_at_once_is_released_once(office: Office) -> None:
    given = office.get()
    office.store.others = (lambda: release(office.store, given.id, office.tracked_of, office.actor),)
    with pytest.raises(UsageError, match=f"the reservation '{given.id}' no longer exists"):
        release(office.store, given.id, office.tracked_of, office.actor)


def test_the_range_of_a_pool_is_not_released_by_hand(office: Office) -> None:
    office.create("eu", "10.0.0.0/18", parent="prod")
    (range_,) = read_named_state(office.store, "prod")[0].reservations
    with pytest.raises(UsageError, match="is the range of the pool 'eu': use `landkeeper vpc pool delete`"):
        release(office.store, range_.id, office.tracked_of, office.actor)


def test_a_block_whose_time_is_up_is_given_again_after_a_complete_read(office: Office) -> None:
    first = office.get(ttl=DAY)
    assert first.expires_at == START + DAY
    office.now = START + 2 * DAY
    assert str(office.get().block) == "10.0.16.0/20"
    office.read_at(START + DAY + timedelta(seconds=1))
    second = office.get()
    assert (second.block, second.id) == (first.block, "res-3")
    assert office.held() == ["10.0.0.0/20", "10.0.16.0/20"]
    (gone,) = [item for (_, name), item in office.store.items.items() if name.startswith("GONE#")]
    assert (gone["ReservationId"], gone["Gone"]) == (first.id, "expired")


def test_a_reservation_whose_vpc_turned_up_stays_when_its_time_is_up(office: Office) -> None:
    office.get(ttl=DAY)
    office.track("10.0.0.0/20")
    office.now = START + 2 * DAY
    office.read_at(office.now)
    assert str(office.get().block) == "10.0.16.0/20"
    assert office.held() == ["10.0.0.0/20", "10.0.16.0/20"]

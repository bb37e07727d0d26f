"""Whether a VPC can be made in an account and region, and what becomes of the block where it is carried out."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from tests.memory_network import DENIED, Fault, MemoryNetwork
from tests.memory_pools import MemoryPools
from tests.memory_store import MemoryStore
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.org import Account, AccountId, Failure, FailureReason, Membership, Region, UsageError
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.config import DEFAULT_SPACE, Governed, Space, TrackerConfig
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.differences import Appeared, Complete, RegionRead, Unreadable
from landkeeper.vpctracker.inventory import StoredVpc, Subnet, Vpc, VpcId
from landkeeper.vpctracker.pools.access import Pools
from landkeeper.vpctracker.pools.operations import Actor, Request, Reserved, Taken, create_pool, read_named_state
from landkeeper.vpctracker.pools.pool import Pool
from landkeeper.vpctracker.ports import StoreError
from landkeeper.vpctracker.track import track_account
from landkeeper.vpctracker.vending.carry_out import Report, _Unwritten, carry_out, plan_vpc, reserve_block
from landkeeper.vpctracker.vending.plan import REQUEST_TAG, UNFINISHED_TAG, VendPlan, Zone
from landkeeper.vpctracker.vending.site import Entered, Site, Wish, look_at_site
from landkeeper.vpctracker.vending.vend import Undone, Vended

_ACCOUNT, _HERE = ACCOUNTS[0], REGIONS[0]
_DISABLED = Failure(FailureReason.REGION_DISABLED, "OptInRequired")


@dataclass(slots=True)
class EnteredNetwork(MemoryNetwork):
    """A network of an account with two zones, and room for five VPCs."""

    account: AccountId = _ACCOUNT
    caller: AccountId | Failure = _ACCOUNT
    zones: Sequence[Zone] | Failure = (Zone("euw1-az1", "a"), Zone("euw1-az2", "b"))
    quota: int | Failure = 5

    def read_caller(self) -> AccountId | Failure:
        return self.caller

    def read_zones(self) -> Sequence[Zone] | Failure:
        return self.zones

    def count_vpcs(self) -> int | Failure:
        return len(self.vpcs)

    def read_quota(self, code: str) -> int | Failure:
        return self.quota


class NetworkReader:
    """Reads the VPCs of a network, as a tracker of its account does."""

    def __init__(self, network: EnteredNetwork) -> None:
        self.network = network
        self.failure: Failure | None = None
        self.is_late = 0
        """How many reads do not show yet that a VPC is finished."""

    def read_account(self, account: Account, regions: Collection[Region] | None = None) -> Mapping[Region, RegionRead]:
        assert regions == [_HERE]
        if self.failure is not None:
            return {_HERE: Unreadable(self.failure)}
        self.is_late -= 1
        return {_HERE: Complete(tuple(self._vpc(VpcId(id_)) for id_ in self.network.vpcs))}

    def _vpc(self, id_: VpcId) -> Vpc:
        made = self.network.vpcs[id_]
        subnets = tuple(
            Subnet(subnet, thing.zone, thing.block, 0) for subnet, thing in self.network.subnets.items()
            if thing.vpc == id_
        )  # fmt: skip
        tags = {**made.tags, UNFINISHED_TAG: "true"} if self.is_late >= 0 else dict(made.tags)
        return Vpc(id_, _ACCOUNT, _HERE, made.block, tags=tags, subnets=subnets)


class TrackedPools(MemoryPools):
    """Pools whose VPCs are those of a tracker's store."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__()
        self._tracker = store

    def read_all_coverage(self) -> list[Coverage]:
        return list(self._tracker.read_all_coverage())

    def read_live_vpcs(self, within: object = None) -> list[Vpc]:
        return [known.vpc for known in self._tracker.read_all() if known.is_live]


@dataclass
class World:
    """An account that was read, a pool, and its network."""

    store: MemoryStore = field(default_factory=MemoryStore)
    network: EnteredNetwork = field(default_factory=EnteredNetwork)
    config: TrackerConfig = field(default_factory=TrackerConfig)
    entered: int = 0

    def __post_init__(self) -> None:
        self.reader = NetworkReader(self.network)
        ids, seconds = itertools.count(1), itertools.count()
        self.actor = Actor(
            "test", lambda: START + timedelta(seconds=next(seconds)), lambda: f"res-{next(ids)}", lambda: iter(())
        )
        self.pool_store = TrackedPools(self.store)
        create_pool(self.pool_store, Pool("pool", parse_block("10.0.0.0/8")), self.actor)
        regions = {_HERE: RegionCoverage(START)}
        self.store.write_coverage(Coverage(_ACCOUNT, "team", START, regions=regions))

    @property
    def pools(self) -> Pools:
        return Pools(self.pool_store, self.store, self.config, self.actor, lambda _: "ACTIVE")

    def enter(self, account: AccountId, region: Region) -> Entered:
        assert (account, region) == (_ACCOUNT, _HERE)
        self.entered += 1
        return Entered(self.network, self.reader)

    def site(self, wish: Wish) -> Site:
        return look_at_site(self.pools, wish, self.enter)

    def plan(self, wish: Wish) -> tuple[Site, VendPlan, Reserved]:
        site = self.site(wish)
        reserved = reserve_block(self.pools, site, wish, for_real=True)
        assert isinstance(reserved, Reserved)
        return site, plan_vpc(site, wish, reserved), reserved

    def carry_out(self, wish: Wish) -> Report:
        site, plan, reserved = self.plan(wish)
        return carry_out(self.pools, site, plan, is_new=reserved.is_new, pauses=_pauses, tell=lambda _: None)

    def track(self) -> None:
        track_account(Account(_ACCOUNT), self.reader, self.store, clock=lambda: START, regions=[_HERE])

    def reserved(self) -> int:
        return len(read_named_state(self.pool_store, "pool")[0].reservations)


def _pauses() -> Iterator[bool]:
    return iter([True, True])


def _wish(request_id: str = "req") -> Wish:
    request = Request("pool", 20, _ACCOUNT, "a test", request_id=request_id)
    return Wish(request, _HERE, zones=2, public_bits=None, name="lake", tags={})


def test_a_site_has_its_zones_the_accounts_name_and_nothing_to_say() -> None:
    site = World().site(_wish())
    assert (site.account, len(site.zones), site.has_vpc, site.remarks) == (Account(_ACCOUNT, "team"), 2, False, ())


def test_a_governed_region_is_not_entered() -> None:
    world = World(config=TrackerConfig(governed=(Governed((_HERE,)),)))
    with pytest.raises(UsageError, match="is governed for account"):
        world.site(_wish())
    assert world.entered == 0


@pytest.mark.parametrize(("caller", "named"), [(ACCOUNTS[1], ACCOUNTS[1]), (DENIED, "permission missing")])
def test_credentials_of_another_account_or_of_nobody_are_refused(caller: AccountId | Failure, named: str) -> None:
    world = World()
    world.network.caller = caller
    with pytest.raises(UsageError, match=f"belong to another account: {named}"):
        world.site(_wish())


@pytest.mark.parametrize(
    ("failure", "said"), [(_DISABLED, "is not enabled in the account"), (DENIED, "cannot be read")]
)
def test_a_region_that_cannot_be_read_says_why(failure: Failure, said: str) -> None:
    world = World()
    world.network.zones = failure
    with pytest.raises(UsageError, match=said):
        world.site(_wish())


def test_quotas_that_cannot_be_read_are_remarks_and_those_that_are_used_up_refusals() -> None:
    world = World()
    world.network.quota = DENIED
    assert len(world.site(_wish()).remarks) == 2
    world.network.quota = 0
    with pytest.raises(UsageError, match="the quota of VPCs"):
        world.site(_wish())


def test_an_account_in_another_space_is_refused() -> None:
    world = World(config=TrackerConfig(spaces=(Space("lab", accounts=(_ACCOUNT,)),)))
    with pytest.raises(UsageError, match=f"is in the space {DEFAULT_SPACE}"):
        world.site(_wish())


def test_a_closed_account_is_refused() -> None:
    world = World()
    known = world.store.read_coverage(_ACCOUNT)
    world.store.write_coverage(replace(known, membership=Membership.CLOSED))
    with pytest.raises(UsageError, match="no block for account"):
        world.site(_wish())


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (Failure(FailureReason.NOT_FOUND), "is not in the organization"),
        (DENIED, "has never been tracked"),
        ("PENDING_CLOSURE", "it is pending closure"),
    ],
)
def test_of_an_account_that_was_never_tried_the_organization_is_asked(state: str | Failure, said: str) -> None:
    world = World()
    world.store.coverage.clear()
    with pytest.raises(UsageError, match=said):
        look_at_site(replace(world.pools, find_member_state=lambda _: state), _wish(), world.enter)
    assert world.site(_wish()).account.name == ""


def test_a_preview_reserves_nothing() -> None:
    world = World()
    site = world.site(_wish())
    assert isinstance(reserve_block(world.pools, site, _wish(), for_real=False), Reserved)
    assert world.reserved() == 0


def test_a_store_that_is_not_written_to_answers_as_the_one_behind_it() -> None:
    world = World()
    world.plan(_wish())
    key = next((pool, item) for pool, item in world.pool_store.items if item.startswith("RES#res"))
    assert len(_Unwritten(world.pool_store).find_pool_items({key})) == 1


def test_a_vpc_of_the_request_without_its_block_takes_another_request_id() -> None:
    world = World()
    site = replace(world.site(_wish()), has_vpc=True)
    with pytest.raises(UsageError, match="use another request id"):
        reserve_block(world.pools, site, _wish(), for_real=True)


@pytest.mark.parametrize("for_real", [False, True])
def test_a_vpc_that_was_made_on_the_block_by_hand_is_not_doubled_nor_adopted(for_real: bool) -> None:
    world = World()
    world.plan(_wish())
    by_hand = world.network.make_vpc(parse_block("10.0.0.0/20"), {REQUEST_TAG: "by hand"})
    assert isinstance(by_hand, str)
    world.track()
    site = world.site(_wish())
    with pytest.raises(UsageError, match=rf"which this request did not create: {by_hand} of .* \(10.0.0.0/20\)"):
        reserve_block(world.pools, site, _wish(), for_real=for_real)
    assert isinstance(world.carry_out(_wish("another")).outcome, Vended)


def test_a_vpc_of_the_request_whose_block_others_have_too_is_a_conflict() -> None:
    world = World()
    world.carry_out(_wish())
    theirs = Vpc(VpcId("vpc-theirs"), ACCOUNTS[1], _HERE, "10.0.0.0/16")
    world.store.write_changes([Appeared(StoredVpc(theirs, START, START, 1))])
    outcome = reserve_block(world.pools, world.site(_wish()), _wish(), for_real=True)
    assert isinstance(outcome, Taken)
    assert outcome.conflict.vpcs == (theirs,)


def test_a_vpc_beside_the_block_in_its_room_does_not_stop_the_request() -> None:
    world = World()
    wish = _wish()
    wish = replace(wish, request=replace(wish.request, grow_to=18))
    world.plan(wish)
    assert isinstance(world.network.make_vpc(parse_block("10.0.16.0/20"), {REQUEST_TAG: "by hand"}), str)
    world.track()
    assert isinstance(world.carry_out(wish).outcome, Vended)


def test_a_vpc_is_made_and_tracked_as_soon_as_ec2_shows_all_of_it() -> None:
    world = World()
    world.reader.is_late = 1
    report = world.carry_out(_wish())
    assert isinstance(report.outcome, Vended)
    assert (report.unrecorded, report.kept) == (None, "")
    (stored,) = world.store.read_all()
    assert UNFINISHED_TAG not in stored.vpc.tags
    assert world.carry_out(_wish()).outcome == replace(report.outcome, is_new=False)


def test_a_vpc_that_ec2_does_not_show_finished_is_not_called_recorded() -> None:
    world = World()
    world.reader.is_late = 9
    report = world.carry_out(_wish())
    assert report.unrecorded is not None
    assert report.unrecorded.reason is FailureReason.TIMED_OUT


def test_a_region_that_cannot_be_read_leaves_the_vpc_unrecorded() -> None:
    world = World()
    world.reader.failure = DENIED
    assert world.carry_out(_wish()).unrecorded == DENIED


def test_a_store_that_does_not_answer_leaves_the_vpc_unrecorded() -> None:
    class Broken(MemoryStore):
        def read_owned(self, account: AccountId) -> Sequence[StoredVpc]:
            raise StoreError("the store is full")

    report = World(store=Broken()).carry_out(_wish())
    assert isinstance(report.outcome, Vended)
    assert report.unrecorded is not None
    assert "full" in report.unrecorded.message


def test_a_vpc_that_cannot_be_made_gives_its_block_back() -> None:
    world = World()
    site, plan, _ = world.plan(_wish())
    world.network.faults = {world.network.calls + call: Fault.DENIED for call in range(2)}
    report = carry_out(world.pools, site, plan, is_new=True, pauses=_pauses, tell=lambda _: None)
    assert isinstance(report.outcome, Undone)
    assert (report.kept, world.reserved()) == ("", 0)


def test_the_block_of_a_vpc_that_may_turn_up_stays_reserved() -> None:
    world = World()
    site, plan, _ = world.plan(_wish())
    world.network.faults = {world.network.calls + 1: Fault.UNSENT}
    report = carry_out(world.pools, site, plan, is_new=True, pauses=_pauses, tell=lambda _: None)
    assert isinstance(report.outcome, Undone)
    assert (report.kept, world.reserved()) == ("a VPC uses it, or may use it", 1)


def _stored_in(block: str, region: Region = _HERE) -> Appeared:
    vpc = Vpc(vpc_ids(1), _ACCOUNT, region, block, read_by=_ACCOUNT)
    return Appeared(StoredVpc(vpc, START, START, 1))


def test_a_block_that_the_tracker_saw_in_use_is_given_back_after_another_read() -> None:
    world = World()
    site, plan, _ = world.plan(_wish())
    world.store.write_changes([_stored_in(str(plan.reservation.block))])
    world.network.faults = {world.network.calls + call: Fault.DENIED for call in range(2)}
    report = carry_out(world.pools, site, plan, is_new=True, pauses=_pauses, tell=lambda _: None)
    assert (report.kept, world.reserved()) == ("", 0)


def test_a_block_that_is_in_use_elsewhere_stays_reserved_and_says_why() -> None:
    world = World()
    site, plan, _ = world.plan(_wish())
    world.store.write_changes([_stored_in(str(plan.reservation.block), REGIONS[1])])
    world.network.faults = {world.network.calls + call: Fault.DENIED for call in range(2)}
    report = carry_out(world.pools, site, plan, is_new=True, pauses=_pauses, tell=lambda _: None)
    assert "cannot be released" in report.kept
    assert world.reserved() == 1

"""Looking at default VPCs in many accounts, and deleting those that nothing uses."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.memory_store import MemoryStore
from tests.strategies import ACCOUNTS, REGIONS, START
from tests.vpctracker.default_vpcs.test_plan import DENIED, VPC

from landkeeper.org import Account, Failure, FailureReason, Region, Standing
from landkeeper.vpctracker.default_vpcs.plan import (
    Act,
    DefaultSubnet,
    DefaultVpc,
    Holder,
    InternetGateway,
    InUse,
    Look,
    NoDefaultVpc,
    Plan,
    Step,
    Unknown,
    decide,
)
from landkeeper.vpctracker.default_vpcs.removal import (
    Deleted,
    Failed,
    Gone,
    RegionDefault,
    Removal,
    Result,
    _delete,
    delete_default_vpcs,
    recording,
    survey_default_vpcs,
)
from landkeeper.vpctracker.differences import Complete, NotRead, RegionRead, Unreadable
from landkeeper.vpctracker.inventory import Vpc, VpcId, VpcKey
from landkeeper.vpctracker.ports import StoreError
from landkeeper.vpctracker.track import Progress, UnreadablePlace, track_account

_HERE, _THERE = REGIONS
_SHOP, _LAKE = Account(ACCOUNTS[0], "shop"), Account(ACCOUNTS[1], "lake")
_REFUSED = Failure(FailureReason.OTHER, "DependencyViolation", "has dependencies")
_DENIED = Failure(FailureReason.SCP_DENY, "UnauthorizedOperation")


class Stopped(BaseException):
    """The process ended here."""


@dataclass
class World:
    """Default VPCs in memory; a `DefaultVpcs`."""

    places: dict[tuple[str, Region], RegionDefault | NotRead] = field(default_factory=dict)
    shut: dict[str, Failure] = field(default_factory=dict)
    taken: list[Step] = field(default_factory=list)
    refuse: dict[Act, Failure] = field(default_factory=dict)
    rehearsal: Failure | None = None
    stop_after: int = -1
    """How many steps may be taken before the process ends."""

    def put(self, account: Account, *vpcs: DefaultVpc) -> None:
        for vpc in vpcs:
            self.places[account.id, vpc.region] = replace(vpc, owner=account.id)

    def read_account(self, account: Account) -> Mapping[Region, RegionDefault | NotRead] | Failure:
        if account.id in self.shut:
            return self.shut[account.id]
        return {region: read for (owner, region), read in self.places.items() if owner == account.id}

    def read_region(self, account: Account, region: Region) -> RegionDefault:
        read = self.places[account.id, region]
        assert not isinstance(read, NotRead)
        return read

    def rehearse(self, account: Account, plan: Plan) -> Failure | None:
        assert plan.vpc.owner == account.id
        return self.rehearsal

    def take(self, account: Account, region: Region, step: Step) -> Failure | None:
        if step.act in self.refuse:
            return self.refuse[step.act]
        self.taken.append(step)
        vpc = self.places[account.id, region]
        assert isinstance(vpc, DefaultVpc)
        self.places[account.id, region] = _after(vpc, step)
        if len(self.taken) == self.stop_after:
            raise Stopped
        return None


def _after(vpc: DefaultVpc, step: Step) -> DefaultVpc | NoDefaultVpc:
    gateways = {one.id: one for one in vpc.gateways}
    match step.act:
        case Act.DELETE_SUBNET:
            return replace(vpc, subnets=tuple(one for one in vpc.subnets if one.id != step.id))
        case Act.MARK_GATEWAY:
            gateways[step.id] = replace(gateways[step.id], is_marked=True)
        case Act.DETACH_GATEWAY:
            # One without a mark is never found again.
            assert gateways[step.id].is_marked
            gateways[step.id] = replace(gateways[step.id], is_attached=False)
        case Act.DELETE_GATEWAY:
            del gateways[step.id]
        case Act.DELETE_ROUTE_TABLE:
            return replace(vpc, route_tables=tuple(one for one in vpc.route_tables if one.id != step.id))
        case Act.DELETE_NETWORK_ACL:
            return replace(vpc, extra_network_acls=tuple(one for one in vpc.extra_network_acls if one != step.id))
        case Act.DELETE_VPC:
            assert (vpc.subnets, vpc.gateways, vpc.extra_network_acls) == ((), (), ())
            assert [table.is_main for table in vpc.route_tables] == [True]
            return NoDefaultVpc()
    return replace(vpc, gateways=tuple(gateways.values()))


_THERE_TOO = replace(VPC, id=VpcId("vpc-2"), region=_THERE)
_USED = replace(VPC, holders=(Holder(Look.PEERING, "pcx-1", vpc=VPC.id),))
_UNCLEAR = replace(VPC, unchecked=(DENIED,))


def _run(world: World, *accounts: Account) -> tuple[Removal, ...]:
    return delete_default_vpcs(survey_default_vpcs(accounts, world), world, None)


def test_a_survey_tells_plans_uses_and_what_could_not_be_read_and_changes_nothing() -> None:
    world = World(shut={_LAKE.id: _DENIED})
    world.put(_SHOP, _USED)
    world.places[_SHOP.id, _THERE] = Unreadable(_DENIED)
    world.places[_SHOP.id, Region("eu-south-1")] = NotRead(Standing.DISABLED)
    world.places[_SHOP.id, Region("us-west-2")] = NoDefaultVpc()
    seen: list[Progress] = []
    shop, lake = survey_default_vpcs([_SHOP, _LAKE], world, on_progress=seen.append)
    assert [type(one) for one in shop.found] == [InUse]
    assert shop.without == ("us-west-2",)
    assert shop.unreadable == (UnreadablePlace(_SHOP, _THERE, _DENIED),)
    assert lake.unreadable == (UnreadablePlace(_LAKE, None, _DENIED),)
    assert (seen[0], seen[-1]) == (Progress(0, 2, 0, 0), Progress(2, 2, 1, 2))
    assert world.taken == []


def test_unused_ones_are_deleted_in_every_account_and_region() -> None:
    world = World()
    for account in (_SHOP, _LAKE):
        world.put(account, VPC, _THERE_TOO)
    seen: list[Progress] = []
    surveys = survey_default_vpcs([_LAKE, _SHOP], world)
    removals = delete_default_vpcs(surveys, world, None, on_progress=seen.append)
    assert [one.account for one in removals] == [_SHOP, _LAKE]
    assert [type(result) for one in removals for result in one.results] == [Deleted] * 4
    assert set(world.places.values()) == {NoDefaultVpc()}
    assert (seen[0], seen[-1]) == (Progress(0, 2, 0, 0), Progress(2, 2, 4, 0))


@pytest.mark.parametrize("kept", [_USED, _UNCLEAR])
def test_one_that_is_in_use_or_unclear_is_not_even_tried(kept: DefaultVpc) -> None:
    world = World()
    world.put(_SHOP, kept)
    assert _run(world, _SHOP) == ()
    assert world.taken == []


@pytest.mark.parametrize(("now", "result"), [(_USED, InUse), (_UNCLEAR, Unknown)])
def test_what_has_come_into_use_since_the_plan_is_not_touched(now: DefaultVpc, result: type) -> None:
    world = World()
    world.put(_SHOP, VPC)
    surveys = survey_default_vpcs([_SHOP], world)
    world.put(_SHOP, now)
    (removal,) = delete_default_vpcs(surveys, world, None)
    assert [type(one) for one in removal.results] == [result]
    assert world.taken == []


@pytest.mark.parametrize("now", [NoDefaultVpc(), replace(VPC, id=VpcId("vpc-new"), owner=_SHOP.id)])
def test_one_that_is_gone_or_another_one_since_the_plan_is_left_alone(now: RegionDefault) -> None:
    world = World()
    world.put(_SHOP, VPC)
    surveys = survey_default_vpcs([_SHOP], world)
    world.places[_SHOP.id, _HERE] = now
    (removal,) = delete_default_vpcs(surveys, world, None)
    assert removal.results == (Gone(replace(VPC, owner=_SHOP.id)),)
    assert world.taken == []


def test_a_region_that_cannot_be_read_again_is_left_alone() -> None:
    world = World()
    world.put(_SHOP, VPC)
    surveys = survey_default_vpcs([_SHOP], world)
    world.places[_SHOP.id, _HERE] = Unreadable(_DENIED)
    (removal,) = delete_default_vpcs(surveys, world, None)
    assert removal.results == (Failed(replace(VPC, owner=_SHOP.id), _DENIED),)


def test_nothing_is_begun_without_the_permissions_for_all_of_it() -> None:
    world = World(rehearsal=_DENIED)
    world.put(_SHOP, VPC)
    (removal,) = _run(world, _SHOP)
    assert removal.results == (Failed(replace(VPC, owner=_SHOP.id), _DENIED),)
    assert world.taken == []


def test_a_first_step_that_ec2_refuses_for_a_dependency_means_in_use() -> None:
    world = World(refuse={Act.DELETE_SUBNET: _REFUSED})
    world.put(_SHOP, VPC)
    (removal,) = _run(world, _SHOP)
    (result,) = removal.results
    assert isinstance(result, InUse)
    assert list(map(str, result.reasons)) == [
        "unknown dependency of subnet-1 (error (DependencyViolation: has dependencies))"
    ]
    assert world.taken == []


@pytest.mark.parametrize(
    ("act", "failure", "done"), [(Act.DELETE_SUBNET, _DENIED, 0), (Act.DETACH_GATEWAY, _REFUSED, 3)]
)
def test_a_failure_tells_what_is_done_and_what_is_left(act: Act, failure: Failure, done: int) -> None:
    world = World(refuse={act: failure})
    world.put(_SHOP, VPC, _THERE_TOO)
    (removal,) = _run(world, _SHOP)
    first, second = removal.results
    assert isinstance(first, Failed)
    assert isinstance(second, Failed)
    assert (len(first.done), first.left[0].act, first.failure) == (done, act, failure)
    world.refuse.clear()
    (removal,) = _run(world, _SHOP)
    assert [type(one) for one in removal.results] == [Deleted, Deleted]


@given(st.integers(1, 12), st.integers(0, 4), st.booleans())
def test_stopped_after_any_step_the_next_run_leaves_nothing(stop_after: int, subnets: int, has_gateway: bool) -> None:
    world = World(stop_after=stop_after)
    some = tuple(DefaultSubnet(f"subnet-{number}", True) for number in range(subnets))
    vpc = replace(VPC, subnets=some, gateways=(InternetGateway("igw-1"),) if has_gateway else ())
    world.put(_SHOP, vpc)
    plan = decide(replace(vpc, owner=_SHOP.id), _SHOP.id)
    assert isinstance(plan, Plan)
    if stop_after <= len(plan.steps):
        with pytest.raises(Stopped):
            _run(world, _SHOP)
        world.stop_after = -1
    _run(world, _SHOP)
    assert world.places == {(_SHOP.id, _HERE): NoDefaultVpc()}
    assert set(world.taken) == set(plan.steps)


def test_a_run_that_is_stopped_ends_with_the_vpc_that_it_is_at() -> None:
    world = World()
    world.put(_SHOP, VPC, _THERE_TOO)
    (survey,) = survey_default_vpcs([_SHOP], world)
    first, second = (found.vpc.region for found in survey.found)
    answers = iter((False, True))
    told: list[object] = []
    removal = _delete(survey, world, None, lambda: next(answers), lambda _, result: told.append(result))
    assert [type(one) for one in removal.results] == [Deleted]
    assert told == list(removal.results)
    assert world.places[_SHOP.id, first] == NoDefaultVpc()
    assert isinstance(world.places[_SHOP.id, second], DefaultVpc)


class Tracker:
    """What the tracker sees of the world; a `VpcReader`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.shut = False

    def read_account(
        self, account: Account, regions: Collection[Region] | None = None
    ) -> Mapping[Region, RegionRead] | Failure:
        if self.shut:
            return _DENIED
        here = {region: self.world.places[account.id, region] for region in regions or REGIONS}
        return {region: Complete(_as_tracked(one)) for region, one in here.items()}


def _as_tracked(one: object) -> tuple[Vpc, ...]:
    return (Vpc(one.id, one.owner, one.region, one.cidr_block, True),) if isinstance(one, DefaultVpc) else ()


def _principal_of(account: str) -> str:
    assert account == _SHOP.id
    return "arn:aws:iam::111122223333:role/pipeline"


def _tracked() -> tuple[World, Tracker, MemoryStore]:
    world, store = World(), MemoryStore()
    world.put(_SHOP, VPC, _THERE_TOO)
    tracker = Tracker(world)
    assert track_account(_SHOP, tracker, store, clock=lambda: START).was_read
    return world, tracker, store


def test_what_is_deleted_is_noted_for_the_tracker() -> None:
    world, tracker, store = _tracked()
    record = recording(tracker, store, _principal_of, lambda: START)
    (removal,) = delete_default_vpcs(survey_default_vpcs([_SHOP], world), world, record)
    assert removal.unrecorded == ""
    assert {key: one.is_live for key, one in store.items.items()} == {
        VpcKey(VPC.id, _SHOP.id): False, VpcKey(_THERE_TOO.id, _SHOP.id): False
    }  # fmt: skip
    gone = [entry for entry in store.history if entry["Kind"] == "disappeared"]
    assert [entry["By"] for entry in gone] == ["arn:aws:iam::111122223333:role/pipeline"] * 2


def test_nobody_is_named_for_what_somebody_else_deleted() -> None:
    world, tracker, store = _tracked()
    surveys = survey_default_vpcs([_SHOP], world)
    world.places[_SHOP.id, _HERE] = NoDefaultVpc()
    (removal,) = delete_default_vpcs(surveys, world, recording(tracker, store, _principal_of, lambda: START))
    assert {type(one) for one in removal.results} == {Gone, Deleted}
    by = {entry["VpcId"]: entry.get("By") for entry in store.history if entry["Kind"] == "disappeared"}
    assert by == {VPC.id: None, _THERE_TOO.id: "arn:aws:iam::111122223333:role/pipeline"}


def test_one_that_is_half_deleted_is_looked_at_for_the_tracker_too() -> None:
    world, tracker, store = _tracked()
    world.refuse[Act.DELETE_VPC] = _DENIED
    record = recording(tracker, store, _principal_of, lambda: START)
    asked: list[list[Region]] = []

    def counting(account: Account, changed: Sequence[Result]) -> str:
        asked.append([one.vpc.region for one in changed])
        return record(account, changed)

    (removal,) = delete_default_vpcs(survey_default_vpcs([_SHOP], world), world, counting)
    assert [type(one) for one in removal.results] == [Failed, Failed]
    assert [sorted(regions) for regions in asked] == [sorted(REGIONS)]
    assert [one.is_live for one in store.items.values()] == [True] * len(REGIONS)


def test_nothing_is_noted_of_what_was_not_touched() -> None:
    world, tracker, store = _tracked()
    world.rehearsal = _DENIED
    # Asking it would be told as something that could not be noted.
    tracker.shut = True
    record = recording(tracker, store, _principal_of, lambda: START)
    (removal,) = delete_default_vpcs(survey_default_vpcs([_SHOP], world), world, record)
    assert removal.unrecorded == ""


def test_a_deletion_that_cannot_be_noted_is_told() -> None:
    world, tracker, store = _tracked()
    tracker.shut = True
    record = recording(tracker, store, _principal_of, lambda: START)
    (removal,) = delete_default_vpcs(survey_default_vpcs([_SHOP], world), world, record)
    assert "denied by a service control policy" in removal.unrecorded


def test_a_store_that_fails_hides_no_deletion() -> None:
    class Broken(MemoryStore):
        """A store that takes nothing."""

        def write_changes(self, changes: object) -> tuple[()]:
            raise StoreError("the file is full")

    world, tracker, store = _tracked()
    broken = Broken()
    broken.items = store.items
    record = recording(tracker, broken, _principal_of, lambda: START)
    (removal,) = delete_default_vpcs(survey_default_vpcs([_SHOP], world), world, record)
    assert (removal.unrecorded, [type(one) for one in removal.results]) == ("the file is full", [Deleted, Deleted])

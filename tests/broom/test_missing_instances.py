"""Instances that CloudTrail left out: whose they are is proved, whatever client token a launcher chose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.broom_world import I1, I2, LAUNCHED_AT, FakeEc2, World, launch, policy

from landkeeper.broom.case import AUDIT_EVENT
from landkeeper.broom.instance_state import LiveInstance
from landkeeper.broom.launches import InstanceId, Launch
from landkeeper.broom.missing_instances import resolve_instances
from landkeeper.broom.new_launches import sweep_first_seen
from landkeeper.broom.sweeping.result import SweepResult
from landkeeper.broom.sweeping.sweep import Sweep
from landkeeper.org import AccountId, Region


@pytest.fixture
def world() -> World:
    made = World()
    for id_ in (I1, I2):
        made.ec2.run(id_)
    made.ec2.launched["token-1"] = [I1, I2]
    return made


BLANK = replace(launch(event_id="blank"), client_token="token-1")


def resolved(world: World, *launches: Launch) -> tuple[list[list[InstanceId]], list[str]]:
    named = resolve_instances(launches, world.ec2, world.ledger, world.clock())
    assert not any(missing.try_again for missing in named.missing)
    instances = [[instance.id for instance in found.instances] for found in named.launches]
    return instances, [missing.because for missing in named.missing]


def test_what_ec2_finds_by_the_token_is_the_launch(world: World) -> None:
    assert resolved(world, BLANK) == ([[I1, I2]], [])


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_instance_launched_at_another_time_is_not_taken(world: World, minutes: int) -> None:
    launched_at = LAUNCHED_AT + timedelta(minutes=minutes)
    world.ec2.instances[I2] = replace(world.ec2.instances[I2], launched_at=launched_at)
    found, (because,) = resolved(world, BLANK)
    assert found == [[I1]]
    assert because == (
        "launch blank in 111122223333 eu-west-1, whose instances the log leaves out, does not get the instances that "
        "were launched at another time: i-2"
    )


class Silent(FakeEc2):
    """An EC2 that does not say when an instance was launched."""

    def find_launched(self, account: AccountId, region: Region, client_token: str) -> Mapping[InstanceId, LiveInstance]:
        return {I1: LiveInstance(I1, "running", {})}


def test_an_instance_without_a_launch_time_is_not_taken(world: World) -> None:
    named = resolve_instances([BLANK], Silent(), world.ledger, world.clock())
    assert (named.launches, len(named.missing)) == ((), 1)


def test_an_instance_that_another_launch_in_the_log_names_is_not_taken(world: World) -> None:
    found, missing = resolved(world, BLANK, launch("i-1", event_id="owner"))
    assert sorted(found) == [[I1], [I2]]
    (because,) = missing
    assert because.endswith("does not get the instances that belong to another launch: i-1")


def test_of_two_launches_with_one_token_the_first_gets_the_instances(world: World) -> None:
    found, missing = resolved(world, BLANK, replace(BLANK, event_id="second"))
    assert found == [[I1, I2]]
    assert "launch second" in missing[0]


def test_the_same_call_told_twice_is_one_launch(world: World) -> None:
    shared = replace(BLANK, shared_event_id="shared")
    assert resolved(world, shared, replace(shared, event_id="again")) == ([[I1, I2], [I1, I2]], [])


@pytest.mark.parametrize("handle", [Sweep.handle_launches, sweep_first_seen])
def test_an_instance_that_another_launch_in_the_ledger_names_is_not_taken(
    world: World, handle: Callable[[Sweep, list[Launch]], SweepResult]
) -> None:
    world.ec2.run("i-1", Code="LOL")
    world.sweep(launch("i-1", event_id="owner"))
    world.ec2.run("i-1")
    swept = handle(Sweep(policy(), world.ports()), [BLANK])
    assert world.ec2.ended == [I2]
    assert [failure for failure in swept.failures if "belong to another launch: i-1" in failure]
    assert world.case(I1).event_ids == ("owner",)


def test_a_launch_that_comes_again_gets_the_instances_that_it_got_before(world: World) -> None:
    world.sweep(BLANK)
    assert not world.sweep(BLANK).failures
    assert world.case(I1).event_ids == ("blank",)


def test_what_only_an_audit_has_found_goes_to_the_launch(world: World) -> None:
    audited = launch("i-1", event_id=f"{AUDIT_EVENT}111122223333-eu-west-1-20260101T100000Z")
    world.ec2.run("i-1", Code="LOL")
    world.sweep(audited)
    assert resolved(world, BLANK) == ([[I1, I2]], [])

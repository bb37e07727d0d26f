"""Tags of the log that were taken off since, told in a later delivery: who waits for them waits no longer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from tests.broom_world import LAUNCHED_AT, STRICT, Clock, FakeEc2, FakeQueue, launch, policy

from landkeeper.broom.case import Case, Outcome, State
from landkeeper.broom.dry_run import CollectedReports, ScratchLedger
from landkeeper.broom.launches import InstanceId, Untagging
from landkeeper.broom.policy.rules import Policy
from landkeeper.broom.ports import SweepPorts
from landkeeper.broom.removed_tags import sweep_untagged
from landkeeper.broom.sweeping.result import SweepResult
from landkeeper.broom.sweeping.sweep import Sweep

I1 = InstanceId("i-1")
CONFIRMED = policy(STRICT.replace("confirm_after: 0s", "confirm_after: 60s") + "exempt: [{tag: 'spare*'}]\n")


NO_TAGS: Mapping[str, str] = {}


class CountingLedger(ScratchLedger):
    """A ledger that knows how often it was asked."""

    asked = 0

    def find_cases(self, ids: Sequence[InstanceId]) -> Mapping[InstanceId, Case]:
        self.asked += 1
        return super().find_cases(ids)


@dataclass(slots=True)
class World:
    """One instance whose log shows a tag that EC2 does not."""

    ec2: FakeEc2 = field(default_factory=FakeEc2)
    ledger: CountingLedger = field(default_factory=CountingLedger)
    clock: Clock = field(default_factory=Clock)
    queue: FakeQueue = field(default_factory=FakeQueue)

    def ports(self) -> SweepPorts:
        return SweepPorts(self.ec2, self.ec2, self.ledger, CollectedReports(), self.queue, self.clock)

    def launch(self, **tags: str) -> None:
        self.ec2.run("i-1")
        Sweep(CONFIRMED, self.ports()).handle_launches([launch("i-1", tags=tags)])

    def launch_live(self, **tags: str) -> None:
        self.ec2.run("i-1", **tags)
        Sweep(CONFIRMED, self.ports()).handle_launches([launch("i-1", tags=tags)])

    def take_off(
        self, *keys: str, id_: str = "i-1", at: timedelta = timedelta(minutes=2), pairs: Mapping[str, str] = NO_TAGS
    ) -> SweepResult:
        instances = frozenset([InstanceId(id_)])
        off = Untagging(LAUNCHED_AT + at, instances, frozenset(keys), pairs=frozenset(pairs.items()))
        return sweep_untagged(Sweep(CONFIRMED, self.ports()), [off])

    def case(self) -> Case:
        return self.ledger.find_cases([I1])[I1]


@pytest.fixture
def world() -> World:
    made = World()
    made.launch(Code="LOL")
    made.clock.pass_time(minutes=2)
    return made


@pytest.mark.parametrize("keys", [("Code",), ()], ids=["by its key", "all of them"])
def test_who_waits_for_a_tag_that_was_taken_off_is_looked_at_at_once(world: World, keys: tuple[str, ...]) -> None:
    assert "the log shows tags that comply" in world.case().story[-1].because
    assert world.take_off(*keys).notes[I1].outcome == "destroyed"
    assert (world.ec2.ended, world.case().state) == ([I1], State.REPORTED)


@pytest.mark.parametrize(
    ("value", "is_ended"), [("LOL", True), ("OLD", False), ("", False)], ids=["its own", "another", "an empty one"]
)
def test_a_value_that_the_tag_does_not_have_ends_no_wait(world: World, value: str, is_ended: bool) -> None:
    assert bool(world.take_off(pairs={"Code": value}).notes) is is_ended
    assert (world.ec2.ended, world.case().state) == (([I1], State.REPORTED) if is_ended else ([], State.WAITING))


@pytest.mark.parametrize("value", ["LOL", "OLD"])
def test_a_settled_case_is_opened_again_only_by_its_own_value(value: str) -> None:
    world = World()
    world.launch_live(Code="LOL")
    notes = world.take_off(pairs={"Code": value}).notes
    assert (bool(notes), world.case().reopened_at is not None) == ((value == "LOL"), (value == "LOL"))


def test_two_bad_reads_are_still_a_minute_apart() -> None:
    world = World()
    world.launch(Code="LOL")
    world.take_off("Code", at=timedelta(seconds=40))
    assert (world.ec2.ended, world.case().state) == ([], State.WAITING)
    assert world.queue.sent[-1] == ((I1,), 60)


@pytest.mark.parametrize(
    ("given", "asks"),
    [
        ({"keys": ("Name",)}, 0),
        ({"keys": ("Code",), "id_": "i-2"}, 1),
        ({"keys": ("Code",), "at": timedelta(minutes=-8)}, 1),
        ({"keys": ("Code",), "at": timedelta(days=-1)}, 0),
        ({"keys": ("spares",)}, 1),
    ],
    ids=[
        "a tag nobody asks for",
        "another instance",
        "before the launch",
        "long ago",
        "a tag that would have exempted it",
    ],
)
def test_what_changes_nothing_wakes_nobody(world: World, given: dict[str, object], asks: int) -> None:
    before = world.ledger.asked
    keys: tuple[str, ...] = given.pop("keys")  # type: ignore[assignment]
    assert world.take_off(*keys, **given).notes == {}  # type: ignore[arg-type]
    assert world.ledger.asked - before == asks
    assert world.ec2.ended == []


def test_who_waits_for_something_else_goes_on_waiting() -> None:
    world = World()
    world.launch(Code="nope")
    assert "a confirming read" in world.case().story[-1].because
    assert world.take_off("Code").notes == {}


@pytest.fixture
def settled() -> World:
    """A world whose instance complied at its launch."""
    world = World()
    world.launch_live(Code="LOL")
    assert world.case().state is State.COMPLIANT
    world.clock.pass_time(hours=2)
    return world


def test_tags_taken_off_after_a_case_was_settled_are_noticed_and_confirmed(settled: World) -> None:
    settled.ec2.run("i-1")
    settled.take_off("Code", at=timedelta(hours=2))
    assert (settled.ec2.ended, settled.case().state, settled.queue.sent) == ([], State.WAITING, [((I1,), 60)])
    settled.clock.pass_time(seconds=60)
    swept = Sweep(CONFIRMED, settled.ports()).resume_cases([I1])
    assert (settled.ec2.ended, settled.case().state) == ([I1], State.REPORTED)
    assert "tag Code is missing (checked again: tags were taken off after it was settled)" in swept.notes[I1].because
    assert settled.take_off("Code", at=timedelta(hours=2)).notes == {}


def test_tags_that_were_put_on_again_leave_a_settled_case_as_it_was(settled: World) -> None:
    settled.take_off("Code", at=timedelta(hours=2))
    assert (settled.case().state, settled.queue.sent) == (State.COMPLIANT, [])


def test_an_exemption_that_was_taken_off_is_noticed() -> None:
    world = World()
    world.launch_live(spare="yes")
    assert world.case().state is State.EXEMPT
    world.ec2.run("i-1")
    world.take_off("spare")
    assert world.case().state is State.WAITING


def test_an_instance_that_complied_for_more_than_a_day_is_reported_and_not_touched(settled: World) -> None:
    settled.ec2.run("i-1")
    settled.clock.pass_time(days=1)
    settled.take_off("Code", at=timedelta(days=1, hours=2))
    assert (settled.ec2.ended, settled.case().outcome) == ([], Outcome.NOTIFIED)
    assert "it is older than a day, and complied until then, so notify instead of terminate" in settled.case().how


def test_tags_that_make_no_difference_reopen_nothing(settled: World) -> None:
    assert settled.take_off("spare", at=timedelta(hours=2)).notes == {}
    settled.ec2.instances.clear()
    settled.take_off("Code", at=timedelta(hours=2))
    assert (settled.case().state, settled.case().outcome) == (State.GONE, None)
    assert settled.take_off("Code", at=timedelta(hours=2)).notes == {}


def test_every_tag_that_a_policy_speaks_of_counts() -> None:
    nested: Policy = policy(
        "version: 1\nrules:\n- name: a\n  action: notify\n"
        "  require: {any: [{all: [{tag: A}, {not: {tag: B}}]}, {tag: C}]}\n"
    )
    world = World()
    for number, key in enumerate("ABCD"):
        off = Untagging(LAUNCHED_AT, frozenset([I1]), frozenset([key]))
        sweep_untagged(Sweep(nested, world.ports()), [off])
        assert world.ledger.asked == min(number + 1, 3)

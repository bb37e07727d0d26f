"""Vending: whatever happens to whichever call, there is one complete VPC in the end, or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.memory_network import DENIED, LOST, Fault, MemoryNetwork, ProcessGoneError
from tests.strategies import ACCOUNTS, REGIONS, START
from tests.vpctracker.vending.test_plan import ZONES

from landkeeper.org import Failure, UsageError
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.inventory import VpcId
from landkeeper.vpctracker.pools.pool import Kind, Reservation
from landkeeper.vpctracker.vending.plan import REQUEST_TAG, UNFINISHED_TAG, VendPlan, lay_out
from landkeeper.vpctracker.vending.ports import DnsSetting, MadeVpc
from landkeeper.vpctracker.vending.vend import Outcome, Undone, Vended, vend

_LOOKS = 6
_BLOCK = parse_block("10.0.0.0/20")
PLAN = VendPlan(
    ACCOUNTS[0], REGIONS[0], "run-7", Reservation("res-1", "prod", _BLOCK, Kind.ALLOCATION, START),
    lay_out(_BLOCK, ZONES[:3], 5), "web", {"Code": "LOL"},
)  # fmt: skip


def _pauses() -> Iterator[bool]:
    yield from [True] * _LOOKS


def _vend(network: MemoryNetwork, plan: VendPlan = PLAN, *, may_exist: bool = False) -> Outcome:
    return vend(plan, network, may_exist=may_exist, pauses=_pauses)


def _finished(tags: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in tags.items() if name != UNFINISHED_TAG}


def _assert_complete(network: MemoryNetwork) -> None:
    ((vpc, made),) = network.vpcs.items()
    assert made.block == "10.0.0.0/20"
    assert made.dns == set(DnsSetting)
    assert made.tags == _finished(PLAN.vpc_tags)
    found = sorted((one.vpc, one.block, one.zone, sorted(one.tags.items())) for one in network.subnets.values())
    assert found == sorted(
        (vpc, str(one.block), one.zone.id, sorted(_finished(PLAN.subnet_tags(one)).items()))
        for one in PLAN.layout.subnets
    )


def _run(network: MemoryNetwork, *, may_exist: bool, faults: dict[int, Fault]) -> Outcome | None:
    """What a run came to; None where its process ended."""
    network.calls, network.faults = 0, faults
    try:
        return _vend(network, may_exist=may_exist)
    except ProcessGoneError:
        return None


_faults = st.dictionaries(st.integers(0, 24), st.sampled_from(Fault), max_size=3)


@hypothesis_settings(max_examples=400)
@given(st.lists(_faults, min_size=1, max_size=4), st.integers(0, 3))
@example([{1: Fault.GONE_AFTER}], 3)
@example([{1: Fault.LOST}], 3)
@example([{1: Fault.LOST, 2: Fault.DENIED}], 3)
@example([{6: Fault.LOST, 7: Fault.DENIED, 10: Fault.DENIED}], 2)
def test_after_any_faults_one_more_run_leaves_one_complete_vpc(runs: list[dict[int, Fault]], lag: int) -> None:
    network = MemoryNetwork(lag)
    is_reserved = False
    for faults in runs:
        outcome = _run(network, may_exist=is_reserved, faults=faults)
        assert len(network.vpcs) <= 1
        is_reserved = True
        if isinstance(outcome, Vended):
            assert len(outcome.subnets) == len(PLAN.layout.subnets)
            if outcome.unmarked is None:
                _assert_complete(network)
        if isinstance(outcome, Undone):
            if outcome.is_clean:
                assert (network.vpcs, network.subnets) == ({}, {})
                is_reserved = False
            elif not outcome.may_turn_up:
                assert network.vpcs.keys() <= {one.id for one in outcome.left}
    assert isinstance(_run(network, may_exist=is_reserved, faults={}), Vended)
    _assert_complete(network)


@pytest.mark.parametrize("lag", [0, 3])
@pytest.mark.parametrize("fault", list(Fault))
def test_every_single_call_may_fail(fault: Fault, lag: int) -> None:
    calls = MemoryNetwork(lag)
    assert isinstance(_vend(calls), Vended)
    for number in range(calls.calls):
        network = MemoryNetwork(lag)
        outcome = _run(network, may_exist=False, faults={number: fault})
        if isinstance(outcome, Undone):
            assert outcome.is_clean or outcome.may_turn_up
            assert (network.vpcs, network.subnets) == ({}, {})
        may_exist = outcome is None or isinstance(outcome, Vended) or not outcome.is_clean
        assert isinstance(_run(network, may_exist=may_exist, faults={}), Vended)
        _assert_complete(network)


def test_what_is_done_is_told_and_the_answer_has_the_subnets_in_the_order_of_the_plan() -> None:
    told: list[str] = []
    network = MemoryNetwork()
    done = vend(PLAN, network, may_exist=False, pauses=_pauses, tell=told.append)
    assert isinstance(done, Vended)
    assert done.is_new
    assert [one.block for one in done.subnets] == [str(one.block) for one in PLAN.layout.subnets]
    assert told[0] == "Created vpc-1, 10.0.0.0/20"
    assert told[1] == "Created subnet 10.0.0.0/22 in euw1-az1"
    assert len(told) == 7


def test_a_finished_vpc_is_not_touched_again() -> None:
    network = MemoryNetwork()
    _vend(network)
    before = network.calls
    done = _vend(network, may_exist=True)
    assert isinstance(done, Vended)
    assert (done.is_new, len(done.subnets), network.calls - before) == (False, 6, 2)
    network.subnets.popitem()
    done = _vend(network, may_exist=True)
    assert isinstance(done, Vended)
    assert (done.is_new, len(done.subnets), network.made) == (False, 5, 7)


def test_undoing_goes_backwards_and_says_what_is_left() -> None:
    told: list[str] = []
    network = MemoryNetwork(faults={7: Fault.DENIED})
    done = vend(PLAN, network, may_exist=False, pauses=_pauses, tell=told.append)
    assert done == Undone("creating the subnet 10.0.8.0/22", DENIED)
    assert told[-3:] == ["Deleted subnet-3", "Deleted subnet-2", "Deleted vpc-1"]
    # Call 7 fails; then come two looks, and the deletions of two subnets.
    network = MemoryNetwork(faults={7: Fault.DENIED, 10: Fault.DENIED})
    done = _vend(network)
    assert isinstance(done, Undone)
    assert [one.id for one in done.left] == ["subnet-3", "vpc-1"]
    assert not done.is_clean
    assert network.subnets.keys() == {"subnet-3"}
    network = MemoryNetwork(faults={7: Fault.DENIED, 12: Fault.DENIED})
    done = _vend(network)
    assert isinstance(done, Undone)
    assert [(one.id, one.failure) for one in done.left] == [("vpc-1", DENIED)]


def test_nothing_is_undone_unseen_nor_what_another_run_finished_meanwhile() -> None:
    network = MemoryNetwork(faults={7: Fault.DENIED, 8: Fault.DENIED})
    done = _vend(network)
    assert isinstance(done, Undone)
    assert [one.id for one in done.left] == ["vpc-1"]
    assert len(network.subnets) == 2

    class FinishedByAnother(MemoryNetwork):
        def find_vpcs(self, request_id: str) -> Sequence[MadeVpc] | Failure:
            if self.calls > 7:
                self.vpcs["vpc-1"].tags.pop(UNFINISHED_TAG, None)
            return super().find_vpcs(request_id)

    other = FinishedByAnother(faults={7: Fault.DENIED})
    done = _vend(other)
    assert isinstance(done, Vended)
    assert not done.is_new
    assert len(other.vpcs) == 1


def test_a_vpc_that_never_becomes_available_is_undone() -> None:
    network = MemoryNetwork(lag=_LOOKS + 3)
    done = _vend(network)
    assert isinstance(done, Undone)
    assert (done.step, done.is_clean, network.vpcs) == ("waiting for vpc-1", True, {})


def test_a_subnet_of_somebody_elses_is_a_conflict() -> None:
    network = MemoryNetwork()
    assert _run(network, may_exist=False, faults={2: Fault.GONE_AFTER}) is None
    network.make_subnet(VpcId("vpc-1"), parse_block("10.0.0.0/24"), "euw1-az1", {})
    done = _run(network, may_exist=True, faults={})
    assert isinstance(done, Undone)
    assert done.failure.code == "InvalidSubnet.Conflict"
    assert [(one.id, one.failure.code) for one in done.left] == [("vpc-1", "DependencyViolation")]


def test_a_call_that_never_arrived_is_told_and_its_vpc_may_turn_up() -> None:
    network = MemoryNetwork(faults={1: Fault.UNSENT})
    assert _vend(network) == Undone("creating the VPC", LOST, may_turn_up=True)


def test_the_tag_that_cannot_be_taken_off_undoes_nothing() -> None:
    clean = MemoryNetwork()
    _vend(clean)
    network = MemoryNetwork(faults={clean.calls - 1: Fault.DENIED})
    done = _vend(network)
    assert isinstance(done, Vended)
    assert done.unmarked == DENIED
    assert len(network.subnets) == 6


def test_a_request_id_of_something_else_is_refused_and_nothing_is_touched() -> None:
    network = MemoryNetwork()
    _vend(network)
    before = (dict(network.vpcs), dict(network.subnets))
    elsewhere = replace(PLAN, reservation=replace(PLAN.reservation, block=parse_block("10.9.0.0/20")))
    with pytest.raises(UsageError, match=r"'run-7' has vpc-1 with 10.0.0.0/20, not 10.9.0.0/20"):
        _vend(network, elsewhere, may_exist=True)
    fewer = replace(PLAN, layout=lay_out(_BLOCK, ZONES[:2]))
    with pytest.raises(UsageError, match="was used for another request: subnet-4 of vpc-1 is"):
        _vend(network, fewer, may_exist=True)
    assert (network.vpcs, network.subnets) == before
    network.make_vpc(_BLOCK, {REQUEST_TAG: "run-7"})
    with pytest.raises(UsageError, match=r"has vpc-1 .* and vpc-8 .*: delete the unwanted VPC"):
        _vend(network, may_exist=True)


def test_who_cannot_look_makes_nothing() -> None:
    network = MemoryNetwork(faults={0: Fault.DENIED})
    assert _vend(network) == Undone("searching for a VPC of this request", DENIED)
    assert network.vpcs == {}
    assert _run(network, may_exist=False, faults={2: Fault.GONE_AFTER}) is None
    outcome = _run(network, may_exist=True, faults={1: Fault.DENIED})
    assert outcome == Undone("reading the subnets of vpc-1", DENIED, may_turn_up=True)


def test_of_two_runs_that_make_a_vpc_at_once_one_takes_its_own_back() -> None:
    network = MemoryNetwork()
    network.make_vpc(_BLOCK, PLAN.vpc_tags)
    network.vpcs["vpc-1"].unseen = 1
    done = _vend(network)
    assert isinstance(done, Undone)
    assert (done.step, done.is_clean) == ("creating vpc-2", False)
    assert done.failure.message == "another run of the same request created vpc-1"
    assert network.vpcs.keys() == {"vpc-1"}
    assert isinstance(_vend(network, may_exist=True), Vended)
    _assert_complete(network)


def test_who_waits_for_a_vpc_that_may_be_there_says_so() -> None:
    told: list[str] = []
    vend(PLAN, MemoryNetwork(), may_exist=True, pauses=_pauses, tell=told.append)
    assert told[0] == "A VPC of this request may already exist: checking EC2"
    assert told[1] == "Created vpc-1, 10.0.0.0/20"

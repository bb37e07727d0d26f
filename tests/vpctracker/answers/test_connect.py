"""Whether two VPCs can be connected, why not, and whether they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import ACCOUNTS, REGIONS, START, blocks, vpc_ids

from landkeeper.aws.regions import partition_of
from landkeeper.org import Region
from landkeeper.vpctracker.answers.connect import ATTACHED, Pairing, Possible, pair_up, pair_vpcs
from landkeeper.vpctracker.answers.endpoints import Endpoint
from landkeeper.vpctracker.answers.spaces import spaces_of
from landkeeper.vpctracker.cidr import Block
from landkeeper.vpctracker.config import Space, TrackerConfig
from landkeeper.vpctracker.inventory import CidrAssociation, Peering, StoredVpc, TransitGatewayAttachment, Vpc

_SPACES = spaces_of(TrackerConfig())


def _stored(number: int, *texts: str, owner: int = 0, **others: Any) -> StoredVpc:
    associations = tuple(CidrAssociation(text, text, "associated") for text in texts)
    vpc = Vpc(vpc_ids(number), ACCOUNTS[owner], REGIONS[0], texts[0], cidr_associations=associations)
    return StoredVpc(replace(vpc, **others), START, START, 1)


def _pair(one: StoredVpc, other: StoredVpc) -> Pairing:
    return pair_vpcs(one, other, _SPACES, partition_of)


def _answers(one: StoredVpc, other: StoredVpc) -> tuple[Possible, Possible]:
    pair = _pair(one, other)
    return pair.peering.possible, pair.routing.possible


def test_without_an_overlap_both_ways_are_open() -> None:
    pair = _pair(_stored(1, "10.0.0.0/16"), _stored(2, "10.1.0.0/16", "2001:db8::/56"))
    assert (pair.peering.possible, pair.routing.possible) == (Possible.YES, Possible.YES)
    assert (pair.obstacles, pair.links, pair.is_peered) == ((), (), False)


@pytest.mark.parametrize(
    ("mine", "theirs", "routing"),
    [
        (("10.0.0.0/16",), ("10.0.0.0/16",), Possible.NO),
        (("10.0.0.0/16",), ("10.0.1.0/24",), Possible.PARTLY),
        (("10.0.1.0/24",), ("10.0.0.0/16",), Possible.PARTLY),
        (("10.0.0.0/16", "10.1.0.0/16"), ("10.0.0.0/16", "10.2.0.0/16"), Possible.PARTLY),
        (("10.0.0.0/16", "10.1.0.0/16"), ("10.0.0.0/16",), Possible.NO),
        (("10.0.0.0/16", "2001:db8::/56"), ("10.0.0.0/16", "2001:db8:0:100::/56"), Possible.PARTLY),
        (("10.0.0.0/16", "2001:db8::/56"), ("10.0.0.0/16",), Possible.NO),
        (("10.0.0.0/16", "2001:db8::/56"), ("10.9.0.0/16", "2001:db8::/56"), Possible.PARTLY),
    ],
)
def test_any_overlap_forbids_peering_and_a_gateway_takes_what_is_not_identical(
    mine: tuple[str, ...], theirs: tuple[str, ...], routing: Possible
) -> None:
    assert _answers(_stored(1, *mine), _stored(2, *theirs)) == (Possible.NO, routing)


def test_the_blocks_in_the_way_are_named() -> None:
    pair = _pair(_stored(1, "10.0.0.0/16", "10.5.0.0/24"), _stored(2, "10.0.1.0/24", "10.5.0.0/16"))
    assert pair.peering.because == "10.0.0.0/16 contains 10.0.1.0/24; 10.5.0.0/24 is inside 10.5.0.0/16"
    assert "10.0.1.0/24 and 10.0.0.0/16 both propagate and the longer prefix wins" in pair.routing.because
    same = _pair(_stored(1, "10.0.0.0/16"), _stored(2, "10.0.0.0/16"))
    assert same.peering.because == "10.0.0.0/16 in both"
    assert same.routing.because == "both have 10.0.0.0/16, which propagates only from the VPC attached first"


def test_two_default_vpcs_are_said_to_be_that() -> None:
    defaults = [_stored(number, "172.31.0.0/16", is_default=True) for number in (1, 2)]
    pair = _pair(*defaults)
    assert pair.peering.because == "both are default VPCs: 172.31.0.0/16 in both"
    assert pair.has_default


def test_a_block_that_is_coming_is_in_the_way_and_one_that_failed_is_not() -> None:
    def with_second(state: str) -> StoredVpc:
        return _stored(1, "10.0.0.0/16", cidr_associations=(CidrAssociation("a", "10.1.0.0/16", state),))

    assert _answers(with_second("associating"), _stored(2, "10.1.0.0/16"))[0] is Possible.NO
    assert _answers(with_second("failed"), _stored(2, "10.1.0.0/16"))[0] is Possible.YES


def test_a_vpc_is_not_connected_to_itself() -> None:
    one = _stored(1, "10.0.0.0/16")
    assert _pair(one, one).peering.because == "it is the same VPC"


def test_different_spaces_never_meet() -> None:
    spaces = spaces_of(TrackerConfig(spaces=(Space("plants", (ACCOUNTS[0],)),)))
    pair = pair_vpcs(_stored(1, "10.0.0.0/16"), _stored(2, "10.1.0.0/16", owner=1), spaces, partition_of)
    assert pair.peering == pair.routing
    assert pair.routing.because == "they are in different spaces: plants and default"


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", "eusc-de-east-1", "us-iso-east-1"])
def test_partitions_cannot_be_connected(region: str) -> None:
    pair = _pair(_stored(1, "10.0.0.0/16"), _stored(2, "10.1.0.0/16", region=Region(region)))
    assert pair.peering.because == f"{REGIONS[0]} and {region} are in different AWS partitions"


@pytest.mark.parametrize("state", ["active", "pending-acceptance"])
def test_a_peering_that_either_side_tells_of_is_a_link(state: str) -> None:
    peering = Peering("pcx-1", state, vpc_ids(2), ACCOUNTS[0], REGIONS[0])
    with_peering, other = _stored(1, "10.0.0.0/16", peerings=(peering,)), _stored(2, "10.1.0.0/16")
    for pair in (_pair(with_peering, other), _pair(other, with_peering)):
        assert len(pair.links) == 1
        assert pair.is_peered == (state == "active")
    assert _pair(with_peering, _stored(3, "10.2.0.0/16")).links == ()


def test_two_on_one_transit_gateway_are_attached_which_says_nothing_of_routes() -> None:
    def on(number: int, gateway: str, state: str = "available") -> StoredVpc:
        attachment = TransitGatewayAttachment("tgw-attach-1", gateway, ACCOUNTS[0], state)
        return _stored(number, f"10.{number}.0.0/16", transit_gateways=(attachment,))

    (link,) = _pair(on(1, "tgw-1"), on(2, "tgw-1")).links
    assert str(link) == f"tgw-1 {ATTACHED}"
    assert _pair(on(1, "tgw-1"), on(2, "tgw-2")).links == ()
    assert _pair(on(1, "tgw-1"), on(2, "tgw-1", "pending")).links == ()


def test_two_accounts_are_every_pair_of_their_vpcs_those_of_default_vpcs_last() -> None:
    default = _stored(1, "172.31.0.0/16", is_default=True)
    one = Endpoint("one", ACCOUNTS[0], (default, _stored(2, "10.0.0.0/16")))
    other = Endpoint("other", ACCOUNTS[1], (_stored(3, "10.1.0.0/16", owner=1),))
    pairs = pair_up(one, other, _SPACES, partition_of)
    assert [pair.has_default for pair in pairs] == [False, True]
    assert [pair.source.vpc.id for pair in pairs] == [vpc_ids(2), vpc_ids(1)]


def test_an_account_with_itself_is_each_two_of_its_vpcs_once() -> None:
    vpcs = tuple(_stored(number, f"10.{number}.0.0/16") for number in range(3))
    side = Endpoint("one", ACCOUNTS[0], vpcs)
    assert len(pair_up(side, side, _SPACES, partition_of)) == 3
    lone = Endpoint("vpc", ACCOUNTS[0], vpcs[:1], is_vpc=True)
    assert len(pair_up(lone, lone, _SPACES, partition_of)) == 1


@given(st.lists(blocks, min_size=1, max_size=4), st.lists(blocks, min_size=1, max_size=4))
def test_peering_is_open_exactly_without_overlaps_and_no_order_matters(mine: list[Block], theirs: list[Block]) -> None:
    one, other = _stored(1, *map(str, mine)), _stored(2, *map(str, theirs))
    overlap = any(a.overlaps(b) for a in mine for b in theirs)
    assert (_answers(one, other)[0] is Possible.YES) == (not overlap)
    assert _answers(one, other) == _answers(other, one)
    assert (_answers(one, other)[1] is Possible.YES) == (not overlap)

"""Overlaps come space by space, and what hurts most comes first."""

from __future__ import annotations

from dataclasses import replace

from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.vpctracker.answers.ranking import Finding, OverlapKind, find_overlaps_by_harm
from landkeeper.vpctracker.config import Connection, Space, TrackerConfig
from landkeeper.vpctracker.inventory import CidrAssociation, Peering, StoredVpc, TransitGatewayAttachment, Vpc

_ATTACHED = TransitGatewayAttachment("tgw-attach-1", "tgw-1", ACCOUNTS[0], "available")


def _vpc(number: int, block: str, owner: int, **others: object) -> StoredVpc:
    vpc = Vpc(vpc_ids(number), ACCOUNTS[owner], REGIONS[0], block, account_name=f"account {owner}")
    return StoredVpc(replace(vpc, **others), START, START, 1)  # type: ignore[arg-type]


def _found(*vpcs: StoredVpc, config: TrackerConfig | None = None) -> tuple[Finding, ...]:
    return find_overlaps_by_harm(vpcs, config or TrackerConfig())


def _blocks(findings: tuple[Finding, ...]) -> list[str]:
    return [str(finding.group.outermost) for finding in findings]


def test_vpcs_of_different_spaces_do_not_collide() -> None:
    config = TrackerConfig(spaces=(Space("plants", (ACCOUNTS[0],)),))
    vpcs = (_vpc(1, "10.0.0.0/16", 0), _vpc(2, "10.0.0.0/16", 1), _vpc(3, "10.0.0.0/24", 0))
    (finding,) = _found(*vpcs, config=config)
    assert (finding.space, [claim.vpc.id for claim in finding.members]) == ("plants", [vpc_ids(1), vpc_ids(3)])
    assert len(_found(*vpcs)[0].members) == 3


def test_what_a_space_repeats_on_purpose_is_of_that_kind_there_only() -> None:
    vpcs = (_vpc(1, "100.64.0.0/16", 0), _vpc(2, "100.64.0.0/16", 1))
    assert [one.kind for one in _found(*vpcs)] == [OverlapKind.REPEATED]
    config = TrackerConfig(spaces=(Space("default", repeated=()),))
    assert [one.kind for one in _found(*vpcs, config=config)] == [OverlapKind.COLLISION]


def test_declared_connections_come_first_then_live_attachments_then_many_accounts_then_defaults_then_repeated() -> None:
    config = TrackerConfig(connections=(Connection("account 0", vpc_ids(2)),))
    found = _found(
        _vpc(20, "100.64.0.0/16", 0), _vpc(21, "100.64.0.0/16", 1),
        _vpc(10, "172.31.0.0/16", 0, is_default=True), _vpc(11, "172.31.0.0/16", 1, is_default=True),
        _vpc(12, "172.31.0.0/16", 2, is_default=True),
        _vpc(8, "10.3.0.0/16", 0), _vpc(9, "10.3.0.0/16", 1),
        _vpc(5, "10.2.0.0/16", 0), _vpc(6, "10.2.0.0/16", 1), _vpc(7, "10.2.0.0/16", 2),
        _vpc(3, "10.1.0.0/16", 1, transit_gateways=(_ATTACHED,)), _vpc(4, "10.1.0.0/16", 1),
        _vpc(1, "10.4.0.0/16", 0), _vpc(2, "10.4.1.0/24", 1),
        config=config,
    )  # fmt: skip
    assert _blocks(found) == [
        "10.4.0.0/16", "10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "172.31.0.0/16", "100.64.0.0/16",
    ]  # fmt: skip
    assert [one.connections for one in found[:2]] == [config.connections, ()]
    assert [one.attached for one in found[:3]] == [0, 1, 0]
    assert [one.accounts for one in found[2:5]] == [3, 2, 3]


def test_only_live_connections_count() -> None:
    def peering(state: str) -> Peering:
        return Peering("pcx-1", state, vpc_ids(9), ACCOUNTS[2], REGIONS[0])

    pending = replace(_ATTACHED, state="pendingAcceptance")
    for others, attached in (
        ({"peerings": (peering("active"),)}, 1),
        ({"peerings": (peering("deleted"),)}, 0),
        ({"transit_gateways": (pending,)}, 0),
    ):
        (finding,) = _found(_vpc(1, "10.0.0.0/16", 0, **others), _vpc(2, "10.0.0.0/16", 1))
        assert finding.attached == attached


def test_a_connection_is_touched_only_where_blocks_of_its_two_sides_overlap() -> None:
    connection = Connection(ACCOUNTS[1], ACCOUNTS[2])
    config = TrackerConfig(connections=(connection,))
    around = _vpc(1, "10.0.0.0/8", 0)
    apart = _found(around, _vpc(2, "10.1.0.0/16", 1), _vpc(3, "10.2.0.0/16", 2), config=config)
    assert [one.connections for one in apart] == [()]
    inside = _found(around, _vpc(2, "10.1.0.0/16", 1), _vpc(3, "10.1.2.0/24", 2), config=config)
    assert [one.connections for one in inside] == [(connection,)]


def test_a_vpc_that_is_on_both_sides_touches_the_connection_through_another_vpc_only() -> None:
    config = TrackerConfig(connections=(Connection(ACCOUNTS[0], vpc_ids(1)),))
    twice = _vpc(1, "10.0.0.0/16", 0, cidr_associations=(CidrAssociation("a", "10.0.0.0/24", "associated"),))
    assert _found(twice, _vpc(2, "10.0.1.0/24", 1), config=config)[0].connections == ()
    assert _found(twice, _vpc(2, "10.0.1.0/24", 0), config=config)[0].connections == config.connections

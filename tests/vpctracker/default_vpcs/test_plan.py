"""Whether a default VPC may be deleted, and by which steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import ACCOUNTS, REGIONS

from landkeeper.org import Failure, FailureReason
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
    Reason,
    RouteTable,
    SecurityGroup,
    Step,
    Unchecked,
    Unknown,
    decide,
)
from landkeeper.vpctracker.inventory import VpcId

OWNER, OTHER = ACCOUNTS[:2]
VPC = DefaultVpc(
    id=VpcId("vpc-1"),
    owner=OWNER,
    region=REGIONS[0],
    cidr_block="172.31.0.0/16",
    subnets=(DefaultSubnet("subnet-1", True, 4091), DefaultSubnet("subnet-2", True, 4091)),
    gateways=(InternetGateway("igw-1"),),
    route_tables=(RouteTable("rtb-main", is_main=True), RouteTable("rtb-own", is_main=False)),
    extra_network_acls=("acl-own",),
    groups=(
        SecurityGroup("sg-default", "default", "vpc-1", frozenset({"sg-default"})),
        SecurityGroup("sg-else", "default", "vpc-2", frozenset({"sg-else"})),
    ),
)
DENIED = Unchecked(Look.DATABASE_SUBNETS, Failure(FailureReason.MISSING_PERMISSION, "AccessDenied"))


def _steps(vpc: DefaultVpc) -> list[str]:
    plan = decide(vpc, vpc.owner)
    assert isinstance(plan, Plan)
    return list(map(str, plan.steps))


def test_an_unused_one_goes_with_its_subnets_first_and_itself_last() -> None:
    assert _steps(VPC) == [
        "delete subnet subnet-1",
        "delete subnet subnet-2",
        "mark internet gateway igw-1",
        "detach internet gateway igw-1",
        "delete internet gateway igw-1",
        "delete route table rtb-own",
        "delete network ACL acl-own",
        "delete VPC vpc-1",
    ]


def test_the_fullest_subnet_goes_first() -> None:
    subnets = (DefaultSubnet("subnet-1", True, 4091), DefaultSubnet("subnet-2", True, 4090))
    assert _steps(replace(VPC, subnets=subnets))[:2] == ["delete subnet subnet-2", "delete subnet subnet-1"]


@pytest.mark.parametrize(
    ("gateways", "steps"),
    [
        ((), []),
        (
            (InternetGateway("igw-1", is_marked=True),),
            ["detach internet gateway igw-1", "delete internet gateway igw-1"],
        ),
        ((InternetGateway("igw-1", is_attached=False, is_marked=True),), ["delete internet gateway igw-1"]),
    ],
)
def test_a_half_deleted_one_is_carried_on_with(gateways: tuple[InternetGateway, ...], steps: list[str]) -> None:
    left = replace(VPC, subnets=(), gateways=gateways, route_tables=VPC.route_tables[:1], extra_network_acls=())
    assert _steps(left) == [*steps, "delete VPC vpc-1"]


@pytest.mark.parametrize(
    "vpc", [NoDefaultVpc(), replace(VPC, is_default=False), replace(VPC, owner=OTHER)], ids=["none", "other", "foreign"]
)
def test_what_is_not_the_accounts_own_default_vpc_is_none(vpc: DefaultVpc | NoDefaultVpc) -> None:
    assert decide(vpc, OWNER) == NoDefaultVpc()


def _with_group(group: SecurityGroup) -> DefaultVpc:
    return replace(VPC, groups=(*VPC.groups, group))


def _naming(name: str) -> DefaultVpc:
    return replace(VPC, groups=(replace(VPC.groups[0], names=frozenset({"sg-default", name})), VPC.groups[1]))


def _held(**holder: object) -> DefaultVpc:
    return replace(VPC, holders=(Holder(Look.ENDPOINT, "held-1", "a note", **holder),))  # type: ignore[arg-type]


_HELD = Reason(Look.ENDPOINT, "held-1", "a note")
_KEPT = [
    (replace(VPC, subnets=(*VPC.subnets, DefaultSubnet("subnet-3", False))), Reason(Look.SUBNET, "subnet-3")),
    (_with_group(SecurityGroup("sg-web", "web", "vpc-1")), Reason(Look.SECURITY_GROUP, "sg-web", "web")),
    (_naming("sg-else"), Reason(Look.GROUP_RULE, "sg-default", "names sg-else")),
    (
        _with_group(SecurityGroup("sg-db", "db", "vpc-2", frozenset({"sg-default"}))),
        Reason(Look.GROUP_RULE, "sg-db", "names sg-default"),
    ),
    (
        replace(VPC, route_tables=(RouteTable("rtb-main", is_main=True, leads_to=("lgw-1",)),)),
        Reason(Look.ROUTE, "rtb-main", "to lgw-1"),
    ),
    (_held(vpc="vpc-1"), _HELD),
    (_held(vpc="vpc-2", subnets=frozenset({"subnet-2", "subnet-9"})), _HELD),
    (_held(groups=frozenset({"sg-default"})), _HELD),
    (_held(follows_default=True), _HELD),
]


@pytest.mark.parametrize(("vpc", "reason"), _KEPT, ids=lambda one: getattr(one, "look", ""))
def test_one_that_is_needed_is_told_with_what_needs_it(vpc: DefaultVpc, reason: Reason) -> None:
    assert decide(vpc, OWNER) == InUse(vpc, (reason,))


@pytest.mark.parametrize(
    "vpc",
    [
        _held(vpc="vpc-2"),
        _held(subnets=frozenset({"subnet-9"})),
        _held(groups=frozenset({"sg-else"})),
        _with_group(SecurityGroup("sg-db", "db", "vpc-2", frozenset({"sg-else"}))),
    ],
)
def test_what_needs_another_vpc_does_not_keep_it(vpc: DefaultVpc) -> None:
    assert isinstance(decide(vpc, OWNER), Plan)


def test_what_could_not_be_checked_counts_as_in_use() -> None:
    vpc = replace(VPC, unchecked=(DENIED,))
    assert decide(vpc, OWNER) == Unknown(vpc)
    assert str(DENIED) == "database subnet group not checked: permission missing (AccessDenied)"


def test_known_reasons_are_told_although_something_could_not_be_checked() -> None:
    vpc = replace(_held(vpc="vpc-1"), unchecked=(DENIED,))
    assert decide(vpc, OWNER) == InUse(vpc, (_HELD,))


def test_reasons_and_steps_read_as_words() -> None:
    assert str(_HELD) == "VPC endpoint held-1 (a note)"
    assert str(Reason(Look.SUBNET, "subnet-3")) == "extra subnet subnet-3"
    assert str(Step(Act.DELETE_VPC, "vpc-1", VpcId("vpc-1"))) == "delete VPC vpc-1"


def _ids(prefix: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.integers(1, 99).map(lambda number: f"{prefix}-{number}"), max_size=4, unique=True)


_UNUSED = st.builds(
    lambda subnets, gateways, tables, acls: replace(
        VPC,
        subnets=tuple(DefaultSubnet(one, True, number) for number, one in enumerate(subnets)),
        gateways=tuple(map(InternetGateway, gateways[:1])),
        route_tables=(RouteTable("rtb-main", is_main=True), *(RouteTable(one, is_main=False) for one in tables)),
        extra_network_acls=tuple(acls),
    ),
    *map(_ids, ("subnet", "igw", "rtb", "acl")),
)
_ORDER = list(Act)


@given(_UNUSED)
def test_steps_follow_the_order_of_their_kinds_and_nothing_is_left_out_or_done_twice(vpc: DefaultVpc) -> None:
    plan = decide(vpc, OWNER)
    assert isinstance(plan, Plan)
    acts = [step.act for step in plan.steps]
    assert acts == sorted(acts, key=_ORDER.index)
    assert len(set(plan.steps)) == len(plan.steps)
    deleted = {step.id for step in plan.steps if step.act not in {Act.MARK_GATEWAY, Act.DETACH_GATEWAY}}
    tables = {table.id for table in vpc.route_tables if not table.is_main}
    parts = ({one.id for one in vpc.subnets}, {one.id for one in vpc.gateways}, tables, set(vpc.extra_network_acls))
    assert deleted == {vpc.id}.union(*parts)


_SPOILERS: list[Callable[[DefaultVpc], DefaultVpc]] = [
    lambda vpc: replace(vpc, subnets=(*vpc.subnets, DefaultSubnet("subnet-x", False))),
    lambda vpc: replace(vpc, holders=(Holder(Look.PEERING, "pcx-1", vpc=vpc.id),)),
    lambda vpc: replace(vpc, unchecked=(DENIED,)),
    lambda vpc: replace(vpc, owner=OTHER),
    lambda vpc: replace(vpc, is_default=False),
]


@given(_UNUSED, st.lists(st.sampled_from(_SPOILERS), min_size=1))
def test_no_plan_is_made_where_anything_speaks_against_it(
    vpc: DefaultVpc, spoilers: list[Callable[[DefaultVpc], DefaultVpc]]
) -> None:
    for spoil in spoilers:
        vpc = spoil(vpc)
    assert not isinstance(decide(vpc, OWNER), Plan)

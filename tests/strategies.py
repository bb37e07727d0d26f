"""Hypothesis generators that several suites share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from landkeeper.org import AccountId, Failure, FailureReason, Membership, Region, Standing
from landkeeper.vpctracker.cidr import Block, IpVersion, block_at
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.inventory import (
    AVAILABLE,
    DELETED,
    CidrAssociation,
    Peering,
    StoredVpc,
    Subnet,
    TransitGatewayAttachment,
    Vpc,
    VpcId,
    VpcKey,
)

ACCOUNTS = (AccountId("111122223333"), AccountId("444455556666"), AccountId("777788889999"))
REGIONS = (Region("eu-west-1"), Region("us-east-1"))
START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)

ASSOCIATION_STATES = ("associating", "associated", "disassociating", "disassociated", "failing", "failed")

_IPV4_START = 10 << 24
_IPV6_START = 0x20010DB8 << 96

accounts = st.sampled_from(ACCOUNTS)
regions = st.sampled_from(REGIONS)
moments = st.integers(0, 400_000).map(lambda seconds: START + timedelta(seconds=seconds))
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12)
failures = st.builds(Failure, st.sampled_from(FailureReason), texts, texts)


@st.composite
def ipv4_blocks(draw: st.DrawFn, *, shortest: int = 16, longest: int = 28, span_bits: int = 18) -> Block:
    """Blocks of the sizes that VPCs have, so close together that many of them meet."""
    return block_at(4, _IPV4_START + draw(st.integers(0, (1 << span_bits) - 1)), draw(st.integers(shortest, longest)))


@st.composite
def ipv6_blocks(draw: st.DrawFn) -> Block:
    """IPv6 blocks, close together too."""
    return block_at(6, _IPV6_START + (draw(st.integers(0, 255)) << 64), draw(st.integers(52, 64)))


blocks = ipv4_blocks() | ipv6_blocks()


@st.composite
def any_blocks(draw: st.DrawFn) -> Block:
    """Any block there can be."""
    version: IpVersion = draw(st.sampled_from((4, 6)))
    bits = 32 if version == 4 else 128
    return block_at(version, draw(st.integers(0, (1 << bits) - 1)), draw(st.integers(0, bits)))


def vpc_ids(number: int) -> VpcId:
    """The id of the VPC with that number."""
    return VpcId(f"vpc-{number:017x}")


@st.composite
def associations(draw: st.DrawFn) -> CidrAssociation:
    """An association in any state."""
    number = draw(st.integers(0, 9999))
    return CidrAssociation(f"vpc-cidr-assoc-{number:08x}", str(draw(blocks)), draw(st.sampled_from(ASSOCIATION_STATES)))


@st.composite
def subnets(draw: st.DrawFn) -> Subnet:
    """A subnet, with IPv4 or without."""
    number = draw(st.integers(0, 9999))
    cidr_block = draw(st.just("") | ipv4_blocks(shortest=20).map(str))
    return Subnet(f"subnet-{number:08x}", f"euw1-az{draw(st.integers(1, 3))}", cidr_block, draw(st.integers(0, 4091)))


@st.composite
def peerings(draw: st.DrawFn) -> Peering:
    """A peering with any VPC, accepted or not."""
    return Peering(
        id=f"pcx-{draw(st.integers(0, 9999)):08x}",
        state=draw(st.sampled_from(("pending-acceptance", "active", "deleting"))),
        peer_vpc=vpc_ids(draw(st.integers(0, 20))),
        peer_owner=draw(accounts),
        peer_region=draw(regions),
        peer_cidr_blocks=tuple(map(str, draw(st.lists(blocks, max_size=2)))),
    )


@st.composite
def transit_gateway_attachments(draw: st.DrawFn) -> TransitGatewayAttachment:
    """An attachment to one of a few transit gateways."""
    number, gateway = draw(st.integers(0, 9999)), draw(st.integers(0, 3))
    state = draw(st.sampled_from(("pending", "available", "deleting")))
    return TransitGatewayAttachment(f"tgw-attach-{number:08x}", f"tgw-{gateway:08x}", draw(accounts), state)


@st.composite
def vpcs(draw: st.DrawFn, *, number: int | None = None, owner: AccountId | None = None) -> Vpc:
    """A VPC as it is read: not deleted, shared with nobody as far as the reader can tell."""
    name = draw(texts)
    return Vpc(
        id=vpc_ids(draw(st.integers(0, 20)) if number is None else number),
        owner=owner or draw(accounts),
        region=draw(regions),
        cidr_block=str(draw(ipv4_blocks())),
        is_default=draw(st.booleans()),
        state=draw(st.sampled_from((AVAILABLE, "pending"))),
        name=name,
        cidr_associations=tuple(draw(st.lists(associations(), max_size=3))),
        tags=draw(st.dictionaries(texts, texts, max_size=3)) | ({"Name": name} if name else {}),
        instance_tenancy=draw(st.sampled_from(("default", "dedicated"))),
        dhcp_options_id=draw(st.sampled_from(("", "dopt-0123abcd"))),
        subnets=tuple(draw(st.lists(subnets(), max_size=3))),
        peerings=tuple(draw(st.lists(peerings(), max_size=2))),
        transit_gateways=tuple(draw(st.lists(transit_gateway_attachments(), max_size=2))),
    )


@st.composite
def stored_vpcs(draw: st.DrawFn) -> StoredVpc:
    """A VPC as a store has it, deleted or not."""
    vpc = draw(vpcs())
    first_seen, last_changed = sorted((draw(moments), draw(moments)))
    is_deleted = draw(st.booleans())
    participants = () if is_deleted else tuple(sorted(draw(st.sets(accounts, max_size=2))))
    stored = Vpc(
        **{name: getattr(vpc, name) for name in Vpc.__slots__}
        | {
            "state": DELETED if is_deleted else vpc.state,
            "account_name": draw(texts),
            "shared_with": participants,
            "read_by": draw(accounts | st.just(AccountId(""))),
        }
    )
    return StoredVpc(
        stored,
        first_seen,
        last_changed,
        version=draw(st.integers(1, 99)),
        deleted_at=last_changed if is_deleted else None,
        missing_since=None if is_deleted else draw(st.none() | st.just(last_changed)),
    )


@st.composite
def coverages(draw: st.DrawFn) -> Coverage:
    """What is known of an account, of whatever kind."""
    region_coverage = st.builds(RegionCoverage, st.none() | moments, st.none() | moments, st.none() | failures,
                                st.none() | moments, st.none() | failures, st.sampled_from(Standing))  # fmt: skip
    keys = st.builds(VpcKey, st.integers(0, 20).map(vpc_ids), accounts)
    return Coverage(
        account=draw(accounts),
        account_name=draw(texts),
        tried_at=draw(st.none() | moments),
        failure=draw(st.none() | failures),
        regions=draw(st.dictionaries(regions, region_coverage)),
        shared=draw(st.frozensets(keys, max_size=3)),
        failed_runs=draw(st.integers(0, 9)),
        organization=draw(st.sampled_from(("", "o-exampleorgid"))),
        membership=draw(st.sampled_from(Membership)),
        unit=draw(st.none() | texts),
    )

"""What is stored is what was known, with the attribute names that the tables promise."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from tests.strategies import ACCOUNTS, REGIONS, START, coverages, stored_vpcs, vpc_ids

from landkeeper.org import Account, Failure, FailureReason, Membership, Region, Standing, format_time
from landkeeper.vpctracker.attributes import (
    ATTRIBUTES_OF_BLOCKS,
    Attributes,
    StoredItemError,
    blocks_from_attributes,
    coverage_from_attributes,
    coverage_to_attributes,
    history_of,
    parse_time,
    vpc_from_attributes,
    vpc_to_attributes,
)
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.differences import Appeared, Changed, Complete, diff_account
from landkeeper.vpctracker.inventory import CidrAssociation, Peering, StoredVpc, Subnet, TransitGatewayAttachment, Vpc

_VPC = Vpc(
    id=vpc_ids(1),
    owner=ACCOUNTS[0],
    region=REGIONS[0],
    cidr_block="10.0.0.0/16",
    name="data lake",
    account_name="lake",
    cidr_associations=(
        CidrAssociation("vpc-cidr-assoc-1", "10.0.0.0/16", "associated"),
        CidrAssociation("vpc-cidr-assoc-2", "10.1.0.0/16", "associated"),
        CidrAssociation("vpc-cidr-assoc-3", "10.2.0.0/16", "associating"),
        CidrAssociation("vpc-cidr-assoc-4", "2001:db8::/56", "associated"),
    ),
    tags={"Name": "data lake"},
    dhcp_options_id="dopt-0123abcd",
    shared_with=(ACCOUNTS[1],),
    subnets=(Subnet("subnet-1", "euw1-az1", "10.0.0.0/20", 4091),),
    peerings=(Peering("pcx-1", "active", vpc_ids(2), ACCOUNTS[1], REGIONS[1], ("10.9.0.0/16",)),),
    transit_gateways=(TransitGatewayAttachment("tgw-attach-1", "tgw-1", ACCOUNTS[2], "available"),),
    read_by=ACCOUNTS[0],
)


def test_an_item_has_the_attributes_of_the_table() -> None:
    assert vpc_to_attributes(StoredVpc(_VPC, START, START, 1)) == {
        "VpcId": "vpc-00000000000000001",
        "OwnerId": "111122223333",
        "CidrBlock": "10.0.0.0/16",
        "IsDefault": False,
        "State": "available",
        "Region": "eu-west-1",
        "AccountName": "lake",
        "Name": "data lake",
        "CidrBlocks": ["10.0.0.0/16", "10.1.0.0/16"],
        "CidrAssociations": [
            {"AssociationId": "vpc-cidr-assoc-1", "CidrBlock": "10.0.0.0/16", "State": "associated"},
            {"AssociationId": "vpc-cidr-assoc-2", "CidrBlock": "10.1.0.0/16", "State": "associated"},
            {"AssociationId": "vpc-cidr-assoc-3", "CidrBlock": "10.2.0.0/16", "State": "associating"},
            {"AssociationId": "vpc-cidr-assoc-4", "CidrBlock": "2001:db8::/56", "State": "associated"},
        ],
        "Ipv6CidrBlocks": ["2001:db8::/56"],
        "Tags": {"Name": "data lake"},
        "InstanceTenancy": "default",
        "DhcpOptionsId": "dopt-0123abcd",
        "SharedWith": ["444455556666"],
        "Subnets": [
            {
                "SubnetId": "subnet-1",
                "AvailabilityZoneId": "euw1-az1",
                "CidrBlock": "10.0.0.0/20",
                "AvailableIpAddressCount": 4091,
            }
        ],
        "PeeringConnections": [
            {
                "Id": "pcx-1",
                "State": "active",
                "PeerVpcId": "vpc-00000000000000002",
                "PeerOwnerId": "444455556666",
                "PeerRegion": "us-east-1",
                "PeerCidrBlocks": ["10.9.0.0/16"],
            }
        ],
        "TransitGatewayAttachments": [
            {
                "Id": "tgw-attach-1",
                "TransitGatewayId": "tgw-1",
                "TransitGatewayOwnerId": "777788889999",
                "State": "available",
            }
        ],
        "ReadBy": "111122223333",
        "FirstSeen": "2026-03-01T12:00:00Z",
        "LastChanged": "2026-03-01T12:00:00Z",
        "Version": 1,
    }


@given(stored_vpcs())
def test_a_stored_vpc_survives_the_store(stored: StoredVpc) -> None:
    assert vpc_from_attributes(json.loads(json.dumps(vpc_to_attributes(stored)))) == stored


@given(stored_vpcs())
def test_the_taken_blocks_of_a_vpc_are_read_from_few_of_its_attributes(stored: StoredVpc) -> None:
    item = vpc_to_attributes(stored)
    found = blocks_from_attributes({name: item[name] for name in ATTRIBUTES_OF_BLOCKS})
    vpc = stored.vpc
    assert (found.key, found.region, found.account_name, found.tags, found.taken_blocks) == (
        vpc.key, vpc.region, vpc.account_name, vpc.tags, vpc.taken_blocks,
    )  # fmt: skip


def test_a_vpc_whose_blocks_cannot_be_read_is_named() -> None:
    item = vpc_to_attributes(StoredVpc(_VPC, START, START, 1))
    with pytest.raises(StoredItemError, match=rf"{_VPC.id} of {_VPC.owner} cannot be read: CidrBlock is missing"):
        blocks_from_attributes({name: value for name, value in item.items() if name != "CidrBlock"})
    with pytest.raises(StoredItemError, match=r"'10\.0\.0\.1/16' is not a CIDR block"):
        blocks_from_attributes({**item, "CidrBlock": "10.0.0.1/16"})


def test_a_region_that_failed_is_read_back_with_its_failure() -> None:
    failed = RegionCoverage(START, failed_at=START, failure=Failure(FailureReason.SCP_DENY, "AccessDenied", "no"))
    coverage = Coverage(ACCOUNTS[0], "lake", regions={REGIONS[0]: failed, REGIONS[1]: RegionCoverage(START)})
    assert coverage_from_attributes(json.loads(json.dumps(coverage_to_attributes(coverage)))) == coverage


@given(coverages())
def test_coverage_survives_the_store(coverage: Coverage) -> None:
    assert coverage_from_attributes(json.loads(json.dumps(coverage_to_attributes(coverage)))) == coverage


def test_an_item_that_somebody_else_wrote_needs_only_what_nothing_can_replace() -> None:
    attributes = {
        "VpcId": "vpc-1", "OwnerId": "111122223333", "CidrBlock": "10.0.0.0/16", "IsDefault": False,
        "State": "available", "Region": "eu-west-1", "Version": 1, "FirstSeen": "2026-03-01T12:00:00Z",
        "LastChanged": "2026-03-01T12:00:00Z",
    }  # fmt: skip
    stored = vpc_from_attributes(attributes)
    assert (stored.vpc.name, stored.vpc.read_by, stored.vpc.cidr_blocks) == ("", "111122223333", ("10.0.0.0/16",))


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ({"CidrBlock": "10.0.0.0"}, "'10.0.0.0' is not a CIDR block"),
        ({"CidrAssociations": [{"AssociationId": "a", "CidrBlock": "x/1", "State": "associated"}]}, "'x/1' is not a"),
        ({"CidrAssociations": [{"AssociationId": "a", "CidrBlock": "10.0.0.0/16"}]}, "State is missing"),
        ({"Region": None, "FirstSeen": "yesterday"}, "yesterday"),
        ({"Version": None}, "int()"),
        ({"CidrBlock": 10}, "expected string"),
    ],
)
def test_a_broken_item_is_named_with_what_is_wrong(broken: Attributes, why: str) -> None:
    attributes = {**vpc_to_attributes(StoredVpc(_VPC, START, START, 1)), **broken}
    with pytest.raises(StoredItemError) as raised:
        vpc_from_attributes(attributes)
    assert why in raised.value.why
    assert str(raised.value).startswith("the stored item vpc-00000000000000001 of 111122223333 cannot be read: ")


def test_an_item_without_its_keys_is_still_named() -> None:
    with pytest.raises(StoredItemError, match="without VpcId of an unknown owner cannot be read: OwnerId is missing"):
        vpc_from_attributes({})


def test_broken_coverage_is_named_with_what_is_wrong() -> None:
    with pytest.raises(StoredItemError, match="of coverage for an unknown account cannot be read: AccountId is miss"):
        coverage_from_attributes({})
    with pytest.raises(StoredItemError, match=r"of coverage for 111122223333 cannot be read: .*'soon'"):
        coverage_from_attributes({"AccountId": "111122223333", "TriedAt": "soon"})


def test_a_reason_that_this_version_does_not_know_reads_as_an_error() -> None:
    stored = {"AccountId": "111122223333", "Reason": "MOON_PHASE", "Code": "Moon"}
    assert coverage_from_attributes(stored).failure == Failure(FailureReason.OTHER, "Moon", "")


def test_coverage_has_the_attributes_of_the_table() -> None:
    coverage = Coverage(
        ACCOUNTS[0],
        tried_at=START,
        regions={
            REGIONS[0]: RegionCoverage(
                complete_at=START, connections_failure=Failure(FailureReason.MISSING_PERMISSION, "Denied", "no")
            ),
            REGIONS[1]: RegionCoverage(failed_at=START, failure=Failure(FailureReason.SCP_DENY, "Denied", "no")),
            Region("eu-south-1"): RegionCoverage(connections_at=START, standing=Standing.GOVERNED),
        },
        failed_runs=2,
        organization="o-exampleorgid",
        membership=Membership.PENDING_CLOSURE,
        shared=frozenset({_VPC.key}),
    )
    assert coverage_to_attributes(coverage) == {
        "AccountId": "111122223333",
        "AccountName": "",
        "TriedAt": "2026-03-01T12:00:00Z",
        "Regions": {
            "eu-west-1": {
                "CompleteAt": "2026-03-01T12:00:00Z",
                "ConnectionsUnread": {"Reason": "MISSING_PERMISSION", "Code": "Denied", "Message": "no"},
            },
            "us-east-1": {
                "FailedAt": "2026-03-01T12:00:00Z", "Reason": "SCP_DENY", "Code": "Denied", "Message": "no",
            },
            "eu-south-1": {"ConnectionsAt": "2026-03-01T12:00:00Z", "Standing": "GOVERNED"},
        },
        "FailedRuns": 2,
        "OrganizationId": "o-exampleorgid",
        "Membership": "PENDING_CLOSURE",
        "Version": 0,
        "SharedVpcs": [{"VpcId": "vpc-00000000000000001", "OwnerId": "111122223333"}],
    }  # fmt: skip


def test_times_are_utc_to_the_second() -> None:
    moment = datetime(2026, 3, 1, 13, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))
    assert format_time(moment) == "2026-03-01T12:00:00Z"
    assert parse_time("2026-03-01T12:00:00Z") == datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-03-01T12:00:00+00:00", "2026-03-01 12:00:00Z", "2026-03-01T12:00Z", "soon"])
def test_a_time_written_in_another_way_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text.split("+", maxsplit=1)[0]):
        parse_time(text)


def test_the_history_of_a_new_vpc_holds_all_of_it() -> None:
    stored = StoredVpc(_VPC, START, START, 1)
    entry = history_of(Appeared(stored))
    assert entry["At"] == "2026-03-01T12:00:00Z#00000001"
    assert (entry["Kind"], entry["Before"], entry["After"]) == ("appeared", {}, vpc_to_attributes(stored))


def test_the_history_of_a_change_holds_what_changed_before_and_after() -> None:
    before = StoredVpc(_VPC, START, START, 1)
    after = replace(before, vpc=replace(_VPC, instance_tenancy="dedicated"), version=2)
    assert history_of(Changed(before, after)) == {
        "VpcId": "vpc-00000000000000001",
        "OwnerId": "111122223333",
        "At": "2026-03-01T12:00:00Z#00000002",
        "Kind": "changed",
        "Version": 2,
        "Before": {"InstanceTenancy": "default", "Version": 1},
        "After": {"InstanceTenancy": "dedicated", "Version": 2},
    }


def test_taking_entries_back_gives_every_earlier_state() -> None:
    account, region = Account(ACCOUNTS[0]), REGIONS[0]
    reads = (Complete((_VPC,)), Complete(()), Complete((replace(_VPC, tags={}),)))
    stored: list[StoredVpc] = []
    states: list[Attributes] = []
    entries: list[Attributes] = []
    for hours, read in enumerate(reads):
        (change,) = diff_account(stored, {region: read}, account, START + timedelta(hours=hours))
        stored = [change.after]
        states.append(vpc_to_attributes(change.after))
        entries.append(history_of(change))
    state = states[-1]
    for entry, earlier in zip(reversed(entries[1:]), reversed(states[:-1]), strict=True):
        kept = {name: value for name, value in state.items() if name not in entry["After"]}
        state = {**kept, **entry["Before"]}
        assert state == earlier

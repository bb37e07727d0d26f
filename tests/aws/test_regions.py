"""The regions and partitions that are known here, and those that the SDK knows."""

from __future__ import annotations

import botocore.session
import pytest

from landkeeper.aws.regions import list_known_regions, list_regions_beside, partition_of
from landkeeper.vpctracker.pools.stack_request import _SUFFIXES


def test_the_regions_are_those_of_the_sdk() -> None:
    session = botocore.session.get_session()
    assert list_known_regions() == {
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("ec2", partition)
    }


def test_each_region_is_in_the_partition_of_the_sdk() -> None:
    session = botocore.session.get_session()
    for partition in session.get_available_partitions():
        regions = session.get_available_regions("ec2", partition)
        assert {partition_of(region) for region in regions} == {partition}
        assert list_regions_beside(regions[0]) == tuple(sorted(regions))


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-atlantis-1", "aws"),
        ("cn-atlantis-1", "aws-cn"),
        ("us-gov-atlantis-1", "aws-us-gov"),
        ("eusc-de-atlantis-1", "aws-eusc"),
        ("us-isob-atlantis-1", "aws-iso-b"),
        ("atlantis-central-1", "aws"),
    ],
)
def test_a_region_newer_than_the_sdk_is_in_the_partition_its_code_fits(region: str, partition: str) -> None:
    assert partition_of(region) == partition


def test_the_hosts_of_answers_to_stacks_end_as_those_of_the_sdk() -> None:
    data = botocore.session.get_session().get_component("data_loader").load_data("partitions")
    assert {partition["id"]: partition["outputs"]["dnsSuffix"] for partition in data["partitions"]} == _SUFFIXES

"""The regions that are known here, and those that the SDK knows."""

from __future__ import annotations

import botocore.session

from landkeeper.aws.regions import list_known_regions


def test_the_regions_are_those_of_the_sdk() -> None:
    session = botocore.session.get_session()
    assert list_known_regions() == {
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("ec2", partition)
    }

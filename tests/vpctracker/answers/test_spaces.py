"""Which space a VPC is in."""

from __future__ import annotations

import pytest
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.org import UsageError
from landkeeper.vpctracker.answers.spaces import check_space, spaces_of, split_by_space
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.config import Space, TrackerConfig
from landkeeper.vpctracker.inventory import StoredVpc, Vpc

_CONFIG = TrackerConfig(
    spaces=(
        Space("plants", (ACCOUNTS[0], "shop")),
        Space("labs", tags={"Network": "lab", "Zone": "*"}),
        Space("default", repeated=(parse_block("10.9.0.0/16"),)),
    )
)


def _vpc(owner: int = 2, name: str = "", **tags: str) -> Vpc:
    return Vpc(vpc_ids(1), ACCOUNTS[owner], REGIONS[0], "10.0.0.0/16", account_name=name, tags=tags)


@pytest.mark.parametrize(
    ("vpc", "space"),
    [
        (_vpc(0), "plants"),
        (_vpc(1, "shop"), "plants"),
        (_vpc(1, "shopping"), "default"),
        (_vpc(1, Network="lab", Zone="7"), "labs"),
        (_vpc(0, Network="lab", Zone="7"), "labs"),
        (_vpc(1, Network="lab"), "default"),
        (_vpc(1, Network="Lab", Zone="7"), "default"),
    ],
)
def test_tags_come_before_accounts_and_the_rest_is_in_the_default_space(vpc: Vpc, space: str) -> None:
    assert spaces_of(_CONFIG).space_of(vpc).name == space


def test_the_default_space_is_as_it_is_declared_or_repeats_the_shared_address_space() -> None:
    assert [str(block) for block in spaces_of(_CONFIG).default.repeated] == ["10.9.0.0/16"]
    assert [str(block) for block in spaces_of(TrackerConfig()).default.repeated] == ["100.64.0.0/10"]


def test_vpcs_are_split_in_the_order_of_the_file_with_the_default_space_last() -> None:
    vpcs = [StoredVpc(vpc, START, START, 1) for vpc in (_vpc(2), _vpc(1, Network="lab", Zone="7"), _vpc(0), _vpc(0))]
    split = split_by_space(vpcs, _CONFIG)
    assert [(space.name, len(some)) for space, some in split] == [("plants", 2), ("labs", 1), ("default", 1)]


def test_a_space_that_is_not_there_is_named_beside_those_that_are() -> None:
    assert check_space(_CONFIG, "labs") == "labs"
    assert check_space(TrackerConfig(), "default") == "default"
    with pytest.raises(UsageError, match="there is no space 'lab'; there are plants, labs, default"):
        check_space(_CONFIG, "lab")

"""News of changes: what is asked for, and what has been read since."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import ACCOUNTS, REGIONS, START

from landkeeper.org import AccountId, Region
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.events import (
    CONSISTENT_AFTER,
    Ignored,
    Malformed,
    Reread,
    Scope,
    is_covered,
    parse_event,
    regions_to_read,
    why_out_of_scope,
)

_SHOP, _HERE = AccountId("111122223333"), Region("eu-west-1")
_AT = datetime(2026, 1, 1, 10, 0, tzinfo=UTC)
_EVERYTHING = Scope()


def _event(name: str, **detail: Any) -> dict[str, Any]:
    """A recorded event, with some of its detail replaced; None leaves it out."""
    event: dict[str, Any] = json.loads((Path(__file__).parents[1] / "events" / f"{name}.json").read_text("utf-8"))
    event["detail"] = {key: value for key, value in {**event["detail"], **detail}.items() if value is not None}
    return event


def _covered(at: datetime | None, *, tried: bool = True) -> Coverage:
    return Coverage(_SHOP, tried_at=START if tried else None, regions={_HERE: RegionCoverage(complete_at=at)})


@pytest.mark.parametrize("name", ["vpc_created", "vpc_tagged", "peering_accepted"])
def test_a_change_of_a_vpc_asks_for_its_region(name: str) -> None:
    assert parse_event(_event(name)) == Reread(_SHOP, _HERE, _AT)


def test_account_and_region_may_stand_on_the_envelope_alone() -> None:
    assert parse_event(_event("vpc_created", recipientAccountId=None, awsRegion=None)) == Reread(_SHOP, _HERE, _AT)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("vpc_refused", "CreateVpc was refused: Client.VpcLimitExceeded"),
        ("instance_tagged", "CreateTags names no VPC"),
        ("eventbridge_api_call", "RunInstances changes nothing that is stored of a VPC"),
        ("schedule", "an event of type 'Scheduled Event'"),
    ],
)
def test_what_changes_no_vpc_is_ignored(name: str, reason: str) -> None:
    assert parse_event(_event(name)) == Ignored(reason)


def test_tags_without_resources_name_no_vpc() -> None:
    assert parse_event(_event("vpc_tagged", requestParameters=None)) == Ignored("CreateTags names no VPC")


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({}, "neither a message"),
        ({"detail-type": "AWS API Call via CloudTrail", "detail": {}}, "without the name of a call"),
        (_event("vpc_created", recipientAccountId="11112222333"), "'11112222333' is not an AWS account id"),
        (_event("vpc_created", awsRegion="Ireland"), "'Ireland' is not a region code"),
        (_event("vpc_created", eventTime=None), "CreateVpc without an account, a region or a time"),
        (_event("vpc_created", eventTime="2026-01-01T10:00:00"), "names no time zone"),
    ],
)
def test_what_cannot_be_read_is_malformed(event: dict[str, Any], reason: str) -> None:
    parsed = parse_event(event)
    assert isinstance(parsed, Malformed)
    assert reason in parsed.reason


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=5),
        lambda each: st.dictionaries(
            st.sampled_from(["detail-type", "detail", "eventName", "requestParameters", "eventTime"]), each, max_size=4
        ),
    )
)
def test_nothing_makes_it_raise(value: Any) -> None:
    event = {"detail-type": "AWS API Call via CloudTrail", "detail": value}
    assert isinstance(parse_event(event), Ignored | Malformed)


def test_a_read_that_began_once_ec2_is_of_one_mind_covers_a_change() -> None:
    change = Reread(_SHOP, _HERE, _AT)
    assert not is_covered(change, Coverage(_SHOP))
    assert not is_covered(change, _covered(None))
    assert not is_covered(change, _covered(_AT + CONSISTENT_AFTER - timedelta(seconds=1)))
    assert is_covered(change, _covered(_AT + CONSISTENT_AFTER))


def test_a_second_look_is_made_by_any_later_read_and_not_by_the_first_one() -> None:
    second = Reread(_SHOP, _HERE, _AT, is_second_look=True)
    assert not is_covered(second, _covered(_AT))
    assert is_covered(second, _covered(_AT + timedelta(seconds=1)))


def test_however_many_changes_ask_for_a_region_it_is_read_once() -> None:
    changes = [Reread(_SHOP, _HERE, _AT + timedelta(seconds=second)) for second in range(5)]
    assert regions_to_read(changes, Coverage(_SHOP), _EVERYTHING) == {_HERE}
    assert regions_to_read(changes, _covered(_AT + timedelta(minutes=2)), _EVERYTHING) == frozenset()
    assert regions_to_read(changes, Coverage(_SHOP), Scope(regions=frozenset({Region("us-east-1")}))) == frozenset()


@given(st.lists(st.integers(0, 300)), st.integers(0, 300))
def test_a_region_is_read_exactly_where_some_change_is_younger_than_the_read(seconds: list[int], read: int) -> None:
    changes = [Reread(_SHOP, _HERE, _AT + timedelta(seconds=second)) for second in seconds]
    young = [second for second in seconds if second + CONSISTENT_AFTER.total_seconds() > read]
    wanted = regions_to_read(changes, _covered(_AT + timedelta(seconds=read)), _EVERYTHING)
    assert wanted == ({_HERE} if young else set())


@pytest.mark.parametrize(
    ("scope", "coverage", "reason"),
    [
        (Scope(), Coverage(_SHOP), None),
        (Scope(accounts=frozenset({_SHOP}), regions=frozenset({_HERE})), Coverage(_SHOP), None),
        (Scope(accounts=frozenset({ACCOUNTS[1]})), Coverage(_SHOP), "account 111122223333 is none of those to read"),
        (Scope(regions=frozenset({REGIONS[1]})), Coverage(_SHOP), "region eu-west-1 is none of those to read"),
        (Scope(skipped=frozenset({_SHOP})), Coverage(_SHOP), "account 111122223333 is left out by discovery"),
        (Scope(known_only=True), Coverage(_SHOP), "account 111122223333 is left out by discovery"),
        (Scope(known_only=True), _covered(None), None),
    ],
)
def test_changes_elsewhere_are_none_of_the_trackers(scope: Scope, coverage: Coverage, reason: str | None) -> None:
    assert why_out_of_scope(Reread(_SHOP, _HERE, _AT), scope, coverage) == reason

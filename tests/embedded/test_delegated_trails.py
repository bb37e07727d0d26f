"""The stand-in answers a delegated administrator as CloudTrail is documented and reported to."""

from __future__ import annotations

from typing import Any

import pytest

from landkeeper.embedded.delegated_trails import DelegatedTrails

NEW = {"Name": "keeper", "S3BucketName": "logs", "IsOrganizationTrail": True, "EnableLogFileValidation": True}
ARN = "arn:aws:cloudtrail:us-east-1:444455556666:trail/keeper"


@pytest.fixture
def trails() -> DelegatedTrails:
    made = DelegatedTrails()
    status, created = made.answer("CreateTrail", NEW)
    assert (status, created["TrailARN"]) == (200, ARN)
    return made


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("GetTrail", {"Name": "keeper"}),
        ("GetTrailStatus", {"Name": "keeper"}),
        ("GetEventSelectors", {"TrailName": "keeper"}),
        ("PutEventSelectors", {"TrailName": "keeper", "EventSelectors": []}),
        ("UpdateTrail", {"Name": "keeper", "IsMultiRegionTrail": True}),
        ("StartLogging", {"Name": "keeper"}),
        ("StopLogging", {"Name": "keeper"}),
        ("DeleteTrail", {"Name": "keeper"}),
    ],
)
def test_by_its_name_the_trail_is_unknown_and_by_its_arn_it_is_there(
    trails: DelegatedTrails, action: str, parameters: dict[str, Any]
) -> None:
    status, refusal = trails.answer(action, parameters)
    assert (status, refusal["__type"]) == (400, "TrailNotFoundException")
    assert "111122223333:trail/keeper for the user: 111122223333" in refusal["message"]
    by_arn = {name: ARN if name in {"Name", "TrailName"} else value for name, value in parameters.items()}
    assert trails.answer(action, by_arn)[0] == 200


def test_a_second_try_meets_the_first_ones_trail(trails: DelegatedTrails) -> None:
    status, refusal = trails.answer("CreateTrail", NEW)
    assert (status, refusal["__type"]) == (400, "TrailAlreadyExistsException")
    assert refusal["message"].endswith("customer: 444455556666")


def test_a_new_trail_does_not_log_and_selects_every_management_event(trails: DelegatedTrails) -> None:
    assert trails.answer("GetTrailStatus", {"Name": ARN}) == (200, {"IsLogging": False})
    (selector,) = trails.answer("GetEventSelectors", {"TrailName": ARN})[1]["EventSelectors"]
    assert (selector["ReadWriteType"], selector["IncludeManagementEvents"]) == ("All", True)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [ARN]),
        ({"includeShadowTrails": False}, []),
        ({"trailNameList": ["keeper"]}, []),
        ({"trailNameList": [ARN]}, [ARN]),
    ],
)
def test_descriptions_leave_out_what_is_asked_for_by_name(
    trails: DelegatedTrails, asked: dict[str, Any], found: list[str]
) -> None:
    listed = trails.answer("DescribeTrails", asked)[1]["trailList"]
    assert [trail["TrailARN"] for trail in listed] == found


@pytest.mark.parametrize(
    ("trails", "code"),
    [
        (DelegatedTrails(is_trusted=False), "CloudTrailAccessNotEnabledException"),
        (DelegatedTrails(is_delegate=False), "NotOrganizationMasterAccountException"),
    ],
)
def test_who_may_not_make_it_is_told_why(trails: DelegatedTrails, code: str) -> None:
    assert trails.answer("CreateTrail", NEW)[1]["__type"] == code
    status, own = trails.answer("CreateTrail", {**NEW, "IsOrganizationTrail": False})
    assert (status, own["TrailARN"].split(":")[4]) == (200, "111122223333")


def test_the_management_account_has_five_trails_in_a_region(trails: DelegatedTrails) -> None:
    statuses = [trails.answer("CreateTrail", {**NEW, "Name": f"keeper-{number}"})[0] for number in range(5)]
    assert statuses == [200, 200, 200, 200, 400]


def test_an_empty_key_turns_encryption_off(trails: DelegatedTrails) -> None:
    trails.answer("UpdateTrail", {"Name": ARN, "KmsKeyId": "arn:key", "EnableLogFileValidation": False})
    changed = trails.answer("GetTrail", {"Name": ARN})[1]["Trail"]
    assert (changed["KmsKeyId"], changed["LogFileValidationEnabled"]) == ("arn:key", False)
    trails.answer("UpdateTrail", {"Name": ARN, "KmsKeyId": ""})
    assert "KmsKeyId" not in trails.answer("GetTrail", {"Name": ARN})[1]["Trail"]

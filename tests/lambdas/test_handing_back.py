"""Which messages the function sends again, and how often."""

from __future__ import annotations

from typing import Any

import pytest

from landkeeper.lambdas.handing_back import is_from, times_handed_back

URL = "https://sqs.eu-west-1.amazonaws.com/111122223333/landkeeper-broom"
ARN = "arn:aws:sqs:eu-west-1:111122223333:landkeeper-broom"


@pytest.mark.parametrize(
    ("arn", "is_own"),
    [
        (ARN, True),
        (ARN.replace("broom", "other"), False),
        (ARN.replace("111122223333", "444455556666"), False),
        ("", False),
        (None, False),
    ],
)
def test_only_what_came_from_the_functions_own_queue_is_sent_there_again(arn: str | None, is_own: bool) -> None:
    assert is_from(URL, {"eventSourceARN": arn}) is is_own
    assert not is_from(URL, {})


@pytest.mark.parametrize(
    ("attributes", "times"),
    [
        ({}, 0),
        ({"HandedBack": {"stringValue": "7", "dataType": "Number"}}, 7),
        ({"HandedBack": {"stringValue": "-7"}}, 0),
        ({"HandedBack": {"stringValue": "9" * 5000}}, 0),
        ({"HandedBack": {}}, 0),
    ],
)
def test_how_often_it_was_sent_again_stands_in_the_message(attributes: dict[str, Any], times: int) -> None:
    assert times_handed_back({"messageAttributes": attributes}) == times

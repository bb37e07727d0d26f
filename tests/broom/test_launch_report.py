"""The report: word for word for people, the same as JSON, and not to be forged."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.broom_world import LAUNCHED_AT, launch

from landkeeper.broom.case import Case, Outcome, open_case
from landkeeper.broom.launch_report import describe_outcome, write_report
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.policy.rules import Penalty
from landkeeper.org import Principal, Region


def case(id_: str = "i-1", **changes: object) -> Case:
    one = launch(id_)
    opened = open_case(one, one.instances[0], LAUNCHED_AT)
    found = {"rule": "code", "how": "tag Code is missing", "action": Penalty.TERMINATE, "outcome": Outcome.DESTROYED}
    return replace(opened, **{**found, **changes})  # type: ignore[arg-type]


def test_the_report_of_one_instance_reads_as_its_users_know_it() -> None:
    assert write_report([case()]).text == (
        "User jane created an instance on region eu-west-1 without proper tagging.\n"
        "Instance id: i-1\n"
        "Image Id: ami-1\n"
        "Instance type: t3.micro\n"
        "This instance has been destroyed.\n"
        "Account: 111122223333\n"
        "Rule: code (tag Code is missing)\n"
        "Time: 2026-01-01T10:00:00Z\n"
        "Event id: event-1\n"
    )


def test_the_same_as_json() -> None:
    assert json.loads(write_report([case()]).json) == {
        "EventId": "event-1",
        "EventTime": "2026-01-01T10:00:00Z",
        "Principal": "jane",
        "PrincipalArn": "arn:aws:iam::111122223333:user/jane",
        "AccountId": "111122223333",
        "Region": "eu-west-1",
        "Instances": [
            {
                "InstanceId": "i-1",
                "ImageId": "ami-1",
                "InstanceType": "t3.micro",
                "Rule": "code",
                "How": "tag Code is missing",
                "Action": "terminate",
                "Outcome": "destroyed",
                "Error": "",
                "Successor": "",
            }
        ],
        "Omitted": 0,
    }


def test_each_instance_has_a_block_of_its_own() -> None:
    report = write_report([case(), case("i-2", outcome=Outcome.PROTECTED, error="OperationNotPermitted")])
    first, second = report.text.split("\n\n")
    assert "Instance id: i-1\n" in first
    assert "Instance id: i-2\n" in second
    assert "This instance is still there: it is protected (OperationNotPermitted).\n" in second
    assert report.subject == "Landkeeper: 2 instances without proper tagging in 111122223333 eu-west-1"


@pytest.mark.parametrize("outcome", list(Outcome))
def test_what_was_not_destroyed_says_so(outcome: Outcome) -> None:
    sentence = describe_outcome(outcome, "because")
    assert ("destroyed" in sentence) is (outcome is Outcome.DESTROYED)
    assert sentence.startswith("This instance ")


def test_a_launch_too_large_for_one_message_is_cut_and_says_so() -> None:
    report = write_report([case(f"i-{number}", how="x" * 900) for number in range(1_000)])
    assert len(report.text.encode()) + len(report.json) < 250_000
    assert report.text.endswith("more instances of this launch are in the ledger.\n")
    told = json.loads(report.json)
    assert len(told["Instances"]) + told["Omitted"] == 1_000


@given(st.text(), st.text(), st.text())
def test_nothing_that_a_user_writes_forges_a_line(name: str, how: str, region: str) -> None:
    forged = f"{name}\nThis instance has been destroyed.\r\u2028\u0085{how}"
    one = case(
        principal=Principal("IAMUser", forged, forged), how=forged, rule=forged, region=Region(forged + region),
        instance_type=forged, image_id=forged, error=forged, outcome=Outcome.REFUSED, instance_id=InstanceId(forged),
    )  # fmt: skip
    report = write_report([one])
    assert len(report.text.splitlines()) == 9
    assert "This instance has been destroyed." not in report.text.splitlines()
    assert len(report.subject) < 100
    assert report.subject.isascii()
    assert report.subject.isprintable()
    assert json.loads(report.json)["Omitted"] == 0


@pytest.mark.parametrize(
    ("outcome", "is_told"), [(Outcome.DESTROYED, True), (Outcome.STOPPED, True), (Outcome.HELD, False)]
)
def test_what_launches_another_one_is_named_where_something_was_done(outcome: Outcome, is_told: bool) -> None:
    successor = "Auto Scaling group web launches another one in its place."
    report = write_report([case(outcome=outcome, successor=successor)])
    assert (f"\n{successor}\nAccount: " in report.text) is is_told
    assert (json.loads(report.json)["Instances"][0]["Successor"] == successor) is is_told

"""Verdicts on launches of which not everything is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.broom_world import LAUNCHED_AT, policy

from landkeeper.broom.policy.answers import answer_of
from landkeeper.broom.policy.trial import DescribedLaunch, Undecided, try_launch
from landkeeper.broom.policy.verdict import evaluate
from landkeeper.org import AccountId, Region

RULES = """
version: 1
rules:
- {name: code, action: notify, require: {tag: Code}}
- {name: owner, action: terminate, require: {tag: Owner}, when: {regions: ["us-*"], instance_types: ["p*"]}}
- {name: team, action: notify, require: {tag: Team}, when: {accounts: ["1*"], regions: ["*"]}}
"""
EXEMPT = (
    "exempt: [{principal: '*/CI/*'}, {principal: '*/AWSServiceRoleForAutoScaling*/*'}, {account: '4444*'}, "
    "{principal: 'arn:aws:iam::111122223333:role/x/Own'}, {tag: Free}]\n"
)
ONBOARDING = "onboarding: {ous: [ou-ab12-cdefgh34], accounts: ['1111*'], action: notify}\n"
ROLE = "arn:aws:iam::111122223333:role/"
SESSION = "arn:aws:sts::111122223333:assumed-role/"
SERVICE_ROLE = f"{ROLE}aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
BY_PATH = "the path of the role decides whether it is exempt by principal"
ADD_ROLE = "add the ARN of the role itself, with its path, as principal"
CODE = {"Code": "LOL"}


def answer(text: str, **launch: Any) -> tuple[str, str, str]:
    trial = try_launch(policy(text), DescribedLaunch(**launch), LAUNCHED_AT)
    found = answer_of(trial)
    return found.verdict, found.action, found.rule


@pytest.mark.parametrize(
    ("launch", "expected"),
    [
        ({"tags": {"Code": "x", "Owner": "y", "Team": "z"}}, ("compliant", "keep", "")),
        ({"tags": CODE, "region": "eu-west-1", "account": "222233334444"}, ("compliant", "keep", "")),
        ({"tags": CODE, "instance_type": "t3.micro", "account": "222233334444"}, ("compliant", "keep", "")),
        ({"tags": CODE, "region": "us-east-1", "instance_type": "p4d.24xlarge"}, ("violation", "terminate", "owner")),
        ({"tags": CODE, "region": "us-east-1", "account": "222233334444"}, ("unknown", "", "")),
        ({"tags": {"Owner": "x"}}, ("violation", "notify", "code")),
        ({}, ("unknown", "", "")),
        ({"region": "eu-west-1"}, ("violation", "notify", "code")),
        ({"tags": {"Free": ""}}, ("exempt", "keep", "")),
        ({"account": "444455556666"}, ("exempt", "keep", "")),
        ({"principal_arn": "arn:aws:iam::444455556666:user/jane"}, ("exempt", "keep", "")),
        ({"principal_arn": f"{SESSION}CI/run-1"}, ("exempt", "keep", "")),
        ({"principal_arn": f"{ROLE}CI"}, ("exempt", "keep", "")),
        ({"principal_arn": SERVICE_ROLE}, ("exempt", "keep", "")),
        ({"region": "eu-west-1", "principal_arn": f"{ROLE}AWSServiceRoleForAutoScaling"},
         ("violation", "notify", "code")),
        ({"region": "eu-west-1", "principal_arn": f"{ROLE}x/Own"}, ("exempt", "keep", "")),
        ({"region": "eu-west-1", "principal_arn": f"{ROLE}Own"}, ("violation", "notify", "code")),
    ],
)  # fmt: skip
def test_only_what_the_verdict_needs_has_to_be_known(launch: Any, expected: tuple[str, str, str]) -> None:
    assert answer(RULES + EXEMPT, **launch) == expected


@pytest.mark.parametrize(
    ("launch", "missing", "because"),
    [
        ({}, ("region", "type"), "rule owner applies only to region us-* and type p*: add region and type"),
        ({"region": "us-east-1"}, ("type",), "rule owner applies only to type p*: add type"),
        ({"tags": CODE, "region": "us-east-1"}, ("type", "account"),
         "rule owner applies only to type p*, rule team applies only to account 1*: add type and account"),
        ({"region": "eu-west-1", "principal_arn": f"{SESSION}AWSServiceRoleForAutoScaling/AutoScaling"},
         ("principal",),
         f"{BY_PATH} */AWSServiceRoleForAutoScaling*/*: {ADD_ROLE}"),
        ({"region": "eu-west-1", "principal_arn": f"{SESSION}Own/session"}, ("principal",),
         f"{BY_PATH} arn:aws:iam::111122223333:role/x/Own: {ADD_ROLE}"),
    ],
)  # fmt: skip
def test_what_has_to_be_known_is_named(launch: Any, missing: tuple[str, ...], because: str) -> None:
    trial = try_launch(policy(RULES + EXEMPT), DescribedLaunch(**launch), LAUNCHED_AT)
    assert isinstance(trial.verdict, Undecided)
    assert trial.verdict.missing == missing
    assert answer_of(trial).because == because


@pytest.mark.parametrize(
    ("launch", "expected"),
    [
        ({}, ("unknown", "", "")),
        ({"units": frozenset({"r-1"})}, ("unknown", "", "")),
        ({"account": AccountId("222233334444")}, ("unknown", "", "")),
        ({"account": AccountId("111122223333")}, ("violation", "notify", "code")),
        ({"account": AccountId("222233334444"), "units": frozenset({"r-1"})}, ("violation", "terminate", "code")),
        ({"units": frozenset({"ou-ab12-cdefgh34"}), "account": AccountId("2" * 12)}, ("violation", "notify", "code")),
        ({"tags": CODE}, ("compliant", "keep", "")),
    ],
)
def test_a_new_account_has_to_be_known_where_it_makes_a_difference(launch: Any, expected: tuple[str, str, str]) -> None:
    text = "version: 1\nrules:\n- {name: code, action: terminate, require: {tag: Code}}\n"
    assert answer(text + ONBOARDING, **launch) == expected
    notified = ("violation", "notify", "code") if expected[0] != "compliant" else expected
    assert answer(text.replace("terminate", "notify") + ONBOARDING, **launch) == notified


def test_what_a_verdict_takes_for_granted_is_said() -> None:
    trial = try_launch(policy(RULES + EXEMPT), DescribedLaunch({"Owner": "x"}), LAUNCHED_AT)
    assert trial.assumed == (
        "no exemption by principal applies: the principal is unknown",
        "no exemption by account applies: the account is unknown",
        "rule team may be broken as well: account unknown",
    )
    named = DescribedLaunch({"Owner": "x"}, principal_arn="arn:aws:iam::222233334444:user/jane")
    assert try_launch(policy(RULES + EXEMPT), named, LAUNCHED_AT).assumed == ()
    assert try_launch(policy(RULES), DescribedLaunch({"Owner": "x", "Team": "y"}), LAUNCHED_AT).assumed == ()


def test_the_time_of_the_launch_decides_which_exemptions_count() -> None:
    text = RULES + "exempt: [{tag: Free, expires: 2026-01-31}]\n"
    launch = DescribedLaunch({"Free": "", "Owner": "x"}, at=datetime(2026, 1, 31, tzinfo=UTC))
    assert answer_of(try_launch(policy(text), launch, LAUNCHED_AT)).verdict == "exempt"
    later = replace(launch, at=datetime(2026, 2, 1, tzinfo=UTC))
    assert answer_of(try_launch(policy(text), later, LAUNCHED_AT)).verdict == "violation"


REGIONS = st.sampled_from([Region("us-east-1"), Region("eu-west-1")])
TYPES = st.sampled_from(["p4d.24xlarge", "t3.micro"])
ACCOUNTS = st.sampled_from([AccountId("111122223333"), AccountId("222233334444"), AccountId("444455556666")])
UNITS = st.sampled_from([frozenset({"r-1"}), frozenset({"r-1", "ou-ab12-cdefgh34"})])
TAGS = st.dictionaries(st.sampled_from(("Code", "Owner", "Team")), st.just("x"))
WHOLE = st.builds(
    DescribedLaunch, tags=TAGS, instance_type=TYPES, region=REGIONS, account=ACCOUNTS, units=UNITS
)  # fmt: skip
FORGOTTEN = st.sets(st.sampled_from(("instance_type", "region", "account", "units")))


@given(WHOLE, FORGOTTEN, st.sampled_from(["", ONBOARDING]))
def test_a_verdict_holds_whatever_else_the_launch_is(
    whole: DescribedLaunch, forgotten: set[str], onboarding: str
) -> None:
    checked = policy(RULES + onboarding)
    unsaid: dict[str, Any] = dict.fromkeys(forgotten)
    trial = try_launch(checked, replace(whole, **unsaid), LAUNCHED_AT)
    complete = try_launch(checked, whole, LAUNCHED_AT)
    assert complete.verdict == evaluate(checked, complete.subject, whole.tags, LAUNCHED_AT)
    if not isinstance(trial.verdict, Undecided):
        assert answer_of(trial)[:2] == answer_of(complete)[:2]

"""Why a verdict is what it is: the steps say the same as the verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.broom_world import ACCOUNT, JANE, LAUNCHED_AT, REGION, policy

from landkeeper.broom.policy.explain import Result, explain
from landkeeper.broom.policy.verdict import Compliant, Exempt, Subject, Violation, evaluate
from landkeeper.org import AccountId, Principal, Region

SUBJECT = Subject(ACCOUNT, REGION, "t3.micro", JANE)
SESSION = Principal(
    "AssumedRole", "Dev/jo", "arn:aws:sts::111122223333:assumed-role/Dev/jo", ACCOUNT, "",
    "arn:aws:iam::111122223333:role/Dev",
)  # fmt: skip
POLICY = policy("""
version: 1
rules:
- {name: code, require: {tag: Code, values: [LOL]}, action: terminate, grace: 15m}
- {name: owner, require: {tag: Owner}, action: notify}
- {name: us, require: {tag: Us}, action: notify, when: {regions: ["us-*", ca-west-1]}}
- {name: big, require: {tag: Big}, action: notify, when: {instance_types: ["p*"]}}
- {name: there, require: {tag: There}, action: notify, when: {accounts: ["444455556666"]}}
exempt:
- {tag: Old, expires: 2025-12-31}
- {principal: "*/Admin/*"}
- {tag: "free-*", owner: jo}
- {account: "777788889999"}
""")


def steps(subject: Subject = SUBJECT, **tags: str) -> dict[str, tuple[Result, str, bool]]:
    explained = explain(POLICY, subject, tags, LAUNCHED_AT)
    return {step.name: (step.result, step.because, step.decides) for step in explained.steps}


def test_each_rule_says_whether_it_was_met_and_the_one_that_decides_is_marked() -> None:
    found = steps(Code="X", Owner="jane")
    assert found["code"] == (
        Result.BROKEN, "tag Code is 'X', not LOL; action: terminate after a grace of 15m", True,
    )  # fmt: skip
    assert found["owner"] == (Result.MET, "tag Owner is set", False)
    assert steps(Code="LOL")["owner"] == (Result.BROKEN, "tag Owner is missing; action: notify", True)


def test_a_rule_that_does_not_apply_says_what_it_is_for() -> None:
    found = steps()
    assert found["us"] == (
        Result.APPLIES_NOT, "it applies to region us-* or ca-west-1, and this one is eu-west-1", False,
    )  # fmt: skip
    assert found["big"][1] == "it applies to instance type p*, and this one is t3.micro"
    assert found["there"][1] == "it applies to account 444455556666, and this one is 111122223333"
    assert (
        steps(replace(SUBJECT, instance_type=""))["big"][1] == "it applies to instance type p*, and this one is unknown"
    )


def test_each_exemption_says_what_it_was_compared_with() -> None:
    found = steps(Old="1")
    assert found["tag Old"] == (Result.EXPIRED, "its last day was 2025-12-31", False)
    assert found["principal */Admin/*"][1] == "the principal is arn:aws:iam::111122223333:user/jane"
    assert found["tag free-* (owner: jo)"] == (Result.FITS_NOT, "its tag keys are Old", False)
    assert found["account 777788889999"][1] == "the account is 111122223333"
    assert steps()["tag free-* (owner: jo)"][1] == "there are no tags"
    assert steps(replace(SUBJECT, principal=SESSION))["principal */Admin/*"][1] == (
        "the principal is arn:aws:sts::111122223333:assumed-role/Dev/jo, issued by arn:aws:iam::111122223333:role/Dev"
    )
    unknown = Principal("AWSService", "somebody")
    assert steps(replace(SUBJECT, principal=unknown))["principal */Admin/*"][1] == "the principal's ARN is unknown"


def test_a_role_named_like_one_of_awss_is_said_to_be_none() -> None:
    text = "version: 1\nrules: [{name: a, require: {tag: Code}, action: stop}]\n"
    exempting = policy(f"{text}exempt: [{{principal: '*/AWSServiceRoleForAutoScaling/*'}}]\n")
    role = "arn:aws:iam::111122223333:role/AWSServiceRoleForAutoScaling"
    subject = replace(SUBJECT, principal=Principal("AssumedRole", "x", issuer_arn=role))
    step = explain(exempting, subject, {}, LAUNCHED_AT).steps[0]
    assert step.because == "the principal's role is not one that AWS created in account 111122223333"


def test_the_first_exemption_that_fits_decides_and_the_rules_are_gone_through_all_the_same() -> None:
    found = steps(replace(SUBJECT, account=AccountId("777788889999")), **{"free-lunch": "yes"})
    assert found["tag free-* (owner: jo)"] == (Result.EXEMPTS, "it fits free-lunch", True)
    assert found["account 777788889999"] == (Result.EXEMPTS, "it fits 777788889999", False)
    assert found["code"] == (
        Result.BROKEN, "tag Code is missing; action: terminate after a grace of 15m", False,
    )  # fmt: skip


def test_onboarding_is_said_where_it_softens_the_verdict() -> None:
    newer = replace(POLICY, onboarding=policy(
        "version: 1\nrules: [{name: a, require: {tag: A}, action: stop}]\nonboarding: {ous: [ou-1], action: notify}"
    ).onboarding)  # fmt: skip
    explained = explain(newer, replace(SUBJECT, units=frozenset({"ou-1"})), {}, LAUNCHED_AT)
    assert "so notify instead of terminate" in explained.verdict.because


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1"])
@given(
    tags=st.dictionaries(st.sampled_from(["Code", "Owner", "Us", "Old", "free-a"]), st.sampled_from(["LOL", "x", ""])),
    account=st.sampled_from(["111122223333", "777788889999"]),
    principal=st.sampled_from([JANE, SESSION]),
)
def test_the_verdict_is_the_one_of_evaluate_and_follows_from_the_steps(
    region: str, tags: dict[str, str], account: str, principal: Principal
) -> None:
    subject = Subject(AccountId(account), Region(region), "t3.micro", principal)
    explained = explain(POLICY, subject, tags, LAUNCHED_AT)
    assert explained.verdict == evaluate(POLICY, subject, tags, LAUNCHED_AT)
    results = [step.result for step in explained.steps]
    deciding = [step for step in explained.steps if step.decides]
    match explained.verdict:
        case Exempt():
            assert [step.result for step in deciding] == [Result.EXEMPTS]
        case Violation(rule=rule):
            assert [(step.result, step.name) for step in deciding] == [(Result.BROKEN, rule)]
            assert Result.EXEMPTS not in results
        case Compliant():
            assert {step.result for step in deciding} <= {Result.MET}
            assert not {Result.EXEMPTS, Result.BROKEN} & set(results)

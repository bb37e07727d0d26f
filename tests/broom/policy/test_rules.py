"""The verdict of a policy on an instance."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.broom_world import ACCOUNT, JANE, LAUNCHED_AT, REGION, policy

from landkeeper.broom.policy.file import parse_policy
from landkeeper.broom.policy.requirements import AllOf, AnyOf, HasTag, Not, Requirement, describe, find_fault
from landkeeper.broom.policy.rules import SEVERITY, Penalty, Policy
from landkeeper.broom.policy.verdict import Compliant, Exempt, Subject, Violation, evaluate
from landkeeper.broom.policy.wildcards import fits
from landkeeper.org import AccountId, Principal, Region

SUBJECT = Subject(ACCOUNT, REGION, "t3.micro", JANE)
FULL = """
version: 1
rules:
  - name: code
    require: {tag: Code, values: [LOL, "G*"]}
    action: terminate
    grace: 15m
  - name: owner
    when: {regions: ["us-*"], instance_types: ["p*", "g*"], accounts: ["111122223333"]}
    require:
      any:
        - {tag: Owner, matches: "[a-z]+@example\\\\.com"}
        - all: [{tag: Team}, {not: {tag: Env, values: [prod]}}]
    action: notify
exempt:
  - {principal: "*/AWSServiceRoleForAutoScaling/*", owner: platform}
  - {tag: "aws:eks:cluster-name"}
  - {account: "999988887777", expires: 2026-01-01}
"""


@pytest.mark.parametrize(
    ("tags", "how"),
    [
        ({}, "tag Code is missing"),
        ({"Code": ""}, "tag Code is empty"),
        ({"Code": "XXX"}, "tag Code is 'XXX', not one of LOL, G*"),
        ({"Code": "lol"}, "tag Code is 'lol', not one of LOL, G*"),
        ({"Code": "XLOL"}, "tag Code is 'XLOL', not one of LOL, G*"),
        ({"code": "LOL"}, "tag Code is missing (found 'code'; tag keys are case-sensitive)"),
        ({"Code ": "LOL"}, "tag Code is missing (found 'Code '; tag keys are case-sensitive)"),
    ],
)
def test_a_violation_says_which_rule_was_broken_and_how(tags: dict[str, str], how: str) -> None:
    verdict = evaluate(policy(FULL), SUBJECT, tags, LAUNCHED_AT)
    assert verdict == Violation("code", how, Penalty.TERMINATE, timedelta(minutes=15))
    assert verdict.because == f"rule code: {how}"


@pytest.mark.parametrize("value", ["LOL", "G", "GGG"])
def test_an_instance_that_meets_every_rule_complies(value: str) -> None:
    assert evaluate(policy(FULL), SUBJECT, {"Code": value}, LAUNCHED_AT) == Compliant()


GPU = replace(SUBJECT, region=Region("us-west-2"), instance_type="p4d.24xlarge")


@pytest.mark.parametrize(
    ("tags", "complies"),
    [
        ({"Owner": "jane@example.com"}, True),
        ({"Owner": "jane@example.com.evil"}, False),
        ({"Owner": "xjane@example_com"}, False),
        ({"Team": "web"}, True),
        ({"Team": "web", "Env": "prod"}, False),
        ({"Team": "web", "Env": "dev"}, True),
        ({}, False),
    ],
)
def test_requirements_combine(tags: dict[str, str], complies: bool) -> None:
    verdict = evaluate(policy(FULL), GPU, {"Code": "LOL", **tags}, LAUNCHED_AT)
    assert (verdict == Compliant()) is complies
    if not complies:
        assert isinstance(verdict, Violation)
        assert verdict.action is Penalty.NOTIFY


def test_the_words_tell_what_stands_in_the_way() -> None:
    verdict = evaluate(policy(FULL), GPU, {"Code": "LOL", "Owner": "JANE", "Env": "prod"}, LAUNCHED_AT)
    assert isinstance(verdict, Violation)
    assert verdict.how == (
        r"no alternative is met: tag Owner is 'JANE', which does not match [a-z]+@example\.com; "
        "tag Team is missing and tag Env is prod, which is forbidden"
    )


@pytest.mark.parametrize(
    "subject",
    [
        replace(GPU, region=REGION),
        replace(GPU, instance_type="t3.micro"),
        replace(GPU, account=AccountId("444455556666")),
    ],
)
def test_a_rule_applies_where_it_says(subject: Subject) -> None:
    assert evaluate(policy(FULL), subject, {"Code": "LOL"}, LAUNCHED_AT) == Compliant()


def test_the_severest_action_decides_and_every_broken_rule_is_named() -> None:
    verdict = evaluate(policy(FULL), GPU, {}, LAUNCHED_AT)
    assert isinstance(verdict, Violation)
    assert (verdict.rule, verdict.action) == ("code", Penalty.TERMINATE)
    assert "; rule owner: no alternative is met" in verdict.how


def test_among_equal_actions_the_one_that_is_due_first_decides() -> None:
    rule = "{{name: {0}, require: {{tag: {0}}}, action: stop, grace: {1}}}"
    text = f"{{version: 1, rules: [{rule.format('a', '1h')}, {rule.format('b', '0s')}]}}"
    verdict = evaluate(policy(text), SUBJECT, {}, LAUNCHED_AT)
    assert isinstance(verdict, Violation)
    assert (verdict.rule, verdict.grace) == ("b", timedelta(0))


SESSION_ARN = "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForAutoScaling/AutoScaling"
ROLE_ARN = "arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"


@pytest.mark.parametrize(
    "principal",
    [
        Principal("AssumedRole", "x", SESSION_ARN, issuer_arn=ROLE_ARN),
        Principal("AssumedRole", "x", issuer_arn=ROLE_ARN),
    ],
)
def test_a_principal_is_exempt_by_its_session_or_its_role(principal: Principal) -> None:
    verdict = evaluate(policy(FULL), replace(SUBJECT, principal=principal), {}, LAUNCHED_AT)
    assert verdict == Exempt("exempt by principal */AWSServiceRoleForAutoScaling/* (owner: platform)")


@pytest.mark.parametrize(
    "issuer",
    [
        "arn:aws:iam::111122223333:role/AWSServiceRoleForAutoScaling",
        "arn:aws:iam::111122223333:role/AWSServiceRoleForAutoScaling/mine",
        "arn:aws:iam::111122223333:role/x/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
        "arn:aws:iam::999988887777:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
        "",
    ],
)
def test_a_role_that_somebody_named_like_one_of_awss_exempts_nobody(issuer: str) -> None:
    """IAM keeps `/aws-service-role/` for AWS; a name without that path anybody can take who may create roles."""
    subject = replace(SUBJECT, principal=Principal("AssumedRole", "x", SESSION_ARN, issuer_arn=issuer))
    assert isinstance(evaluate(policy(FULL), subject, {}, LAUNCHED_AT), Violation)


SSO = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef"


@pytest.mark.parametrize(
    ("pattern", "issuer", "is_exempt"),
    [
        ("*/AWSReservedSSO_Admin_*/*", SSO, True),
        ("*/AWSReservedSSO_Admin_*/*", SSO.replace("eu-west-1/", ""), True),
        ("*/AWSReservedSSO_Admin_*/*", SSO.replace("aws-reserved/sso.amazonaws.com/eu-west-1/", ""), False),
        ("*:role/aws-service-role/autoscaling.amazonaws.com/*", ROLE_ARN, True),
        ("*/aws-service-role/*", ROLE_ARN.replace("role/", "role/mine/"), False),
        ("arn:aws:iam::111122223333:role/karpenter/*", "arn:aws:iam::111122223333:role/karpenter/Controller", True),
    ],
)
def test_roles_of_awss_own_are_known_by_their_path(pattern: str, issuer: str, is_exempt: bool) -> None:
    text = f"{FULL.partition('exempt:')[0]}exempt: [{{principal: '{pattern}'}}]\n"
    subject = replace(SUBJECT, principal=Principal("AssumedRole", "x", issuer_arn=issuer))
    assert isinstance(evaluate(policy(text), subject, {}, LAUNCHED_AT), Exempt) is is_exempt


def test_a_tag_exempts_whatever_its_value() -> None:
    verdict = evaluate(policy(FULL), SUBJECT, {"aws:eks:cluster-name": ""}, LAUNCHED_AT)
    assert verdict == Exempt("exempt by tag aws:eks:cluster-name")


def test_an_exemption_counts_until_the_end_of_its_last_day() -> None:
    subject = replace(SUBJECT, account=AccountId("999988887777"))
    evening = LAUNCHED_AT.replace(hour=23, minute=59)
    assert evaluate(policy(FULL), subject, {}, evening) == Exempt("exempt by account 999988887777")
    assert isinstance(evaluate(policy(FULL), subject, {}, evening + timedelta(minutes=1)), Violation)


ONBOARDING = """
version: 1
rules: [{name: code, require: {tag: Code}, action: ACTION}]
onboarding: {ous: [ou-ab12-new], action: notify}
"""


@pytest.mark.parametrize(
    ("units", "action"),
    [
        (frozenset({"ou-ab12-new"}), Penalty.NOTIFY),
        (frozenset({"ou-ab12-old"}), Penalty.TERMINATE),
        (None, Penalty.NOTIFY),
    ],
)
def test_onboarding_softens_what_is_done_in_new_units_and_where_they_are_not_known(
    units: frozenset[str] | None, action: Penalty
) -> None:
    verdict = evaluate(policy(ONBOARDING, ACTION="terminate"), replace(SUBJECT, units=units), {}, LAUNCHED_AT)
    assert isinstance(verdict, Violation)
    assert verdict.action is action
    assert ("onboarding" in verdict.how) is (action is Penalty.NOTIFY)


def test_onboarding_makes_nothing_severer() -> None:
    verdict = evaluate(policy(ONBOARDING, ACTION="notify"), SUBJECT, {}, LAUNCHED_AT)
    assert verdict == Violation("code", "tag Code is missing", Penalty.NOTIFY, timedelta(0))


def test_requirements_describe_themselves() -> None:
    (_, owner) = policy(FULL).rules
    assert describe(owner.require) == (
        r"(tag Owner matches [a-z]+@example\.com or (tag Team is set and not tag Env is prod))"
    )
    assert describe(HasTag("A", ("x", "y"))) == "tag A is one of x, y"


def test_a_star_stands_for_anything_and_nothing_else_is_special() -> None:
    assert fits("us-*", "us-west-2")
    assert fits("*", "")
    assert fits("a.b[c]", "a.b[c]")
    assert not fits("a.b", "axb")
    assert not fits("us-*", "xus-west-2")


_TAGS = st.dictionaries(st.sampled_from(["A", "B", "a"]), st.sampled_from(["", "x", "y"]), max_size=3)
_REQUIREMENTS: st.SearchStrategy[Requirement] = st.recursive(
    st.builds(HasTag, st.sampled_from(["A", "B"]), st.sampled_from([(), ("x",), ("x", "*")])),
    lambda inner: (
        st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(Not, inner)
    ),
    max_leaves=6,
)


@given(_REQUIREMENTS, _REQUIREMENTS, _TAGS)
def test_requirements_obey_the_laws_of_logic(one: Requirement, two: Requirement, tags: dict[str, str]) -> None:
    def holds(requirement: Requirement) -> bool:
        return find_fault(requirement, tags) is None

    assert holds(Not(one)) is not holds(one)
    assert holds(Not(AnyOf((one, two)))) is holds(AllOf((Not(one), Not(two))))
    assert holds(Not(AllOf((one, two)))) is holds(AnyOf((Not(one), Not(two))))


@given(_TAGS, st.permutations(["notify", "stop", "terminate"]))
def test_no_order_of_rules_makes_the_action_milder(tags: dict[str, str], actions: list[str]) -> None:
    rules = ", ".join(f"{{name: r{n}, require: {{tag: A}}, action: {action}}}" for n, action in enumerate(actions))
    checked: Policy = parse_policy(f"{{version: 1, rules: [{rules}]}}", "p")
    verdict = evaluate(checked, SUBJECT, tags, LAUNCHED_AT)
    assert isinstance(verdict, Compliant) or verdict.action is max(Penalty, key=SEVERITY.__getitem__)  # type: ignore[union-attr]

"""Reading a policy, and saying line by line what is wrong with one."""

from __future__ import annotations

import contextlib
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landkeeper.broom.policy import Exemption, Limits, Onboarding, Penalty
from landkeeper.broom.policy_file import PolicyError, parse_policy
from landkeeper.broom.requirements import HasTag

EXAMPLES = Path(__file__).parents[2] / "examples"
MINIMAL = "version: 1\nrules:\n- name: code\n  require: {tag: Code}\n  action: notify\n"


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, "broom.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("broom*.yaml")), ids=lambda path: path.name)
def test_the_examples_are_policies(path: Path) -> None:
    assert parse_policy(path.read_text(encoding="utf-8"), path.name).rules


def test_what_is_left_out_has_its_default() -> None:
    policy = parse_policy(MINIMAL, "p")
    assert (policy.exempt, policy.limits, policy.onboarding) == ((), Limits(), None)
    assert policy.confirm_after == timedelta(seconds=60)
    assert policy.rules[0].grace == timedelta(0)


def test_everything_that_a_policy_may_say_is_read() -> None:
    policy = parse_policy(
        MINIMAL
        + "  grace: 2h\n"
        + "exempt:\n- {account: '0123*', owner: me, expires: 2030-12-31}\n"
        + "limits: {terminations_per_hour: 20, terminations_per_run: 0}\n"
        + "confirm_after: 0s\n"
        + "onboarding: {ous: [ou-ab12-new], action: stop}\n",
        "p",
    )
    assert policy.rules[0].grace == timedelta(hours=2)
    assert policy.exempt == (Exemption("account", "0123*", "me", date(2030, 12, 31)),)
    assert policy.limits == Limits(20, 0)
    assert policy.confirm_after == timedelta(0)
    assert policy.onboarding == Onboarding(("ou-ab12-new",), Penalty.STOP)


def test_values_stay_as_they_are_written() -> None:
    policy = parse_policy(MINIMAL.replace("tag: Code", "tag: 0123, values: [NO, 0123, 1e3, null]"), "p")
    assert policy.rules[0].require == HasTag("0123", ("NO", "0123", "1e3", "null"))


RULE = "version: 1\nrules:\n- name: code\n  action: notify\n  require: "


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1: the file is empty"),
        ("[", "1: not YAML: expected the node content"),
        ("a: \x07", "1: not YAML: unacceptable character"),
        ("{" * 5_000, "1: not YAML: maximum recursion depth"),
        ("a\n---\nb", "2: not YAML: but found another document"),
        ("just words", "1: the policy is text: it takes keys such as version, rules, exempt"),
        ("- 1", "1: the policy is a list"),
        ("rules: []", "1: the policy has no version"),
        (MINIMAL.replace("1", "2"), "1: version is '2': 1 is the only one there is"),
        (MINIMAL.replace("version: 1", "version: [1]"), "1: version is a list: it takes a word or a number"),
        ("version: 1", "1: the policy has no rules"),
        ("version: 1\nrules: []", "2: rules is an empty list"),
        ("version: 1\nrules: {}", "2: rules is a mapping: it takes a list"),
        ("version: 1\nrules: [x]", "2: a rule is text"),
        (MINIMAL + "version: 1", "6: the policy has version twice"),
        (MINIMAL + "limit: {}", "6: in the policy the key 'limit' is not known: did you mean 'limits'?"),
        (MINIMAL + "? [a]\n: b", "6: in the policy the key 'a list' is not known: it takes version"),
        (MINIMAL.replace("  action: notify\n", ""), "3: a rule has no action"),
        (MINIMAL.replace("notify", "terminat"), "5: action 'terminat' is not known: did you mean 'terminate'?"),
        (MINIMAL.replace("name: code", "name: ''"), "3: name is empty: it takes a word or a number"),
        (MINIMAL.replace("  require: {tag: Code}\n", ""), "3: a rule has no require"),
        (MINIMAL + "- name: code\n  require: {tag: X}\n  action: stop", "6: there is another rule named 'code'"),
        (MINIMAL + "  grace: 5", "6: grace is '5': it takes a number with s, m, h or d, as in 15m"),
        (MINIMAL + "  when: x", "6: when is text"),
        (MINIMAL + "  when: {accounts: ['123']}", "6: '123' is not an AWS account id: it takes twelve digits"),
        (MINIMAL + "  when: {region: [x]}", "6: in when the key 'region' is not known: did you mean 'regions'?"),
        (RULE + "x", "5: a requirement is text"),
        (RULE + "{}", "5: a requirement takes exactly one of tag, any, all, not"),
        (RULE + "{tag: A, any: [{tag: B}]}", "5: a requirement takes exactly one of tag, any, all, not"),
        (RULE + "{tag: [A]}", "5: tag is a list"),
        (RULE + "{tag: A, values: [a*b*]}", "5: a value may contain * once at most"),
        (RULE + "{tag: A, values: []}", "5: values is an empty list"),
        (RULE + "{tag: A, values: [[b]]}", "5: values is a list: it takes a word or a number"),
        (RULE + "{tag: A, matches: '('}", "5: matches is not a regular expression that RE2 takes: missing ): ("),
        (RULE + "{tag: A, matches: []}", "5: matches is a list"),
        (RULE + "{any: [{tag: A}], values: [b]}", "5: values belongs to a tag, and there is none beside it"),
        (RULE + "{any: []}", "5: any is an empty list"),
        (RULE + "{not: x}", "5: a requirement is text"),
        (RULE + "&again {not: *again}", "5: requirements are nested more than 16 deep"),
        (MINIMAL + "exempt: [x]", "6: an exemption is text"),
        (MINIMAL + "exempt: [{}]", "6: an exemption takes exactly one of principal, tag, account"),
        (MINIMAL + "exempt: [{tag: ''}]", "6: tag is empty"),
        (MINIMAL + "exempt: [{account: abc}]", "6: 'abc' is not an AWS account id"),
        (MINIMAL + "exempt: [{tag: a, expires: soon}]", "6: expires is 'soon': it takes a date such as 2030-12-31"),
        (MINIMAL + "exempt: [{tag: a, expires: []}]", "6: expires is a list"),
        (MINIMAL + "limits: 3", "6: limits is text"),
        (MINIMAL + "limits: {terminations_per_run: -1}", "6: terminations_per_run is '-1': it takes a whole number"),
        (MINIMAL + "onboarding: x", "6: onboarding is text"),
        (MINIMAL + "onboarding: {ous: [x]}", "6: onboarding has no action"),
        (MINIMAL + "onboarding: {action: notify}", "6: onboarding has no ous"),
    ],
)
def test_a_problem_is_named_with_its_line(text: str, problem: str) -> None:
    found = problems(text)
    assert any(each.startswith(f"broom.yaml:{problem}") for each in found), found


def test_a_key_that_is_misspelt_is_not_missing_as_well() -> None:
    assert problems("version: 1\nruls: []") == [
        "broom.yaml:2: in the policy the key 'ruls' is not known: did you mean 'rules'?"
    ]


def test_all_problems_are_found_at_once_and_the_error_is_one_line() -> None:
    text = MINIMAL.replace("notify", "kill") + "limit: 1\n"
    assert [each.split(":")[1] for each in problems(text)] == ["5", "6"]
    with pytest.raises(PolicyError, match=r"^broom.yaml:5: action 'kill' is not known: .* \(and 1 more\)$"):
        parse_policy(text, "broom.yaml")


@given(st.text())
def test_no_text_ends_in_anything_but_a_policy_or_its_problems(text: str) -> None:
    for each in (text, MINIMAL + text, RULE + text):
        with contextlib.suppress(PolicyError):
            assert parse_policy(each, "p").rules

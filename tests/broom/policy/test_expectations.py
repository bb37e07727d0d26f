"""The tests in a policy file: what may be in them, and what comes of running them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.broom_world import LAUNCHED_AT

from landkeeper.broom.policy.answers import run_tests
from landkeeper.broom.policy.expectations import ACTIONS, VERDICTS, Expectation
from landkeeper.broom.policy.file import PolicyError, parse_policy, parse_policy_file
from landkeeper.broom.policy.starter import starter_policy
from landkeeper.broom.policy.trial import DescribedLaunch
from landkeeper.broom.policy.warnings import find_warnings
from landkeeper.broom.sweeping.result import ActionKind, VerdictKind
from landkeeper.org import AccountId, Region, UsageError

MINIMAL = "version: 1\nrules:\n- name: code\n  require: {tag: Code}\n  action: notify\ntests:\n"
ROLE = "arn:aws:iam::111122223333:role/CI"


def test_everything_that_a_test_may_say_is_read() -> None:
    text = MINIMAL + (
        "- name: whole\n"
        "  launch: {tags: {Code: NO, Empty: ''}, type: t3.micro, region: eu-west-1, account: '111122223333',\n"
        f"    principal: '{ROLE}', ous: [ou-1], image: ami-1, at: 2026-03-01}}\n"
        "  verdict: violation\n  action: notify\n  rule: code\n"
        "- {name: bare, launch: {}, verdict: compliant}\n"
    )
    launch = DescribedLaunch(
        {"Code": "NO", "Empty": ""}, "t3.micro", Region("eu-west-1"), AccountId("111122223333"), ROLE,
        frozenset({"ou-1"}), "ami-1", datetime(2026, 3, 1, tzinfo=UTC),
    )  # fmt: skip
    assert parse_policy_file(text, "p").tests == (
        Expectation("whole", launch, "violation", "notify", "code", 7),
        Expectation("bare", DescribedLaunch(), "compliant", line=13),
    )


@pytest.mark.parametrize(
    ("tests", "problem"),
    [
        ("- {launch: {}, verdict: exempt}", "p:7: a test has no name"),
        ("- {name: a, verdict: exempt}", "p:7: a test has no launch"),
        ("- {name: a, launch: {}}", "p:7: a test has no verdict"),
        ("- {name: a, launch: , verdict: exempt}", "p:7: a launch is empty: expected keys such as tags"),
        ("- {name: a, launch: {}, verdict: ok}", "p:7: verdict 'ok' is not known: expected one of compliant, exempt"),
        ("- {name: a, launch: {}, verdict: compliant, action: kill}", "p:7: action 'kill' is not known: expected one"),
        ("- name: a\n  launch: {}\n  verdict: violation\n  rule: cod", "p:10: rule 'cod' is not known: did you mean"),
        ("- {name: a, launch: {}, verdict: exempt, rule: code}", "p:7: a launch that is exempt breaks no rule"),
        ("- {name: a, launch: {tag: {Code: x}}, verdict: exempt}", "p:7: in a launch the key 'tag' is not known"),
        ("- {name: a, launch: {tags: [Code]}, verdict: exempt}", "p:7: tags is no mapping: expected keys with values"),
        ("- {name: a, launch: {tags: {Code: [x]}}, verdict: exempt}", "p:7: tags has something else than a key with"),
        ("- {name: a, launch: {tags: {'': x}}, verdict: exempt}", "p:7: tags has something else than a key with"),
        ("- {name: a, launch: {tags: {A: x, A: y}}, verdict: exempt}", "p:7: tags has A twice"),
        ("- {name: a, launch: {account: 1}, verdict: exempt}", "p:7: '1' is not an AWS account id"),
        ("- {name: a, launch: {region: moon}, verdict: exempt}", "p:7: 'moon' is not a region code"),
        ("- {name: a, launch: {principal: jane}, verdict: exempt}", "p:7: 'jane' is not the ARN of a principal"),
        ("- {name: a, launch: {at: noon}, verdict: exempt}", "p:7: at is 'noon': expected a time such as"),
        ("- {name: a, launch: {at: '0001-01-01T00:00+10:00'}, verdict: exempt}", "p:7: at is '0001-01-01T00:00+10:00'"),
        ("- &a {name: a, launch: {}, verdict: exempt}\n- *a", "p:7: there is another test named 'a'"),
        ("- 1", "p:7: a test is text: expected keys such as name"),
        ("- 1\n" * 1001, "p:7: tests has more than 1,000 items"),
        ("  name: a", "p:7: tests is a mapping: expected a list"),
    ],
)
def test_a_problem_in_a_test_is_named_with_its_line(tests: str, problem: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy_file(MINIMAL + tests, "p")
    assert str(caught.value.problems[0]).startswith(problem)


def test_what_acts_by_a_policy_ignores_its_tests() -> None:
    assert parse_policy(f"{MINIMAL}- nonsense\n", "p") == parse_policy(MINIMAL.removesuffix("tests:\n"), "p")


def test_an_unknown_rule_is_not_a_problem_of_its_own_where_there_are_no_rules() -> None:
    text = "version: 1\nrules: []\ntests:\n- {name: a, launch: {}, verdict: violation, rule: b}\n"
    with pytest.raises(PolicyError) as caught:
        parse_policy_file(text, "p")
    assert [problem.line for problem in caught.value.problems] == [2]


def test_the_words_of_a_test_are_those_of_a_sweep() -> None:
    assert {*VERDICTS, "unknown"} == set(map(str, VerdictKind))
    assert {*ACTIONS, "wait"} == set(map(str, ActionKind))


@pytest.mark.parametrize(
    ("expected", "has_passed"),
    [
        ("launch: {tags: {Code: x, Other: x}}, verdict: compliant", True),
        ("launch: {tags: {Code: x, Other: x}}, verdict: compliant, action: keep", True),
        ("launch: {}, verdict: violation, action: notify, rule: code", True),
        ("launch: {}, verdict: violation", True),
        ("launch: {}, verdict: compliant", False),
        ("launch: {}, verdict: violation, action: terminate", False),
        ("launch: {}, verdict: violation, rule: other", False),
        ("launch: {tags: {Code: x, Other: ''}}, verdict: violation", False),
    ],
)
def test_a_test_passes_if_everything_is_as_expected(expected: str, has_passed: bool) -> None:
    other = "- {name: other, action: notify, require: {tag: Other, values: [x]}, when: {regions: [eu-west-1]}}\n"
    text = MINIMAL.replace("tests:", other + "tests:") + f"- {{name: a, {expected}}}"
    (result,) = run_tests(parse_policy_file(text, "p"), LAUNCHED_AT)
    assert result.has_passed == has_passed


@pytest.mark.parametrize(
    ("key", "values"),
    [("Code", ()), ("Code", ("LOL", "GGG")), ("a b: #é", ("x*", "NO", "\u202e")), ("!", ("{}",)), ("cost:center", ())],
)
def test_a_policy_to_start_from_is_above_suspicion_and_passes_its_own_tests(key: str, values: tuple[str, ...]) -> None:
    text = starter_policy(key, values)
    assert text.replace("\n", "").isprintable()
    parsed = parse_policy_file(text, "p")
    assert find_warnings(parsed, {"eu-west-1"}, LAUNCHED_AT.date()) == ()
    results = run_tests(parsed, LAUNCHED_AT)
    assert len(results) == 3
    assert all(result.has_passed for result in results)


@pytest.mark.parametrize(
    ("key", "values", "complaint"),
    [
        (" ", (), "' ' cannot be the key of a tag"),
        ("aws:x", (), "'aws:x' cannot be the key of a tag"),
        ("k" * 129, (), "cannot be the key of a tag"),
        ("Code", ("v" * 257,), "cannot be the value of a tag"),
        ("Code", ("**",), "'\\*\\*' cannot be the value of a tag"),
    ],
)
def test_what_cannot_be_a_tag_is_refused(key: str, values: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        starter_policy(key, values)

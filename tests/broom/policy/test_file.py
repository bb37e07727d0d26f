"""Reading a policy, and saying line by line what is wrong with one."""

from __future__ import annotations

import contextlib
import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from landkeeper.broom.policy.file import PolicyError, parse_policy, parse_policy_file, read_schema
from landkeeper.broom.policy.requirements import HasTag
from landkeeper.broom.policy.rules import Exemption, Limits, Onboarding, Penalty

EXAMPLES = Path(__file__).parents[3] / "examples"
MINIMAL = "version: 1\nrules:\n- name: code\n  require: {tag: Code}\n  action: notify\n"


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, "broom.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("broom*.yaml")), ids=lambda path: path.name)
def test_the_examples_are_policies(path: Path) -> None:
    assert parse_policy(path.read_text(encoding="utf-8"), path.name).rules


def test_what_the_document_shows_are_policies() -> None:
    document = (EXAMPLES.parent / "docs" / "policy.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", document, re.DOTALL)
    assert len(blocks) == 7
    for block in blocks:
        assert parse_policy_file(block if "rules:" in block else MINIMAL + block, "p").policy.rules
    requirements = re.findall(
        r"^\| `(\{.*?\})` \|", document.partition("| requirement")[2].partition("##")[0], re.MULTILINE
    )
    assert len(requirements) == 6
    for text in requirements:
        assert parse_policy(RULE + text, "p").rules


def test_what_is_left_out_has_its_default() -> None:
    policy = parse_policy(MINIMAL, "p")
    assert (policy.exempt, policy.limits, policy.onboarding) == ((), Limits(), None)
    assert policy.confirm_after == timedelta(seconds=60)
    assert policy.report_required
    assert policy.rules[0].grace == timedelta(0)


def test_everything_that_a_policy_may_say_is_read() -> None:
    policy = parse_policy(
        MINIMAL
        + "  grace: 2h\n"
        + "exempt:\n- {account: '0123*', owner: me, expires: 2030-12-31}\n"
        + "limits: {terminations_per_hour: 20, terminations_per_run: 0, terminations_share: 2.5%,"
        + " terminations_per_hour_per_account: 5}\n"
        + "confirm_after: 0s\n"
        + "onboarding: {ous: [ou-ab12-new], action: stop}\n"
        + "report: optional\n",
        "p",
    )
    assert policy.rules[0].grace == timedelta(hours=2)
    assert policy.exempt == (Exemption("account", "0123*", "me", date(2030, 12, 31)),)
    assert policy.limits == Limits(20, 0, 0.025, 5)
    assert not policy.report_required
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
        ("{" * 1_000, "1: nested more than 64 deep"),
        ("a\n---\nb", "2: not YAML: but found another document"),
        ("just words", "1: the policy is text: expected keys such as version, rules, exempt"),
        ("- 1", "1: the policy is a list"),
        ("rules: []", "1: the policy has no version"),
        (MINIMAL.replace("1", "2"), "1: version is '2': 1 is the only one there is"),
        (MINIMAL.replace("version: 1", "version: [1]"), "1: version is a list: expected a word or a number"),
        ("version: 1", "1: the policy has no rules"),
        ("version: 1\nrules: []", "2: rules is an empty list"),
        ("version: 1\nrules: {}", "2: rules is a mapping: expected a list"),
        ("version: 1\nrules: [x]", "2: a rule is text"),
        (MINIMAL + "version: 1", "6: the policy has version twice"),
        (MINIMAL + "limit: {}", "6: in the policy the key 'limit' is not known: did you mean 'limits'?"),
        (MINIMAL + "? [a]\n: b", "6: in the policy the key 'a list' is not known: expected one of version"),
        (MINIMAL.replace("  action: notify\n", ""), "3: a rule has no action"),
        (MINIMAL.replace("notify", "terminat"), "5: action 'terminat' is not known: did you mean 'terminate'?"),
        (MINIMAL.replace("name: code", "name: ''"), "3: name is empty: expected a word or a number"),
        (MINIMAL.replace("  require: {tag: Code}\n", ""), "3: a rule has no require"),
        (MINIMAL + "- name: code\n  require: {tag: X}\n  action: stop", "6: there is another rule named 'code'"),
        (MINIMAL + "  grace: 5", "6: grace is '5': expected a number with s, m, h or d, for example 15m"),
        (MINIMAL + "  when: x", "6: when is text"),
        (MINIMAL + "  when: {accounts: ['123']}", "6: '123' is not an AWS account id: expected twelve digits"),
        (MINIMAL + "  when: {region: [x]}", "6: in when the key 'region' is not known: did you mean 'regions'?"),
        (RULE + "x", "5: a requirement is text"),
        (RULE + "{}", "5: a requirement takes exactly one of tag, any, all, not"),
        (RULE + "{tag: A, any: [{tag: B}]}", "5: a requirement takes exactly one of tag, any, all, not"),
        (RULE + "{tag: [A]}", "5: tag is a list"),
        (RULE + "{tag: A, values: [a*b*]}", "5: a value may contain * once at most"),
        (RULE + "{tag: A, values: []}", "5: values is an empty list"),
        (RULE + "{tag: A, values: [[b]]}", "5: values is a list: expected a word or a number"),
        (RULE + "{tag: A, matches: '('}", "5: matches is not a regular expression that RE2 takes: missing ): ("),
        (RULE + "{tag: A, matches: []}", "5: matches is a list"),
        (RULE + "{any: [{tag: A}], values: [b]}", "5: values belongs to a tag, and there is none beside it"),
        (RULE + "{any: []}", "5: any is an empty list"),
        (RULE + "{not: x}", "5: a requirement is text"),
        (RULE + "&again {not: *again}", "5: an alias stands inside what it stands for"),
        (RULE + "{not: " * 17 + "{tag: a}" + "}" * 17, "5: requirements are nested more than 16 deep"),
        (MINIMAL + "exempt: [x]", "6: an exemption is text"),
        (MINIMAL + f"exempt: [{'{tag: a}, ' * 5_001}]", "6: exempt has more than 5,000 items"),
        ("version: 1\nrules: [" + "{}, " * 1_001 + "]", "2: rules has more than 1,000 items"),
        (MINIMAL + "exempt: [{}]", "6: an exemption takes exactly one of principal, tag, account"),
        (MINIMAL + "exempt: [{tag: ''}]", "6: tag is empty"),
        (MINIMAL + "exempt: [{account: abc}]", "6: 'abc' is not an AWS account id"),
        (MINIMAL + "exempt: [{tag: a, expires: soon}]", "6: expires is 'soon': expected a date such as 2030-12-31"),
        (MINIMAL + "exempt: [{tag: a, expires: []}]", "6: expires is a list"),
        (MINIMAL + "limits: 3", "6: limits is text"),
        (MINIMAL + "limits: {terminations_per_run: -1}", "6: terminations_per_run is '-1': expected a whole number"),
        (MINIMAL + "limits: {terminations_share: 10}", "6: terminations_share is '10': expected a percentage above 0%"),
        (MINIMAL + "limits: {terminations_share: 0%}", "6: terminations_share is '0%': expected a percentage"),
        (MINIMAL + "limits: {terminations_share: 101%}", "6: terminations_share is '101%': expected a percentage"),
        (MINIMAL + "report: optionl", "6: report 'optionl' is not known: did you mean 'optional'?"),
        (MINIMAL + "onboarding: x", "6: onboarding is text"),
        (MINIMAL + "onboarding: {ous: [x]}", "6: onboarding has no action"),
        (MINIMAL + "onboarding: {action: notify}", "6: onboarding has no ous"),
        (MINIMAL + "onboarding: {accounts: [1234], action: notify}", "6: '1234' is not an AWS account id"),
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


def test_the_lines_of_the_parts_are_known() -> None:
    parsed = parse_policy_file(MINIMAL + "exempt:\n- {tag: a}\n- {tag: b}\nconfirm_after: 0s\n", "p")
    assert (parsed.file, len(parsed.policy.exempt)) == ("p", 2)
    assert parsed.lines == {
        "version": 1, "rules": 3, "rules[0]": 3, "exempt": 7, "exempt[0]": 7, "exempt[1]": 8, "confirm_after": 9,
    }  # fmt: skip


SCHEMA = jsonschema.Draft202012Validator(read_schema())


def is_taken(text: str) -> bool:
    with contextlib.suppress(PolicyError):
        return bool(parse_policy(text, "p").rules)
    return False


def is_valid(text: str) -> bool:
    return bool(SCHEMA.is_valid(yaml.load(text, Loader=yaml.BaseLoader)))  # noqa: S506 - it makes texts only


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(read_schema())


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("broom*.yaml")), ids=lambda path: path.name)
def test_the_schema_takes_the_examples(path: Path) -> None:
    assert is_valid(path.read_text(encoding="utf-8"))


def mostly(good: st.SearchStrategy[Any], bad: Any = None) -> st.SearchStrategy[Any]:
    """What is right nine times in ten, and otherwise wrong."""
    return st.integers(0, 9).flatmap(lambda number: good if number else st.sampled_from([bad, "", [], {}, "x", "-1"]))


def mapping(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[Any]:
    whole = st.fixed_dictionaries(required, optional=optional)
    broken = st.fixed_dictionaries({}, optional={**required, **optional, "other": st.just("x")})
    return st.integers(0, 9).flatmap(lambda number: whole if number else broken)


def some(item: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return mostly(st.lists(item, min_size=1, max_size=2))


WORDS = mostly(st.sampled_from(["a", "B-*", "0123"]))
ACCOUNTS = mostly(st.sampled_from(["111122223333", "1*", "*", "11*22*"]), "123")
DURATIONS = mostly(st.sampled_from(["0s", "15m", "2h", "999999d"]), "5")
ACTIONS = mostly(st.sampled_from(["notify", "stop", "terminate"]))
COUNTS = mostly(st.sampled_from(["0", "20", "999999999"]), "1234567890")
SHARES = st.sampled_from(
    ["10%", "2.5%", "100%", "0.001%", "05%", "0%", "0.0%", "101%", "000%", "100.1%", "100.0%", "10"]
)
TAGS = mapping({"tag": WORDS}, {"values": some(mostly(st.sampled_from(["a", "*", "a*b"]), "a*b*")), "matches": WORDS})
REQUIREMENTS = st.recursive(
    TAGS,
    lambda inner: st.one_of(*(mapping({key: some(inner)}, {}) for key in ("any", "all")), mapping({"not": inner}, {})),
    max_leaves=4,
)
RULES = mapping(
    {"name": st.uuids().map(str), "require": REQUIREMENTS, "action": ACTIONS},
    {
        "when": mapping({}, {"regions": some(WORDS), "instance_types": some(WORDS), "accounts": some(ACCOUNTS)}),
        "grace": DURATIONS,
    },
)
EXEMPTIONS = st.one_of(
    [
        mapping({kind: what}, {"owner": WORDS, "expires": st.just("2030-12-31")})
        for kind, what in (("principal", WORDS), ("tag", WORDS), ("account", ACCOUNTS))
    ]
)
POLICIES = mapping(
    {"version": mostly(st.just("1"), "2"), "rules": some(RULES)},
    {
        "exempt": some(EXEMPTIONS),
        "limits": mapping(
            {},
            {
                "terminations_per_hour": COUNTS,
                "terminations_per_run": COUNTS,
                "terminations_share": SHARES,
                "terminations_per_hour_per_account": COUNTS,
            },
        ),
        "confirm_after": DURATIONS,
        "onboarding": st.one_of(
            mapping({"ous": some(WORDS), "action": ACTIONS}, {"accounts": some(ACCOUNTS)}),
            mapping({"accounts": some(ACCOUNTS), "action": ACTIONS}, {}),
        ),
        "report": mostly(st.sampled_from(["required", "optional"])),
    },
)


@given(POLICIES)
def test_the_schema_takes_what_the_parser_takes(document: Any) -> None:
    text = json.dumps(document)
    assert is_valid(text) == is_taken(text)


@pytest.mark.parametrize("text", ["matches: '('", "expires: soon"])
def test_what_the_schema_cannot_say_is_only_known_to_the_parser(text: str) -> None:
    whole = RULE + f"{{tag: A, {text}}}" if "matches" in text else MINIMAL + f"exempt: [{{tag: a, {text}}}]"
    assert is_valid(whole)
    assert not is_taken(whole)

"""Policies in AWS's forms: what those forms can say they say exactly, the rest is listed."""

from __future__ import annotations

import itertools
import json
import re
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.broom_world import ACCOUNT, JANE, LAUNCHED_AT, REGION, policy

from landkeeper.broom.policy.file import parse_policy
from landkeeper.broom.policy.from_aws import import_tag_policies
from landkeeper.broom.policy.requirements import AllOf, AnyOf, HasTag, Not, Requirement
from landkeeper.broom.policy.rules import Exemption, Penalty, Policy, Rule, When
from landkeeper.broom.policy.to_aws import ExportError, export_scp, export_tag_policy
from landkeeper.broom.policy.verdict import Compliant, Exempt, Subject, evaluate
from landkeeper.org import AccountId, Principal, Region

TODAY = date(2026, 6, 1)
RULE = "version: 1\nrules:\n- name: code\n  action: stop\n  require: "


def scp_of(text: str) -> list[dict[str, Any]]:
    (document,) = export_scp(policy(text), TODAY).documents
    found = json.loads(document)
    assert found["Version"] == "2012-10-17"
    statements: list[dict[str, Any]] = found["Statement"]
    return statements


def test_a_scp_denies_launches_without_the_tag() -> None:
    assert scp_of(RULE + "{tag: Code, values: [LOL, GGG]}") == [
        {
            "Sid": "TagCode1",
            "Effect": "Deny",
            "Action": "ec2:RunInstances",
            "Resource": "arn:*:ec2:*:*:instance/*",
            "Condition": {"StringNotEquals": {"aws:RequestTag/Code": ["LOL", "GGG"]}},
        }
    ]


@pytest.mark.parametrize(
    ("require", "conditions"),
    [
        ("{tag: Code}", [{"StringNotLike": {"aws:RequestTag/Code": ["?*"]}}]),
        ("{tag: Code, values: ['*', x]}", [{"StringNotLike": {"aws:RequestTag/Code": ["?*"]}}]),
        ("{tag: Code, values: ['a?*', '${b}']}", [{"StringNotLike": {"aws:RequestTag/Code": ["a${?}*", "${$}{b}"]}}]),
        ("{tag: Code, values: ['a?']}", [{"StringNotEquals": {"aws:RequestTag/Code": ["a?"]}}]),
        ("{not: {tag: Code}}", [{"StringLike": {"aws:RequestTag/Code": ["?*"]}}]),
        ("{not: {tag: Code, values: [a]}}", [{"StringEquals": {"aws:RequestTag/Code": ["a"]}}]),
        ("{not: {tag: Code, values: [a*]}}", [{"StringLike": {"aws:RequestTag/Code": ["a*"]}}]),
        ("{any: [{not: {tag: Code}}, {tag: Code, values: [a]}]}",
         [{"StringLike": {"aws:RequestTag/Code": ["?*"]}, "StringNotEquals": {"aws:RequestTag/Code": ["a"]}}]),
        ("{all: [{tag: A}, {all: [{tag: B}, {tag: A}]}]}",
         [{"StringNotLike": {"aws:RequestTag/A": ["?*"]}}, {"StringNotLike": {"aws:RequestTag/B": ["?*"]}}]),
    ],
)  # fmt: skip
def test_each_demand_is_a_statement(require: str, conditions: list[Any]) -> None:
    assert [statement["Condition"] for statement in scp_of(RULE + require)] == conditions


def test_a_scp_says_where_a_rule_applies_and_whom_it_spares() -> None:
    (statement,) = scp_of(
        RULE
        + "{tag: Code}\n  when: {regions: ['eu-*'], instance_types: ['p?.*'], accounts: ['111122223333']}\n"
        + "exempt: [{principal: '*/Admin/*'}, {principal: 'arn:*'}, {account: '4*'}, {tag: Free}, "
        + "{tag: Old, expires: 2026-05-31}]"
    )
    assert statement["Condition"] == {
        "StringNotLike": {
            "aws:RequestTag/Code": ["?*"],
            "aws:PrincipalArn": ["*/Admin/*", "*:role/Admin", "*:role/*/Admin", "arn:*"],
            "aws:PrincipalAccount": ["4*"],
        },
        "StringLike": {
            "aws:RequestedRegion": ["eu-*"],
            "ec2:InstanceType": ["p${?}.*"],
            "aws:PrincipalAccount": ["111122223333"],
        },
        "Null": {"aws:RequestTag/Free": ["true"]},
    }


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("{tag: Code}", "service control policies do not apply to the management account"),
        ("{tag: Code}", "nor do they apply to service-linked roles, such as that of Auto Scaling"),
        ("{tag: Code}\n  grace: 15m", "rule code: its grace of 15m"),
        ("{all: [{tag: Code}, {tag: A, matches: x}]}", "rule code: tag A matches x"),
        ("{all: [{tag: Code}, {any: [{tag: A}, {tag: B}]}]}", "rule code: (tag A is set or tag B is set)"),
        ("{all: [{tag: A}, {any: [{not: {tag: A}}, {tag: A, values: ['*']}]}]}", "rule code: (not tag A is set or"),
        ("{all: [{tag: A}, {any: [{not: {tag: A}}, {tag: A}]}]}", "rule code: (not tag A is set or tag A is set)"),
        ("{all: [{tag: A}, {any: [{not: {tag: B}}, {tag: A, values: [x]}]}]}", "rule code: (not tag B is set or"),
        ("{all: [{tag: A}, {not: {all: [{tag: B}]}}]}", "rule code: not (tag B is set)"),
        ("{tag: Code}\nexempt: [{tag: aws:x}]", "the exemption of tag aws:x: a launch request cannot contain tags"),
        ("{tag: Code}\nexempt: [{tag: x*}]", "the exemption of tag x*: AWS does not support wildcards in tag keys"),
        ("{tag: Code}\nexempt: [{principal: x}]", "the exemption of principal x: AWS knows no principal"),
        (
            "{tag: Code}\nexempt: [{principal: 'arn:aws:sts::*:assumed-role/CI/deploy', expires: 2026-06-02}]",
            "the exemption of principal arn:aws:sts::*:assumed-role/CI/deploy: AWS cannot tell the sessions of a role",
        ),
        (
            "{tag: Code}\nexempt: [{tag: x, expires: 2026-06-01}]",
            "the exemption of tag x will not expire on 2026-06-01",
        ),
        ("{tag: Code}\nonboarding: {ous: [ou-1], action: notify}", "onboarding: do not attach the policy to ou-1"),
    ],
)
def test_what_a_scp_cannot_say_is_listed(text: str, lost: str) -> None:
    assert any(each.startswith(lost) for each in export_scp(policy(RULE + text), TODAY).lost)


@pytest.mark.parametrize(
    ("pattern", "arns"),
    [
        ("*/AWSServiceRoleForAutoScaling/*",
         ["*:role/aws-service-role/*AWSServiceRoleForAutoScaling/*",
          "*:role/aws-service-role/*AWSServiceRoleForAutoScaling"]),
        ("*AWSReservedSSO_Admin_*",
         ["*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Admin_*"]),
        ("*:role/aws-service-role/spot.amazonaws.com/*",
         ["*:role/aws-service-role/spot.amazonaws.com/*", "*:role/aws-service-role/spot.amazonaws.com"]),
    ],
)  # fmt: skip
def test_a_scp_knows_roles_of_awss_own_by_their_path(pattern: str, arns: list[str]) -> None:
    """A role that somebody has given the same name is denied like any other."""
    (statement,) = scp_of(f"{RULE}{{tag: Code}}\nexempt: [{{principal: '{pattern}'}}]\n")
    assert statement["Condition"]["StringNotLike"]["aws:PrincipalArn"] == arns


def test_an_exemption_that_cannot_be_written_spares_nobody() -> None:
    text = f"{RULE}{{tag: Code}}\nexempt: [{{principal: '*:assumed-role/CI/deploy', expires: 2026-06-02}}]\n"
    (statement,) = scp_of(text)
    assert statement["Condition"] == {"StringNotLike": {"aws:RequestTag/Code": ["?*"]}}
    assert not any("will not expire" in sentence for sentence in export_scp(policy(text), TODAY).lost)


def test_that_a_rule_only_notifies_is_lost_in_a_scp_and_kept_in_a_tag_policy() -> None:
    stops, notifies = policy(RULE + "{tag: Code}"), policy(RULE + "{tag: Code}", stop="notify")
    denied = "rule code: AWS denies the launch, but the rule says notify"
    assert denied in export_scp(notifies, TODAY).lost
    assert denied not in export_scp(stops, TODAY).lost
    reported = "rule code: AWS only reports, but the rule says stop"
    assert reported in export_tag_policy(stops).lost
    assert not any(each.startswith("rule code") for each in export_tag_policy(notifies).lost)


def test_a_tag_policy_says_what_is_required_and_what_is_only_checked() -> None:
    text = RULE + "{all: [{tag: Code, values: [a, 'b*']}, {any: [{not: {tag: Env}}, {tag: Env, values: [c]}]}]}"
    (document,) = export_tag_policy(policy(text)).documents
    assert json.loads(document) == {
        "tags": {
            "code": {
                "tag_key": {"@@assign": "Code"},
                "tag_value": {"@@assign": ["a", "b*"]},
                "report_required_tag_for": {"@@assign": ["ec2:instance"]},
            },
            "env": {"tag_key": {"@@assign": "Env"}, "tag_value": {"@@assign": ["c"]}},
        }
    }
    (document,) = export_tag_policy(policy(text), enforce=True).documents
    assert [tag["enforced_for"] for tag in json.loads(document)["tags"].values()] == [
        {"@@assign": ["ec2:instance"]}
    ] * 2


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("{tag: A}\nexempt: [{tag: x}]", "the exemption of tag x"),
        ("{tag: A}\n- {name: b, action: stop, require: {tag: B}, when: {regions: [r1], accounts: ['111122223333']}}",
         "rule b: a tag policy applies wherever it is attached, not only in r1 and in 111122223333"),
        ("{all: [{tag: A}, {tag: B, matches: x}]}", "rule code: tag B matches x"),
        ("{all: [{tag: A}, {not: {tag: B}}]}", "rule code: not tag B is set"),
        ("{all: [{tag: A}, {tag: a}]}", "rule code: tag a is set (another rule has that key)"),
        ("{tag: A}\n- {name: b, action: stop, require: {tag: A, values: [x]}}", "rule b: tag A is x (another rule has"),
        ("{tag: A}\n  grace: 1h", "rule code: its grace of 1h"),
        ("{tag: A}\nonboarding: {ous: [ou-1], accounts: ['4444*'], action: notify}",
         "onboarding: do not attach the policy to ou-1, 4444*"),
    ],
)  # fmt: skip
def test_what_a_tag_policy_cannot_say_is_listed(text: str, lost: str) -> None:
    exported = export_tag_policy(policy(RULE + text))
    assert any(each.startswith(lost) for each in exported.lost)
    assert list(json.loads(exported.documents[0])["tags"]) == ["a"]


def many(number: int, length: int) -> Policy:
    values = tuple(f"{index:0{length}}" for index in range(10))
    return Policy(tuple(Rule(f"r{index}", HasTag(f"Key{index}", values), Penalty.STOP) for index in range(number)))


def test_a_large_policy_is_split_below_the_quotas() -> None:
    for exported, largest in ((export_scp(many(20, 250), TODAY), 10_240), (export_tag_policy(many(20, 250)), 10_000)):
        assert 1 < len(exported.documents) <= 10
        assert max(map(len, exported.documents)) <= largest
        together = "".join(exported.documents)
        assert all(f'Key{index}"' in together for index in range(20))


@pytest.mark.parametrize(
    ("given_policy", "complaint"),
    [
        (many(40, 250), r"^the policy takes 14 service control policies; a root, unit or account can have 10$"),
        (
            many(1, 1100),
            r"^what one rule requires of a tag takes more than the 10,240 characters allowed in service control",
        ),
        (
            policy(RULE + "{tag: A, matches: x}"),
            r"^none of the policy's rules can be expressed as service control policies$",
        ),
    ],
)
def test_what_does_not_fit_is_refused(given_policy: Policy, complaint: str) -> None:
    with pytest.raises(ExportError, match=complaint):
        export_scp(given_policy, TODAY)
    with pytest.raises(ExportError):
        export_tag_policy(given_policy)


KEYS = st.sampled_from(["Code", "Owner", "Env"])
VALUES = st.sampled_from(["a", "ab", "a*", "*b", "?b", "?*", "${x}", "a*b", "$", "?"])
SOME_VALUES = st.lists(VALUES, min_size=1, max_size=3, unique=True).map(tuple)
REQUIRED = st.builds(HasTag, KEYS, st.just(()) | SOME_VALUES)
OPTIONAL = st.builds(lambda key, values: AnyOf((Not(HasTag(key)), HasTag(key, values))), KEYS, SOME_VALUES)
FORBIDDEN = REQUIRED.map(Not)
TAG_VALUES = st.sampled_from(["a", "ab", "b", "xb", "?b", "${x}", "$", "?", "x", "aXb"])


def key_of(requirement: Requirement) -> str:
    match requirement:
        case HasTag(key):
            return key
        case AnyOf((_, HasTag(key))) | Not(HasTag(key)):
            return key
        case _:
            raise AssertionError(requirement)


EVERYWHERE = When()


def policy_of(parts: list[Requirement], when: When = EVERYWHERE, exempt: tuple[Exemption, ...] = ()) -> Policy:
    return Policy(tuple(Rule(f"r{index}", part, Penalty.NOTIFY, when) for index, part in enumerate(parts)), exempt)


def complies(checked: Policy, tags: dict[str, str], subject: Subject | None = None) -> bool:
    verdict = evaluate(checked, subject or Subject(ACCOUNT, REGION, "t3.micro", JANE), tags, LAUNCHED_AT)
    return isinstance(verdict, Compliant | Exempt)


@given(
    st.lists(REQUIRED | OPTIONAL, min_size=1, max_size=3, unique_by=key_of),
    st.dictionaries(KEYS, TAG_VALUES | st.just("")),
)
def test_a_policy_comes_back_from_a_tag_policy_with_the_same_verdicts(
    parts: list[Requirement], tags: dict[str, str]
) -> None:
    before = policy_of([AllOf(tuple(parts))])
    exported = export_tag_policy(before)
    text = import_tag_policies([("exported", exported.documents[0])], Penalty.NOTIFY)
    after = parse_policy(text, "imported")
    assert complies(after, tags) == complies(before, tags)
    assert export_tag_policy(after).documents == exported.documents


def likes(pattern: str, text: str) -> bool:
    """StringLike, with the variables that stand for letters."""
    parts = re.split(r"(\$\{[?*$]\}|\?|\*)", pattern)
    wild = {"?": ".", "*": ".*"}
    literal = {"${?}": r"\?", "${*}": r"\*", "${$}": r"\$"}
    return (
        re.fullmatch("".join(literal.get(part) or wild.get(part) or re.escape(part) for part in parts), text)
        is not None
    )


def equals(pattern: str, text: str) -> bool:
    return re.sub(r"\$\{([?*$])\}", r"\1", pattern) == text


def denies(document: str, request: dict[str, str]) -> bool:
    """Whether AWS denies a request with these condition keys, as its manual has the operators."""
    return any(
        all(holds(operator, texts, request.get(key)) for operator, keys in statement["Condition"].items()
            for key, texts in keys.items())
        for statement in json.loads(document)["Statement"]
    )  # fmt: skip


def holds(operator: str, texts: list[str], given_text: str | None) -> bool:
    if operator == "Null":
        return texts == [str(given_text is None).lower()]
    compare = likes if operator.endswith("Like") else equals
    assert not any(re.search(r"\$\{(?![?*$]\})", text) for text in texts), "a variable that AWS would put in"
    found = given_text is not None and any(compare(text, given_text) for text in texts)
    return not found if "Not" in operator else found


ADMIN = Principal(
    "AssumedRole", "Admin/jo", "arn:aws:sts::111122223333:assumed-role/Admin/jo", ACCOUNT, "",
    "arn:aws:iam::111122223333:role/Admin",
)  # fmt: skip


@settings(max_examples=300)
@given(
    st.sampled_from(["*/Admin/*", "arn:aws:sts::*:assumed-role/Admin/*"]),
    st.lists(REQUIRED | OPTIONAL | FORBIDDEN, min_size=1, max_size=2),
    st.dictionaries(KEYS, TAG_VALUES | st.just("")),
)
def test_a_scp_denies_exactly_the_launches_that_the_policy_finds_fault_with(
    admins: str, parts: list[Requirement], tags: dict[str, str]
) -> None:
    exempt = (Exemption("principal", admins), Exemption("account", "4444*"), Exemption("tag", "Free"))
    checked = policy_of(parts, When(("eu-*",), ("t?.*", "t3.*")), exempt)
    (document,) = export_scp(checked, TODAY).documents
    for region, principal, account, more in itertools.product(
        ("eu-west-1", "us-east-1"), (JANE, ADMIN), ("111122223333", "444455556666"), ({}, {"Free": ""})
    ):
        launched: dict[str, str] = {**tags, **more}
        request = {
            **{f"aws:RequestTag/{key}": value for key, value in launched.items()},
            "aws:RequestedRegion": region,
            "ec2:InstanceType": "t3.micro",
            "aws:PrincipalArn": principal.issuer_arn or principal.arn,
            "aws:PrincipalAccount": account,
        }
        subject = Subject(AccountId(account), Region(region), "t3.micro", principal)
        assert denies(document, request) == (not complies(checked, launched, subject))


def test_grace_of_days_is_said_in_days() -> None:
    rule = Rule("r", HasTag("A"), Penalty.STOP, grace=timedelta(days=2))
    assert "rule r: its grace of 2d" in export_scp(Policy((rule,)), TODAY).lost

"""Exemptions of principals as patterns of `aws:PrincipalArn`: whom those fit, and what they are said to lose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.broom_world import ACCOUNT, REGION

from landkeeper.broom.policy.principal_arns import principal_arns
from landkeeper.broom.policy.rules import Exemption
from landkeeper.broom.policy.verdict import Subject, find_exempted
from landkeeper.broom.policy.wildcards import fits
from landkeeper.org import Principal

NOBODY = ": AWS knows no principal with such an ARN"
SINGLE = " applies to users and roles, not to single sessions of a role"


@pytest.mark.parametrize(
    ("pattern", "arns"),
    [
        ("arn:aws:sts::*:assumed-role/CI/*", ("arn:aws:iam::*:role/CI", "arn:aws:iam::*:role/*/CI")),
        ("arn:*:sts::111122223333:assumed-role/CI/*",
         ("arn:*:iam::111122223333:role/CI", "arn:*:iam::111122223333:role/*/CI")),
        ("*:assumed-role/CI/**", ("*:role/CI", "*:role/*/CI")),
        ("*assumed-role/CI/*", ("*role/CI", "*role/*/CI")),
        ("*:assumed-role/*", ("*:role/*",)),
        ("*:assumed-role/*-ci/*", ("*:role/*-ci",)),
        ("arn:aws:sts::*:assumed-role/AWSReservedSSO_Admin_*/*",
         ("arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Admin_*",)),
        ("arn:aws:iam::*:role/x/CI", ("arn:aws:iam::*:role/x/CI",)),
        ("*/CI/*", ("*/CI/*", "*:role/CI", "*:role/*/CI")),
        ("*/CI/", ("*/CI/", "*:role/CI", "*:role/*/CI")),
        ("arn:aws:iam::111122223333:*/CI/*",
         ("arn:aws:iam::111122223333:*/CI/*", "arn:aws:iam::111122223333:*:role/CI",
          "arn:aws:iam::111122223333:*:role/*/CI", "arn:aws:iam::111122223333:role/CI",
          "arn:aws:iam::111122223333:role/*/CI")),
        ("*:role/CI/*", ("*:role/CI/*", "*:role/CI")),
        ("arn:aws:sts::*:federated-user/bob", ("arn:aws:sts::*:federated-user/bob",)),
        ("*", ("*",)),
    ],
)  # fmt: skip
def test_whole_roles_and_principals_lose_nothing(pattern: str, arns: tuple[str, ...]) -> None:
    assert principal_arns(pattern) == (arns, "")


@pytest.mark.parametrize(
    ("pattern", "written", "lost"),
    [
        ("arn:aws:sts::*:assumed-role/CI/deploy-42", False, ": AWS cannot tell the sessions of a role apart"),
        ("*:assumed-role/*/jane@example.com", False, ": AWS cannot tell the sessions of a role apart"),
        ("*:assumed-role/AWSReservedSSO_Admin_*/jane", False, ": AWS cannot tell the sessions of a role apart"),
        ("*:assumed-role/*jane*", False, ": AWS cannot tell the sessions of a role apart"),
        ("*:assumed-role/CI", False, NOBODY),
        ("*:assumed-role/CI/", False, NOBODY),
        ("arn:aws:iam::*:assumed-role/CI/*", False, NOBODY),
        ("*:assumed-role/CI-*/*", True, " also applies to roles under a path that fits 'CI-*'"),
        ("*:assumed-role/CI*", True, " also applies to roles under a path that fits 'CI*'"),
        ("arn:aws:sts::111122223333:*", True, " applies to federated users, not to sessions of a role"),
        ("arn:aws:iam::*:user/dev/jane", True, " does not apply to federated users whose sessions it issued"),
        ("*:user/dev/*", True, " does not apply to federated users whose sessions it issued"),
        ("arn:aws:iam::111122223333:root", True, " does not apply to federated users whose sessions it issued"),
        ("*/a*/*", True, SINGLE),
        ("/*", False, NOBODY),
        ("jane", False, NOBODY),
        ("CI/*", False, NOBODY),
        ("sts:*", False, NOBODY),
        ("ar*", True, SINGLE),
        ("*/jane", True, SINGLE),
        ("*jane*", True, SINGLE),
    ],
)
def test_what_is_lost_of_an_exemption_is_named(pattern: str, written: bool, lost: str) -> None:
    arns = principal_arns(pattern)
    assert arns.lost.startswith(lost)
    assert bool(arns.patterns) == written


def session(path: str, role: str, name: str) -> Principal:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}"
    return Principal("AssumedRole", f"{role}/{name}", arn, ACCOUNT, "", f"arn:aws:iam::{ACCOUNT}:role{path}{role}")


def user(path: str, name: str) -> Principal:
    return Principal("IAMUser", name, f"arn:aws:iam::{ACCOUNT}:user{path}{name}", ACCOUNT)


NAMES = st.sampled_from(["CI", "CI-x", "x-ci", "jane"])
PATHS = st.sampled_from(["/", "/CI/", "/team/a/"])
PRINCIPALS = st.builds(session, PATHS, NAMES, NAMES) | st.builds(user, PATHS, NAMES)
HEADS = st.sampled_from(
    ["arn:aws:sts::*:", f"arn:*:sts::{ACCOUNT}:", "*:", "*", "arn:*:", "*:sts:*:*:", "arn:aws:sts::999988887777:"]
)
ROLES = st.sampled_from(["CI", "CI-*", "*-ci", "*", "*i*"])
PATTERNS = (
    st.builds("{}assumed-role/{}{}".format, HEADS, ROLES, st.sampled_from(["/*", "", "/jane"]))
    | st.sampled_from(
        [
            "*/CI/*",
            "*/CI",
            "*:user/*/jane",
            "*:role/CI",
            "*:role/*/CI",
            "arn:aws:iam::*:user/jane",
            f"arn:aws:iam::{ACCOUNT}:*/CI/*",
            "arn:aws:iam::*/CI/*",
            "*/CI/",
        ]
    )
    | st.builds("*/{}/*".format, NAMES)
)


@given(PATTERNS, PRINCIPALS)
def test_aws_spares_whom_the_policy_exempts_unless_a_loss_is_named(pattern: str, principal: Principal) -> None:
    arns = principal_arns(pattern)
    subject = Subject(ACCOUNT, REGION, "t3.micro", principal)
    is_exempt = find_exempted(Exemption("principal", pattern), subject, {}) is not None
    # To AWS, the principal of a session is its role.
    is_spared = any(fits(arn, principal.issuer_arn or principal.arn) for arn in arns.patterns)
    if "also applies" in arns.lost:
        assert is_spared or not is_exempt
    elif arns.lost:
        assert is_exempt or not is_spared
    else:
        assert is_spared == is_exempt

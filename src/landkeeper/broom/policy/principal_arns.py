"""Translate a pattern that exempts principals to patterns of `aws:PrincipalArn`.

A pattern is compared with the ARN of the launcher, which for a session of a role is an ARN of STS with the name of the
role but without its path, and with the ARN of the role. AWS compares `aws:PrincipalArn`, which is the ARN of an IAM
user, of the root user, or of a federated user; of a session of a role it is the ARN of the role, never that of the
session. Source: AWS IAM User Guide, "AWS global condition context keys", `aws:PrincipalArn`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from landkeeper.broom.policy.reserved_roles import reserved_path, with_reserved_path

_SESSIONS = "assumed-role/"
_WORD_OF_A_SESSION = re.compile(r"arn|sts|aws[a-z-]*")
"""What stands in the ARN of a session before its resource, beside the account."""
_STS = re.compile(r"(?<![a-z-])sts:")
_WHOLE_ROLES = re.compile(r"[^*]*\*/[^*]*/\**")
"""Fits sessions only by their role: names of sessions contain no slash."""
_NOBODY = ": AWS knows no principal with such an ARN"


class PrincipalArns(NamedTuple):
    """The patterns of `aws:PrincipalArn`, and what they do not express of the exemption."""

    patterns: tuple[str, ...]
    """Empty if nothing of it can be expressed."""
    lost: str = ""
    """Words after the exemption; empty if nothing is lost."""


def fits_no_arn(pattern: str) -> bool:
    """Return whether a pattern fits no ARN at all, as a name without `*` before it."""
    head = pattern.partition("*")[0]
    return not (head.startswith("arn:") or "arn:".startswith(head))


def principal_arns(pattern: str) -> PrincipalArns:
    """Return the patterns that fit the principals of an exemption's pattern."""
    if fits_no_arn(pattern):
        return PrincipalArns((), f"{_NOBODY}, so it exempts nobody here either")
    head, sessions, rest = pattern.partition(_SESSIONS)
    if sessions:
        return _of_sessions(head, rest)
    if _STS.search(pattern):
        what = "" if "federated-user/" in pattern else " applies to federated users, not to sessions of a role"
        return PrincipalArns((pattern,), what)
    written = with_reserved_path(pattern)
    return PrincipalArns(tuple(dict.fromkeys((written, *_of_whole_roles(written)))), _lost_of(pattern))


def _of_whole_roles(pattern: str) -> tuple[str, ...]:
    """Return the patterns for roles whose sessions the pattern fits: `*/Role/*` has to fit the role's own ARN."""
    name = re.sub(r"/\**$", "", pattern)
    if name in {"", pattern} or ":user/" in name:
        return ()
    head, wildcard, role = name.partition("*/")
    if ":role/" in name or not wildcard or "*" in f"{head}{role}":
        return (name,)
    # Users have no sessions of that form, so the pattern does not fit a user of the same name.
    between = ("*:role/", "role/") if head.endswith(":") else ("*:role/",)
    return tuple(f"{head}{kind}{path}{role}" for kind in between for path in ("", "*/"))


def _of_sessions(head: str, rest: str) -> PrincipalArns:
    """Return the patterns for sessions; `rest` is the name of a role and that of a session."""
    role, slash, session = rest.partition("/")
    if not all(_WORD_OF_A_SESSION.fullmatch(word) for word in re.findall(r"[^:*0-9]+", head)):
        return PrincipalArns((), _NOBODY)
    if (slash and not session) or not (slash or role.endswith("*")):
        return PrincipalArns((), f"{_NOBODY}: that of a session ends with the session's name")
    # Without a slash, a wildcard reaches from the name of the role to that of the session.
    if session.strip("*") or not (slash or "*" not in role.rstrip("*")):
        return PrincipalArns((), ": AWS cannot tell the sessions of a role apart, only exempt the role")
    head = head.replace("sts", "iam")
    if path := reserved_path(role):
        return PrincipalArns((f"{head}role/{path}*{role}",))
    # The ARN of a role has its path, which that of a session does not show. A wildcard fits the slashes of a path too.
    paths = () if role.startswith("*") else (f"{head}role/*/{role}",)
    wider = f" also applies to roles under a path that fits '{role}'" if "*" in role.lstrip("*") else ""
    return PrincipalArns((f"{head}role/{role}", *paths), wider)


def _lost_of(pattern: str) -> str:
    if ":user/" in pattern or pattern.endswith(":root"):
        return " does not apply to federated users whose sessions it issued"
    if ":role/" in pattern or reserved_path(pattern) or _WHOLE_ROLES.fullmatch(pattern) or not pattern.strip("*"):
        return ""
    return " applies to users and roles, not to single sessions of a role"

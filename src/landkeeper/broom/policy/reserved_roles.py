"""Roles that AWS creates, and how they are told from roles that somebody has given the same name.

A session's ARN holds the name of its role without the role's path, and whoever may create roles can create one named
`AWSServiceRoleForAutoScaling`. But nobody can create one under the paths that IAM keeps for AWS.

Sources: AWS IAM User Guide, "Create a service-linked role" (the path `/aws-service-role/SERVICE/`); IAM Identity Center
User Guide, "Referencing permission sets in resource policies" (the path `/aws-reserved/sso.amazonaws.com/`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landkeeper.org import AccountId, Principal

_SERVICES, _PERMISSION_SETS = "aws-service-role/", "aws-reserved/sso.amazonaws.com/"
_PATHS = {
    "AWSServiceRole": _SERVICES,
    "aws-service-role": _SERVICES,
    "AWSReservedSSO_": _PERMISSION_SETS,
    "aws-reserved": _PERMISSION_SETS,
}
"""The beginning of the path of the roles that a pattern means, by what the pattern has in it."""


def may_exempt(pattern: str, principal: Principal, account: AccountId) -> bool:
    """Whether an exemption may fit the principal of an instance in that account.

    A pattern that means roles of AWS's own fits those of the instance's account alone, by their whole ARN.
    """
    path = reserved_path(pattern)
    own = rf"arn:aws[a-z-]*:iam::{account}:role/{re.escape(path)}.+"
    return not path or re.fullmatch(own, principal.issuer_arn) is not None


def with_reserved_path(pattern: str) -> str:
    """Return the pattern as one of ARNs of roles, with the path that IAM keeps for the roles that it means."""
    path = reserved_path(pattern)
    if not path or path in pattern:
        return pattern
    return f"*:role/{path}*{pattern.removeprefix('*/').removeprefix('*')}"


def reserved_path(pattern: str) -> str:
    """Return the beginning of the path of the roles of AWS's own that a pattern means; empty if it means no such."""
    return next((path for name, path in _PATHS.items() if name in pattern), "")

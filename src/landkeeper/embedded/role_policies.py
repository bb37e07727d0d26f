"""What the policies of an assumed role let it do, going by the action alone.

Conditions and resources are not looked at: what a statement allows anywhere is allowed, and what it denies is denied
only where it says so of everything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from moto.iam.models import get_account_id_from, iam_backends
from moto.sts.models import sts_backends

_PARTITION = "aws"


def role_allows(access_key: str, service: str, action: str) -> bool:
    """Whether the caller may: no assumed role, a role without any policies, or one whose policies allow the action."""
    statements = list(_statements_of(access_key))
    if not statements:
        return True
    permission = f"{service}:{action}".lower()
    matching = [statement for statement in statements if _names(statement, permission)]
    if any(
        statement["Effect"] == "Deny" and statement.get("Resource") == "*" and "Condition" not in statement
        for statement in matching
    ):
        return False
    return any(statement["Effect"] == "Allow" for statement in matching)


def _statements_of(access_key: str) -> Iterator[dict[str, Any]]:
    account_id = get_account_id_from(access_key)
    assumed = sts_backends[account_id][_PARTITION].get_assumed_role_from_access_key(access_key)
    if assumed is None:
        return
    name = assumed.role_arn.rsplit("/", 1)[-1]
    for role in list(iam_backends[account_id][_PARTITION].roles.values()):
        if role.name == name:
            versions = (version for policy in role.managed_policies.values() for version in policy.versions)
            managed = (version.document for version in versions if version.is_default)
            documents: list[Any] = [*role.policies.values(), *managed]
            for document in documents:
                # Of a role that CloudFormation made, moto keeps what the template says.
                parsed = json.loads(document) if isinstance(document, str) else document
                yield from _listed(parsed["Statement"])


def _names(statement: dict[str, Any], permission: str) -> bool:
    if "NotAction" in statement:
        return not any(fnmatchcase(permission, pattern.lower()) for pattern in _listed(statement["NotAction"]))
    return any(fnmatchcase(permission, pattern.lower()) for pattern in _listed(statement["Action"]))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

"""Whether a policy that hangs on a queue or a topic lets a service of AWS's in.

Only what such a policy says of one service, action and source is looked at. A condition that nobody here knows counts
as not met where it allows and as met where it denies: what cannot be told is not taken for granted.
Source: IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from landkeeper.operate.doctor.facts import Document


@dataclass(frozen=True, slots=True)
class Request:
    """A service's call on behalf of one of its resources."""

    service: str
    """As in `sns.amazonaws.com`."""
    action: str
    """As in `sqs:SendMessage`."""
    resource: str
    source_arn: str
    source_account: str
    organization: str = ""
    """The organization of the account that the source is in; empty where that is not known."""

    def value_of(self, key: str) -> str | None:
        """The value of a condition key; None where the request has none."""
        known = {
            "aws:sourcearn": self.source_arn,
            "aws:sourceaccount": self.source_account,
            "aws:sourceorgid": self.organization,
            "aws:principalisawsservice": "true",
            "aws:principalservicename": self.service,
            "aws:securetransport": "true",
        }
        return known.get(key.lower()) or None


def allows(policy: Document, request: Request) -> bool:
    """Whether the policy lets the request in: some statement allows it, and none denies it."""
    statements = [statement for statement in _listed(policy.get("Statement")) if isinstance(statement, Mapping)]
    denied = any(
        _applies(statement, request, unknown=True) for statement in statements if statement.get("Effect") == "Deny"
    )
    return not denied and any(
        _applies(statement, request, unknown=False) for statement in statements if statement.get("Effect") == "Allow"
    )


def _applies(statement: Document, request: Request, *, unknown: bool) -> bool:
    return (
        _is_for(statement, request)
        and _covers(statement, "Action", request.action.lower(), str.lower)
        and _covers(statement, "Resource", request.resource, str)
        and all(_is_met(*condition, request, unknown=unknown) for condition in _conditions(statement))
    )


def _is_for(statement: Document, request: Request) -> bool:
    if "NotPrincipal" in statement:
        return not _names(statement["NotPrincipal"], request.service)
    return _names(statement.get("Principal"), request.service)


def _names(principal: object, service: str) -> bool:
    if principal == "*":
        return True
    if not isinstance(principal, Mapping):
        return False
    return service in _listed(principal.get("Service")) or "*" in _listed(principal.get("AWS"))


def _covers(statement: Document, element: str, value: str, fold: Callable[[str], str]) -> bool:
    negated = f"Not{element}"
    if negated in statement:
        return not any(_is_like(value, fold(str(pattern))) for pattern in _listed(statement[negated]))
    return any(_is_like(value, fold(str(pattern))) for pattern in _listed(statement.get(element)))


def _conditions(statement: Document) -> Iterator[tuple[str, str, list[str]]]:
    blocks = statement.get("Condition", {})
    for operator, keys in blocks.items():
        for key, values in keys.items():
            yield (
                operator,
                key,
                [str(value).lower() if isinstance(value, bool) else str(value) for value in _listed(values)],
            )


def _is_met(operator: str, key: str, wanted: list[str], request: Request, *, unknown: bool) -> bool:
    name = operator.removesuffix("IfExists")
    value = request.value_of(key)
    if value is None and key.lower() not in _NEVER_THERE:
        return unknown
    if name == "Null":
        return (value is None) == (wanted == ["true"])
    compare = _OPERATORS.get(name)
    if compare is None:
        return unknown
    if value is None:
        return name in _NEGATED or name != operator
    return any(compare(value, pattern) for pattern in wanted) != (name in _NEGATED)


def _is_like(value: str, pattern: str) -> bool:
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), value, re.DOTALL) is not None


def _is_equal(value: str, wanted: str) -> bool:
    return value == wanted


def _is_equal_in_any_case(value: str, wanted: str) -> bool:
    return value.lower() == wanted.lower()


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": _is_equal,
    "StringNotEquals": _is_equal,
    "StringEqualsIgnoreCase": _is_equal_in_any_case,
    "StringNotEqualsIgnoreCase": _is_equal_in_any_case,
    "StringLike": _is_like,
    "StringNotLike": _is_like,
    # Both ARN operators match with wildcards, and so do their opposites.
    "ArnEquals": _is_like,
    "ArnNotEquals": _is_like,
    "ArnLike": _is_like,
    "ArnNotLike": _is_like,
    "Bool": _is_equal_in_any_case,
}
_NEGATED = frozenset({"StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike", "ArnNotEquals", "ArnNotLike"})
_NEVER_THERE = frozenset({"aws:principalorgid", "aws:principalarn", "aws:principalaccount", "aws:sourcevpce"})
"""Keys that a call by a service does not carry, which is something else than not knowing them."""


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]

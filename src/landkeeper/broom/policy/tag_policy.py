"""AWS Organizations tag policies: their documents, merged from the root down to an account, and the effective form.

Source: AWS Organizations User Guide, "Tag policy syntax and examples", "Inheritance operators", "Inheritance examples",
"Reporting for required tag keys".
"""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from landkeeper.org import UsageError

LARGEST_TAG_POLICY = 10_000
"""Characters. Source: AWS Organizations User Guide, "Quotas and service limits for AWS Organizations"."""

INSTANCES = "ec2:instance"
_COVERING_INSTANCES = frozenset({INSTANCES, "ec2:*", "ec2:ALL_SUPPORTED"})
_LISTS = ("tag_value", "enforced_for", "report_required_tag_for")
_SETTINGS = ("tag_key", *_LISTS)
_CONTROL = "@@operators_allowed_for_child_policies"
_OPERATORS = ("@@assign", "@@append", "@@remove")
_ALL = frozenset(_OPERATORS)


class TagPolicyError(UsageError):
    """A document that is no tag policy; the text names the file and the field."""


@dataclass(frozen=True, slots=True)
class TagStatement:
    """What an effective tag policy says about one key."""

    key: str
    """In the capitalisation that complies."""
    values: tuple[str, ...] = ()
    """Those that comply, `*` once at most in each; empty means any."""
    enforced_for: tuple[str, ...] = ()
    """Resource types on which AWS refuses tagging that does not comply."""
    required_for: tuple[str, ...] = ()
    """Resource types that AWS reports when they do not have the key."""

    @property
    def is_required(self) -> bool:
        """Whether AWS reports instances without the key."""
        return covers_instances(self.required_for)


@dataclass(frozen=True, slots=True)
class EffectiveTagPolicy:
    """What applies to an account, and what a policy below was not allowed to change."""

    statements: tuple[TagStatement, ...]
    ignored: tuple[str, ...] = ()
    """Operators that had no effect, a sentence each."""


def covers_instances(types: Iterable[str]) -> bool:
    """Whether EC2 instances are among these resource types."""
    return not _COVERING_INSTANCES.isdisjoint(types)


def merge_tag_policies(documents: Sequence[tuple[str, Any]]) -> EffectiveTagPolicy:
    """The effective policy of tag policies with operators, given by name from the root down to the account.

    Raises TagPolicyError for what AWS would not take either. What a policy above has locked is ignored, and said.
    """
    merge = _Merge()
    for name, document in documents:
        merge.add(name, document)
    return EffectiveTagPolicy(_statements(merge.settings), tuple(merge.ignored))


def parse_effective(name: str, document: Any) -> EffectiveTagPolicy:
    """An effective tag policy, which has plain values in place of operators. Raises TagPolicyError."""
    settings: dict[str, dict[str, Any]] = {}
    for key, node in _keys(name, document):
        place = f"{name}: tags.{key}"
        for setting, value in _known(_mapping(node, place), _SETTINGS, place).items():
            if isinstance(value, dict):
                raise TagPolicyError(f"{place}.{setting} has operators: this is not the effective form")
            settings.setdefault(key, {})[setting] = _value(setting, value, f"{place}.{setting}", key)
    return EffectiveTagPolicy(_statements(settings))


def write_tag_policy(statements: Iterable[TagStatement]) -> dict[str, Any]:
    """The document of a tag policy that says this, whatever is inherited."""
    return {"tags": {statement.key.lower(): _written(statement) for statement in statements}}


def _written(statement: TagStatement) -> dict[str, Any]:
    lists = zip(_LISTS, (statement.values, statement.enforced_for, statement.required_for), strict=True)
    return {
        "tag_key": {"@@assign": statement.key},
        **{setting: {"@@assign": list(texts)} for setting, texts in lists if texts},
    }


def read_json(name: str, text: str) -> Any:
    """The JSON value of a text. A key that is there twice is an error, as it is for AWS. Raises TagPolicyError."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
            raise TagPolicyError(f"{name}: '{twice}' is there twice in one object")
        return found

    try:
        value = json.loads(text, object_pairs_hook=unique)
        # JSON can hold half a pair of surrogates, and nothing that follows takes it.
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise TagPolicyError(f"{name}:1: half of a pair of surrogates stands for no character") from error
    except json.JSONDecodeError as error:
        raise TagPolicyError(f"{name}:{error.lineno}: not JSON: {error.msg}") from error
    except RecursionError as error:
        raise TagPolicyError(f"{name}:1: not JSON: nested too deeply") from error
    except ValueError as error:
        raise TagPolicyError(f"{name}:1: a number has more digits than can be read") from error
    return value


@dataclass(slots=True)
class _Merge:
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    allowed: dict[tuple[str, ...], frozenset[str]] = field(default_factory=dict)
    """Operators that policies above leave to those below, by the path of the node that says so."""

    def add(self, name: str, document: Any) -> None:
        """Take in the next policy on the way down."""
        # Controls bind the policies below, not the one they stand in: they are kept aside until it is through.
        controls: dict[tuple[str, ...], frozenset[str]] = {(): _allowed(_tags(name, document), f"{name}: tags")}
        for key, node in _keys(name, document):
            place = f"{name}: tags.{key}"
            fields = _mapping(node, place)
            controls[key,] = _allowed(fields, place)
            for setting, value in _known(fields, _SETTINGS, place).items():
                operators = _mapping(value, f"{place}.{setting}")
                controls[key, setting] = _allowed(operators, f"{place}.{setting}")
                self._apply(key, setting, operators, f"{place}.{setting}")
        for path, left in controls.items():
            self.allowed[path] = self.allowed.get(path, _ALL) & left

    def _apply(self, key: str, setting: str, operators: Mapping[str, Any], place: str) -> None:
        known = ("@@assign",) if setting == "tag_key" else _OPERATORS
        given = {
            operator: _value(setting, value, f"{place}.{operator}", key)
            for operator, value in _known(operators, known, place).items()
        }
        if "@@assign" in given and len(given) > 1:
            raise TagPolicyError(f"{place} has @@assign and another operator: use one of them")
        paths: tuple[tuple[str, ...], ...] = ((), (key,), (key, setting))
        left = _ALL.intersection(*(self.allowed.get(path, _ALL) for path in paths))
        for operator in sorted(set(given) - left):
            self.ignored.append(f"{place}: {operator} is locked by a parent policy and has no effect")
        # What is removed was inherited, so that comes before what is added.
        for operator in ("@@assign", "@@remove", "@@append"):
            if operator in given and operator in left:
                self._set(key, setting, operator, given[operator])

    def _set(self, key: str, setting: str, operator: str, value: Any) -> None:
        inherited = self.settings.setdefault(key, {}).get(setting, ())
        if operator == "@@assign":
            self.settings[key][setting] = value
        elif operator == "@@append":
            self.settings[key][setting] = tuple(dict.fromkeys((*inherited, *value)))
        else:
            removed = frozenset(value)
            self.settings[key][setting] = tuple(text for text in inherited if text not in removed)


def _statements(settings: Mapping[str, Mapping[str, Any]]) -> tuple[TagStatement, ...]:
    # A key whose capitalisation no policy gives has to be in lower case.
    return tuple(
        TagStatement(found.get("tag_key", key), *(found.get(setting, ()) for setting in _LISTS))
        for key, found in settings.items()
    )


def _tags(name: str, document: Any) -> Mapping[str, Any]:
    top = _mapping(document, f"{name}: the tag policy")
    if set(top) != {"tags"}:
        raise TagPolicyError(f"{name}: a tag policy has one key at its top, 'tags', and this has {_named(top)}")
    return _mapping(top["tags"], f"{name}: tags")


def _keys(name: str, document: Any) -> list[tuple[str, Any]]:
    """The nodes by their policy key, which is the same in any capitalisation."""
    found: dict[str, Any] = {}
    for key, node in _tags(name, document).items():
        if key == _CONTROL:
            continue
        if key.lower() in found:
            raise TagPolicyError(f"{name}: tags.{key} is there twice, in two capitalisations")
        found[key.lower()] = node
    return list(found.items())


def _known(fields: Mapping[str, Any], known: Sequence[str], place: str) -> dict[str, Any]:
    for key in fields:
        if key != _CONTROL and key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            meant = f"did you mean '{near[0]}'?" if near else f"expected one of {', '.join(known)}"
            raise TagPolicyError(f"{place} has '{key}', which is not known there: {meant}")
    return {key: value for key, value in fields.items() if key != _CONTROL}


def _allowed(fields: Mapping[str, Any], place: str) -> frozenset[str]:
    listed = fields.get(_CONTROL, ["@@all"])
    known = {*_OPERATORS, "@@all", "@@none"}
    if not isinstance(listed, list) or not all(isinstance(text, str) and text in known for text in listed):
        raise TagPolicyError(f"{place}.{_CONTROL} takes a list of {', '.join(sorted(known))}")
    return _ALL if "@@all" in listed else _ALL.intersection(listed)


def _value(setting: str, value: Any, place: str, key: str) -> Any:
    if setting == "tag_key":
        if not isinstance(value, str) or value.lower() != key:
            raise TagPolicyError(f"{place} is {_named(value)}: it has to be '{key}' in some capitalisation")
        return value
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise TagPolicyError(f"{place} is {_named(value)}: expected a list of texts")
    many = next((text for text in value if text.count("*") > 1), None)
    if many is not None:
        raise TagPolicyError(f"{place} has '{many}': a value may contain * once at most")
    return tuple(dict.fromkeys(value))


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TagPolicyError(f"{place} is {_named(value)}: expected an object")
    return value


def _named(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"'{key}'" for key in list(value)[:3]) or "nothing"
    return f"'{value}'" if isinstance(value, str) else "a list" if isinstance(value, list) else json.dumps(value)

"""What a rule requires of tags, and how a set of tags breaks it, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, assert_never

from landkeeper.broom.policy.wildcards import fits

if TYPE_CHECKING:
    from landkeeper.broom.launches import Tags


@dataclass(frozen=True, slots=True)
class Matcher:
    """A regular expression (RE2) that a whole value has to match, compiled once when the policy is parsed."""

    text: str
    compiled: Any = field(compare=False, repr=False)

    def accepts(self, value: str) -> bool:
        """Return whether the whole value matches."""
        return self.compiled.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class HasTag:
    """A tag is there and not empty; with `values` its value is one of them, with `matches` it matches."""

    key: str
    values: tuple[str, ...] = ()
    """Exact, `*` at most once in each; empty means any value."""
    matches: Matcher | None = None


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the parts holds."""

    parts: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds."""

    parts: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Requirement


Requirement = HasTag | AnyOf | AllOf | Not


def find_fault(requirement: Requirement, tags: Tags) -> str | None:
    """Return how the tags break the requirement, as words that follow "because"; None if they meet it."""
    match requirement:
        case HasTag():
            return _fault_of_tag(requirement, tags)
        case AllOf(parts):
            faults = [fault for part in parts if (fault := find_fault(part, tags))]
            return " and ".join(faults) or None
        case AnyOf(parts):
            faults = [fault for part in parts if (fault := find_fault(part, tags))]
            return None if len(faults) < len(parts) else f"no alternative is met: {'; '.join(faults)}"
        case Not(part):
            return None if find_fault(part, tags) else f"{describe(part)}, which is forbidden"
        case _:
            assert_never(requirement)


def describe(requirement: Requirement) -> str:
    """Return the requirement in words, as in `tag Code is one of LOL, GGG`."""
    match requirement:
        case HasTag(key, values, matches):
            if values:
                return f"tag {key} is {_choice(values)}"
            return f"tag {key} matches {matches.text}" if matches else f"tag {key} is set"
        case AllOf(parts):
            return f"({' and '.join(map(describe, parts))})"
        case AnyOf(parts):
            return f"({' or '.join(map(describe, parts))})"
        case Not(part):
            return f"not {describe(part)}"
        case _:
            assert_never(requirement)


def asked_keys(requirement: Requirement) -> Iterator[str]:
    """Yield the keys of all tags that the requirement mentions."""
    match requirement:
        case HasTag(key):
            yield key
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from asked_keys(part)
        case Not(part):
            yield from asked_keys(part)
        case _:
            assert_never(requirement)


def _fault_of_tag(wanted: HasTag, tags: Tags) -> str | None:
    value = tags.get(wanted.key)
    if value is None:
        return f"tag {wanted.key} is missing{_near_miss(wanted.key, tags)}"
    if not value:
        return f"tag {wanted.key} is empty"
    if wanted.values and not any(fits(pattern, value) for pattern in wanted.values):
        return f"tag {wanted.key} is '{value}', not {_choice(wanted.values)}"
    if wanted.matches is not None and not wanted.matches.accepts(value):
        return f"tag {wanted.key} is '{value}', which does not match {wanted.matches.text}"
    return None


def _near_miss(key: str, tags: Tags) -> str:
    wanted = key.strip().casefold()
    found = next((other for other in tags if other.strip().casefold() == wanted), None)
    return f" (found '{found}'; tag keys are case-sensitive)" if found is not None else ""


def _choice(values: tuple[str, ...]) -> str:
    return values[0] if len(values) == 1 else f"one of {', '.join(values)}"

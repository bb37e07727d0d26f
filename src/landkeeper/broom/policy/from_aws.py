"""Import tag policies of AWS Organizations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from landkeeper.broom.policy.requirements import AnyOf, HasTag, Not, Requirement
from landkeeper.broom.policy.rules import Penalty
from landkeeper.broom.policy.tag_policy import (
    EffectiveTagPolicy,
    TagPolicyError,
    TagStatement,
    covers_instances,
    merge_tag_policies,
    parse_effective,
    read_json,
)
from landkeeper.broom.policy.writing import write_policy
from landkeeper.org import join_some

EMPTY_VALUES = "To Broom, a tag with an empty value is missing; to AWS, it is present."


def import_tag_policies(
    files: Sequence[tuple[str, str]], action: Penalty, *, effective: bool = False, require_all: bool = False
) -> str:
    """Return the text of a policy that requires of instances what the tag policies require.

    `files` are names and texts, from the root down to the account. With `effective`, the one file is the effective
    policy of an account. A key that AWS does not report as missing is only checked if the instance has it, unless
    `require_all`. The answers of DescribePolicy and DescribeEffectivePolicy are accepted too. Raises TagPolicyError.
    """
    documents = [(name, _unwrapped(name, read_json(name, text))) for name, text in files]
    if effective:
        if len(documents) > 1:
            raise TagPolicyError(
                f"{documents[1][0]}: an effective policy is complete: pass one file, not {len(documents)}"
            )
        merged = parse_effective(*documents[0])
    else:
        merged = merge_tag_policies(documents)
    rules = [
        (statement.key, requirement)
        for statement in merged.statements
        if (requirement := _requirement(statement, require_all=require_all)) is not None
    ]
    source = ", ".join(name for name, _ in files)
    if not rules:
        raise TagPolicyError(f"{source}: nothing in it applies to instances; --require-all requires its keys")
    remarks = [f"From the tag policy {source}.", *_lost(merged, require_all=require_all)]
    return write_policy(rules, action, remarks)


def _unwrapped(name: str, document: Any) -> Any:
    for outer, inner in (("Policy", "Content"), ("EffectivePolicy", "PolicyContent")):
        if isinstance(document, dict) and isinstance(document.get(outer), dict):
            content = document[outer].get(inner)
            if isinstance(content, str):
                return read_json(f"{name}: {outer}.{inner}", content)
    return document


def _requirement(statement: TagStatement, *, require_all: bool) -> Requirement | None:
    values = tuple(value for value in statement.values if value)
    tag = HasTag(statement.key, values)
    if statement.is_required or require_all:
        return tag if values or not statement.values else None
    if not statement.values:
        return None
    # An empty value is to Broom what a missing tag is, so where it is the only one allowed, no other may be there.
    return AnyOf((Not(HasTag(statement.key)), tag)) if values else Not(HasTag(statement.key))


def _lost(merged: EffectiveTagPolicy, *, require_all: bool) -> Iterator[str]:
    statements = merged.statements
    yield "Not carried over:"
    yield f"- {EMPTY_VALUES}"
    capitals = ", ".join(statement.key for statement in statements)
    yield f"- To AWS, a key with other capitals than {capitals} does not comply; to Broom, it is another tag."
    for statement in statements:
        if _requirement(statement, require_all=require_all) is None:
            what = "a tag whose value is empty" if statement.values else "only the capitalization of its key"
            yield f"- {statement.key}: the tag policy requires {what}."
        if covers_instances(statement.enforced_for):
            yield f"- {statement.key}: AWS prevents tagging that does not comply; Broom checks afterwards."
        others = [
            type_
            for type_ in dict.fromkeys((*statement.enforced_for, *statement.required_for))
            if not covers_instances([type_])
        ]
        if others:
            yield f"- {statement.key}: other resource types ({join_some(others, 4)}); Broom checks only instances."
        if require_all and not statement.is_required:
            yield f"- {statement.key} is required by Broom; AWS accepts an instance without it."
    for sentence in merged.ignored:
        yield f"- {sentence}."

"""What the templates let each role do, and what IAM asks for each call of the SDK."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from tests.recorded_calls import Call

from landkeeper.operate.cost.stack_facts import parse_template

TEMPLATES = ("landkeeper.yaml", "member-roles.yaml", "member-events.yaml", "log-archive.yaml", "pool-forwarder.yaml")


@dataclass(frozen=True, slots=True)
class AllowedAction:
    """An action that a statement of a role's policies allows."""

    role: str
    """The role's logical id."""
    action: str
    resources: str
    """The statement's resources as the template words them, in one text."""
    condition: Mapping[str, Any]
    sid: str


def resources_of(template: str) -> Mapping[str, Mapping[str, Any]]:
    """The resources of one of the product's templates."""
    file = files("landkeeper") / "infra" / template
    parsed: Mapping[str, Mapping[str, Any]] = parse_template(file.read_text(encoding="utf-8"))["Resources"]
    return parsed


def resources_of_type(kind: str, templates: Iterable[str] = TEMPLATES) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """Every resource of a type, under `template:name`. There have to be some: what is asserted of none is nothing."""
    found = [
        (f"{template}:{name}", resource)
        for template in templates
        for name, resource in resources_of(template).items()
        if resource["Type"] == kind
    ]
    assert found, kind
    return found


def grants_of(template: str) -> Iterator[AllowedAction]:
    """Everything that the roles of a template are allowed, statements under a condition included."""
    for name, resource in resources_of(template).items():
        if resource["Type"] in {"AWS::IAM::Role", "AWS::IAM::ManagedPolicy"}:
            properties = resource["Properties"]
            documents = [policy["PolicyDocument"] for policy in map(settled, properties.get("Policies", ()))]
            documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
            for statement in statements_in(documents):
                assert statement["Effect"] == "Allow"
                for action in listed(statement["Action"]):
                    yield AllowedAction(name, action, str(statement["Resource"]), statement.get("Condition", {}),
                                statement.get("Sid", ""))  # fmt: skip


def statements_in(documents: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The statements of policy documents."""
    for document in documents:
        yield from map(settled, listed(document["Statement"]))


def settled(value: Any) -> Any:
    """A value that stands under `!If`: what it is where the condition holds."""
    return value["!If"][1] if isinstance(value, dict) and set(value) == {"!If"} else value


def listed(value: Any) -> list[Any]:
    """One or several, as several."""
    return value if isinstance(value, list) else [value]


# Where the name of the permission is not the name of the call (Service Authorization Reference; Amazon SQS guide,
# "Amazon SQS API permissions": a batch asks for the permission of the single call).
_OTHERWISE: Mapping[str, tuple[str, ...]] = {
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:HeadBucket": ("s3:ListBucket",),
    "s3:HeadObject": ("s3:GetObject",),
    "sqs:SendMessageBatch": ("sqs:SendMessage",),
    "sqs:DeleteMessageBatch": ("sqs:DeleteMessage",),
    "sqs:ChangeMessageVisibilityBatch": ("sqs:ChangeMessageVisibility",),
    "scheduler:CreateSchedule": ("scheduler:CreateSchedule", "iam:PassRole"),
    "lambda:Invoke": ("lambda:InvokeFunction",),
    # Everyone may ask who they are (STS API Reference, "GetCallerIdentity").
    "sts:GetCallerIdentity": (),
}


def asked_for(call: Call) -> frozenset[tuple[str, str]]:
    """The permissions that a call takes, each with what it is for: a table, queue or topic by name, or nothing."""
    named = f"{call.service}:{call.operation}"
    if named == "dynamodb:TransactWriteItems":
        return frozenset(
            (f"dynamodb:{_ITEM_ACTIONS[kind]}", of["TableName"])
            for action in call.parameters["TransactItems"]
            for kind, of in action.items()
        )
    if named == "dynamodb:BatchGetItem":
        return frozenset((named, table) for table in call.parameters["RequestItems"])
    return frozenset((action, _target(call)) for action in _OTHERWISE.get(named, (named,)))


_ITEM_ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


def _target(call: Call) -> str:
    given = call.parameters
    where = given.get("TableName") or given.get("QueueUrl") or given.get("TopicArn") or ""
    return re.split(r"[/:]", where)[-1]

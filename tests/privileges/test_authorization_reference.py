"""Every statement of the templates against the Service Authorization Reference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.privileges.authorization_reference import find_actions
from tests.privileges.granted import TEMPLATES, listed, resources_of, settled, statements_in

GLOBAL_KEYS = {
    "aws:PrincipalIsAWSService": "every request",
    "aws:PrincipalOrgID": "every request of a principal whose account is in an organization",
    "aws:ResourceOrgID": "every request for a resource whose account is in an organization, with listed exceptions",
    "aws:SecureTransport": "every request",
    "aws:SourceAccount": "every request of a service on behalf of an account",
    "aws:SourceArn": "every request of a service on behalf of a resource",
}
"""Keys that belong to no service (IAM User Guide, "AWS global condition context keys"), and where the context has them.

The tag keys are global too, but are there for such actions only as the reference lists them with.
"""
WITHOUT_ARN = {"AssumeRolePolicyDocument"}
"""Documents whose statements have no resource: the role itself is the resource."""
_SAMPLES: Mapping[str, str] = {
    "AWS::CloudTrail::Trail": "arn:aws:cloudtrail:us-east-1:111122223333:trail/name",
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:us-east-1:111122223333:table/name",
    "AWS::IAM::Role": "arn:aws:iam::111122223333:role/name",
    "AWS::Lambda::Function": "arn:aws:lambda:us-east-1:111122223333:function:name",
    "AWS::Logs::LogGroup": "arn:aws:logs:us-east-1:111122223333:log-group:name:*",
    "AWS::S3::Bucket": "arn:aws:s3:::name",
    "AWS::Serverless::Function": "arn:aws:lambda:us-east-1:111122223333:function:name",
    "AWS::SNS::Topic": "arn:aws:sns:us-east-1:111122223333:name",
    "AWS::SQS::Queue": "arn:aws:sqs:us-east-1:111122223333:name",
}
"""What `!GetAtt X.Arn`, and `!Ref` of a topic, come to."""
_PARAMETERS: Mapping[str, str] = {
    "KeyArn": "arn:aws:kms:us-east-1:111122223333:key/name",
    "LogReaderRoleArn": "arn:aws:iam::111122223333:role/name",
    "PoolFunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:name",
    "TrailKeyArn": "arn:aws:kms:us-east-1:111122223333:key/name",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with the ARNs that its resources come to."""

    holder: str
    """The template and the resource that the statement belongs to."""
    value: Mapping[str, Any] = field(repr=False)
    arns: tuple[str, ...]

    @property
    def actions(self) -> list[str]:
        """The actions, as the template names them."""
        return listed(self.value["Action"])

    @property
    def keys(self) -> set[str]:
        """The condition keys."""
        return {key for tests in settled(self.value.get("Condition", {})).values() for key in tests}


def _statements() -> Iterator[Statement]:
    for template in TEMPLATES:
        resources = resources_of(template)
        for name, resource in resources.items():
            properties = resource["Properties"]
            holder = f"{template}:{name}"
            documents = [settled(policy)["PolicyDocument"] for policy in properties.get("Policies", ())]
            documents += [properties[key] for key in ("PolicyDocument", "KeyPolicy") if key in properties]
            if resource["Type"] == "AWS::Events::EventBusPolicy":
                documents.append({"Statement": properties["Statement"]})
            for statement in statements_in(documents):
                arns = tuple(arn for value in listed(statement["Resource"]) for arn in _arns(value, resources))
                yield Statement(holder, statement, arns)
            for document in WITHOUT_ARN & set(properties):
                for statement in statements_in([properties[document]]):
                    yield Statement(holder, statement, (_SAMPLES["AWS::IAM::Role"],))


def _arns(value: Any, resources: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    match value:
        case str():
            yield value
        case {"!If": [_, first, second]}:
            yield from _arns(first, resources)
            yield from _arns(second, resources)
        case {"!Ref": "AWS::NoValue"}:
            return
        case {"!Ref": str(name)}:
            yield _PARAMETERS[name] if name in _PARAMETERS else _SAMPLES[resources[name]["Type"]]
        case {"!GetAtt": str(name)}:
            yield _SAMPLES[resources[name.removesuffix(".Arn")]["Type"]]
        case {"!Sub": str(text)}:
            for name, resource in resources.items():
                text = text.replace(f"${{{name}.Arn}}", _SAMPLES.get(resource["Type"], ""))
            yield text
        case _:
            pytest.fail(f"a resource that this test cannot resolve: {value}")


STATEMENTS = tuple(_statements())
ALLOWING = tuple(statement for statement in STATEMENTS if statement.value["Effect"] == "Allow")


def test_every_template_has_statements() -> None:
    assert len(STATEMENTS) > 80
    assert {statement.holder.split(":")[0] for statement in STATEMENTS} == set(TEMPLATES)


def test_a_name_that_no_service_has_is_found_out() -> None:
    assert find_actions("ec2:TerminateInstances")
    assert not find_actions("ec2:TerminateInstance")
    assert not find_actions("ec3:TerminateInstances")
    (action,) = find_actions("ec2:CreateSubnet")
    vpc, subnet = (f"arn:${{AWS::Partition}}:ec2:*:${{AWS::AccountId}}:{kind}/*" for kind in ("vpc", "subnet"))
    assert action.knows_key("aws:ResourceTag/landkeeper:unfinished", vpc)
    assert not action.knows_key("aws:ResourceTag/landkeeper:unfinished", subnet)
    assert not action.types_of("arn:aws:ec2:*:111122223333:instance/*")


def test_every_action_exists() -> None:
    unknown = {action for statement in STATEMENTS for action in statement.actions if not find_actions(action)}
    assert unknown == set()


def test_every_condition_key_is_one_that_the_action_knows_for_the_resource() -> None:
    unknown = {
        (statement.holder, action.name, key, arn)
        for statement in STATEMENTS
        for pattern in statement.actions
        for action in find_actions(pattern)
        for key in statement.keys - set(GLOBAL_KEYS)
        for arn in statement.arns
        if action.types_of(arn)
        if not action.knows_key(key, arn)
    }
    assert unknown == set()


def test_each_global_key_of_the_list_is_used() -> None:
    assert set(GLOBAL_KEYS) <= {key for statement in STATEMENTS for key in statement.keys}


def test_every_action_supports_a_resource_of_its_statement_and_every_resource_an_action() -> None:
    idle = set[tuple[str, str]]()
    for statement in ALLOWING:
        actions = [action for pattern in statement.actions for action in find_actions(pattern)]
        for action in actions:
            # An action without resource types is allowed by * alone.
            supported = any(
                action.types_of(arn) or (arn == "*" and not action.resource_types) for arn in statement.arns
            )
            idle |= set() if supported else {(statement.holder, action.name)}
        named = [arn for arn in statement.arns if arn != "*"]
        idle |= {(statement.holder, arn) for arn in named if not any(action.types_of(arn) for action in actions)}
    assert idle == set()


def test_every_resource_type_that_an_action_requires_is_allowed_by_some_statement_of_the_role() -> None:
    """CreateSubnet is checked for the subnet and for the VPC: allowed for one alone it is refused."""
    allowed = defaultdict[tuple[str, str], set[str]](set)
    for statement in ALLOWING:
        for pattern in statement.actions:
            for action in find_actions(pattern):
                for arn in statement.arns:
                    allowed[statement.holder, action.name] |= {kind.name for kind in action.types_of(arn)}
    missing = {
        (holder, name, kind.name)
        for (holder, name), kinds in allowed.items()
        for action in find_actions(name)
        for kind in action.resource_types
        if kind.is_required and kind.name not in kinds
    }
    assert missing == set()

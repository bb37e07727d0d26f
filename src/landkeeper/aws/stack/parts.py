"""What a deployed stack is made of, as the services describe it: the stack itself, tables, functions, rules.

Each read answers a fact of the doctor's, or the `Failure` that AWS gave instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from botocore.exceptions import ClientError

from landkeeper.aws.failures import CALL_ERRORS, failure_of
from landkeeper.operate.doctor.facts import (
    Caller,
    Function,
    Mapped,
    Organization,
    Resource,
    Rule,
    StackParts,
    Table,
)
from landkeeper.org import AccountId, Failure, FailureReason, Region

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_sts import STSClient

_P = ParamSpec("_P")
_T = TypeVar("_T")

# How the older protocols say that something is not there, with codes that say nothing by themselves.
_NOT_THERE = ("does not exist", "NonExistentQueue", "NoSuchEntity", "not found")


def reading(read: Callable[_P, _T]) -> Callable[_P, _T | Failure]:
    """The read, with what botocore raises as a value."""

    @wraps(read)
    def safely(*args: _P.args, **kwargs: _P.kwargs) -> _T | Failure:
        try:
            return read(*args, **kwargs)
        except CALL_ERRORS as error:
            failure = failure_of(error)
            if failure.reason is FailureReason.OTHER and any(
                phrase in f"{failure.code} {failure.message}" for phrase in _NOT_THERE
            ):
                return Failure(FailureReason.NOT_FOUND, failure.code, failure.message)
            return failure

    return safely


def read_caller(sts: STSClient, clock: Callable[[], datetime]) -> Caller | Failure:
    """Whose the credentials at hand are, and what AWS's clock says beside this machine's."""
    try:
        answer = sts.get_caller_identity()
    except CALL_ERRORS as error:
        failure = failure_of(error)
        told_at = _date_of(error.response.get("ResponseMetadata", {})) if isinstance(error, ClientError) else None
        if told_at is None:
            return failure
        # A clock that is wrong makes signatures that are refused: without its time the refusal says nothing.
        message = f"{failure.message} (AWS's clock: {told_at:%H:%M:%S}, this machine's: {clock():%H:%M:%S} UTC)"
        return Failure(failure.reason, failure.code, message)
    return Caller(answer["Arn"], AccountId(answer["Account"]), _date_of(answer["ResponseMetadata"]), clock())


def _date_of(metadata: Mapping[str, Any]) -> datetime | None:
    text = metadata.get("HTTPHeaders", {}).get("date", "")
    try:
        return parsedate_to_datetime(text).astimezone(UTC) if text else None
    except ValueError:
        return None


@reading
def read_stack(client: CloudFormationClient, name: str, region: Region) -> StackParts:
    """The stack with its parameters, outputs and resources. NOT_FOUND where there is none."""
    stack = client.describe_stacks(StackName=name)["Stacks"][0]
    pages = client.get_paginator("list_stack_resources").paginate(StackName=name)
    return StackParts(
        name=name,
        region=region,
        status=stack["StackStatus"],
        status_reason=stack.get("StackStatusReason", ""),
        outputs={output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
        parameters={
            parameter["ParameterKey"]: parameter.get("ParameterValue", "") for parameter in stack.get("Parameters", [])
        },
        resources={
            resource["LogicalResourceId"]: Resource(
                resource.get("PhysicalResourceId", ""), resource["ResourceType"], resource["ResourceStatus"]
            )
            for page in pages
            for resource in page["StackResourceSummaries"]
            if resource["ResourceStatus"] != "DELETE_COMPLETE"
        },
    )


@reading
def read_table(client: DynamoDBClient, name: str) -> Table:
    """A table's status, keys and indexes."""
    table = client.describe_table(TableName=name)["Table"]
    return Table(
        name,
        table["TableStatus"],
        tuple((key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]),
        frozenset(index["IndexName"] for index in table.get("GlobalSecondaryIndexes", ())),
    )


@reading
def read_function(client: LambdaClient, name: str) -> Function:
    """A function's configuration and state."""
    configuration = client.get_function_configuration(FunctionName=name)
    return Function(
        name=configuration["FunctionName"],
        arn=configuration["FunctionArn"],
        state=configuration.get("State", "Active"),
        state_reason=configuration.get("StateReason", ""),
        last_update=configuration.get("LastUpdateStatus", ""),
        last_update_reason=configuration.get("LastUpdateStatusReason", ""),
        runtime=configuration.get("Runtime", ""),
        code_sha256=configuration["CodeSha256"],
        environment=configuration.get("Environment", {}).get("Variables", {}),
    )


@reading
def read_mappings(client: LambdaClient, function: str) -> Sequence[Mapped]:
    """The queues that feed a function."""
    pages = client.get_paginator("list_event_source_mappings").paginate(FunctionName=function)
    return tuple(
        Mapped(mapping.get("EventSourceArn", ""), mapping["State"], mapping["UUID"])
        for page in pages
        for mapping in page["EventSourceMappings"]
    )


@reading
def read_rule(events: Any, name: str, sample: Mapping[str, Any]) -> Rule:
    """A rule of the default event bus; `sample` is the event of a new log file, to see whether the rule takes it."""
    rule = events.describe_rule(Name=name)
    targets = events.list_targets_by_rule(Rule=name)["Targets"]
    pattern = rule.get("EventPattern")
    takes = bool(
        pattern and events.test_event_pattern(EventPattern=pattern, Event=json.dumps(sample)).get("Result", False)
    )
    return Rule(rule["Arn"], name, rule["State"] != "DISABLED", tuple(target["Arn"] for target in targets), takes)


@reading
def ask_function(client: LambdaClient, function: str, question: Mapping[str, Any]) -> Mapping[str, Any] | Failure:
    """What the function answers to the question; a Failure with its own words where it does not understand it."""
    answer = client.invoke(FunctionName=function, Payload=json.dumps(question).encode())
    body: Any = json.loads(answer["Payload"].read() or b"null")
    if isinstance(body, dict) and body.get("landkeeper") == question["task"]:
        return dict(body)
    said = body.get("errorMessage", "") if isinstance(body, dict) else ""
    return Failure(FailureReason.OTHER, "FunctionError" if answer.get("FunctionError") else "NoAnswer", str(said))


@reading
def read_organization(organizations: OrganizationsClient, account: AccountId) -> Organization:
    """The organization, and whether the account administers anything for it. NOT_FOUND where there is none."""
    organization = organizations.describe_organization()["Organization"]
    return Organization(
        organization["Id"], AccountId(organization["MasterAccountId"]), _is_delegated(organizations, account)
    )


@reading
def _is_delegated(organizations: OrganizationsClient, account: AccountId) -> bool:
    pages = organizations.get_paginator("list_delegated_administrators").paginate()
    return any(administrator["Id"] == account for page in pages for administrator in page["DelegatedAdministrators"])

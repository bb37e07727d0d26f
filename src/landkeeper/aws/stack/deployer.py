"""CloudFormation stacks: a change set made, shown, executed, with the stack's events as they come."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, WaiterError

from landkeeper.operate.stacks import (
    Change,
    ChangeSet,
    PropertyChange,
    StackError,
    StackEvent,
    StackResource,
    StackState,
)

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef
    from mypy_boto3_lambda import LambdaClient

_CAPABILITIES = ("CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
_NO_CHANGE = ("didn't contain changes", "No updates are to be performed")
_NOT_YET = "REVIEW_IN_PROGRESS"
_FUNCTION = "AWS::Lambda::Function"
_CONSEQUENCE = "cancelled"
"""In the reason of every resource that was under way when another one failed."""
_REFERENCES = {"ResourceReference", "ResourceAttribute"}
_ELSEWHERE = "Call DescribeEvents"
"""In the reason of a stack that failed before anything was made: what was wrong is told elsewhere."""


class StackDeployer:
    """Makes and executes change sets in one account and region."""

    def __init__(
        self, cloudformation: CloudFormationClient, functions: LambdaClient, *, poll_seconds: float = 2.0
    ) -> None:
        """`functions` is a client of Lambda; `poll_seconds` is how often CloudFormation is asked how far it is."""
        self._client = cloudformation
        self._functions = functions
        self._poll_seconds = poll_seconds

    def find(self, stack_name: str) -> StackState | None:
        """The stack as it is; None where there is none, or none but an empty one that waits for its change set."""
        try:
            stack = self._client.describe_stacks(StackName=stack_name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in error.response["Error"].get("Message", ""):
                return None
            raise
        if stack["StackStatus"] == _NOT_YET:
            return None
        return StackState(
            stack["StackStatus"],
            {
                parameter["ParameterKey"]: parameter.get("ParameterValue", "")
                for parameter in stack.get("Parameters", [])
            },
        )

    def plan(
        self, stack_name: str, template_url: str, parameters: Mapping[str, str], *, state: StackState | None
    ) -> ChangeSet:
        """A change set that brings the stack to the template. Raises StackError when CloudFormation refuses it.

        Of a stack that is there, parameters that are not given stay as they are. What a template says to keep and
        an earlier stack has left behind is adopted, by its name (CloudFormation API Reference, "CreateChangeSet").
        """
        change_set_name = f"landkeeper-{uuid.uuid4().hex[:12]}"
        try:
            self._client.create_change_set(
                StackName=stack_name,
                ChangeSetName=change_set_name,
                ChangeSetType="CREATE" if state is None else "UPDATE",
                TemplateURL=template_url,
                Parameters=self._parameters(template_url, parameters, state),
                Capabilities=list(_CAPABILITIES),  # type: ignore[arg-type]
                ImportExistingResources=True,
            )
            self._client.get_waiter("change_set_create_complete").wait(
                StackName=stack_name,
                ChangeSetName=change_set_name,
                WaiterConfig={"Delay": max(1, round(self._poll_seconds)), "MaxAttempts": 150},
            )
        except ClientError as error:
            raise StackError(f"stack {stack_name}: {error.response['Error'].get('Message', error)}") from error
        except WaiterError as error:
            return self._without_changes(stack_name, change_set_name, error)
        return ChangeSet(stack_name, change_set_name, tuple(self._changes(stack_name, change_set_name)))

    def read_template(self, change_set: ChangeSet) -> str:
        """Return the template that CloudFormation has read for the change set, as it was written."""
        answer = self._client.get_template(
            StackName=change_set.stack_name, ChangeSetName=change_set.name, TemplateStage="Original"
        )
        # JSON comes parsed from the SDK, YAML as text.
        body: Any = answer["TemplateBody"]
        return body if isinstance(body, str) else json.dumps(body)

    def read_code_digests(self, stack_name: str) -> dict[str, str]:
        """Return the SHA-256 of the code of the stack's functions in hexadecimal, by the function's name."""
        names = [found.physical_id for found in self.resources(stack_name) if found.resource_type == _FUNCTION]
        digests = {
            name: self._functions.get_function(FunctionName=name)["Configuration"]["CodeSha256"] for name in names
        }
        return {name: base64.b64decode(digest).hex() for name, digest in digests.items()}

    def _parameters(
        self, template_url: str, given: Mapping[str, str], state: StackState | None
    ) -> list[ParameterTypeDef]:
        wanted: list[ParameterTypeDef] = [
            {"ParameterKey": name, "ParameterValue": value} for name, value in given.items()
        ]
        if state is not None and state.parameters.keys() - given:
            # Only what the template still has: a parameter that it does not know is refused.
            known = self._client.get_template_summary(TemplateURL=template_url).get("Parameters", [])
            names = {parameter["ParameterKey"] for parameter in known}
            kept = sorted((state.parameters.keys() - given) & names)
            wanted += [{"ParameterKey": name, "UsePreviousValue": True} for name in kept]
        return wanted

    def execute(self, change_set: ChangeSet, on_event: Callable[[StackEvent], None]) -> dict[str, str]:
        """Execute the change set, tell of every event, and answer the stack's outputs.

        Raises StackError with the reason of the resource that failed first; CloudFormation has then rolled back.
        """
        name = change_set.stack_name
        seen = self._latest_events(name)
        self._client.execute_change_set(StackName=name, ChangeSetName=change_set.name)
        status, failed = self._follow(name, seen, on_event)
        if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
            raise StackError(f"stack {name} is {status}: {self._why(name, failed)}")
        return self.outputs(name)

    def discard(self, change_set: ChangeSet) -> None:
        """Drop a change set that will not be executed, and the empty stack that it was to become."""
        name = change_set.stack_name
        self._client.delete_change_set(StackName=name, ChangeSetName=change_set.name)
        self._drop_if_empty(name)

    def _drop_if_empty(self, stack_name: str) -> None:
        try:
            stacks = self._client.describe_stacks(StackName=stack_name)["Stacks"]
        except ClientError:
            return
        if stacks[0]["StackStatus"] == _NOT_YET:
            self._client.delete_stack(StackName=stack_name)

    def outputs(self, stack_name: str) -> dict[str, str]:
        """The stack's outputs by key."""
        stack = self._client.describe_stacks(StackName=stack_name)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def resources(self, stack_name: str) -> list[StackResource]:
        """What the stack has made and still holds."""
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=stack_name)
        return [
            StackResource(
                resource["LogicalResourceId"], resource.get("PhysicalResourceId", ""), resource["ResourceType"]
            )
            for page in pages
            for resource in page["StackResourceSummaries"]
            if resource["ResourceStatus"] != "DELETE_COMPLETE"
        ]

    def delete(self, stack_name: str, on_event: Callable[[StackEvent], None]) -> None:
        """Delete the stack, tell of every event; what its template says to keep stays.

        Raises StackError with the reasons of what could not be deleted.
        """
        stack_id = self._client.describe_stacks(StackName=stack_name)["Stacks"][0].get("StackId", stack_name)
        seen = self._latest_events(stack_id)
        self._client.delete_stack(StackName=stack_id)
        # By its id a stack that is gone can still be looked at (CloudFormation API Reference, "DescribeStacks").
        status, failed = self._follow(stack_id, seen, on_event)
        if status != "DELETE_COMPLETE":
            raise StackError(f"stack {stack_name} is {status}: {self._why(stack_id, failed)}")

    def _follow(
        self, stack: str, seen: set[str], on_event: Callable[[StackEvent], None]
    ) -> tuple[str, list[StackEvent]]:
        failed: list[StackEvent] = []
        while True:
            status = self._client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
            for event in reversed(list(self._new_events(stack, seen))):
                seen.add(event["EventId"])
                stack_event = StackEvent(
                    event.get("LogicalResourceId", ""),
                    event.get("ResourceType", ""),
                    event.get("ResourceStatus", ""),
                    event.get("ResourceStatusReason", ""),
                )
                on_event(stack_event)
                if stack_event.status.endswith("_FAILED"):
                    failed.append(stack_event)
            if not status.endswith("_IN_PROGRESS"):
                return status, failed
            time.sleep(self._poll_seconds)

    def _why(self, stack: str, failed: list[StackEvent]) -> str:
        """Why it failed: the first failure that is no mere consequence of another one."""
        causes = [event for event in failed if _CONSEQUENCE not in event.reason.lower()] or failed
        if not causes:
            return "no reason given"
        if _ELSEWHERE in causes[0].reason:
            return "; ".join(self._problems(stack)) or causes[0].reason
        return f"{causes[0].resource}: {causes[0].reason}"

    def _problems(self, stack: str) -> list[str]:
        """What CloudFormation found wrong before it made anything (API Reference, "DescribeEvents")."""
        pages = self._client.get_paginator("describe_events").paginate(StackName=stack)
        return [
            f"{event.get('LogicalResourceId', '')}: {event['ValidationStatusReason']}"
            for page in pages
            for event in page["OperationEvents"]
            if event.get("ValidationStatusReason")
        ]

    def _latest_events(self, stack: str) -> set[str]:
        """The ids of the newest events: those of the first page, beyond which nobody has to look again."""
        return {event["EventId"] for event in self._client.describe_stack_events(StackName=stack)["StackEvents"]}

    def _new_events(self, stack: str, seen: Collection[str]) -> Iterator[dict[str, str]]:
        """The events since those that were seen, the newest first; no page is asked for beyond the first of these.

        They come in reverse chronological order (CloudFormation API Reference, "DescribeStackEvents"). Of a stack
        that was updated often there are many pages, and asking for all of them every few seconds is throttled.
        """
        for page in self._client.get_paginator("describe_stack_events").paginate(StackName=stack):
            for event in page["StackEvents"]:
                if event["EventId"] in seen:
                    return
                yield dict(event)  # type: ignore[arg-type]

    def _changes(self, stack_name: str, change_set_name: str) -> Iterator[Change]:
        pages = self._client.get_paginator("describe_change_set").paginate(
            StackName=stack_name, ChangeSetName=change_set_name, IncludePropertyValues=True
        )
        for page in pages:
            yield from (_change(change.get("ResourceChange", {})) for change in page.get("Changes", []))

    def _without_changes(self, stack_name: str, change_set_name: str, error: WaiterError) -> ChangeSet:
        answer = self._client.describe_change_set(StackName=stack_name, ChangeSetName=change_set_name)
        reason = answer.get("StatusReason", str(error))
        self.discard(ChangeSet(stack_name, change_set_name, ()))
        if any(phrase in reason for phrase in _NO_CHANGE):
            return ChangeSet(stack_name, change_set_name, ())
        raise StackError(f"stack {stack_name}: {reason}")


def _change(change: Mapping[str, Any]) -> Change:
    return Change(
        change.get("Action", ""),
        change.get("LogicalResourceId", ""),
        change.get("ResourceType", ""),
        change.get("Replacement") == "True",
        tuple(dict.fromkeys(_properties(change.get("Details", ())))),
    )


def _properties(details: Any) -> Iterator[PropertyChange]:
    for detail in details:
        target = detail.get("Target", {})
        path = target.get("Path", "").removeprefix("/Properties/") or target.get("Name") or target.get("Attribute", "")
        refers = detail.get("Evaluation") == "Dynamic" and detail.get("ChangeSource", "") in _REFERENCES
        yield PropertyChange(path, target.get("BeforeValue", ""), target.get("AfterValue", ""), refers)

"""CloudFormation stacks: a change set made, shown, executed, with the stack's events as they come."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, WaiterError

from landkeeper.operate.stacks import Change, ChangeSet, StackError, StackEvent

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef

_CAPABILITIES = ("CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
_NO_CHANGE = ("didn't contain changes", "No updates are to be performed")


class StackDeployer:
    """Makes and executes change sets in one account and region."""

    def __init__(self, cloudformation: CloudFormationClient, *, poll_seconds: float = 2.0) -> None:
        """`poll_seconds` is how often CloudFormation is asked how far it is."""
        self._client = cloudformation
        self._poll_seconds = poll_seconds

    def plan(self, stack_name: str, template: str, parameters: Mapping[str, str]) -> ChangeSet:
        """A change set that brings the stack to the template. Raises StackError when CloudFormation refuses it."""
        change_set_name = f"landkeeper-{uuid.uuid4().hex[:12]}"
        given: list[ParameterTypeDef] = [
            {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()
        ]
        try:
            self._client.create_change_set(
                StackName=stack_name,
                ChangeSetName=change_set_name,
                ChangeSetType="UPDATE" if self._exists(stack_name) else "CREATE",
                TemplateBody=template,
                Parameters=given,
                Capabilities=list(_CAPABILITIES),  # type: ignore[arg-type]
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

    def execute(self, change_set: ChangeSet, on_event: Callable[[StackEvent], None]) -> dict[str, str]:
        """Execute the change set, tell of every event, and answer the stack's outputs.

        Raises StackError with the reasons of the resources that failed; CloudFormation has then rolled back.
        """
        seen = {event["EventId"] for event in self._events(change_set.stack_name)}
        self._client.execute_change_set(StackName=change_set.stack_name, ChangeSetName=change_set.name)
        failed: list[StackEvent] = []
        while True:
            status = self._status(change_set.stack_name)
            for event in reversed(
                [each for each in self._events(change_set.stack_name) if each["EventId"] not in seen]
            ):
                seen.add(event["EventId"])
                told = StackEvent(
                    event.get("LogicalResourceId", ""),
                    event.get("ResourceType", ""),
                    event.get("ResourceStatus", ""),
                    event.get("ResourceStatusReason", ""),
                )
                on_event(told)
                if told.status.endswith("_FAILED"):
                    failed.append(told)
            if not status.endswith("_IN_PROGRESS"):
                break
            time.sleep(self._poll_seconds)
        if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            reasons = "; ".join(f"{event.resource}: {event.reason}" for event in failed) or "no reason given"
            raise StackError(f"stack {change_set.stack_name} is {status}: {reasons}")
        return self.outputs(change_set.stack_name)

    def outputs(self, stack_name: str) -> dict[str, str]:
        """The stack's outputs by key."""
        stack = self._client.describe_stacks(StackName=stack_name)["Stacks"][0]
        return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}

    def _exists(self, stack_name: str) -> bool:
        try:
            return self._status(stack_name) != "REVIEW_IN_PROGRESS"
        except ClientError as error:
            if "does not exist" in error.response["Error"].get("Message", ""):
                return False
            raise

    def _status(self, stack_name: str) -> str:
        return self._client.describe_stacks(StackName=stack_name)["Stacks"][0]["StackStatus"]

    def _events(self, stack_name: str) -> list[dict[str, str]]:
        pages = self._client.get_paginator("describe_stack_events").paginate(StackName=stack_name)
        return [dict(event) for page in pages for event in page["StackEvents"]]  # type: ignore[arg-type]

    def _changes(self, stack_name: str, change_set_name: str) -> Iterator[Change]:
        pages = self._client.get_paginator("describe_change_set").paginate(
            StackName=stack_name, ChangeSetName=change_set_name
        )
        for page in pages:
            for each in page.get("Changes", []):
                change = each.get("ResourceChange", {})
                yield Change(
                    change.get("Action", ""),
                    change.get("LogicalResourceId", ""),
                    change.get("ResourceType", ""),
                    change.get("Replacement") == "True",
                )

    def _without_changes(self, stack_name: str, change_set_name: str, error: WaiterError) -> ChangeSet:
        answer = self._client.describe_change_set(StackName=stack_name, ChangeSetName=change_set_name)
        reason = answer.get("StatusReason", str(error))
        if any(phrase in reason for phrase in _NO_CHANGE):
            self._client.delete_change_set(StackName=stack_name, ChangeSetName=change_set_name)
            return ChangeSet(stack_name, change_set_name, ())
        raise StackError(f"stack {stack_name}: {reason}")

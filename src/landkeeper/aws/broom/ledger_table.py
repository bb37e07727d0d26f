"""Broom's ledger in DynamoDB: an item for each case, for each counter and for the kill switch, by `InstanceId`.

botocore repeats a call whose answer was lost, and the condition of the repeated write fails on what the first one
wrote. So every write carries an id, and a condition that fails on that same id is no failure.
Source: Amazon DynamoDB Developer Guide, "Condition expressions", on `ReturnValuesOnConditionCheckFailure`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from landkeeper.aws.failures import failure_of
from landkeeper.aws.items import from_item, to_item
from landkeeper.broom.case import Case, State
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.stored_case import LedgerError, WrongLedgerError, case_to_record, parse_case
from landkeeper.broom.switch import SWITCH_KEY, ActionSwitch, parse_switch, switch_to_record
from landkeeper.org import FailureReason, format_exact_time

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEX = "State-DueAt-index"
_KEY = "InstanceId"
_WRITE_ID = "WriteId"
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_CONDITION_FAILED = "ConditionalCheckFailedException"


class LedgerTable:
    """Broom's `Ledger` in a DynamoDB table. Raises LedgerError when the table does not answer."""

    def __init__(self, client: DynamoDBClient, name: str, *, keep: timedelta | None = None) -> None:
        """`client` is DynamoDB's, in the table's account and region. `keep` is how long cases stay once they are
        settled; None for good. A case whose time is over is gone, whether DynamoDB has removed it yet or not."""
        self._client = client
        self._name = name
        self._keep = keep

    def find_cases(self, ids: Sequence[InstanceId]) -> Mapping[InstanceId, Case]:
        """Return the stored cases of these instances."""
        found = {}
        with _explaining(self._name):
            for id_ in ids:
                answer = self._client.get_item(TableName=self._name, Key={_KEY: {"S": id_}}, ConsistentRead=True)
                if "Item" in answer and not _has_expired(answer["Item"]):
                    found[id_] = self._parse(answer["Item"])
        return found

    def list_cases(
        self, state: State, *, due_after: datetime | None = None, due_before: datetime | None = None
    ) -> Iterator[Case]:
        """Yield the cases in a state, the next due first; with times, only those that are due between them.

        Read through the index, which follows the table within a second or so.
        """
        first, last = format_exact_time(due_after or _FIRST), format_exact_time(due_before or _LAST)
        with _explaining(self._name):
            for page in self._client.get_paginator("query").paginate(
                TableName=self._name,
                IndexName=INDEX,
                KeyConditionExpression="#state = :state AND DueAt BETWEEN :first AND :last",
                ExpressionAttributeNames={"#state": "State"},
                ExpressionAttributeValues={":state": {"S": str(state)}, ":first": {"S": first}, ":last": {"S": last}},
            ):
                yield from (self._parse(item) for item in page["Items"] if not _has_expired(item))

    def _parse(self, item: Mapping[str, Any]) -> Case:
        return parse_case(from_item(item))

    def write_case(self, case: Case) -> bool:
        """Write a case and return True if its version follows the stored one; else write nothing and return False."""
        write_id = _new_id()
        item = to_item({**case_to_record(case), _WRITE_ID: write_id})
        if self._keep is not None and case.is_settled:
            item["ExpiresAt"] = {"N": str(int((case.changed_at + self._keep).timestamp()))}
        before = case.version - 1
        condition: dict[str, Any] = {
            "ConditionExpression": "attribute_not_exists(InstanceId) OR ExpiresAt <= :now",
            "ExpressionAttributeValues": {":now": {"N": str(int(time.time()))}},
        }
        if before:
            condition = {
                "ConditionExpression": "#version = :before",
                "ExpressionAttributeNames": {"#version": "Version"},
                "ExpressionAttributeValues": {":before": {"N": str(before)}},
            }
        return self._is_written(
            write_id,
            lambda: self._client.put_item(
                TableName=self._name, Item=item, ReturnValuesOnConditionCheckFailure="ALL_OLD", **condition
            ),
        )

    def take(self, counter: str, limit: int, expires_at: datetime) -> bool:
        """Add one to a counter and return True if it stays within `limit`; else add nothing and return False."""
        if limit < 1:
            return False
        write_id = _new_id()
        return self._is_written(
            write_id,
            lambda: self._client.update_item(
                TableName=self._name,
                Key={_KEY: {"S": counter}},
                UpdateExpression="ADD Taken :one SET ExpiresAt = :expires_at, WriteId = :write_id",
                ConditionExpression=(
                    "attribute_not_exists(Taken) OR (Taken < :limit AND"
                    " (attribute_not_exists(WriteId) OR WriteId <> :write_id))"
                ),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                ExpressionAttributeValues={
                    ":write_id": {"S": write_id},
                    ":one": {"N": "1"},
                    ":limit": {"N": str(limit)},
                    ":expires_at": {"N": str(int(expires_at.timestamp()))},
                },
            ),
        )

    def read_switch(self) -> ActionSwitch:
        """Return the kill switch; one that was never turned is on."""
        with _explaining(self._name):
            answer = self._client.get_item(TableName=self._name, Key={_KEY: {"S": SWITCH_KEY}}, ConsistentRead=True)
        return parse_switch(from_item(answer["Item"])) if "Item" in answer else ActionSwitch()

    def write_switch(self, switch: ActionSwitch) -> None:
        """Store the kill switch, whatever is stored now."""
        with _explaining(self._name):
            self._client.put_item(TableName=self._name, Item=to_item(switch_to_record(switch)))

    def _is_written(self, write_id: str, write: Callable[[], object]) -> bool:
        """Return whether the write was made, be it by a call whose answer was lost."""
        with _explaining(self._name):
            try:
                write()
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") != _CONDITION_FAILED:
                    raise
                stored: Mapping[str, Any] = error.response.get("Item", {})  # type: ignore[assignment]
                return stored.get(_WRITE_ID) == {"S": write_id}
        return True


def _new_id() -> str:
    return uuid4().hex


def _has_expired(item: Mapping[str, Any]) -> bool:
    """Return whether the item has expired. DynamoDB removes such items within days.

    Source: Amazon DynamoDB Developer Guide, "Time to Live".
    """
    return "ExpiresAt" in item and int(item["ExpiresAt"]["N"]) <= time.time()


@contextmanager
def _explaining(table: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        failure = failure_of(error)
        kind = WrongLedgerError if failure.reason is FailureReason.NOT_FOUND else LedgerError
        raise kind(f"the DynamoDB table '{table}' does not answer: {failure}") from error

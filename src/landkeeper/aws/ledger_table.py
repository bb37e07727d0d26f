"""Broom's ledger in DynamoDB: one item a case, and one a counter, under the key `InstanceId`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from landkeeper.aws.failures import failure_of
from landkeeper.broom.case_record import LedgerError, case_to_record, parse_case
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.ledger import Case

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = "InstanceId"
_CONDITION_FAILED = "ConditionalCheckFailedException"


def create_ledger_table(client: DynamoDBClient, name: str) -> None:
    """Make the table, as the stack would, and wait until it is there."""
    with _explaining(name):
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": _KEY, "AttributeType": "S"}],
            KeySchema=[{"AttributeName": _KEY, "KeyType": "HASH"}],
        )
        client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})


class LedgerTable:
    """Broom's `Ledger` in a DynamoDB table. Raises LedgerError when the table does not answer."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        """`client` is DynamoDB's, in the table's account and region."""
        self._client = client
        self._name = name
        self._serialize = TypeSerializer().serialize
        self._deserialize = TypeDeserializer().deserialize

    def find_cases(self, ids: Sequence[InstanceId]) -> Mapping[InstanceId, Case]:
        """The cases there are of these instances, as last written."""
        found = {}
        with _explaining(self._name):
            for id_ in ids:
                answer = self._client.get_item(TableName=self._name, Key={_KEY: {"S": id_}}, ConsistentRead=True)
                if "Item" in answer:
                    record = {name: self._deserialize(value) for name, value in answer["Item"].items()}
                    found[id_] = parse_case(record)
        return found

    def write_case(self, case: Case) -> bool:
        """Write a case whose version is one above the stored one. False, and nothing written, where it is not."""
        item = {name: self._serialize(value) for name, value in case_to_record(case).items()}
        before = case.version - 1
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(InstanceId)"}
        if before:
            condition = {
                "ConditionExpression": "#version = :before",
                "ExpressionAttributeNames": {"#version": "Version"},
                "ExpressionAttributeValues": {":before": {"N": str(before)}},
            }
        return self._if_allowed(lambda: self._client.put_item(TableName=self._name, Item=item, **condition))

    def take(self, counter: str, limit: int, expires_at: datetime) -> bool:
        """Add one to a counter that may not go above `limit`. False, and nothing added, where it would."""
        if limit < 1:
            return False
        return self._if_allowed(
            lambda: self._client.update_item(
                TableName=self._name,
                Key={_KEY: {"S": counter}},
                UpdateExpression="ADD Taken :one SET ExpiresAt = :expires_at",
                ConditionExpression="attribute_not_exists(Taken) OR Taken < :limit",
                ExpressionAttributeValues={
                    ":one": {"N": "1"},
                    ":limit": {"N": str(limit)},
                    ":expires_at": {"N": str(int(expires_at.timestamp()))},
                },
            )
        )

    def _if_allowed(self, write: Callable[[], object]) -> bool:
        with _explaining(self._name):
            try:
                write()
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") != _CONDITION_FAILED:
                    raise
                return False
        return True


@contextmanager
def _explaining(table: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise LedgerError(f"the DynamoDB table '{table}' does not answer: {failure_of(error)}") from error

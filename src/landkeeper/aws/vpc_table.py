"""The store of VPC Tracker in DynamoDB: three tables, named after the first."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from landkeeper.aws.failures import failure_of
from landkeeper.org import AccountId, FailureReason
from landkeeper.vpctracker.attributes import (
    Attributes,
    coverage_from_attributes,
    coverage_to_attributes,
    history_of,
    vpc_from_attributes,
    vpc_to_attributes,
)
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.ports import StoreError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from landkeeper.vpctracker.inventory import Change, StoredVpc, VpcKey

OWNER_INDEX = "OwnerId-index"
HISTORY, COVERAGE, POOLS = "History", "Coverage", "Pools"
"""What the names of the other tables end in."""

# A transaction takes 100 actions and 4 MB (DynamoDB guide, "Managing complex workflows with DynamoDB transactions").
_PAIRS_PER_CALL = 50
_BYTES_PER_CALL = 3_000_000
_KEYS_PER_CALL = 100
_ATTEMPTS = 8
_FIRST_PAUSE_SECONDS = 0.05

_KEYS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "": (("VpcId", "HASH"), ("OwnerId", "RANGE")),
    HISTORY: (("VpcId", "HASH"), ("At", "RANGE")),
    COVERAGE: (("AccountId", "HASH"),),
    POOLS: (("PoolId", "HASH"), ("Item", "RANGE")),
}


def create_tables(client: DynamoDBClient, name: str) -> tuple[str, ...]:
    """Make those of the four tables that are not there, and wait until they can be used; answers their names."""
    made = []
    with _explaining(name):
        for suffix, keys in _KEYS.items():
            try:
                client.create_table(**_definition(name, suffix, keys))
            except client.exceptions.ResourceInUseException:
                continue
            made.append(name + suffix)
        for table in made:
            client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    return tuple(made)


def _definition(name: str, suffix: str, keys: tuple[tuple[str, str], ...]) -> Any:
    definition: dict[str, Any] = {
        "TableName": name + suffix,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
        "KeySchema": [{"AttributeName": key, "KeyType": kind} for key, kind in keys],
    }
    if not suffix:
        definition["GlobalSecondaryIndexes"] = [
            {
                "IndexName": OWNER_INDEX,
                "KeySchema": [{"AttributeName": "OwnerId", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ]
    return definition


def check_table(client: DynamoDBClient, name: str) -> None:
    """Raises StoreError when the table is not there, or has other keys than the tracker's."""
    with _explaining(name):
        table = client.describe_table(TableName=name)["Table"]
    keys = tuple((key["AttributeName"], key["KeyType"]) for key in table["KeySchema"])
    if keys != _KEYS[""]:
        found = " and ".join(key for key, _ in keys)
        raise StoreError(f"the table '{name}' is not VPC Tracker's: its key is {found}, not VpcId and OwnerId")
    if OWNER_INDEX not in {index.get("IndexName") for index in table.get("GlobalSecondaryIndexes", ())}:
        raise StoreError(f"the table '{name}' is not VPC Tracker's: it has no index {OWNER_INDEX}")


class VpcTable:
    """The tracker's `VpcStore` in DynamoDB."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        """`name` is the table of VPCs; those of history and coverage are named after it."""
        self._client = client
        self._name = name

    def read_owned(self, account: AccountId) -> Sequence[StoredVpc]:
        """What the account owns, by the index, which may be a moment behind."""
        with _explaining(self._name):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._name,
                IndexName=OWNER_INDEX,
                KeyConditionExpression="OwnerId = :owner",
                ExpressionAttributeValues={":owner": {"S": account}},
            )
            return [vpc_from_attributes(_from_item(item)) for page in pages for item in page["Items"]]

    def read_items(self, keys: Collection[VpcKey]) -> Sequence[StoredVpc]:
        """Those of the keys that are stored, read consistently."""
        wanted = [{"VpcId": {"S": key.vpc}, "OwnerId": {"S": key.owner}} for key in sorted(keys)]
        found: list[StoredVpc] = []
        with _explaining(self._name):
            for start in range(0, len(wanted), _KEYS_PER_CALL):
                found += map(vpc_from_attributes, self._read_batch(wanted[start : start + _KEYS_PER_CALL]))
        return found

    def _read_batch(self, keys: list[dict[str, Any]]) -> Iterator[Attributes]:
        request: Any = {self._name: {"Keys": keys, "ConsistentRead": True}}
        pauses = _pauses()
        while True:
            answer = self._client.batch_get_item(RequestItems=request)
            yield from map(_from_item, answer["Responses"].get(self._name, ()))
            request = answer.get("UnprocessedKeys")
            if not request:
                return
            if not next(pauses, False):
                raise StoreError(f"the table '{self._name}' is throttled: its reads did not get through")

    def read_all(self) -> Iterable[StoredVpc]:
        """Everything, deleted ones included, in the order of accounts."""
        found = map(vpc_from_attributes, self._scan(self._name))
        return sorted(found, key=lambda one: (one.vpc.owner, one.vpc.id))

    def write_changes(self, changes: Sequence[Change]) -> Sequence[Change]:
        """Write each change with its history entry, both or neither; answers those that came too late."""
        refused: list[Change] = []
        with _explaining(self._name):
            for batch in _batches(changes):
                refused += self._write_batch(batch)
        return refused

    def _write_batch(self, changes: list[Change]) -> list[Change]:
        """One failed action cancels a whole call: what came too late is put aside, and the rest is sent again."""
        refused: list[Change] = []
        pauses = _pauses()
        while changes:
            reasons = self._transact(changes)
            if not reasons:
                break
            late = ["ConditionalCheckFailed" in codes for codes in reasons]
            refused += [change for change, is_late in zip(changes, late, strict=True) if is_late]
            changes = [change for change, is_late in zip(changes, late, strict=True) if not is_late]
            if any(late):
                continue
            if not next(pauses, False):
                codes = sorted({code for pair in reasons for code in pair if code != "None"})
                raise StoreError(f"the DynamoDB table '{self._name}' refused a write: {', '.join(codes)}")
            if len(changes) > 1:
                # Another transaction holds one of these items: in halves the others need not wait for it.
                half = len(changes) // 2
                return refused + self._write_batch(changes[:half]) + self._write_batch(changes[half:])
        return refused

    def _transact(self, changes: Sequence[Change]) -> list[tuple[str, ...]]:
        """Empty when all of it was written, else for each change why its two actions were not."""
        actions: Any = [action for change in changes for action in self._actions(change)]
        try:
            self._client.transact_write_items(TransactItems=actions)
        except self._client.exceptions.TransactionCanceledException as error:
            codes = [str(reason.get("Code", "None")) for reason in error.response.get("CancellationReasons", ())]
            return [tuple(codes[2 * number : 2 * number + 2]) for number in range(len(changes))]
        return []

    def _actions(self, change: Change) -> Iterator[dict[str, Any]]:
        put: dict[str, Any] = {"TableName": self._name, "Item": _to_item(vpc_to_attributes(change.after))}
        if change.expected_version == 0:
            put["ConditionExpression"] = "attribute_not_exists(VpcId)"
        else:
            put["ConditionExpression"] = "Version = :expected"
            put["ExpressionAttributeValues"] = {":expected": {"N": str(change.expected_version)}}
        yield {"Put": put}
        yield {"Put": {"TableName": self._name + HISTORY, "Item": _to_item(history_of(change))}}

    def read_coverage(self, account: AccountId) -> Coverage:
        """What is known of the account; an empty Coverage for one that was never tried."""
        with _explaining(self._name + COVERAGE):
            answer = self._client.get_item(
                TableName=self._name + COVERAGE, Key={"AccountId": {"S": account}}, ConsistentRead=True
            )
        return coverage_from_attributes(_from_item(answer["Item"])) if "Item" in answer else Coverage(account)

    def write_coverage(self, coverage: Coverage) -> None:
        """Replace what is known of the account."""
        with _explaining(self._name + COVERAGE):
            self._client.put_item(TableName=self._name + COVERAGE, Item=_to_item(coverage_to_attributes(coverage)))

    def read_all_coverage(self) -> Iterable[Coverage]:
        """What is known of every account that was ever tried."""
        found = map(coverage_from_attributes, self._scan(self._name + COVERAGE))
        return sorted(found, key=lambda one: one.account)

    def read_history(self, vpc: str) -> Sequence[Attributes]:
        """The history of one VPC as stored, oldest first."""
        with _explaining(self._name + HISTORY):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._name + HISTORY,
                KeyConditionExpression="VpcId = :vpc",
                ExpressionAttributeValues={":vpc": {"S": vpc}},
            )
            return [_from_item(item) for page in pages for item in page["Items"]]

    def _scan(self, table: str) -> Iterator[Attributes]:
        with _explaining(table):
            for page in self._client.get_paginator("scan").paginate(TableName=table):
                yield from map(_from_item, page["Items"])


@contextmanager
def _explaining(table: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        failure = failure_of(error)
        if failure.reason is FailureReason.NOT_FOUND:
            raise StoreError(
                f"there is no DynamoDB table '{table}' in this account and region; "
                "`landkeeper vpc track --create-tables` makes it"
            ) from error
        raise StoreError(f"the DynamoDB table '{table}' does not answer: {failure}") from error


def _pauses() -> Iterator[bool]:
    """True after a pause that doubles, a few times."""
    for attempt in range(_ATTEMPTS):
        spread = random.uniform(0.5, 1.5)  # noqa: S311 - spreads retries, guards no secret
        time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt * spread)
        yield True


def _batches(changes: Sequence[Change]) -> Iterator[list[Change]]:
    batch: list[Change] = []
    size = 0
    for change in changes:
        bytes_of_change = len(json.dumps([vpc_to_attributes(change.after), history_of(change)]))
        if batch and (len(batch) == _PAIRS_PER_CALL or size + bytes_of_change > _BYTES_PER_CALL):
            yield batch
            batch, size = [], 0
        batch.append(change)
        size += bytes_of_change
    if batch:
        yield batch


_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def _to_item(attributes: Attributes) -> dict[str, Any]:
    return {name: _serializer.serialize(value) for name, value in attributes.items()}


def _from_item(item: Mapping[str, Any]) -> Attributes:
    return {name: _without_decimals(_deserializer.deserialize(value)) for name, value in item.items()}


def _without_decimals(value: Any) -> Any:
    match value:
        case Decimal():
            return int(value)
        case list():
            return [_without_decimals(one) for one in value]
        case dict():
            return {name: _without_decimals(one) for name, one in value.items()}
        case _:
            return value

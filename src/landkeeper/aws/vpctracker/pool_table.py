"""Pools in DynamoDB: the table that is named after that of VPCs."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING, Any

from landkeeper.aws.items import from_item, to_item
from landkeeper.aws.vpctracker.vpc_table import POOLS, VpcTable, translate_errors
from landkeeper.aws.vpctracker.vpc_writes import BUSY, LATE, retry_throttled
from landkeeper.vpctracker.attributes import ATTRIBUTES_OF_BLOCKS, Attributes, blocks_from_attributes
from landkeeper.vpctracker.cidr import shared_octets
from landkeeper.vpctracker.inventory import DELETED
from landkeeper.vpctracker.pools.items import META
from landkeeper.vpctracker.ports import StoreError
from landkeeper.vpctracker.schema import SCHEMA_VERSION, stamped, upgraded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from landkeeper.vpctracker.cidr import Block
    from landkeeper.vpctracker.coverage import Coverage
    from landkeeper.vpctracker.inventory import Vpc
    from landkeeper.vpctracker.pools.items import PoolWrite

_NAMES = tuple(f"#{name}" for name in (*ATTRIBUTES_OF_BLOCKS, "State", "SchemaVersion"))
"""What an allocation has to know of a VPC: not its subnets and connections, which are most of it."""

_SEGMENTS = 4
"""Parts of the table that are read side by side."""

_LATE_OR_BUSY = BUSY | {LATE}


class PoolTable:
    """The tracker's tables as `PoolStore` and `TrackedStore`."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        """`name` is the table of VPCs; that of pools is named after it."""
        self._client = client
        self._tracker = name
        self._name = name + POOLS
        self._vpcs = VpcTable(client, name)

    def check(self) -> None:
        """Raises StoreError when the table is not there or does not answer."""
        with translate_errors(self._name):
            self._client.describe_table(TableName=self._name)

    def read_pool_items(self, pool: str) -> Sequence[Attributes]:
        """`META`, which sorts first and so is read first, and the reservations, read consistently."""
        with translate_errors(self._name):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._name,
                KeyConditionExpression="PoolId = :pool AND #item >= :meta",
                ExpressionAttributeNames={"#item": "Item"},
                ExpressionAttributeValues={":pool": {"S": pool}, ":meta": {"S": META}},
                ConsistentRead=True,
            )
            return [upgraded(from_item(item)) for page in pages for item in page["Items"]]

    def find_pool_items(self, keys: Collection[tuple[str, str]]) -> Sequence[Attributes]:
        """Those of the keys that are stored, read consistently."""
        found: list[Attributes] = []
        with translate_errors(self._name):
            for pool, item in sorted(keys):
                key = {"PoolId": {"S": pool}, "Item": {"S": item}}
                answer = self._client.get_item(TableName=self._name, Key=key, ConsistentRead=True)
                if "Item" in answer:
                    found.append(upgraded(from_item(answer["Item"])))
        return found

    def write_pools(self, write: PoolWrite) -> bool:
        """Write all of it and raise the versions, or nothing; False where a version is not the expected one.

        False as well where somebody else is writing the same at this moment: it was not written then either.
        """
        actions: Any = list(self._actions(write))
        # The same token for every attempt: one that got through although its answer was lost is not written again.
        token = str(uuid.uuid4())
        with translate_errors(self._name):
            try:
                retry_throttled(
                    self._name,
                    lambda: self._client.transact_write_items(TransactItems=actions, ClientRequestToken=token),
                )
            except self._client.exceptions.TransactionCanceledException as error:
                reasons: Sequence[Any] = error.response.get("CancellationReasons", ())
                codes = {str(reason.get("Code", "None")) for reason in reasons} - {"None"}
                if not codes or codes - _LATE_OR_BUSY:
                    why = "; ".join(
                        ": ".join(filter(None, (reason.get("Code"), reason.get("Message")))) for reason in reasons
                    )
                    raise StoreError(f"the DynamoDB table '{self._name}' does not take it: {why or error}") from error
                return False
        return True

    def _actions(self, write: PoolWrite) -> Iterator[dict[str, Any]]:
        for pool, expected in write.expected.items():
            values = {
                ":version": expected + 1,
                ":schema": SCHEMA_VERSION,
                **({":expected": expected} if expected else {}),
            }
            update = {
                "Key": {"PoolId": {"S": pool}, "Item": {"S": META}},
                "UpdateExpression": "SET Version = :version, SchemaVersion = :schema",
                "ConditionExpression": "Version = :expected" if expected else "attribute_not_exists(Version)",
                "ExpressionAttributeValues": to_item(values),
            }
            yield {"Update": {"TableName": self._name, **update}}
        for item in write.puts:
            yield {"Put": {"TableName": self._name, "Item": to_item(stamped(item))}}
        for pool, name in write.deletes:
            yield {"Delete": {"TableName": self._name, "Key": {"PoolId": {"S": pool}, "Item": {"S": name}}}}

    def read_all_coverage(self) -> Iterable[Coverage]:
        """What is known of every account that was ever tried."""
        return self._vpcs.read_all_coverage()

    def read_live_vpcs(self, within: Block | None = None) -> Iterator[Vpc]:
        """Every VPC that is not deleted. Raises StoreError or StoredItemError for one that cannot be read.

        Read consistently: what a complete read has shown by now must not be missing. Only what is needed is sent.
        """
        with ThreadPoolExecutor(_SEGMENTS, thread_name_prefix="scan") as pool:
            segments = pool.map(lambda segment: self._read_segment(segment, within), range(_SEGMENTS))
            for item in chain.from_iterable(segments):
                yield blocks_from_attributes(upgraded(from_item(item)))

    def _read_segment(self, segment: int, within: Block | None) -> list[Any]:
        request: Any = {
            "TableName": self._tracker,
            "Segment": segment,
            "TotalSegments": _SEGMENTS,
            "ConsistentRead": True,
            "ProjectionExpression": ", ".join(name for name in _NAMES if name != "#State"),
            "FilterExpression": "#State <> :deleted",
            "ExpressionAttributeNames": {name: name.removeprefix("#") for name in _NAMES},
            "ExpressionAttributeValues": {":deleted": {"S": DELETED}},
        }
        if within is not None and (octets := shared_octets(within)):
            # A VPC with one block has it as `CidrBlock`; one with several is looked at here.
            request["FilterExpression"] += " AND (begins_with(#CidrBlock, :octets) OR size(#CidrAssociations) > :one)"
            request["ExpressionAttributeValues"] |= {":octets": {"S": octets}, ":one": {"N": "1"}}
        found: list[Any] = []
        with translate_errors(self._tracker):
            while True:
                page = retry_throttled(self._tracker, lambda: self._client.scan(**request))
                found += page["Items"]
                if "LastEvaluatedKey" not in page:
                    return found
                request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

"""The store of VPC Tracker in DynamoDB: three tables, named after the first."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from landkeeper.aws.failures import failure_of
from landkeeper.aws.items import from_history_item, from_item, is_same_write, to_item, with_write_id
from landkeeper.aws.vpctracker.noticed_items import MARK, NoticedItemsError, read_noticed_items, write_noticed_items
from landkeeper.aws.vpctracker.vpc_writes import BACKOFF, VpcWrites, retry_throttled
from landkeeper.org import AccountId, FailureReason
from landkeeper.vpctracker.attributes import (
    Attributes,
    after_entries_at,
    coverage_from_attributes,
    coverage_to_attributes,
    vpc_from_attributes,
)
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.differences import describe_omissions
from landkeeper.vpctracker.notices.news import Noticed
from landkeeper.vpctracker.ports import StoreError, WrongStoreError
from landkeeper.vpctracker.schema import SCHEMA_VERSION, known_items, stamped, upgraded

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from landkeeper.vpctracker.differences import Change
    from landkeeper.vpctracker.inventory import StoredVpc, VpcKey

OWNER_INDEX = "OwnerId-index"
HISTORY, COVERAGE, POOLS = "History", "Coverage", "Pools"
"""What the names of the other tables end in."""

_KEYS_PER_CALL = 100
_NOT_NEWER = "(attribute_not_exists(SchemaVersion) OR SchemaVersion <= :present)"

KEYS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "": (("VpcId", "HASH"), ("OwnerId", "RANGE")),
    HISTORY: (("VpcId", "HASH"), ("At", "RANGE")),
    COVERAGE: (("AccountId", "HASH"),),
    POOLS: (("PoolId", "HASH"), ("Item", "RANGE")),
}
"""The key of each table, by what its name ends in."""


def create_tables(client: DynamoDBClient, name: str) -> tuple[str, ...]:
    """Make those of the four tables that are not there, and wait until they can be used; answers their names."""
    made = []
    with translate_errors(name):
        for suffix, keys in KEYS.items():
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
    """Raises WrongStoreError when the table is not there, or has other keys than the tracker's."""
    with translate_errors(name):
        table = client.describe_table(TableName=name)["Table"]
    keys = tuple((key["AttributeName"], key["KeyType"]) for key in table["KeySchema"])
    if keys != KEYS[""]:
        found = " and ".join(key for key, _ in keys)
        raise WrongStoreError(f"the table '{name}' is not VPC Tracker's: its key is {found}, not VpcId and OwnerId")
    if OWNER_INDEX not in {index.get("IndexName") for index in table.get("GlobalSecondaryIndexes", ())}:
        raise WrongStoreError(f"the table '{name}' is not VPC Tracker's: it has no index {OWNER_INDEX}")


_log = logging.getLogger(__name__)


class VpcTable:
    """The tracker's `VpcStore` in DynamoDB."""

    def __init__(self, client: DynamoDBClient, name: str, *, say: Callable[[str], object] = _log.warning) -> None:
        """`name` is the table of VPCs; those of history and coverage are named after it.

        `say` is told of items that are left out.
        """
        self._client = client
        self._name = name
        self._say = say
        self._writes = VpcWrites(client, name, name + HISTORY)

    def read_owned(self, account: AccountId) -> Sequence[StoredVpc]:
        """What the account owns, by the index, which may be a moment behind."""
        with translate_errors(self._name):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._name,
                IndexName=OWNER_INDEX,
                KeyConditionExpression="OwnerId = :owner",
                ExpressionAttributeValues={":owner": {"S": account}},
            )
            return [vpc_from_attributes(item) for item in self._known(pages)]

    def read_items(self, keys: Collection[VpcKey]) -> Sequence[StoredVpc]:
        """Those of the keys that are stored, read consistently. Raises StoreError for one of a newer Landkeeper."""
        wanted = [{"VpcId": {"S": key.vpc}, "OwnerId": {"S": key.owner}} for key in sorted(keys)]
        found: list[StoredVpc] = []
        with translate_errors(self._name):
            for start in range(0, len(wanted), _KEYS_PER_CALL):
                batch = self._read_batch(wanted[start : start + _KEYS_PER_CALL])
                found += [vpc_from_attributes(upgraded(item)) for item in batch]
        return found

    def _read_batch(self, keys: list[dict[str, Any]]) -> Iterator[Attributes]:
        request: Any = {self._name: {"Keys": keys, "ConsistentRead": True}}
        pauses = BACKOFF.pauses()
        while True:
            answer = self._client.batch_get_item(RequestItems=request)
            yield from map(from_item, answer["Responses"].get(self._name, ()))
            request = answer.get("UnprocessedKeys")
            if not request:
                return
            if not next(pauses, False):
                raise StoreError(f"the table '{self._name}' is throttled: its reads did not get through")

    def read_all(self) -> Iterable[StoredVpc]:
        """Everything, deleted ones included, in the order of accounts."""
        found = map(vpc_from_attributes, self._scan(self._name))
        return sorted(found, key=lambda stored: (stored.vpc.owner, stored.vpc.id))

    def read_all_attributes(self) -> Iterable[Attributes]:
        """Everything as it is stored, unchecked and of whatever schema, in any order."""
        with translate_errors(self._name):
            pages = self._client.get_paginator("scan").paginate(TableName=self._name)
            yield from (from_item(item) for page in pages for item in page["Items"])

    def write_changes(self, changes: Sequence[Change]) -> Sequence[Change]:
        """Write each change with its history entry, both or neither; answers those that came too late."""
        for sentence in describe_omissions(changes):
            self._say(sentence)
        with translate_errors(self._name):
            return self._writes.write_changes(changes)

    def read_coverage(self, account: AccountId) -> Coverage:
        """What is known of the account; an empty Coverage for one that was never tried."""
        item = self._read_coverage_item(account)
        return Coverage(account) if item is None else coverage_from_attributes(upgraded(from_item(item)))

    def _read_coverage_item(self, account: AccountId) -> Mapping[str, Any] | None:
        with translate_errors(self._name + COVERAGE):
            answer = self._client.get_item(
                TableName=self._name + COVERAGE, Key={"AccountId": {"S": account}}, ConsistentRead=True
            )
        return answer.get("Item")

    def write_coverage(self, coverage: Coverage) -> bool:
        """Replace what is known of the account, one version on; False where somebody else wrote it meanwhile."""
        table = self._name + COVERAGE
        written = replace(coverage, version=coverage.version + 1)
        condition: dict[str, Any] = {
            "ConditionExpression": f"{_NOT_NEWER} AND attribute_not_exists(Version)",
            "ExpressionAttributeValues": {":present": {"N": str(SCHEMA_VERSION)}},
        }
        if coverage.version:
            condition["ConditionExpression"] = f"{_NOT_NEWER} AND Version = :before"
            condition["ExpressionAttributeValues"][":before"] = {"N": str(coverage.version)}
        item = with_write_id(to_item(stamped(coverage_to_attributes(written))))
        with translate_errors(table):
            try:
                retry_throttled(table, lambda: self._client.put_item(TableName=table, Item=item, **condition))
            except self._client.exceptions.ConditionalCheckFailedException:
                stored = self._read_coverage_item(coverage.account)
                # Raises NewerItemError where that is of a newer schema.
                upgraded(from_item(stored or {}))
                return is_same_write(stored, item)
        return True

    def read_all_coverage(self) -> Iterable[Coverage]:
        """What is known of every account that was ever tried."""
        items = (item for item in self._scan(self._name + COVERAGE) if not item["AccountId"].startswith(MARK))
        found = map(coverage_from_attributes, items)
        return sorted(found, key=lambda known: known.account)

    def read_history(self, vpc: str) -> Sequence[Attributes]:
        """The history of one VPC as stored, oldest first."""
        with translate_errors(self._name + HISTORY):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._name + HISTORY,
                KeyConditionExpression="VpcId = :vpc",
                ExpressionAttributeValues={":vpc": {"S": vpc}},
            )
            return list(self._known(pages))

    def read_all_history(self, since: datetime | None = None) -> Iterable[Attributes]:
        """The history of every VPC: by VPC, and of each the oldest first; only what came after `since`, if given.

        DynamoDB looks through all of it either way, and sends what is asked for.
        """
        after = {} if since is None else {
            "FilterExpression": "#at > :since",
            "ExpressionAttributeNames": {"#at": "At"},
            "ExpressionAttributeValues": {":since": {"S": after_entries_at(since)}},
        }  # fmt: skip
        return sorted(self._scan(self._name + HISTORY, **after), key=lambda entry: (entry["VpcId"], entry["At"]))

    def read_noticed(self) -> Noticed:
        """What the topic was told so far; an empty Noticed where nothing ever was."""
        with translate_errors(self._name + COVERAGE):
            return read_noticed_items(self._client, self._name + COVERAGE)

    def write_noticed(self, noticed: Noticed) -> bool:
        """Replace what is stored if that is of the version before; False when somebody else wrote meanwhile."""
        table = self._name + COVERAGE
        # The same token for every attempt: one that got through although its answer was lost is not written again.
        token = str(uuid.uuid4())
        with translate_errors(table):
            return retry_throttled(table, lambda: write_noticed_items(self._client, table, noticed, token))

    def _scan(self, table: str, **narrowed: Any) -> Iterator[Attributes]:
        with translate_errors(table):
            yield from self._known(self._client.get_paginator("scan").paginate(TableName=table, **narrowed))

    def _known(self, pages: Iterable[Any]) -> Iterator[Attributes]:
        return known_items((from_history_item(item) for page in pages for item in page["Items"]), self._say)


class VpcTableReadOnce(VpcTable):
    """The same for several who want to know everything at one moment: what was read is not read again."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        """As for a `VpcTable`."""
        super().__init__(client, name)
        self._items: list[Attributes] | None = None
        self._coverage: list[Coverage] | None = None

    def read_all(self) -> Iterable[StoredVpc]:
        """Everything, deleted ones included, in the order of accounts."""
        found = map(vpc_from_attributes, known_items(self.read_all_attributes(), self._say))
        return sorted(found, key=lambda stored: (stored.vpc.owner, stored.vpc.id))

    def read_all_attributes(self) -> Iterable[Attributes]:
        """Everything as it is stored, unchecked and of whatever schema, in any order."""
        if self._items is None:
            self._items = list(super().read_all_attributes())
        return self._items

    def read_all_coverage(self) -> Iterable[Coverage]:
        """What is known of every account that was ever tried."""
        if self._coverage is None:
            self._coverage = list(super().read_all_coverage())
        return self._coverage


@contextmanager
def translate_errors(table: str) -> Iterator[None]:
    """Turns what DynamoDB answers into a StoreError that names the table."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        failure = failure_of(error)
        if failure.reason is FailureReason.NOT_FOUND:
            raise WrongStoreError(
                f"there is no DynamoDB table '{table}' in this account and region; "
                "`landkeeper vpc track --create-tables` makes it"
            ) from error
        raise StoreError(f"the DynamoDB table '{table}' does not answer: {failure}") from error
    except NoticedItemsError as error:
        raise StoreError(f"the DynamoDB table '{table}': {error}") from error

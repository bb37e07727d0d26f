"""What the topic was told, in the table of coverage: one item, and more of them where it does not fit into one.

The items' `AccountId` begins with `#`, which no account's does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from landkeeper.vpctracker.notices.news import FINGERPRINT_BYTES, Noticed
from landkeeper.vpctracker.schema import SCHEMA_VERSION, upgraded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MARK = "#"
"""What the keys of items begin with that are no account's."""

_HEAD = "#noticed"
# An item takes 400 KB and a transaction 4 MB (DynamoDB guide, "Service, account, and table quotas").
_FINGERPRINTS_PER_ITEM = 50_000
_MOST_ITEMS = 12
_READ_ATTEMPTS = 5


class NoticedItemsError(Exception):
    """The items do not belong together, or would not fit. Its text says which."""


def read_noticed_items(client: DynamoDBClient, table: str) -> Noticed:
    """What the items hold; an empty Noticed where there are none.

    Raises NewerItemError for items of a newer schema, NoticedItemsError for items that stay torn.
    """
    for _ in range(_READ_ATTEMPTS):
        head = _read_item(client, table, 0)
        if not head:
            return Noticed()
        upgraded({"AccountId": _HEAD, "SchemaVersion": int(head["SchemaVersion"]["N"])})
        items = [head, *(_read_item(client, table, part) for part in range(1, int(head["Parts"]["N"])))]
        version = int(head["Version"]["N"])
        # Somebody may have replaced them all between two reads.
        if all(item and int(item["Version"]["N"]) == version for item in items):
            return Noticed(frozenset(_unpacked(items)), version)
    raise NoticedItemsError(f"the items '{_HEAD}' do not belong to one another")


def write_noticed_items(client: DynamoDBClient, table: str, noticed: Noticed, token: str) -> bool:
    """Replace the items in one transaction; False when those stored are not of the version before.

    DynamoDB takes a transaction with the same `token` for the same one, for ten minutes.
    """
    fingerprints = sorted(noticed.told)
    parts = [
        fingerprints[start : start + _FINGERPRINTS_PER_ITEM]
        for start in range(0, len(fingerprints), _FINGERPRINTS_PER_ITEM)
    ]
    if len(parts) > _MOST_ITEMS:
        raise NoticedItemsError(f"'{_HEAD}' would be too large: {len(fingerprints)} findings")
    items = [_item(number, part, max(1, len(parts)), noticed.version) for number, part in enumerate(parts or [[]])]
    actions: list[Any] = [{"Put": {"TableName": table, "Item": item}} for item in items]
    actions[0]["Put"] |= {
        "ConditionExpression": "Version = :before" if noticed.version > 1 else "attribute_not_exists(AccountId)"
    }
    if noticed.version > 1:
        actions[0]["Put"]["ExpressionAttributeValues"] = {":before": {"N": str(noticed.version - 1)}}
    try:
        client.transact_write_items(TransactItems=actions, ClientRequestToken=token)
    except client.exceptions.TransactionCanceledException as error:
        codes = {reason.get("Code") for reason in error.response.get("CancellationReasons", ())}
        # A conflict is somebody else's transaction on these very items: what they write is read next time.
        if codes & {"ConditionalCheckFailed", "TransactionConflict"}:
            return False
        raise
    return True


def _read_item(client: DynamoDBClient, table: str, part: int) -> dict[str, Any]:
    answer = client.get_item(TableName=table, Key={"AccountId": {"S": _key(part)}}, ConsistentRead=True)
    item: dict[str, Any] = answer.get("Item", {})
    return item


def _key(part: int) -> str:
    return f"{_HEAD}/{part}" if part else _HEAD


def _item(part: int, fingerprints: Sequence[int], parts: int, version: int) -> dict[str, Any]:
    packed = b"".join(fingerprint.to_bytes(FINGERPRINT_BYTES, "big") for fingerprint in fingerprints)
    return {
        "AccountId": {"S": _key(part)},
        "Told": {"B": packed},
        "Parts": {"N": str(parts)},
        "SchemaVersion": {"N": str(SCHEMA_VERSION)},
        "Version": {"N": str(version)},
    }


def _unpacked(items: Sequence[dict[str, Any]]) -> list[int]:
    packed = b"".join(item["Told"]["B"] for item in items)
    starts = range(0, len(packed), FINGERPRINT_BYTES)
    return [int.from_bytes(packed[start : start + FINGERPRINT_BYTES], "big") for start in starts]

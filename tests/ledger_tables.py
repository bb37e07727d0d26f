"""The ledger's table, as the stack's template defines it, for tests and benchmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landkeeper.aws.broom.ledger_table import INDEX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def create_ledger_table(client: DynamoDBClient, name: str) -> None:
    """Create the table and wait until it exists."""
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": attribute, "AttributeType": "S"} for attribute in ("InstanceId", "State", "DueAt")
        ],
        KeySchema=[{"AttributeName": "InstanceId", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": INDEX,
                "KeySchema": [
                    {"AttributeName": "State", "KeyType": "HASH"},
                    {"AttributeName": "DueAt", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    client.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ExpiresAt"})

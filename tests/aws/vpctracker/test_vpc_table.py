"""The tracker's tables in DynamoDB: made, checked, and what happens when they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest
from botocore.config import Config
from tests.servers import Answer, answering, home_sessions
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.aws.backoff import Backoff
from landkeeper.aws.vpctracker import vpc_table, vpc_writes
from landkeeper.aws.vpctracker.vpc_table import VpcTable, check_table, create_tables
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.differences import Appeared
from landkeeper.vpctracker.inventory import StoredVpc, Subnet, Vpc, VpcKey
from landkeeper.vpctracker.ports import StoreError

_KEY = VpcKey(vpc_ids(1), ACCOUNTS[0])


def _appeared(number: int, *, subnets: int = 0) -> Appeared:
    found = tuple(Subnet(f"subnet-{one:017x}", "euw1-az1", "10.0.0.0/28", 11) for one in range(subnets))
    vpc = Vpc(vpc_ids(number), ACCOUNTS[0], REGIONS[0], "10.0.0.0/16", subnets=found)
    return Appeared(StoredVpc(vpc, START, START, 1))


@pytest.fixture
def client(aws_environment: object) -> Any:
    return home_sessions().home("dynamodb")


@pytest.mark.embedded
def test_the_four_tables_are_made_once_as_designed(client: Any) -> None:
    assert create_tables(client, "Made") == ("Made", "MadeHistory", "MadeCoverage", "MadePools")
    assert create_tables(client, "Made") == ()
    check_table(client, "Made")
    keys = {
        name: [key["AttributeName"] for key in client.describe_table(TableName=name)["Table"]["KeySchema"]]
        for name in ("Made", "MadeHistory", "MadeCoverage", "MadePools")
    }
    assert keys == {
        "Made": ["VpcId", "OwnerId"],
        "MadeHistory": ["VpcId", "At"],
        "MadeCoverage": ["AccountId"],
        "MadePools": ["PoolId", "Item"],
    }


@pytest.mark.embedded
def test_a_table_that_is_not_there_is_named_by_every_way_to_it(client: Any) -> None:
    table = VpcTable(client, "Absent")
    calls: list[Callable[[], object]] = [
        lambda: check_table(client, "Absent"),
        lambda: table.read_owned(ACCOUNTS[0]),
        lambda: table.read_items({_KEY}),
        lambda: list(table.read_all()),
        lambda: table.write_changes([_appeared(1)]),
        lambda: table.read_coverage(ACCOUNTS[0]),
    ]
    for call in calls:
        with pytest.raises(StoreError, match="there is no DynamoDB table 'Absent"):
            call()


@pytest.mark.embedded
def test_a_table_with_other_keys_or_without_the_index_is_refused(client: Any) -> None:
    create_tables(client, "Wrong")
    with pytest.raises(StoreError, match="'WrongHistory' is not VPC Tracker's: its key is VpcId and At, not VpcId and"):
        check_table(client, "WrongHistory")
    client.create_table(
        TableName="NoIndex",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("VpcId", "OwnerId")],
        KeySchema=[{"AttributeName": "VpcId", "KeyType": "HASH"}, {"AttributeName": "OwnerId", "KeyType": "RANGE"}],
    )
    with pytest.raises(StoreError, match="it has no index OwnerId-index"):
        check_table(client, "NoIndex")


class Dynamo:
    """A DynamoDB that refuses the first calls of a kind, as its API reference words it, and keeps what it takes."""

    def __init__(self, refusals: list[Answer]) -> None:
        self.refusals = refusals
        self.sizes: list[int] = []
        self.tokens: list[str] = []
        self.vpcs: list[list[str]] = []

    def __call__(self, call: Mapping[str, str]) -> Answer:
        if call["Action"] == "BatchGetItem":
            return self._read(json.loads(call["Body"]))
        if call["Action"] == "TransactWriteItems":
            self._keep(json.loads(call["Body"]))
        return self.refusals.pop(0) if self.refusals else (200, "{}")

    def _keep(self, request: dict[str, Any]) -> None:
        self.sizes.append(len(request["TransactItems"]) // 2)
        self.tokens.append(request["ClientRequestToken"])
        self.vpcs.append([action["Put"]["Item"]["VpcId"]["S"] for action in request["TransactItems"][::2]])

    def _read(self, request: dict[str, Any]) -> Answer:
        ((name, wanted),) = request["RequestItems"].items()
        if not self.refusals:
            return 200, json.dumps({"Responses": {name: []}, "UnprocessedKeys": {}})
        self.refusals.pop()
        return 200, json.dumps({"Responses": {name: []}, "UnprocessedKeys": {name: wanted}})


def _cancelled(*codes: str) -> Answer:
    reasons = [{"Code": code} for code in codes]
    return 400, json.dumps({"__type": "TransactionCanceledException", "CancellationReasons": reasons})


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between attempts so short that a test need not wait."""
    for module in (vpc_table, vpc_writes):
        monkeypatch.setattr(module, "BACKOFF", Backoff(0.0, attempts=10))


@pytest.fixture
def table_at(impatient: None, no_aws: None) -> Callable[[str], VpcTable]:
    session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name="us-east-1")
    once = Config(retries={"total_max_attempts": 1})
    return lambda url: VpcTable(session.client("dynamodb", endpoint_url=url, config=once), "Tracker")


def test_a_change_in_the_way_of_another_waits_alone_and_the_rest_is_sent_at_once(
    table_at: Callable[[str], VpcTable],
) -> None:
    dynamo = Dynamo([_cancelled("None", "None", "TransactionConflict", "None", "None", "None", "None", "None")])
    with answering(dynamo) as url:
        assert table_at(url).write_changes([_appeared(number) for number in range(4)]) == []
    assert dynamo.sizes == [4, 3, 1]
    assert dynamo.vpcs[1:] == [[vpc_ids(0), vpc_ids(2), vpc_ids(3)], [vpc_ids(1)]]
    assert len(set(dynamo.tokens)) == 3


@pytest.mark.parametrize("code", ["ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_throttled_change_is_written_at_last(table_at: Callable[[str], VpcTable], code: str) -> None:
    dynamo = Dynamo([_cancelled("None", code)] * 3)
    with answering(dynamo) as url:
        assert table_at(url).write_changes([_appeared(1)]) == []
    assert dynamo.sizes == [1, 1, 1, 1]


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"]
)
def test_a_throttled_call_is_made_again_as_the_same_call(table_at: Callable[[str], VpcTable], code: str) -> None:
    dynamo = Dynamo([(400, json.dumps({"__type": code, "message": "slow down"}))] * 7)
    with answering(dynamo) as url:
        assert table_at(url).write_changes([_appeared(1)]) == []
        dynamo.refusals = [(400, json.dumps({"__type": code, "message": "slow down"}))] * 7
        table_at(url).write_coverage(Coverage(ACCOUNTS[0]))
    assert len(dynamo.tokens) == 8
    assert len(set(dynamo.tokens)) == 1


def test_a_call_that_stays_throttled_ends_with_one_line(table_at: Callable[[str], VpcTable]) -> None:
    dynamo = Dynamo([(400, json.dumps({"__type": "ThrottlingException", "message": "slow down"}))] * 200)
    with answering(dynamo) as url, pytest.raises(StoreError) as raised:
        table_at(url).write_changes([_appeared(1)])
    assert str(raised.value) == (
        "the DynamoDB table 'Tracker' is throttled, 10 times: throttled out (ThrottlingException: slow down)"
    )


def test_what_dynamodb_will_never_take_is_named(table_at: Callable[[str], VpcTable]) -> None:
    dynamo = Dynamo([_cancelled("None", "None", "ValidationError", "None")])
    with (
        answering(dynamo) as url,
        pytest.raises(StoreError, match=rf"does not take {vpc_ids(1)} of {ACCOUNTS[0]}: Val"),
    ):
        table_at(url).write_changes([_appeared(0), _appeared(1)])


def test_a_cancellation_without_reasons_is_one_line(table_at: Callable[[str], VpcTable]) -> None:
    with answering(Dynamo([_cancelled()])) as url, pytest.raises(StoreError, match="does not answer: error"):
        table_at(url).write_changes([_appeared(0)])


def test_a_change_that_came_too_late_is_answered_and_the_rest_is_sent_again(
    table_at: Callable[[str], VpcTable],
) -> None:
    dynamo = Dynamo([_cancelled("None", "None", "ConditionalCheckFailed", "None")])
    changes = [_appeared(number) for number in range(2)]
    with answering(dynamo) as url:
        assert table_at(url).write_changes(changes) == changes[1:]
    assert dynamo.sizes == [2, 1]


def test_writes_that_stay_refused_end_with_the_reason(table_at: Callable[[str], VpcTable]) -> None:
    dynamo = Dynamo([_cancelled("TransactionConflict", "None")] * 20)
    with answering(dynamo) as url, pytest.raises(StoreError, match=f"'Tracker' refused a write of {vpc_ids(1)} of"):
        table_at(url).write_changes([_appeared(1)])


def test_a_call_has_at_most_fifty_changes_and_stays_below_the_size_limit(table_at: Callable[[str], VpcTable]) -> None:
    dynamo = Dynamo([])
    with answering(dynamo) as url:
        table_at(url).write_changes([_appeared(number) for number in range(120)])
        assert dynamo.sizes == [50, 50, 20]
        table_at(url).write_changes([_appeared(number, subnets=1000) for number in range(30)])
    assert sum(dynamo.sizes[3:]) == 30
    assert max(dynamo.sizes[3:]) < 30


def test_keys_that_were_not_processed_are_asked_for_again_until_that_is_hopeless(
    table_at: Callable[[str], VpcTable],
) -> None:
    dynamo = Dynamo([(200, "")] * 3)
    with answering(dynamo) as url:
        assert table_at(url).read_items({_KEY}) == []
        assert dynamo.refusals == []
        dynamo.refusals = [(200, "")] * 30
        with pytest.raises(StoreError, match="'Tracker' is throttled"):
            table_at(url).read_items({_KEY})


def test_a_refusal_is_one_line_with_the_table_and_the_reason(table_at: Callable[[str], VpcTable]) -> None:
    denied = 400, json.dumps({"__type": "AccessDeniedException", "Message": "not authorized"})
    with answering(Dynamo([denied])) as url, pytest.raises(StoreError) as raised:
        table_at(url).write_changes([_appeared(1)])
    assert str(raised.value) == (
        "the DynamoDB table 'Tracker' does not answer: permission missing (AccessDeniedException: not authorized)"
    )

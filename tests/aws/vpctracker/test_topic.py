"""The tracker's notices on their way through SNS to a queue, as MiniStack has both."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from tests.memory_pools import MemoryPools
from tests.memory_store import MemoryStore
from tests.servers import home_sessions
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.aws.vpctracker.pool_table import PoolTable
from landkeeper.aws.vpctracker.topic import TrackerTopic
from landkeeper.aws.vpctracker.vpc_table import VpcTable, create_tables
from landkeeper.org import FailureReason
from landkeeper.vpctracker.config import TrackerConfig
from landkeeper.vpctracker.differences import Appeared
from landkeeper.vpctracker.inventory import StoredVpc, Vpc
from landkeeper.vpctracker.notices.notify import notify

pytestmark = [pytest.mark.embedded, pytest.mark.usefixtures("aws_environment")]
_names = (f"Notices{number}" for number in itertools.count())


def _appeared(number: int, cidr_block: str, *, is_default: bool = False) -> Appeared:
    vpc = Vpc(vpc_ids(number), ACCOUNTS[number % 2], REGIONS[0], cidr_block, is_default=is_default)
    return Appeared(StoredVpc(vpc, START, START, 1))


def _take(sqs: Any, url: str) -> list[dict[str, Any]]:
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
    for message in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in found]


def test_what_is_new_in_the_table_reaches_a_subscribed_queue_once() -> None:
    name = next(_names)
    sessions = home_sessions()
    sns, sqs, dynamodb = sessions.home("sns"), sessions.home("sqs"), sessions.home("dynamodb")
    create_tables(dynamodb, name)
    store, pools = VpcTable(dynamodb, name), PoolTable(dynamodb, name)
    topic_arn = sns.create_topic(Name=name)["TopicArn"]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn)
    topic = TrackerTopic(sns, topic_arn)

    assert notify(store, topic, TrackerConfig(), pools).sent == 0
    store.write_changes([_appeared(1, "10.0.0.0/16"), _appeared(2, "10.0.0.0/16")])
    store.write_changes([_appeared(3, "172.31.0.0/16", is_default=True)])
    assert notify(store, topic, TrackerConfig(), pools).sent == 2
    assert notify(store, topic, TrackerConfig(), pools).sent == 0
    messages = sorted(_take(sqs, url) + _take(sqs, url), key=lambda message: str(message["Subject"]))
    assert [message["Subject"] for message in messages] == [
        "Landkeeper: VPCs overlap in 10.0.0.0/16 (space default)",
        "Landkeeper: a new default VPC in account 444455556666",
    ]
    facts = [json.loads(message["MessageAttributes"]["landkeeper"]["Value"]) for message in messages]
    assert [one["Kind"] for one in facts] == ["overlap", "default-vpc"]
    assert vpc_ids(2) in messages[0]["Message"]


def test_a_topic_that_is_gone_is_a_failure_and_nothing_counts_as_told() -> None:
    store = MemoryStore()
    store.write_changes([_appeared(3, "172.31.0.0/16", is_default=True)])
    topic = TrackerTopic(home_sessions().home("sns"), "arn:aws:sns:us-east-1:123456789012:nobody-made-this")
    outcome = notify(store, topic, TrackerConfig(), MemoryPools())
    assert outcome.failure is not None
    assert outcome.failure.reason is FailureReason.NOT_FOUND
    assert store.read_noticed().version == 0

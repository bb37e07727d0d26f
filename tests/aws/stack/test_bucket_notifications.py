"""Notifications of a bucket that others use: one is added or taken out, theirs stay."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from landkeeper.aws.stack.bucket_notifications import BucketNotifications
from landkeeper.aws.stack.environment import read_bucket
from landkeeper.embedded.simulators import Embedded, embedded_session
from landkeeper.operate.environment import BucketSeen, BucketUnseen, Notification

pytestmark = pytest.mark.embedded


@dataclass
class Shared:
    """A bucket that tells somebody's queue of new inventories."""

    name: str
    s3: Any
    queue: str
    topic: str

    def told(self) -> dict[str, Any]:
        """Its whole configuration."""
        told: dict[str, Any] = self.s3.get_bucket_notification_configuration(Bucket=self.name)
        told.pop("ResponseMetadata")
        return told


@pytest.fixture
def shared(aws_environment: Embedded) -> Shared:
    session, name = embedded_session(aws_environment), f"shared-{uuid.uuid4().hex[:8]}"
    sqs, s3 = session.client("sqs"), session.client("s3")
    s3.create_bucket(Bucket=name)
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = session.client("sns").create_topic(Name=name)["TopicArn"]
    rules: Any = [{"Name": "prefix", "Value": "inventory/"}]
    others: Any = {
        "Id": "theirs",
        "QueueArn": queue,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": rules}},
    }
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={"QueueConfigurations": [others]})
    return Shared(name, s3, queue, topic)


def test_a_topic_is_told_beside_what_others_are_told(shared: Shared) -> None:
    before = shared.told()
    notifications = BucketNotifications(shared.s3)
    assert notifications.tell_topic(shared.name, shared.topic, "AWSLogs/")
    assert shared.told()["QueueConfigurations"] == before["QueueConfigurations"]
    seen = read_bucket(shared.s3, shared.name)
    assert isinstance(seen, BucketSeen)
    assert Notification(shared.topic, ("s3:ObjectCreated:*",), "AWSLogs/", ".json.gz") in seen.notifications
    assert len(seen.notifications) == 2
    assert not notifications.tell_topic(shared.name, shared.topic, "AWSLogs/"), "it is there already"
    assert notifications.tell_topic(shared.name, shared.topic, "o-1/AWSLogs/"), "moved, not doubled"
    assert len(shared.told()["TopicConfigurations"]) == 1


def test_what_was_added_is_taken_out_again_and_nothing_else(shared: Shared) -> None:
    before = shared.told()
    notifications = BucketNotifications(shared.s3)
    assert not notifications.forget_topic(shared.name)
    notifications.tell_topic(shared.name, shared.topic, "AWSLogs/")
    assert notifications.forget_topic(shared.name)
    assert {kind: held for kind, held in shared.told().items() if held} == before


def test_event_bridge_is_told_beside_what_others_are_told(shared: Shared) -> None:
    before = shared.told()
    notifications = BucketNotifications(shared.s3)
    assert notifications.tell_event_bridge(shared.name)
    assert not notifications.tell_event_bridge(shared.name)
    assert shared.told()["QueueConfigurations"] == before["QueueConfigurations"]
    seen = read_bucket(shared.s3, shared.name)
    assert isinstance(seen, BucketSeen)
    assert seen.tells_event_bridge


def test_a_bucket_that_is_not_there_says_so(shared: Shared) -> None:
    unseen = read_bucket(shared.s3, f"{shared.name}-not")
    assert isinstance(unseen, BucketUnseen)
    assert "not found" in unseen.because

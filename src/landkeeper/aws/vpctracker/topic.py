"""Notices of VPC Tracker to an SNS topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from landkeeper.aws.failures import failure_of
from landkeeper.org import Failure
from landkeeper.vpctracker.notices.news import Notice

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class TrackerTopic:
    """The tracker's `NoticeTopic` through SNS: the text as the message, the same as JSON in `landkeeper`."""

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        """`client` is SNS's, in the topic's region."""
        self._client = client
        self._topic_arn = topic_arn

    def publish_notice(self, notice: Notice) -> Failure | None:
        """Publish the notice; a Failure where SNS does not take it."""
        try:
            self._client.publish(
                TopicArn=self._topic_arn,
                Subject=notice.subject,
                Message=notice.text,
                MessageAttributes={"landkeeper": {"DataType": "String", "StringValue": notice.json}},
            )
        except (ClientError, BotoCoreError) as error:
            return failure_of(error)
        return None

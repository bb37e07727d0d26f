"""Reports to an SNS topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from landkeeper.aws.failures import failure_of
from landkeeper.broom.notices import Report
from landkeeper.org import Failure

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class TopicReports:
    """Broom's `Reports` through SNS: the text as the message, the same as JSON in the attribute `landkeeper`."""

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        """`client` is SNS's, in the topic's region."""
        self._client = client
        self._topic_arn = topic_arn

    def publish_report(self, report: Report) -> Failure | None:
        """Publish the report; a Failure where SNS does not take it."""
        try:
            self._client.publish(
                TopicArn=self._topic_arn,
                Subject=report.subject,
                Message=report.text,
                MessageAttributes={"landkeeper": {"DataType": "String", "StringValue": report.json}},
            )
        except (ClientError, BotoCoreError) as error:
            return failure_of(error)
        return None

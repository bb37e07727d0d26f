"""Reports to an SNS topic, and as events for whatever else people have to hear of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from landkeeper.aws.failures import CALL_ERRORS, failure_of
from landkeeper.broom.launch_report import Report
from landkeeper.org import Failure, FailureReason

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

_THERE_FOR_SECONDS = 60.0
EVENT_SOURCE = "landkeeper.broom"
EVENT_TYPE = "Launch dealt with"


class TopicReports:
    """Broom's `Reports` through SNS: the text as the message, the same as JSON in the attribute `landkeeper`."""

    def __init__(
        self, client: SNSClient, topic_arn: str, on_published: Callable[[Report], Failure | None] | None = None
    ) -> None:
        """`client` is SNS's, in the topic's region. `on_published` is told of every report that the topic has."""
        self._client = client
        self._topic_arn = topic_arn
        self._on_published = on_published
        self._there_until = 0.0

    def check(self) -> Failure | None:
        """A Failure where the topic is gone, or does not answer. That it is there counts for a minute."""
        if time.monotonic() < self._there_until:
            return None
        try:
            self._client.get_topic_attributes(TopicArn=self._topic_arn)
        except CALL_ERRORS as error:
            return failure_of(error)
        self._there_until = time.monotonic() + _THERE_FOR_SECONDS
        return None

    def publish_report(self, report: Report) -> Failure | None:
        """Publish the report; a Failure where SNS does not take it."""
        try:
            self._client.publish(
                TopicArn=self._topic_arn,
                Subject=report.subject,
                Message=report.text,
                MessageAttributes={"landkeeper": {"DataType": "String", "StringValue": report.json}},
            )
        except CALL_ERRORS as error:
            return failure_of(error)
        failure = self._on_published(report) if self._on_published is not None else None
        if failure is not None:
            # The report has arrived; to have it come twice would be worse than an event that nobody got.
            sys.stderr.write(f"a report was not put on the event bus: {failure}\n")
        return None


class ReportEvents:
    """Reports as events of the source `landkeeper.broom`, on the account's default bus."""

    def __init__(self, client: Any) -> None:
        """`client` is EventBridge's, in the region of the bus."""
        self._client = client

    def put_report(self, report: Report) -> Failure | None:
        """Put one event, with the report's JSON as its detail; a Failure where EventBridge does not take it."""
        entry = {"Source": EVENT_SOURCE, "DetailType": EVENT_TYPE, "Detail": report.json}
        try:
            answer = self._client.put_events(Entries=[entry])
        except CALL_ERRORS as error:
            return failure_of(error)
        if answer["FailedEntryCount"]:
            refused = answer["Entries"][0]
            return Failure(FailureReason.OTHER, refused.get("ErrorCode", ""), refused.get("ErrorMessage", ""))
        return None

"""The notifications of a bucket that others use too: one is added or taken out, the rest stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landkeeper.operate.preflight import CREATED, SUFFIX

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ID = "landkeeper-log-files"


class BucketNotifications:
    """Adds to a bucket's notification configuration, which S3 only takes as a whole.

    Source: Amazon S3 API Reference, "PutBucketNotificationConfiguration": what is not in the request is gone. So it
    is read, changed in one place and written back, and left alone where there is nothing to change.
    """

    def __init__(self, s3: S3Client) -> None:
        self._s3 = s3

    def tell_topic(self, bucket: str, topic_arn: str, prefix: str) -> bool:
        """Have the bucket tell the topic of new log files under the prefix; whether that changed anything."""
        configuration = self._read(bucket)
        others = [
            notification
            for notification in configuration.get("TopicConfigurations", [])
            if notification.get("Id") != _ID
        ]
        own: dict[str, Any] = {
            "Id": _ID,
            "TopicArn": topic_arn,
            "Events": [CREATED],
            "Filter": {
                "Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}, {"Name": "suffix", "Value": SUFFIX}]}
            },
        }
        if any(_alike(notification, own) for notification in configuration.get("TopicConfigurations", [])):
            return False
        self._write(bucket, {**configuration, "TopicConfigurations": [*others, own]})
        return True

    def tell_event_bridge(self, bucket: str) -> bool:
        """Have the bucket tell EventBridge of all that happens in it; whether that changed anything."""
        configuration = self._read(bucket)
        if "EventBridgeConfiguration" in configuration:
            return False
        self._write(bucket, {**configuration, "EventBridgeConfiguration": {}})
        return True

    def forget_topic(self, bucket: str) -> bool:
        """Take out what `tell_topic` put in; whether there was anything."""
        configuration = self._read(bucket)
        found = configuration.get("TopicConfigurations", [])
        others = [notification for notification in found if notification.get("Id") != _ID]
        if len(others) == len(found):
            return False
        self._write(bucket, {**configuration, "TopicConfigurations": others})
        return True

    def _read(self, bucket: str) -> dict[str, Any]:
        configuration: dict[str, Any] = dict(self._s3.get_bucket_notification_configuration(Bucket=bucket))
        configuration.pop("ResponseMetadata", None)
        return configuration

    def _write(self, bucket: str, configuration: dict[str, Any]) -> None:
        self._s3.put_bucket_notification_configuration(
            Bucket=bucket,
            NotificationConfiguration=configuration,  # type: ignore[arg-type]
            # S3 asks every target whether it may be told, and refuses it all where another one's is out of order.
            SkipDestinationValidation=True,
        )


def _alike(notification: dict[str, Any], other: dict[str, Any]) -> bool:
    return _essence(notification) == _essence(other)


def _essence(configuration: dict[str, Any]) -> tuple[str, str, frozenset[str], frozenset[tuple[str, str]]]:
    rules = configuration.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return (
        configuration.get("Id", ""),
        configuration["TopicArn"],
        frozenset(configuration["Events"]),
        frozenset((rule["Name"].lower(), rule["Value"]) for rule in rules),
    )

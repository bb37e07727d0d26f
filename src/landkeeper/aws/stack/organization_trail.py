"""The organization's trail through CloudTrail's API, always by its ARN.

A delegated administrator's trail belongs to the management account: by its name CloudTrail looks for it in the
delegate's account and answers TrailNotFoundException (hashicorp/terraform-provider-aws, pull request 30758).
"""

from __future__ import annotations

from typing import Any, assert_never

from landkeeper.aws.failures import CALL_ERRORS, failure_of
from landkeeper.operate.environment import TrailSeen
from landkeeper.operate.organization_trail import TrailStep, WantedTrail
from landkeeper.org import Failure, FailureReason


class TrailsByArn:
    """Makes and changes the organization's trails in one region."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def find(self, arn: str) -> TrailSeen | Failure | None:
        """Return the trail; None where there is none, a Failure where AWS does not say."""
        try:
            trail: dict[str, Any] = dict(self._client.get_trail(Name=arn)["Trail"])
            status: dict[str, Any] = self._client.get_trail_status(Name=arn)
            selectors: dict[str, Any] = dict(self._client.get_event_selectors(TrailName=arn))
        except CALL_ERRORS as error:
            failure = failure_of(error)
            return None if failure.reason is FailureReason.NOT_FOUND else failure
        return TrailSeen(
            bucket=trail.get("S3BucketName", ""),
            key_arn=trail.get("KmsKeyId", ""),
            is_organization=trail.get("IsOrganizationTrail", False),
            is_multi_region=trail.get("IsMultiRegionTrail", False),
            has_global_events=trail.get("IncludeGlobalServiceEvents", False),
            is_validated=trail.get("LogFileValidationEnabled", False),
            is_logging=status.get("IsLogging", False),
            events=_events_of(selectors),
        )

    def take(self, step: TrailStep, trail: WantedTrail) -> Failure | None:
        """Carry out one step; the failure where AWS refuses."""
        try:
            self._take(step, trail)
        except CALL_ERRORS as error:
            return failure_of(error)
        return None

    def _take(self, step: TrailStep, trail: WantedTrail) -> None:
        match step:
            case TrailStep.CREATE:
                key = {"KmsKeyId": trail.key_arn} if trail.key_arn else {}
                self._client.create_trail(Name=trail.name, **_settings(trail), **key)
            case TrailStep.UPDATE:
                # An empty key turns the trail's own encryption off (CloudTrail guide, "Enabling and disabling
                # encryption for CloudTrail log files").
                self._client.update_trail(Name=trail.arn, KmsKeyId=trail.key_arn, **_settings(trail))
            case TrailStep.SELECT:
                self._client.put_event_selectors(
                    TrailName=trail.arn,
                    EventSelectors=[{"ReadWriteType": trail.events, "IncludeManagementEvents": True}],
                )
            case TrailStep.START:
                self._client.start_logging(Name=trail.arn)
            case _:
                assert_never(step)


def _settings(trail: WantedTrail) -> dict[str, Any]:
    return {
        "S3BucketName": trail.bucket,
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "EnableLogFileValidation": True,
        "IsOrganizationTrail": True,
    }


def _events_of(selectors: dict[str, Any]) -> str:
    """The `ReadWriteType` of the only selector; empty where there are others, or data events, or exclusions."""
    plain = selectors.get("EventSelectors") or []
    if selectors.get("AdvancedEventSelectors") or len(plain) != 1:
        return ""
    (selector,) = plain
    is_custom = selector.get("DataResources") or selector.get("ExcludeManagementEventSources")
    is_plain = selector.get("IncludeManagementEvents", True) and not is_custom
    return str(selector.get("ReadWriteType", "All")) if is_plain else ""

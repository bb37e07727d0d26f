"""A launch and its instances, under the names that JSON, CSV and tables share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landkeeper.org import format_exact_time

if TYPE_CHECKING:
    from landkeeper.broom.offline import JudgedLaunch
    from landkeeper.broom.sweeping.result import InstanceResult


def launch_attributes(judged: JudgedLaunch) -> dict[str, Any]:
    """The launch as JSON has it."""
    launch = judged.found.launch
    return {
        "EventId": launch.event_id,
        "EventTime": format_exact_time(launch.event_time),
        "Principal": launch.principal.name,
        "PrincipalArn": launch.principal.arn,
        "AccountId": launch.account,
        "Region": launch.region,
        "Source": judged.found.source,
        "Repeat": judged.found.is_repeat,
        "Instances": [_instance(result) for result in judged.instances],
    }


def _instance(result: InstanceResult) -> dict[str, Any]:
    return {
        "InstanceId": result.instance.id,
        "ImageId": result.instance.image_id,
        "InstanceType": result.instance.type,
        "Tags": dict(result.tags),
        "Verdict": result.verdict,
        "Action": result.action,
        "Because": result.because,
        "Outcome": result.outcome or "",
    }

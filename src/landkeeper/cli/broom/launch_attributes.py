"""A launch and its instances, under the names that JSON, CSV and tables share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landkeeper.org import format_exact_time

if TYPE_CHECKING:
    from landkeeper.broom.policy.offline import JudgedInstance, JudgedLaunch


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
        "Instances": [_instance(each) for each in judged.instances],
    }


def _instance(judged: JudgedInstance) -> dict[str, Any]:
    return {
        "InstanceId": judged.instance.id,
        "ImageId": judged.instance.image_id,
        "InstanceType": judged.instance.type,
        "Tags": dict(judged.tags),
        "Verdict": judged.verdict,
        "Action": judged.action,
        "Because": judged.because,
        "Outcome": judged.outcome,
    }

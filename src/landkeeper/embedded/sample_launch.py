"""The record of a launch that never took place, to try out what reads CloudTrail."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from landkeeper.embedded.trail_files import Caller, Record, event_record, request_parameters


@dataclass(frozen=True, slots=True)
class SampleLaunch:
    """A launch of one instance."""

    identity: Mapping[str, Any]
    """CloudTrail's `userIdentity`."""
    account: str
    region: str
    instance_type: str
    image_id: str
    tags: Mapping[str, str]
    at: datetime


def launch_record(launch: SampleLaunch) -> Record:
    """Return the record of the launch; the ids of the instance and of the event are new each time."""
    tags = [{"Key": key, "Value": value} for key, value in launch.tags.items()]
    parameters = {
        "ImageId": launch.image_id,
        "MinCount": 1,
        "MaxCount": 1,
        "InstanceType": launch.instance_type,
        "ClientToken": str(uuid.uuid4()),
        **({"TagSpecifications": [{"ResourceType": "instance", "Tags": tags}]} if tags else {}),
    }
    return event_record(
        Caller(launch.account, launch.identity, user_agent="landkeeper sample-log"), launch.region, "RunInstances",
        launch.at, request=request_parameters("RunInstances", parameters), response=_response(launch),
    )  # fmt: skip


def _response(launch: SampleLaunch) -> Record:
    tags = [{"key": key, "value": value} for key, value in launch.tags.items()]
    instance = {
        "instanceId": _id("i"),
        "imageId": launch.image_id,
        "currentInstanceBootMode": "legacy-bios",
        "instanceState": {"code": 0, "name": "pending"},
        "amiLaunchIndex": 0,
        "instanceType": launch.instance_type,
        "launchTime": int(launch.at.timestamp() * 1000),
        "placement": {"availabilityZone": f"{launch.region}a", "tenancy": "default"},
        "monitoring": {"state": "disabled"},
        "subnetId": _id("subnet"),
        "vpcId": _id("vpc"),
        **({"tagSet": {"items": tags}} if tags else {}),
    }
    return {
        "requestId": str(uuid.uuid4()),
        "reservationId": _id("r"),
        "ownerId": launch.account,
        "groupSet": {},
        "instancesSet": {"items": [instance]},
    }


def _id(kind: str) -> str:
    return f"{kind}-0{secrets.token_hex(8)}"

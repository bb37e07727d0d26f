"""CloudTrail's records and log files, as it writes them, without the SDK.

Sources: CloudTrail User Guide, "CloudTrail record contents", "Finding your CloudTrail log files"; EC2 API Reference,
"RunInstances".
"""

from __future__ import annotations

import gzip
import json
import secrets
import string
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from landkeeper.org import format_time

Record = dict[str, Any]

_FILE_ID = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose call it was: the account it acted in, and CloudTrail's `userIdentity` for it."""

    account_id: str
    identity: Mapping[str, Any]
    source_ip: str = "198.51.100.7"
    user_agent: str = ""


def event_record(
    caller: Caller, region: str, action: str, at: datetime, *, request: Record, response: Record | None
) -> Record:
    """The record of an EC2 call."""
    return {
        "eventVersion": "1.11",
        "userIdentity": dict(caller.identity),
        "eventTime": format_time(at),
        "eventSource": "ec2.amazonaws.com",
        "eventName": action,
        "awsRegion": region,
        "sourceIPAddress": caller.source_ip,
        "userAgent": caller.user_agent,
        "requestParameters": request,
        "responseElements": response,
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": caller.account_id,
        "eventCategory": "Management",
    }


def log_file_key(prefix: str, account_id: str, region: str, at: datetime) -> str:
    """The key of a log file: `AWSLogs/[o-id/]account/CloudTrail/region/Y/m/d/name.json.gz`.

    `prefix` is `AWSLogs` or, for a trail of the organization, `AWSLogs/o-id`.
    """
    unique = "".join(secrets.choice(_FILE_ID) for _ in range(16))
    name = f"{account_id}_CloudTrail_{region}_{at:%Y%m%dT%H%MZ}_{unique}.json.gz"
    return f"{prefix}/{account_id}/CloudTrail/{region}/{at:%Y/%m/%d}/{name}"


def log_file(records: Iterable[Record]) -> bytes:
    """A log file's bytes: gzip around one JSON object."""
    return gzip.compress(json.dumps({"Records": list(records)}).encode())


def log_files(records: Iterable[Record], prefix: str, at: datetime) -> dict[str, bytes]:
    """The files that CloudTrail would deliver for these records: one an account and region, by key."""
    batches: defaultdict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records:
        batches[record["recipientAccountId"], record["awsRegion"]].append(record)
    return {log_file_key(prefix, *place, at): log_file(batch) for place, batch in batches.items()}


def request_parameters(action: str, parameters: Mapping[str, Any]) -> Record:
    """What CloudTrail records of a request with these members, by botocore's names."""
    return _REQUESTS.get(action, _lower_first)(parameters)


def _run_instances(parameters: Mapping[str, Any]) -> Record:
    launch = {name: parameters[name] for name in ("ImageId", "MinCount", "MaxCount", "KeyName") if name in parameters}
    request: Record = {"instancesSet": {"items": [_lower_first(launch)]}}
    plain = ("InstanceType", "ClientToken", "SubnetId", "DisableApiTermination", "DisableApiStop", "EbsOptimized")
    request |= _lower_first({name: parameters[name] for name in plain if name in parameters})
    if specifications := parameters.get("TagSpecifications"):
        request["tagSpecificationSet"] = {
            "items": [
                {
                    "resourceType": specification.get("ResourceType"),
                    "tags": [_lower_first(tag) for tag in specification.get("Tags", [])],
                }
                for specification in specifications
            ]
        }
    if template := parameters.get("LaunchTemplate"):
        request["launchTemplate"] = _lower_first(template)
    return request


def _tagging(parameters: Mapping[str, Any]) -> Record:
    return {
        "resourcesSet": {"items": [{"resourceId": resource} for resource in parameters.get("Resources", [])]},
        "tagSet": {"items": [_lower_first(tag) for tag in parameters.get("Tags", [])]},
    }


def _instances(parameters: Mapping[str, Any]) -> Record:
    return {"instancesSet": {"items": [{"instanceId": id_} for id_ in parameters.get("InstanceIds", [])]}}


def _lower_first(parameters: Mapping[str, Any]) -> Record:
    return {name[:1].lower() + name[1:]: value for name, value in parameters.items()}


_REQUESTS: Mapping[str, Callable[[Mapping[str, Any]], Record]] = {
    "RunInstances": _run_instances,
    "CreateTags": _tagging,
    "DeleteTags": _tagging,
    "StartInstances": _instances,
    "StopInstances": _instances,
    "TerminateInstances": _instances,
}

"""CloudTrail for the embedded AWS: records of EC2 calls in CloudTrail's shape, and the log files they are delivered in.

The simulators write no trail. What stands here turns a call that moto answered into the record that CloudTrail would
have written, and puts batches of them into the trail's bucket under the keys that CloudTrail uses.
Sources: CloudTrail User Guide, "CloudTrail record contents", "Finding your CloudTrail log files"; EC2 API Reference.
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
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

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


@dataclass(frozen=True, slots=True)
class Call:
    """One EC2 call that was answered."""

    caller: Caller
    region: str
    action: str
    parameters: Mapping[str, Any]
    """The request by botocore's member names."""
    response: Mapping[str, Any]
    """The answer by botocore's member names; holds `Error` when the call was refused."""
    output_shape: StructureShape
    at: datetime


def record_of(call: Call) -> Record:
    """The record that CloudTrail would write of the call."""
    error = call.response.get("Error")
    record: Record = {
        "eventVersion": "1.11",
        "userIdentity": dict(call.caller.identity),
        "eventTime": format_time(call.at),
        "eventSource": "ec2.amazonaws.com",
        "eventName": call.action,
        "awsRegion": call.region,
        "sourceIPAddress": call.caller.source_ip,
        "userAgent": call.caller.user_agent,
        "requestParameters": _request(call.action, call.parameters),
        "responseElements": None if error else _response(call.response, call.output_shape),
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": call.caller.account_id,
        "eventCategory": "Management",
    }
    if error:
        record |= {"errorCode": f"Client.{error['Code']}", "errorMessage": error.get("Message", "")}
    return record


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


def _response(answer: Mapping[str, Any], shape: StructureShape) -> Record:
    body = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    request_id = answer.get("ResponseMetadata", {}).get("RequestId", str(uuid.uuid4()))
    return {"requestId": request_id, **_with_xml_names(body, shape)}


def _with_xml_names(value: Any, shape: Shape) -> Any:
    """A parsed answer under the element names of EC2's XML, which are the names that CloudTrail uses too."""
    match value, shape:
        case dict(), StructureShape():
            return {
                member.serialization.get("name", name): _with_xml_names(value[name], member)
                for name, member in shape.members.items()
                if name in value
            }
        case list(), ListShape():
            return {"items": [_with_xml_names(item, shape.member) for item in value]} if value else {}
        case datetime(), _:
            return int(value.timestamp() * 1000)
        case _:
            return value


def _request(action: str, parameters: Mapping[str, Any]) -> Record:
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


def now() -> datetime:
    """The time that records and keys carry."""
    return datetime.now(UTC)

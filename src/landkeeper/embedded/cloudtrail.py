"""CloudTrail for the embedded AWS: records of the EC2 calls that a simulator answered.

The simulators write no trail. What stands here turns a call that moto answered into the record that CloudTrail would
have written; `trail_files` has the shape of the record, and the files that they are delivered in.
Sources: CloudTrail User Guide, "CloudTrail record contents"; EC2 API Reference.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from landkeeper.embedded.trail_files import Caller, Record, event_record, request_parameters


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
    record = event_record(
        call.caller, call.region, call.action, call.at,
        request=request_parameters(call.action, call.parameters),
        response=None if error else _response(call.response, call.output_shape),
    )  # fmt: skip
    if error:
        record |= {"errorCode": f"Client.{error['Code']}", "errorMessage": error.get("Message", "")}
    return record


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


def now() -> datetime:
    """The time that records and keys carry."""
    return datetime.now(UTC)

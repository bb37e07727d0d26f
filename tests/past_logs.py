"""CloudTrail records of the past, made up for tests of the backtest: launches, tags, ends, as AWS documents them."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.broom_world import event

ACCOUNT, OTHER = "111122223333", "444455556666"
DAY = "2026-01-01"
JANE: Mapping[str, Any] = event("run_instances.json")["userIdentity"]


def record(name: str, at: str, request: Any, answer: Any = None, **fields: Any) -> dict[str, Any]:
    """A record of a call at that time of a day, as in `10:00:00`, or at a whole ISO time."""
    return {
        "eventVersion": "1.11",
        "userIdentity": dict(JANE),
        "eventTime": at if "T" in at else f"{DAY}T{at}Z",
        "eventSource": "ec2.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "requestParameters": request,
        "responseElements": answer,
        "eventID": fields.pop("event_id", f"{name}-{at}-{json.dumps(request, sort_keys=True)}"),
        "eventType": "AwsApiCall",
        "recipientAccountId": ACCOUNT,
        **fields,
    }


def launch(
    ids: str | Sequence[str],
    at: str = "10:00:00",
    *,
    tags: Mapping[str, str] | None = None,
    asked: Mapping[str, str] | None = None,
    type_: str = "t3.micro",
    **fields: Any,
) -> dict[str, Any]:
    """A `RunInstances` that made these instances with these tags; `asked` are those in its request alone."""
    ids = [ids] if isinstance(ids, str) else list(ids)
    template = event("run_instances.json")
    request, answer = copy.deepcopy(template["requestParameters"]), copy.deepcopy(template["responseElements"])
    request["tagSpecificationSet"] = {"items": [{"resourceType": "instance", "tags": _tag_items(asked or {})}]}
    (instance,) = answer["instancesSet"]["items"]
    answer["instancesSet"]["items"] = [
        {**instance, "instanceId": id_, "instanceType": type_, "tagSet": {"items": _tag_items(tags or {})}}
        for id_ in ids
    ]
    fields.setdefault("event_id", f"launch-{'-'.join(ids)}")
    return record("RunInstances", at, request, answer, **fields)


def tagged(ids: str | Sequence[str], at: str, tags: Mapping[str, str], **fields: Any) -> dict[str, Any]:
    """A `CreateTags`."""
    return record("CreateTags", at, _tag_request(ids, _tag_items(tags)), {"_return": True}, **fields)


def untagged(
    ids: str | Sequence[str], at: str, keys: Sequence[str] | Mapping[str, str] = (), **fields: Any
) -> dict[str, Any]:
    """A `DeleteTags`, of keys or of keys with values; of all tags without any keys."""
    items = _tag_items(keys) if isinstance(keys, Mapping) else [{"key": key} for key in keys]
    return record("DeleteTags", at, _tag_request(ids, items), {"_return": True}, **fields)


def ended(ids: str | Sequence[str], at: str, name: str = "TerminateInstances", **fields: Any) -> dict[str, Any]:
    """A `TerminateInstances`."""
    items = [{"instanceId": id_} for id_ in ([ids] if isinstance(ids, str) else ids)]
    return record(name, at, {"instancesSet": {"items": items}}, {"instancesSet": {"items": []}}, **fields)


def stopped(ids: str | Sequence[str], at: str, **fields: Any) -> dict[str, Any]:
    """A `StopInstances`."""
    return ended(ids, at, "StopInstances", **fields)


def by_role(role: str, session: str, account: str = ACCOUNT) -> dict[str, Any]:
    """The `userIdentity` of a role's session, as fields of a record."""
    arn = f"arn:aws:sts::{account}:assumed-role/{role}/{session}"
    return {"userIdentity": {"type": "AssumedRole", "principalId": f"AROA:{session}", "arn": arn, "accountId": account}}


def interrupted(id_: str, at: str, **fields: Any) -> dict[str, Any]:
    """A Spot Instance that EC2 took back, as the EC2 User Guide shows the record."""
    identity = {"accountId": ACCOUNT, "invokedBy": "ec2.amazonaws.com"}
    details = {
        "userIdentity": identity,
        "serviceEventDetails": {"instanceIdSet": [id_]},
        "eventType": "AwsServiceEvent",
    }
    return record("BidEvictedEvent", at, None, **details, **fields)


def spot(ids: Sequence[str], at: str, **fields: Any) -> dict[str, Any]:
    """A Spot request that was fulfilled."""
    template = event("bid_fulfilled.json")
    template["serviceEventDetails"]["instanceIdSet"] = list(ids)
    return {**template, "eventTime": f"{DAY}T{at}Z", "eventID": f"spot-{'-'.join(ids)}", **fields}


def log(*records: Mapping[str, Any]) -> bytes:
    """A log file as CloudTrail writes it."""
    return gzip.compress(json.dumps({"Records": list(records)}, separators=(",", ":")).encode(), mtime=0)


def trail_key(day: str, *, account: str = ACCOUNT, region: str = "eu-west-1", organization: str = "", number: int = 0,
              hour: int = 10) -> str:  # fmt: skip
    """The key of a log file in a trail's bucket; `day` as in `2026-01-31`."""
    folder = f"AWSLogs/{organization}/" if organization else "AWSLogs/"
    stamp = f"{day.replace('-', '')}T{hour:02}05Z"
    return (
        f"{folder}{account}/CloudTrail/{region}/{day.replace('-', '/')}/"
        f"{account}_CloudTrail_{region}_{stamp}_{number:016x}.json.gz"
    )


def write_logs(folder: Path, files: Mapping[str, bytes]) -> Path:
    """The files, by their names, in a folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def _tag_request(ids: str | Sequence[str], items: list[dict[str, str]]) -> dict[str, Any]:
    resources = [{"resourceId": id_} for id_ in ([ids] if isinstance(ids, str) else ids)]
    return {"resourcesSet": {"items": resources}, "tagSet": {"items": items}}


def _tag_items(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]

"""What was found in a log file, as text that can be kept: a second backtest on the same files need not read them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_never

from landkeeper.broom.cloudtrail.records import Malformed
from landkeeper.broom.cloudtrail.scan import Found, Scanned
from landkeeper.broom.launches import End, InstanceId, Launch, LaunchedInstance, Tagging, Termination, Untagging
from landkeeper.org import AccountId, Principal, Region


def write_scanned(scanned: Scanned) -> str:
    """The text for what a scan found; `read_scanned` understands it."""
    return json.dumps(
        {
            "found": [_write(entry) for entry in scanned.found],
            "faults": [[fault.where, fault.reason, fault.is_whole_file] for fault in scanned.faults],
            "ignored": dict(scanned.ignored),
            "records": scanned.records,
            "bytes": scanned.unpacked_bytes,
            "passed": scanned.is_passed_over,
            "unread": sorted(scanned.unread_ids),
        },
        separators=(",", ":"),
    )


def read_scanned(text: str) -> Scanned | None:
    """What a scan found; None for a text that `write_scanned` did not write."""
    try:
        value = json.loads(text)
        return Scanned(
            tuple(_read(entry) for entry in value["found"]),
            tuple(Malformed(*fault) for fault in value["faults"]),
            value["ignored"],
            value["records"],
            value["bytes"],
            value["passed"],
            unread_ids=frozenset(map(InstanceId, value["unread"])),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _write(found: Found) -> dict[str, Any]:
    match found:
        case Launch():
            return _write_launch(found)
        case Tagging(tags=tags):
            return {"is": "tagging", **_write_change(found), "tags": dict(tags)}
        case Untagging(keys=keys, pairs=pairs):
            return {"is": "untagging", **_write_change(found), "keys": sorted(keys), "pairs": sorted(pairs)}
        case Termination(end=end, session=session, may_return=may_return):
            return {"is": "ending", **_write_change(found), "end": end, "by": session, "returns": may_return}
        case _:
            assert_never(found)


def _write_change(change: Tagging | Untagging | Termination) -> dict[str, Any]:
    return {
        "at": change.event_time.isoformat(),
        "ids": sorted(change.instance_ids),
        "account": change.account,
        "region": change.region,
    }


def _write_launch(launch: Launch) -> dict[str, Any]:
    who = launch.principal
    return {
        "is": "launch",
        "id": launch.event_id,
        "at": launch.event_time.isoformat(),
        "account": launch.account,
        "region": launch.region,
        "who": [who.kind, who.name, who.arn, who.account_id, who.invoked_by, who.issuer_arn],
        "instances": [
            [instance.id, instance.image_id, instance.type, dict(instance.tags), instance.spot_request]
            for instance in launch.instances
        ],
        "asked": dict(launch.request_tags),
        "token": launch.client_token,
        "shared": launch.shared_event_id,
        "template": launch.launch_template,
        "where": launch.where,
        "doubts": list(launch.warnings),
        "losses": list(launch.losses),
        "update": launch.update_id,
        "interruption": launch.interruption,
    }


def _read(value: Mapping[str, Any]) -> Found:
    at = datetime.fromisoformat(value["at"])
    if value["is"] == "launch":
        return _read_launch(value, at)
    ids, place = frozenset(map(InstanceId, value["ids"])), (value["account"], value["region"])
    if value["is"] == "tagging":
        return Tagging(at, ids, value["tags"], *place)
    if value["is"] == "untagging":
        pairs = frozenset((key, text) for key, text in value["pairs"])
        return Untagging(at, ids, frozenset(value["keys"]), *place, pairs=pairs)
    return Termination(at, ids, *place, End(value["end"]), value["by"], value["returns"])


def _read_launch(value: Mapping[str, Any], at: datetime) -> Launch:
    return Launch(
        event_id=value["id"],
        event_time=at,
        account=AccountId(value["account"]),
        region=Region(value["region"]),
        principal=Principal(*value["who"]),
        instances=tuple(
            LaunchedInstance(InstanceId(id_), image, type_, tags, spot)
            for id_, image, type_, tags, spot in value["instances"]
        ),
        request_tags=value["asked"],
        client_token=value["token"],
        shared_event_id=value["shared"],
        launch_template=value["template"],
        where=value["where"],
        warnings=tuple(value["doubts"]),
        losses=tuple(value["losses"]),
        update_id=value["update"],
        interruption=value["interruption"],
    )

"""What CloudTrail records tell of instances beside their launch: who asked for them, their tags, their end.

A call that failed, is about something else, or cannot be read tells nothing: None.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from landkeeper.broom.cloudtrail.fields import (
    ACCOUNT,
    INSTANCE_ID,
    REGION,
    RESOURCE_ID,
    FieldError,
    find_form,
    find_listed,
    parse_items,
    parse_time,
    read_tags,
    tag_text,
)
from landkeeper.broom.cloudtrail.principals.identity import describe_principal, find_session
from landkeeper.broom.launches import End, InstanceId, SpotRequest, Tagging, Termination, Untagging
from landkeeper.org import well_formed

_WARNING = "Instance Interruption Warning"
_NOTICE = timedelta(minutes=2)


def find_spot_request(record: Mapping[str, Any]) -> SpotRequest | None:
    """Who asked for Spot instances."""
    answer, identity = record.get("responseElements"), record.get("userIdentity")
    principal = describe_principal(identity) if isinstance(identity, dict) else None
    if record.get("errorCode") or not isinstance(answer, dict) or principal is None:
        return None
    try:
        ids = find_listed(answer, "spotInstanceRequestSet", "spotInstanceRequestId")
    except FieldError:
        return None
    return SpotRequest(principal, ids, *_place(record)) if ids else None


def find_tag_change(record: Mapping[str, Any]) -> Tagging | Untagging | None:
    """What put tags on instances or took them off."""
    request = record.get("requestParameters")
    if record.get("errorCode") or not isinstance(request, dict):
        return None
    try:
        instances = _instance_ids(find_listed(request, "resourcesSet", "resourceId"))
        at, items = parse_time(record), parse_items(request.get("tagSet"), "tagSet")
    except FieldError:
        return None
    if not instances:
        return None
    if record["eventName"] == "DeleteTags":
        return _untagging(record, at, instances, items)
    tags = read_tags(items, "tagSet.items", [])
    return Tagging(at, instances, tags, *_place(record)) if tags or not items else None


def _untagging(
    record: Mapping[str, Any], at: datetime, instances: frozenset[InstanceId], items: list[Any]
) -> Untagging | None:
    """Return what was taken off; None where tags are listed and none of them has a key: that is not every tag."""
    keys, pairs = set[str](), set[tuple[str, str]]()
    for item in items:
        key = item.get("key") if isinstance(item, dict) else None
        if not isinstance(key, str) or not key:
            continue
        if (value := item.get("value")) is None:
            keys.add(well_formed(key))
        else:
            pairs.add((well_formed(key), tag_text(value)))
    if items and not keys and not pairs:
        return None
    return Untagging(at, instances, frozenset(keys), *_place(record), pairs=frozenset(pairs))


def find_termination(record: Mapping[str, Any]) -> Termination | None:
    """What terminated or stopped instances."""
    request = record.get("requestParameters")
    if record.get("errorCode") or not isinstance(request, dict):
        return None
    end = End.STOPPED if record["eventName"] == "StopInstances" else End.TERMINATED
    identity = record.get("userIdentity")
    session = find_session(identity) if isinstance(identity, dict) else ""
    try:
        instances = _instance_ids(find_listed(request, "instancesSet", "instanceId"))
        return Termination(parse_time(record), instances, *_place(record), end=end, session=session)
    except FieldError:
        return None


def find_interruption(record: Mapping[str, Any]) -> Termination | None:
    """What EC2 took back of its Spot capacity.

    Source: Amazon EC2 User Guide, "Determine whether Amazon EC2 terminated a Spot Instance" (`BidEvictedEvent`) and
    "Spot Instance interruptions" (EC2 terminates, stops or hibernates, as the Spot request has it).
    """
    details = record.get("serviceEventDetails")
    listed = details.get("instanceIdSet") if isinstance(details, dict) else None
    instances = _instance_ids(listed if isinstance(listed, list) else [])
    try:
        at = parse_time(record)
    except FieldError:
        return None
    return Termination(at, instances, *_place(record), end=End.INTERRUPTED) if instances else None


def find_interruption_warning(event: Mapping[str, Any]) -> Termination | None:
    """What EC2 announces that it takes back, in an event of EventBridge that is no CloudTrail record.

    EC2 sends it two minutes before it stops or terminates the instance, and with the beginning of a hibernation.
    Source: Amazon EC2 User Guide, "Spot Instance interruption notices" and "Monitor interruptible Capacity Reservations
    with EventBridge and CloudTrail".
    """
    kind, detail = event.get("detail-type"), event["detail"]
    if not isinstance(kind, str) or not kind.startswith("EC2 ") or not kind.endswith(_WARNING):
        return None
    action = find_form(detail, "instance-action", RESOURCE_ID)
    instances = _instance_ids([detail.get("instance-id")])
    try:
        at = parse_time({"eventTime": event.get("time")}) + (timedelta() if action == "hibernate" else _NOTICE)
    except FieldError:
        return None
    place = (find_form(event, "account", ACCOUNT), find_form(event, "region", REGION))
    may_return = action in {"stop", "hibernate"}
    return Termination(at, instances, *place, end=End.INTERRUPTED, may_return=may_return) if instances else None


def _instance_ids(values: Iterable[object]) -> frozenset[InstanceId]:
    return frozenset(InstanceId(value) for value in values if isinstance(value, str) and INSTANCE_ID.fits(value))


def _place(record: Mapping[str, Any]) -> tuple[str, str]:
    """Return the account and region of a record; empty where it does not say."""
    identity = record.get("userIdentity")
    caller = find_form(identity, "accountId", ACCOUNT) if isinstance(identity, dict) else ""
    return find_form(record, "recipientAccountId", ACCOUNT) or caller, find_form(record, "awsRegion", REGION)

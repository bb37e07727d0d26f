"""What CloudTrail records tell of instances beside their launch: who asked for them, their tags, their end.

A call that failed, is about something else, or cannot be read tells nothing: None.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from landkeeper.broom.cloudtrail.fields import (
    ACCOUNT,
    INSTANCE_ID,
    REGION,
    FieldError,
    find_form,
    parse_items,
    parse_listed,
    parse_object,
    parse_tags,
    parse_time,
)
from landkeeper.broom.cloudtrail.identity import describe_principal
from landkeeper.broom.launches import InstanceId, SpotRequest, Tagging, Termination, Untagging


def find_spot_request(record: Mapping[str, Any]) -> SpotRequest | None:
    """Who asked for Spot instances."""
    answer, identity = record.get("responseElements"), record.get("userIdentity")
    principal = describe_principal(identity) if isinstance(identity, dict) else None
    if record.get("errorCode") or not isinstance(answer, dict) or principal is None:
        return None
    try:
        ids = parse_listed(answer, "spotInstanceRequestSet", "spotInstanceRequestId")
    except FieldError:
        return None
    return SpotRequest(principal, ids, *_place(record)) if ids else None


def find_tag_change(record: Mapping[str, Any]) -> Tagging | Untagging | None:
    """What put tags on instances or took them off."""
    request = record.get("requestParameters")
    if record.get("errorCode") or not isinstance(request, dict):
        return None
    try:
        resources = parse_listed(request, "resourcesSet", "resourceId")
        instances = frozenset(InstanceId(id_) for id_ in resources if INSTANCE_ID.fits(id_))
        if not instances:
            return None
        if record["eventName"] == "DeleteTags":
            return Untagging(parse_time(record), instances, parse_listed(request, "tagSet", "key"), *_place(record))
        items = parse_items(request.get("tagSet"), "tagSet")
        tags = parse_tags([parse_object(item, "tagSet") for item in items], "tagSet")
        return Tagging(parse_time(record), instances, tags, *_place(record))
    except FieldError:
        return None


def find_termination(record: Mapping[str, Any]) -> Termination | None:
    """What terminated instances."""
    request = record.get("requestParameters")
    if record.get("errorCode") or not isinstance(request, dict):
        return None
    try:
        ids = parse_listed(request, "instancesSet", "instanceId")
        instances = frozenset(InstanceId(id_) for id_ in ids if INSTANCE_ID.fits(id_))
        return Termination(parse_time(record), instances, *_place(record))
    except FieldError:
        return None


def _place(record: Mapping[str, Any]) -> tuple[str, str]:
    """Return the account and region of a record; empty where it does not say."""
    identity = record.get("userIdentity")
    caller = find_form(identity, "accountId", ACCOUNT) if isinstance(identity, dict) else ""
    return find_form(record, "recipientAccountId", ACCOUNT) or caller, find_form(record, "awsRegion", REGION)

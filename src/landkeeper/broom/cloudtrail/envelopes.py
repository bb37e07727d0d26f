"""What carries a CloudTrail record inside: events, messages, and the lines of log collectors.

An envelope that names an account and a region binds the record in it to these, as EventBridge's does, and the name
that CloudTrail gives to its log streams.

Sources: Amazon EventBridge User Guide, "AWS service events delivered via AWS CloudTrail"; Amazon CloudWatch Logs User
Guide, "Real-time processing of log data with subscriptions" (`messageType`, `logStream`, `logEvents`); AWS CloudTrail
User Guide, "CloudWatch log group and log stream naming for CloudTrail"; AWS CloudTrail API Reference, "LookupEvents";
Cribl Stream, "Event Model" (`_raw`), which is Splunk's field, and its exports have that below `result`; Fluent Bit,
"Tail" (`log`); OpenSearch, "Search API" (`_source`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from landkeeper.broom.cloudtrail.fields import REGION, kind_of
from landkeeper.broom.cloudtrail.kinds import name_object, name_text
from landkeeper.broom.cloudtrail.layouts import parse_json
from landkeeper.broom.cloudtrail.origin import Origin, read_envelope

NOT_AN_API_CALL = "an event, not an API call"
CONTROL_MESSAGE = "a control message of CloudWatch Logs"
INSIGHT = "a CloudTrail Insights event"

_LISTS = ("Records", "Events", "logEvents", "events")
"""The keys under which documents list records: `Events` is LookupEvents' word, `events` that of `aws logs`."""
_TEXTS = ("CloudTrailEvent", "_raw", "message", "log")
_OBJECTS = ("result", "detail", "_source")
_STREAM_NAMES = ("logStream", "logStreamName")
_STREAM = re.compile(r"(?:o-[a-z0-9]+_)?([0-9]{12})_CloudTrail(?:/logs)?_([a-z0-9-]+?)(?:_[0-9]+)?")
_CONTROL = "CWL CONTROL MESSAGE"
_MOST_LAYERS = 4


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A record without what was around it, and the origins that bind it."""

    record: Mapping[str, Any]
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class Unopened:
    """Why there is no record in an envelope."""

    reason: str
    is_fault: bool = True
    """Whether there should have been one."""
    event: Mapping[str, Any] | None = None
    """The event of EventBridge that tells of no call; None for anything else."""


def is_envelope(value: Mapping[str, Any]) -> bool:
    """Whether an object may carry a record, and is none."""
    return "eventName" not in value and any(name in value for name in (*_OBJECTS, *_TEXTS))


def find_list(value: Mapping[str, Any]) -> tuple[str, Any] | None:
    """Return the key under which an object lists records, and what stands there; None where it lists none.

    Each event of a CloudWatch Logs subscription gets the name of the log stream, which stands beside the list.
    """
    if "eventName" in value:
        return None
    name = next((name for name in _LISTS if name in value), None)
    if name is None:
        return _find_list_in_text(value)
    listed = value[name]
    if name == "logEvents" and isinstance(listed, list):
        stream = {name: value[name] for name in _STREAM_NAMES if name in value}
        listed = [{**event, **stream} if isinstance(event, dict) else event for event in listed]
    return name, listed


def _find_list_in_text(value: Mapping[str, Any]) -> tuple[str, Any] | None:
    """The same for a list of records that was collected as one text."""
    inner = next((value[name] for name in _TEXTS[1:] if name in value), None)
    try:
        inner = parse_json(inner) if isinstance(inner, str) else inner
    except (ValueError, RecursionError):
        return None
    return ("Records", inner["Records"]) if isinstance(inner, dict) and "Records" in inner else None


def is_list(value: object) -> bool:
    """Return whether something in a list is a list of records itself, or a record as text."""
    if isinstance(value, dict):
        return find_list(value) is not None
    return isinstance(value, list | str)


def open_envelope(record: Mapping[str, Any]) -> Enclosed | Unopened:
    """Return the record inside an object, however it is wrapped; an object that is no envelope is the record itself."""
    origins = list[Origin]()
    for _ in range(_MOST_LAYERS):
        if not is_envelope(record):
            is_insight = "eventName" not in record and record.get("eventCategory") == "Insight"
            return Unopened(INSIGHT, is_fault=False) if is_insight else Enclosed(record, tuple(origins))
        inner = _open_once(record)
        if isinstance(inner, Unopened):
            return inner
        record, origin = inner
        origins += [origin] if origin is not None else []
    return Unopened("its record is wrapped too often")


def _open_once(value: Mapping[str, Any]) -> tuple[Mapping[str, Any], Origin | None] | Unopened:
    if isinstance(detail := value.get("detail"), dict):
        if "eventName" not in detail:
            return Unopened(NOT_AN_API_CALL, is_fault=False, event=value)
        return detail, read_envelope(value, detail)
    name = next((name for name in _TEXTS if name in value), "")
    if not name:
        inner = next((value[name] for name in _OBJECTS if name in value), None)
        return (inner, None) if isinstance(inner, dict) else Unopened(_not_a_record(value))
    inner = _parse(name, value[name])
    return inner if isinstance(inner, Unopened) else (inner, _find_stream(value))


def _parse(name: str, text: object) -> Mapping[str, Any] | Unopened:
    if isinstance(text, str) and text.startswith(_CONTROL):
        return Unopened(CONTROL_MESSAGE, is_fault=False)
    try:
        value = parse_json(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        kind = name_text(text) if isinstance(text, str) else ""
        return Unopened(f"{name} is {kind or 'not JSON'}" + (", not a CloudTrail record" if kind else ""))
    if not isinstance(value, dict) or ("eventName" not in value and not is_envelope(value)):
        return Unopened(f"{name} is {_kind(value)}: it has to be a CloudTrail record as text")
    return value


def _kind(value: object) -> str:
    return (name_object(value) if isinstance(value, dict) else "") or kind_of(value)


def _not_a_record(value: Mapping[str, Any]) -> str:
    name = next(name for name in _OBJECTS if name in value)
    return f"{name} is {kind_of(value[name])}, not an object"


def _find_stream(value: Mapping[str, Any]) -> Origin | None:
    """Return the origin that the name of CloudTrail's log stream tells; None for other names."""
    name = next((value[name] for name in _STREAM_NAMES if name in value), None)
    found = _STREAM.fullmatch(name) if isinstance(name, str) else None
    return Origin("the log stream", found[1], found[2] if REGION.fits(found[2]) else "") if found is not None else None

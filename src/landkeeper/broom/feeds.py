"""What an event that reached the function asks for: objects to read, a record it carries, cases to look at again.

Events come nested however AWS nests them: an S3 notification bare, in SNS, in SQS, in SNS in SQS; CloudTrail's own
SNS message; EventBridge events. Keys are URL-encoded in S3 notifications only.

A topic and a bucket may belong to others. So what came through a topic is believed only where it points to log files:
records, cases and audits come from EventBridge and from Landkeeper, which send to the queue themselves.

Source: Amazon S3 User Guide, "Event message structure"; AWS CloudTrail User Guide, "Configuring Amazon SNS
notifications for CloudTrail"; Amazon EventBridge User Guide, "AWS service events delivered via AWS CloudTrail".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from landkeeper.broom.cloudtrail.fields import ACCOUNT, INSTANCE_ID
from landkeeper.broom.cloudtrail.keys import LogObject
from landkeeper.broom.cloudtrail.origin import Origin, find_service, read_envelope
from landkeeper.broom.launches import InstanceId
from landkeeper.org import AccountId, is_batch, well_formed

# Anything else might be the ARN of an access point, which S3 takes in a bucket's place.
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_LONGEST_KEY = 1024
"""Bytes (S3 User Guide, "Naming Amazon S3 objects")."""

_CREATED = "Object Created"
_TRAIL_FILES = {
    "CloudTrail-Digest": "a CloudTrail digest file",
    "CloudTrail-Insight": "a CloudTrail Insights file",
}
_TEST_FILES = {
    "aws-logs-write-test": "CloudWatch Logs",
    "ELBAccessLogTestFile": "Elastic Load Balancing",
    "ConfigWritabilityCheckFile": "AWS Config",
}
"""What services write once, to see whether they may."""

CASE_MESSAGE = "broom-cases"
AUDIT_MESSAGE = "broom-audit"


@dataclass(frozen=True, slots=True)
class InlineRecord:
    """A CloudTrail record that came inside the event, and what the event says of where it is from."""

    record: Mapping[str, Any]
    origin: Origin


@dataclass(frozen=True, slots=True)
class DueCases:
    """Cases that were put off until now."""

    instance_ids: tuple[InstanceId, ...]


@dataclass(frozen=True, slots=True)
class AuditOrder:
    """All running instances are to be held against the policy: those of one account, or of every account."""

    account: AccountId | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that belongs there and holds no launches."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that nobody here knows how to read."""

    reason: str


Feed = LogObject | InlineRecord | DueCases | AuditOrder | Skipped | Unknown


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a batch, or the whole event where it is no batch; then the id is empty."""

    id: str
    feeds: tuple[Feed, ...]


def read_messages(event: object) -> tuple[Message, ...]:
    """The messages of an SQS batch, each with what it asks for; any other event as a single message. Never raises."""
    if not is_batch(event):
        return (Message("", tuple(_read(event))),)
    return tuple(
        Message(str(record.get("messageId", "")), tuple(_read(record.get("body")))) for record in event["Records"]
    )


def write_due_cases(instance_ids: tuple[InstanceId, ...]) -> str:
    """The body of a message that asks to look at these cases again; `read_messages` understands it."""
    return json.dumps({"landkeeper": CASE_MESSAGE, "instances": list(instance_ids)})


def write_audit_order(account: AccountId) -> str:
    """The body of a message that asks for the audit of one account; `read_messages` understands it."""
    return json.dumps({"landkeeper": AUDIT_MESSAGE, "account": account})


def skip_reason(key: str) -> str | None:
    """Why a file in a trail's bucket holds no launches, going by the service it is of; None for one that may."""
    if key.endswith("/"):
        return "a folder marker"
    name = key.rpartition("/")[2]
    if name in _TEST_FILES:
        return f"a test file of {_TEST_FILES[name]}"
    service = find_service(key)
    if service in {"", "CloudTrail"}:
        return None
    return _TRAIL_FILES.get(service) or f"a file of {service}, not of CloudTrail"


def _read(value: object) -> Iterator[Feed]:
    match value:
        case str():
            yield from _read_text(value)
        case {"Records": [*records]}:
            for record in records:
                yield from _read_notice(record)
        case {"Type": "Notification", "Message": str(message)}:
            yield from _read_published(message)
        case {"Event": "s3:TestEvent"}:
            yield Skipped("S3's test event")
        case {"s3Bucket": str(bucket), "s3ObjectKey": [*keys]}:
            yield from (_object(bucket, key) for key in keys)
        case {"detail-type": "Object Created", "detail": {"bucket": {"name": bucket}, "object": {"key": key}}}:
            yield _object(bucket, key)
        case {"source": "aws.s3", "detail-type": str(what)} if what.startswith("Object ") and what != _CREATED:
            yield Skipped(f"an S3 event of {what}")
        case {
            "detail-type": "AWS API Call via CloudTrail" | "AWS Service Event via CloudTrail",
            "detail": dict() as detail,
            **envelope,
        }:
            yield _read_inline(detail, envelope)
        case _:
            yield from _read_own(value)


def _read_inline(record: Mapping[str, Any], envelope: Mapping[Any, Any]) -> Feed:
    origin = read_envelope(envelope, record)
    if origin is None:
        return Unknown("an EventBridge event without its account, region and source")
    return InlineRecord(record, origin)


def _read_published(message: str) -> Iterator[Feed]:
    """What a message of a topic points to."""
    for feed in _read(message):
        is_trusted = isinstance(feed, LogObject | Skipped | Unknown)
        yield feed if is_trusted else Unknown("a message of a topic that points to no log file")


def _read_own(value: object) -> Iterator[Feed]:
    match value:
        case {"landkeeper": "broom-cases", "instances": [*ids]}:
            fitting = tuple(InstanceId(id_) for id_ in ids if isinstance(id_, str) and INSTANCE_ID.fits(id_))
            yield DueCases(fitting)
            if len(fitting) < len(ids):
                yield Unknown("a message about cases with something that is not an instance id")
        case {"landkeeper": "broom-audit", "account": str(account)} if ACCOUNT.fits(account):
            yield AuditOrder(AccountId(account))
        case {"task": "audit"}:
            yield AuditOrder()
        case _:
            yield Unknown("neither a notification, an EventBridge event nor a message of Landkeeper's")


def _read_text(text: str) -> Iterator[Feed]:
    # CloudTrail sends this sentence once, to see whether the topic takes its messages.
    if text.startswith("CloudTrail validation message"):
        yield Skipped("CloudTrail's validation message")
        return
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        yield Unknown("the message is not JSON")
        return
    if isinstance(value, str):
        yield Unknown("the message is text inside JSON")
    else:
        yield from _read(value)


def _read_notice(record: object) -> Iterator[Feed]:
    match record:
        case {"EventSource": "aws:sns", "Sns": {"Message": str(message)}}:
            yield from _read_published(message)
        case {"eventSource": "aws:s3", "eventName": str(name)} if not name.startswith("ObjectCreated:"):
            yield Skipped(f"an S3 notification of {name}")
        case {"eventSource": "aws:s3", "s3": {"bucket": {"name": bucket}, "object": {"key": str(key)}}}:
            yield _object(bucket, unquote_plus(key))
        case dict() if {"eventName", "userIdentity"} <= record.keys():
            yield Unknown("a CloudTrail record without the event around it, which says where it is from")
        case _:
            yield Unknown("a record that is neither of S3 nor of SNS")


def _object(bucket: object, key: object) -> Feed:
    if not isinstance(bucket, str) or not isinstance(key, str) or not bucket or not key:
        return Unknown("a notification without the name of a bucket and a key")
    # JSON can hold half a pair of surrogates, which no key has: keys are UTF-8.
    if not _BUCKET.fullmatch(bucket) or well_formed(key) != key or len(key.encode()) > _LONGEST_KEY:
        return Unknown("a notification with a name that neither a bucket nor a key can have")
    reason = skip_reason(key)
    return LogObject(bucket, key) if reason is None else Skipped(reason)

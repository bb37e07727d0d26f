"""From a CloudTrail log file to the launches in it.

Understood are `{"Records": [...]}`, a bare array, a single record, JSON lines of any of these, EventBridge events that
carry a record as `detail`, and what `aws cloudtrail lookup-events` prints, with the record as text; gzip or plain.
Nothing here raises: what is no launch is Ignored, what should have been readable and was not is Malformed, each with a
reason.

Source: AWS CloudTrail User Guide, "CloudTrail record contents"; AWS CloudTrail API Reference, "LookupEvents";
Amazon EC2 User Guide, "Log Amazon EC2 API calls using AWS CloudTrail"; Amazon EC2 API Reference, "RunInstances".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, assert_never

from landkeeper.broom.identity import SPOT, UNKNOWN_PRINCIPAL, describe_principal
from landkeeper.broom.launches import (
    Ending,
    InstanceId,
    Launch,
    LaunchedInstance,
    SpotRequest,
    Tagging,
    Tags,
    Untagging,
)
from landkeeper.broom.log_text import DEFAULT_LIMIT_BYTES, Document, Unreadable, parse_json, read_documents
from landkeeper.org import AccountId, Principal, Region


@dataclass(frozen=True, slots=True)
class Ignored:
    """A record that is well and no launch. `where` is as in `record 3`, empty for a file of one record."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """Something that cannot be read. `where` names the record or the line, and is empty for the whole file."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}" if self.where else self.reason


Entry = Launch | SpotRequest | Untagging | Tagging | Ending | Ignored | Malformed

NOT_A_LAUNCH = "not a RunInstances call"
NOT_AN_API_CALL = "an event, not an API call"

LAUNCH_EVENTS = frozenset({"RunInstances", "BidFulfilledEvent", "RequestSpotInstances", "DeleteTags"})
"""The events of which the launches, who asked for them, and what took tags off instances are read."""

TAG_EVENTS = LAUNCH_EVENTS | {"CreateTags"}
"""The same, and what put tags on instances later. Logs hold many of these."""

PAST_EVENTS = (TAG_EVENTS | {"TerminateInstances"}) - {"RequestSpotInstances"}
"""All that a backtest asks of the past: launches, what became of tags, what ended instances. Only EC2 could tell what
came of a Spot request."""

CHANGE_EVENTS = frozenset({"CreateTags", "DeleteTags", "TerminateInstances"})
"""Those of them that are about instances launched before: of no interest where none of these is known."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The records of one document, and where it stands. `is_list` says whether it lists them or is one itself."""

    where: str
    records: list[Any]
    is_list: bool

    def place(self, number: int) -> str:
        """Where a record stands, by its number from 1."""
        if not self.is_list:
            return self.where
        return f"{self.where}, record {number}" if self.where else f"record {number}"


class _FieldError(Exception):
    """A field of a record is not what it has to be. Never leaves this module."""


def read_log(data: bytes, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> Iterator[Entry]:
    """Every record of a log file, in order, as what it is: the whole parse."""
    for document in read_documents(data, limit_bytes=limit_bytes):
        listing = list_records(document)
        if isinstance(listing, Malformed):
            yield listing
        else:
            yield from (read_record(record, listing.place(at)) for at, record in enumerate(listing.records, 1))


def list_records(document: Document | Unreadable) -> Listing | Malformed:
    """The records that a document holds, none of them looked at."""
    match document:
        case Unreadable(where, reason):
            return Malformed(where, reason)
        case Document(where, list() as records):
            return Listing(where, records, is_list=True)
        case Document(where, dict() as value) if name := _list_name(value):
            records = value[name]
            if isinstance(records, list):
                return Listing(where, records, is_list=True)
            return Malformed(where, f"{name} is {_kind(records)}, not a list")
        case Document(where, dict() as value) if not {"eventName", "detail", "CloudTrailEvent"} & value.keys():
            return Malformed(where, "no Records, and not a CloudTrail record itself")
        case Document(where, value):
            return Listing(where, [value], is_list=False)
        case _:
            assert_never(document)


def _list_name(value: Mapping[str, Any]) -> str:
    """The key under which a document lists its records; `Events` is what LookupEvents calls them."""
    return next((name for name in ("Records", "Events") if name in value and "eventName" not in value), "")


def read_record(record: object, where: str = "") -> Entry:
    """One CloudTrail record, or an EventBridge event that carries one. Never raises."""
    if not isinstance(record, dict):
        return Malformed(where, f"the record is {_kind(record)}, not an object")
    if "eventName" not in record:
        if isinstance(record.get("detail"), dict):
            return _read_event(record, where)
        if "CloudTrailEvent" in record:
            return _read_looked_up(record["CloudTrailEvent"], where)
    return _read_call(record, where)


def _read_call(record: Mapping[str, Any], where: str) -> Entry:
    name = record.get("eventName")
    if not isinstance(name, str):
        return Malformed(where, f"eventName is {_kind(name)}: this is not a CloudTrail record")
    change = _CHANGES.get(name)
    if change is not None:
        return change(record, where)
    parse = _LAUNCHES.get(name)
    if parse is None or record.get("eventSource", "ec2.amazonaws.com") != "ec2.amazonaws.com":
        return Ignored(where, NOT_A_LAUNCH)
    if record.get("errorCode"):
        return Ignored(where, f"the launch failed ({record['errorCode']})")
    try:
        return parse(record, where)
    except _FieldError as error:
        return Malformed(where, str(error))


def _read_looked_up(text: object, where: str) -> Entry:
    try:
        record = parse_json(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return Malformed(where, "CloudTrailEvent is not JSON")
    if isinstance(record, dict) and "eventName" in record:
        return read_record(record, where)
    return Malformed(where, f"CloudTrailEvent is {_kind(record)}: it has to be a CloudTrail record as text")


def _read_event(event: Mapping[str, Any], where: str) -> Entry:
    detail = event["detail"]
    if "eventName" not in detail:
        return Ignored(where, NOT_AN_API_CALL)
    return read_record(detail, where)


def _parse_launch(record: Mapping[str, Any], where: str) -> Launch:
    request = record.get("requestParameters")
    request = request if isinstance(request, dict) else {}
    token = request.get("clientToken")
    token = token if isinstance(token, str) else ""
    answer = _answer(record, token)
    doubts: list[str] = []
    return Launch(
        event_id=_event_id(record),
        event_time=_time(record),
        account=_account(record, answer),
        region=Region(_text(record, "awsRegion")),
        principal=_principal(record, doubts),
        instances=() if _is_left_out(record.get("responseElements")) else _instances(answer, doubts),
        request_tags=_request_tags(request),
        client_token=token,
        shared_event_id=_text_or_none(record, "sharedEventID"),
        launch_template=_template(request),
        where=where,
        doubts=tuple(doubts),
    )


def _parse_fulfilment(record: Mapping[str, Any], where: str) -> Launch:
    """A Spot request that EC2 fulfilled: it names the instances and nothing else."""
    details = _object(record.get("serviceEventDetails"), "serviceEventDetails")
    ids = details.get("instanceIdSet")
    if not isinstance(ids, list) or not ids or not all(isinstance(id_, str) and id_ for id_ in ids):
        raise _FieldError(f"serviceEventDetails.instanceIdSet is {_kind(ids)}: it has to list the instances")
    # In no example of AWS's; where it is there, EC2 need not be asked.
    request = _text_or_none(details, "spotInstanceRequestId")
    identity = record.get("userIdentity")
    caller = identity.get("accountId") if isinstance(identity, dict) else None
    account = _account(record, {})
    return Launch(
        event_id=_event_id(record),
        event_time=_time(record),
        account=account,
        region=Region(_text(record, "awsRegion")),
        principal=Principal("AWSService", "EC2 Spot", "", str(caller or account), SPOT),
        instances=tuple(LaunchedInstance(InstanceId(id_), "", "", {}, request) for id_ in ids),
        request_tags={},
        where=where,
    )


def _read_spot_request(record: Mapping[str, Any], where: str) -> Entry:
    """Who asked for Spot instances; a call that failed or cannot be read tells of nobody."""
    answer, identity = record.get("responseElements"), record.get("userIdentity")
    principal = describe_principal(identity) if isinstance(identity, dict) else None
    if record.get("errorCode") or not isinstance(answer, dict) or principal is None:
        return Ignored(where, NOT_A_LAUNCH)
    try:
        ids = _listed(answer, "spotInstanceRequestSet", "spotInstanceRequestId")
        return SpotRequest(principal, ids) if ids else Ignored(where, NOT_A_LAUNCH)
    except _FieldError:
        return Ignored(where, NOT_A_LAUNCH)


def _read_tag_call(record: Mapping[str, Any], where: str) -> Entry:
    """What put tags on instances or took them off; any other use of the calls, and one that cannot be read, is none."""
    request = record.get("requestParameters")
    if record.get("errorCode") or not isinstance(request, dict):
        return Ignored(where, NOT_A_LAUNCH)
    try:
        resources = _listed(request, "resourcesSet", "resourceId")
        instances = frozenset(InstanceId(id_) for id_ in resources if id_.startswith("i-"))
        if not instances:
            return Ignored(where, NOT_A_LAUNCH)
        if record["eventName"] == "DeleteTags":
            return Untagging(_time(record), instances, _listed(request, "tagSet", "key"))
        tags = _tags([_object(item, "tagSet") for item in _items(request.get("tagSet"), "tagSet")], "tagSet")
        return Tagging(_time(record), instances, tags)
    except _FieldError:
        return Ignored(where, NOT_A_LAUNCH)


def _read_ending(record: Mapping[str, Any], where: str) -> Entry:
    """What terminated instances; a call that failed or cannot be read is none."""
    request = record.get("requestParameters")
    if record.get("errorCode") or not isinstance(request, dict):
        return Ignored(where, NOT_A_LAUNCH)
    try:
        instances = frozenset(InstanceId(id_) for id_ in _listed(request, "instancesSet", "instanceId"))
        return Ending(_time(record), instances)
    except _FieldError:
        return Ignored(where, NOT_A_LAUNCH)


def _listed(request: Mapping[str, Any], name: str, field: str) -> frozenset[str]:
    return frozenset(_text(_object(item, name), field, name) for item in _items(request.get(name), name))


_LAUNCHES = {"RunInstances": _parse_launch, "BidFulfilledEvent": _parse_fulfilment}
_CHANGES = {
    "RequestSpotInstances": _read_spot_request,
    "CreateTags": _read_tag_call,
    "DeleteTags": _read_tag_call,
    "TerminateInstances": _read_ending,
}


def _is_left_out(response: object) -> bool:
    """Whether CloudTrail left the answer of a call out: for its size it writes null, or says `omitted`."""
    return response is None or response == "null" or (isinstance(response, dict) and response.get("omitted") is True)


def _answer(record: Mapping[str, Any], token: str) -> Mapping[str, Any]:
    response = record.get("responseElements")
    if not _is_left_out(response):
        return _object(response, "responseElements")
    if not token:
        raise _FieldError(
            "responseElements is null: the log does not say which instances this RunInstances created, and without a "
            "clientToken only an audit finds them"
        )
    return {}


def _event_id(record: Mapping[str, Any]) -> str:
    """The id of the event; of the one that is added to, where CloudTrail delivers a record anew."""
    addendum = record.get("addendum")
    original = addendum.get("originalEventID") if isinstance(addendum, dict) else None
    return original if isinstance(original, str) and original else _text(record, "eventID")


def _time(record: Mapping[str, Any]) -> datetime:
    text = _text(record, "eventTime")
    try:
        moment = datetime.fromisoformat(text)
        # Exports of logs drop the zone; CloudTrail itself writes UTC.
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _FieldError(f"eventTime '{text}' is not a time") from None


def _account(record: Mapping[str, Any], answer: Mapping[str, Any]) -> AccountId:
    identity = record.get("userIdentity")
    caller = identity.get("accountId") if isinstance(identity, dict) else None
    recipient, owner = record.get("recipientAccountId"), answer.get("ownerId")
    # A shared event goes to several accounts, and only one of them has the instances.
    named = (owner, recipient) if "sharedEventID" in record else (recipient, owner)
    for candidate in (*named, caller):
        if isinstance(candidate, str) and candidate:
            return AccountId(candidate)
    raise _FieldError("neither recipientAccountId, responseElements.ownerId nor userIdentity.accountId is given")


def _principal(record: Mapping[str, Any], doubts: list[str]) -> Principal:
    identity = record.get("userIdentity")
    if not isinstance(identity, dict):
        doubts.append(f"userIdentity is {_kind(identity)}, not an object: nobody knows who it was")
        return UNKNOWN_PRINCIPAL
    principal = describe_principal(identity)
    if principal is None:
        doubts.append("userIdentity has no type: nobody knows who it was")
        return UNKNOWN_PRINCIPAL
    return principal


def _instances(answer: Mapping[str, Any], doubts: list[str]) -> tuple[LaunchedInstance, ...]:
    path = "responseElements.instancesSet"
    items = _object(answer.get("instancesSet"), path).get("items")
    if not isinstance(items, list) or not items:
        raise _FieldError(f"{path}.items is {_kind(items)}: it has to list the instances")
    return tuple(_instance(item, f"{path}.items[{index}]", doubts) for index, item in enumerate(items))


def _instance(item: object, path: str, doubts: list[str]) -> LaunchedInstance:
    fields = _object(item, path)
    id_ = InstanceId(_text(fields, "instanceId", path))
    return LaunchedInstance(
        id=id_,
        image_id=_text_or_doubt(fields, "imageId", path, doubts),
        type=_text_or_doubt(fields, "instanceType", path, doubts),
        tags=_tags(_items(fields.get("tagSet"), f"{path}.tagSet"), f"{path}.tagSet"),
        spot_request=_text_or_none(fields, "spotInstanceRequestId"),
    )


def _text_or_doubt(fields: Mapping[str, Any], name: str, path: str, doubts: list[str]) -> str:
    try:
        return _text(fields, name, path)
    except _FieldError as error:
        doubts.append(str(error))
        return ""


def _template(request: Mapping[str, Any]) -> str:
    template = request.get("launchTemplate")
    named = template if isinstance(template, dict) else {}
    return _text_or_none(named, "launchTemplateId") or _text_or_none(named, "launchTemplateName")


def _request_tags(request: Mapping[str, Any]) -> Tags:
    path = "requestParameters.tagSpecificationSet"
    found: dict[str, str] = {}
    for item in _items(request.get("tagSpecificationSet"), path):
        specification = _object(item, f"{path}.items")
        tags = specification.get("tags")
        if specification.get("resourceType") == "instance":
            found.update(_tags(tags if isinstance(tags, list) else [], f"{path}.items.tags"))
    return found


def _items(value: object, path: str) -> list[Any]:
    if value is None:
        return []
    items = _object(value, path).get("items", [])
    if not isinstance(items, list):
        raise _FieldError(f"{path}.items is {_kind(items)}, not a list")
    return items


def _tags(items: list[Any], path: str) -> Tags:
    return {_text(_object(item, path), "key", path): str(item.get("value", "")) for item in items}


def _object(value: object, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _FieldError(f"{path} is {_kind(value)}, not an object")
    return value


def _text(fields: Mapping[str, Any], name: str, path: str = "") -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise _FieldError(f"{path}{'.' if path else ''}{name} is {_kind(value)}: it has to be text")
    return value


def _text_or_none(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _kind(value: object) -> str:
    match value:
        case None:
            return "missing or null"
        case bool():
            return "true or false"
        case str():
            return "empty" if not value else "text"
        case int() | float():
            return "a number"
        case list():
            return "a list" if value else "an empty list"
        case _:
            return "an object"

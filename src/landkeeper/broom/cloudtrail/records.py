"""From a CloudTrail log file to the launches in it.

Understood are `{"Records": [...]}`, a bare array, a single record, and several of any of these, in lines or one after
the other; EventBridge events that carry a record as `detail`, what `aws cloudtrail lookup-events` and `aws logs` print,
what CloudWatch Logs and log collectors put around a record (`landkeeper.broom.cloudtrail.envelopes`); gzip or plain.
Nothing here raises: what is no launch is Ignored, what should have been readable and was not is Malformed, each with a
reason.

Source: AWS CloudTrail User Guide, "CloudTrail record contents"; AWS CloudTrail API Reference, "LookupEvents".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, assert_never

from landkeeper.broom.cloudtrail.change_records import (
    find_interruption,
    find_interruption_warning,
    find_spot_request,
    find_tag_change,
    find_termination,
)
from landkeeper.broom.cloudtrail.envelopes import Unopened, find_list, is_envelope, is_list, open_envelope
from landkeeper.broom.cloudtrail.fields import FieldError, kind_of
from landkeeper.broom.cloudtrail.kinds import name_event, name_object
from landkeeper.broom.cloudtrail.launch_records import parse_fulfilment, parse_launch
from landkeeper.broom.cloudtrail.layouts import Document, Unreadable, parse_json
from landkeeper.broom.cloudtrail.text import DEFAULT_LIMIT_BYTES, read_documents
from landkeeper.broom.launches import Launch, SpotRequest, Tagging, Termination, Untagging


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
    is_whole_file: bool = False
    """Whether nothing of the file could be read, so that nobody knows what is lost."""

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}" if self.where else self.reason


Entry = Launch | SpotRequest | Untagging | Tagging | Termination | Ignored | Malformed

NOT_A_LAUNCH = "not a RunInstances call"

LAUNCH_EVENTS = frozenset({"RunInstances", "BidFulfilledEvent", "RequestSpotInstances", "DeleteTags"})
"""The events of which the launches, who asked for them, and what took tags off instances are read."""

TAG_EVENTS = LAUNCH_EVENTS | {"CreateTags"}
"""The same, and what put tags on instances later. Logs hold many of these."""

END_EVENTS = frozenset({"TerminateInstances", "StopInstances", "BidEvictedEvent"})
"""What ended or stopped instances."""

PAST_EVENTS = (TAG_EVENTS | END_EVENTS) - {"RequestSpotInstances"}
"""All that a backtest asks of the past: launches, what became of tags, what ended instances. Only EC2 could tell what
came of a Spot request."""

CHANGE_EVENTS = END_EVENTS | {"CreateTags", "DeleteTags"}
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


_MOST_LISTS = 3
"""How deep lists may stand in one another."""
_LAUNCHES = {"RunInstances": parse_launch, "BidFulfilledEvent": parse_fulfilment}
_CHANGES: Mapping[str, Callable[[Mapping[str, Any]], SpotRequest | Tagging | Untagging | Termination | None]] = {
    "RequestSpotInstances": find_spot_request,
    "CreateTags": find_tag_change,
    "DeleteTags": find_tag_change,
    "TerminateInstances": find_termination,
    "StopInstances": find_termination,
    "BidEvictedEvent": find_interruption,
}


def read_log(data: bytes, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> Iterator[Entry]:
    """Every record of a log file, in order, as what it is: the whole parse."""
    for listing in list_all(read_documents(data, limit_bytes=limit_bytes)):
        if isinstance(listing, Malformed):
            yield listing
        else:
            yield from (read_record(record, listing.place(at)) for at, record in enumerate(listing.records, 1))


def list_all(documents: Iterable[Document | Unreadable]) -> Iterator[Listing | Malformed]:
    """What `list_records` says of each document; one fault of several in a row is said once, with their lines."""
    run: Malformed | None = None
    parts = (part for document in documents for part in _split(document))
    for listing in map(list_records, parts):
        if isinstance(listing, Malformed) and run is not None and listing.reason == run.reason:
            run = replace(run, where=f"{run.where.partition(' to ')[0]} to {listing.where.rpartition(' to ')[2]}")
            continue
        if run is not None:
            yield run
        run = listing if isinstance(listing, Malformed) else None
        if isinstance(listing, Listing):
            yield listing
    if run is not None:
        yield run


def _split(document: Document | Unreadable, depth: int = 0) -> Iterator[Document | Unreadable]:
    """Yield a document, or those it consists of: `jq -s` lists log files, `--query` of the AWS CLI records as text."""
    if not isinstance(document, Document) or not isinstance(document.value, list) or depth == _MOST_LISTS:
        yield document
    elif any(map(is_list, document.value)):
        for number, value in enumerate(document.value, 1):
            where = f"{document.where}, item {number}" if document.where else f"item {number}"
            yield from _split(Document(where, _parse_text(value)), depth + 1)
    else:
        yield document


def _parse_text(value: object) -> object:
    """Return the JSON value that a text stands for; anything else as it is."""
    try:
        return parse_json(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value


def list_records(document: Document | Unreadable) -> Listing | Malformed:
    """The records that a document holds, none of them looked at."""
    match document:
        case Unreadable(where, reason):
            return Malformed(where, reason, is_whole_file=not where)
        case Document(where, list() as records):
            return Listing(where, records, is_list=True)
        case Document(where, dict() as value) if listed := find_list(value):
            return _list_records(where, *listed)
        case Document(where, dict() as value) if "eventName" not in value and not is_envelope(value):
            name = name_object(value)
            no_log = f"{name}, not a CloudTrail log" if name else "no Records, and not a CloudTrail record itself"
            return Malformed(where, no_log)
        case Document(where, value):
            return Listing(where, [value], is_list=False)
        case _:
            assert_never(document)


def _list_records(where: str, name: str, records: object) -> Listing | Malformed:
    if not isinstance(records, list):
        return Malformed(where, f"{name} is {kind_of(records)}, not a list")
    event = name_event(records[0]) if records else ""
    return Malformed(where, f"{event}, not a CloudTrail log") if event else Listing(where, records, is_list=True)


def read_record(record: object, where: str = "") -> Entry:
    """One CloudTrail record, or what carries one. Never raises."""
    if not isinstance(record, dict):
        return Malformed(where, f"the record is {kind_of(record)}, not an object")
    opened = open_envelope(record)
    if isinstance(opened, Unopened):
        if opened.event is not None and (warning := find_interruption_warning(opened.event)) is not None:
            return warning
        return Malformed(where, opened.reason) if opened.is_fault else Ignored(where, opened.reason)
    entry = _read_call(opened.record, where)
    if isinstance(entry, Ignored | Malformed):
        return entry
    faults = (origin.find_fault(entry) for origin in opened.origins)
    return next((Malformed(where, fault) for fault in faults if fault is not None), entry)


def _read_call(record: Mapping[str, Any], where: str) -> Entry:
    name = record.get("eventName")
    if not isinstance(name, str):
        return Malformed(where, f"eventName is {kind_of(name)}: this is not a CloudTrail record")
    # Other services have calls of these names too; exports of logs may leave the source out.
    is_of_ec2 = record.get("eventSource", "ec2.amazonaws.com") == "ec2.amazonaws.com"
    change, parse = _CHANGES.get(name), _LAUNCHES.get(name)
    if is_of_ec2 and change is not None:
        return change(record) or Ignored(where, NOT_A_LAUNCH)
    if not is_of_ec2 or parse is None:
        return Ignored(where, NOT_A_LAUNCH)
    if code := record.get("errorCode"):
        return Ignored(where, f"the launch failed ({kind_of(code) if isinstance(code, dict | list) else code})")
    try:
        return parse(record, where)
    except FieldError as error:
        return Malformed(where, str(error))

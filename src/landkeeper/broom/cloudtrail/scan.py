"""Log files scanned for the records that matter, at the speed of unpacking them.

What comes out is what the whole parse (`landkeeper.broom.cloudtrail.records.read_log`) finds, with the standard library
as with the extra `fast`; and with one exception the same faults. A packed file whose checksum is right, which begins
and ends as CloudTrail's files do and holds neither a wanted name nor an escaped letter, is passed over: nothing in it
can be wanted, and whether the JSON in between is well nobody looks. Its records are counted by how often one seems to
begin. Names that matter only if something else is found somewhere may be left for later: `scan_log` says how.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import assert_never

from landkeeper.broom.cloudtrail.cuts import cut_records
from landkeeper.broom.cloudtrail.engine import Engine, Named
from landkeeper.broom.cloudtrail.engine_choice import best_engine
from landkeeper.broom.cloudtrail.layouts import Document, Unreadable
from landkeeper.broom.cloudtrail.records import (
    LAUNCH_EVENTS,
    NOT_A_LAUNCH,
    Entry,
    Ignored,
    Listing,
    Malformed,
    list_all,
    read_record,
)
from landkeeper.broom.cloudtrail.stream import (
    BrokenError,
    NoLogError,
    NotStreamableError,
    stream_blocks,
    stream_records,
    stream_sequence,
    survey,
)
from landkeeper.broom.cloudtrail.text import (
    DEFAULT_LIMIT_BYTES,
    ESCAPE,
    RECORD_START,
    DamagedError,
    Text,
    find_foreign,
    is_packed,
    parse_documents,
    read_documents,
    unpack,
)
from landkeeper.broom.launches import InstanceId, Launch, SpotRequest, Tagging, Termination, Untagging

_HEAD = b'{"Records":[' + RECORD_START
_TAIL = b"}]}"
_EVENT_SOURCE = b'"eventSource":"aws:'
_HEAD_OF_A_RECORD = 128
_PARSED_WHOLE_BYTES = 4 * 1024 * 1024
"""A larger text is parsed piece by piece, also where it is held whole: its values take several times its size."""
_SLICE_BYTES = 1024 * 1024
_OFTEN = ("RunInstances", "CreateTags")
"""What is looked for first: the search ends with the first name that is there."""

Found = Launch | Untagging | Tagging | Termination


@dataclass(frozen=True, slots=True)
class Scanned:
    """What one log file holds."""

    found: tuple[Found, ...] = ()
    """What was looked for, in the order of the file."""
    faults: tuple[Malformed, ...] = ()
    """What could not be read, in the order of the file."""
    ignored: Mapping[str, int] = field(default_factory=dict)
    """How many records are something else, by reason."""
    records: int = 0
    """How many records the file has; what could not be read as a list of them counts as none."""
    unpacked_bytes: int = 0
    """How large its content is."""
    is_passed_over: bool = False
    """Whether it was searched and not parsed: then `records` is how often one seems to begin. A record that carries
    another record inside counts twice, which CloudTrail's files do not have."""
    spot_requests: tuple[SpotRequest, ...] = ()
    """Who asked for Spot instances, in the order of the file."""
    unread_ids: frozenset[InstanceId] = frozenset()
    """Instances that records which were not read may be about, if any: `scan_log` without `deferred` reads those."""


def scan_log(
    data: bytes,
    *,
    wanted: Collection[str] = LAUNCH_EVENTS,
    deferred: Collection[str] = (),
    limit_bytes: int = DEFAULT_LIMIT_BYTES,
    engine: Engine | None = None,
) -> Scanned:
    """The records of a log file that go by a wanted name, of `LAUNCH_EVENTS` or `PAST_EVENTS`. Never raises.

    A file that holds no wanted name but those of `deferred`, of `CHANGE_EVENTS`, may be passed over all the same: then
    `unread_ids` has every instance that these records are about, and perhaps more. A file whose content is larger than
    `limit_bytes` is a fault, before that much of it is held. The engine is the fastest that is installed.
    """
    engine = engine or best_engine()
    try:
        text = engine.unpack(data, limit_bytes)
        if text is None:
            return _scan_pieces(data, wanted, limit_bytes)
    except DamagedError as error:
        return Scanned(faults=(Malformed("", str(error), is_whole_file=True),))
    is_as_written = _begins_log(text) and bytes(text[-64:]).rstrip().endswith(_TAIL)
    passed = _skim(text, wanted, deferred, engine) if is_as_written and is_packed(data) else None
    return passed or _scan_text(text, wanted, engine, is_as_written=is_as_written, was_packed=is_packed(data))


def _begins_log(text: Text) -> bool:
    """Return whether a text begins as CloudTrail writes a log; a notification of S3 begins alike."""
    return text.startswith(_HEAD) and text.find(_EVENT_SOURCE, 0, _HEAD_OF_A_RECORD) < 0


def _skim(text: Text, wanted: Collection[str], deferred: Collection[str], engine: Engine) -> Scanned | None:
    """The text passed over; None where it has to be read."""
    urgent = [name for name in wanted if name not in deferred]
    seen = engine.skim(text, (*_needles(urgent), ESCAPE), _needles(deferred))
    if seen is None:
        return None
    records = cut_records(text, seen.places, deferred, engine.decode)
    if records is None:
        return None
    changes = (entry for entry in map(read_record, records) if isinstance(entry, Tagging | Untagging | Termination))
    unread = frozenset(id_ for change in changes for id_ in change.instance_ids)
    return replace(_pass_over(seen.starts, len(text)), unread_ids=unread)


def _scan_text(
    text: Text, wanted: Collection[str], engine: Engine, *, is_as_written: bool, was_packed: bool
) -> Scanned:
    if is_as_written:
        named = engine.read_named(text, wanted)
        if named is not None:
            return _read_named(named, wanted, len(text))
    if len(text) > _PARSED_WHOLE_BYTES:
        try:
            return _stream(partial(_slice, text), wanted, len(text))
        except NotStreamableError:
            pass
    return _gather(parse_documents(text, was_packed=was_packed), wanted, len(text))


def _slice(text: Text) -> Iterator[bytes]:
    return (bytes(text[at : at + _SLICE_BYTES]) for at in range(0, len(text), _SLICE_BYTES))


def _scan_pieces(data: bytes, wanted: Collection[str], limit_bytes: int) -> Scanned:
    pieces = partial(unpack, data, limit_bytes)
    seen = survey(pieces(), _needles(wanted))
    if is_packed(data) and not seen.is_hit and _begins_log(seen.head) and seen.tail.rstrip().endswith(_TAIL):
        return _pass_over(seen.starts, seen.size)
    if (foreign := find_foreign(seen.head, was_packed=is_packed(data))) is not None:
        return _gather([foreign], wanted, seen.size)
    try:
        return _stream(pieces, wanted, seen.size)
    except NotStreamableError:
        return _gather(read_documents(data, limit_bytes=limit_bytes), wanted, seen.size)


def _stream(pieces: Callable[[], Iterator[bytes]], wanted: Collection[str], size: int) -> Scanned:
    """What the pieces hold, in the first of the forms that fits them. Raises NotStreamableError where none does."""
    try:
        gathered = _Gathered()
        gathered.add_records(Listing("", [], is_list=True), stream_records(pieces()), wanted)
        return gathered.scanned(size)
    except NotStreamableError:
        pass
    try:
        return _gather(stream_sequence(pieces()), wanted, size)
    except BrokenError:
        pass
    try:
        return _gather(stream_blocks(pieces()), wanted, size)
    except NoLogError as error:
        return _gather([Unreadable("", error.reason)], wanted, size)


def _needles(wanted: Collection[str]) -> tuple[bytes, ...]:
    # Without the closing quote: in a record that is text inside JSON a backslash stands before that.
    return tuple(f'"{name}'.encode() for name in sorted(wanted, key=_OFTEN.__contains__, reverse=True))


def _pass_over(records: int, size: int) -> Scanned:
    return Scanned(ignored={NOT_A_LAUNCH: records}, records=records, unpacked_bytes=size, is_passed_over=True)


def _read_named(named: Named, wanted: Collection[str], size: int) -> Scanned:
    gathered, listing = _Gathered(named.total), Listing("", [], is_list=True)
    for number, record in named.records:
        gathered.add(read_record(record, listing.place(number)), wanted)
    gathered.ignored[NOT_A_LAUNCH] += named.total - len(named.records)
    return gathered.scanned(size)


def _gather(documents: Iterable[Document | Unreadable], wanted: Collection[str], size: int) -> Scanned:
    gathered = _Gathered()
    for listing in list_all(documents):
        if isinstance(listing, Malformed):
            gathered.faults.append(listing)
        else:
            gathered.add_records(listing, listing.records, wanted)
    return gathered.scanned(size)


@dataclass(slots=True)
class _Gathered:
    """What was found so far."""

    records: int = 0
    found: list[Found] = field(default_factory=list)
    faults: list[Malformed] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    spot_requests: list[SpotRequest] = field(default_factory=list)

    def add_records(self, listing: Listing, records: Iterable[object], wanted: Collection[str]) -> None:
        """Take in the records of a listing."""
        number = 0
        for number, record in enumerate(records, 1):
            # What most records are is said without looking at more than their names.
            name = record.get("eventName") if isinstance(record, dict) else None
            if isinstance(name, str) and name not in wanted:
                self.ignored[NOT_A_LAUNCH] += 1
            else:
                self.add(read_record(record, listing.place(number)), wanted)
        self.records += number

    def add(self, entry: Entry, wanted: Collection[str]) -> None:
        """Take in what a record is."""
        match entry:
            case SpotRequest() if "RequestSpotInstances" not in wanted:
                self.ignored[NOT_A_LAUNCH] += 1
            case Tagging() if "CreateTags" not in wanted:
                self.ignored[NOT_A_LAUNCH] += 1
            case Termination() if "TerminateInstances" not in wanted:
                self.ignored[NOT_A_LAUNCH] += 1
            case SpotRequest():
                self.spot_requests.append(entry)
            case Launch() | Untagging() | Tagging() | Termination():
                self.found.append(entry)
            case Ignored(_, reason):
                self.ignored[reason] += 1
            case Malformed():
                self.faults.append(entry)
            case _:
                assert_never(entry)

    def scanned(self, size: int) -> Scanned:
        """All of it, of a file whose content has that size."""
        ignored = {reason: count for reason, count in self.ignored.items() if count}
        spot_requests = tuple(self.spot_requests)
        return Scanned(tuple(self.found), tuple(self.faults), ignored, self.records, size, spot_requests=spot_requests)

"""Scans against the whole parse: what is found is the same, by every engine, on whatever is in the file."""

from __future__ import annotations

import gzip
import json
import math
import re
import struct
import sys
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from landkeeper.broom.cloudtrail.engine import STANDARD, Engine, StandardEngine
from landkeeper.broom.cloudtrail.engine_choice import best_engine, find_fast_engine
from landkeeper.broom.cloudtrail.fast_engine import FastEngine, find_reader
from landkeeper.broom.cloudtrail.records import (
    CHANGE_EVENTS,
    LAUNCH_EVENTS,
    NOT_A_LAUNCH,
    PAST_EVENTS,
    TAG_EVENTS,
    Ignored,
    Malformed,
    read_log,
)
from landkeeper.broom.cloudtrail.scan import Scanned, scan_log
from landkeeper.broom.cloudtrail.search import _strstr, find_search, search
from landkeeper.broom.cloudtrail.stream import MOST_RECORD_CHARACTERS, NotStreamableError, stream_records
from landkeeper.broom.cloudtrail.text import is_packed, unpack
from landkeeper.broom.launches import Launch, SpotRequest, Tagging, Termination, Untagging

EVENTS = Path(__file__).parents[2] / "events"
LIMIT = 100_000


def _small(engine: Engine) -> Engine:
    """The same, holding next to nothing whole: it reads piece by piece."""
    engine.whole_bytes = 64
    engine.name += ", in pieces"
    return engine


ENGINES: dict[str, Engine] = {
    "standard": STANDARD,
    "fast": FastEngine(find_reader()),
    "fast, by msgspec": FastEngine(),
    "standard, in pieces": _small(StandardEngine()),
    "fast, in pieces": _small(FastEngine()),
}
each_engine = pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES.keys())


def record(name: object = "RunInstances", **more: object) -> dict[str, Any]:
    launch = json.loads((EVENTS / "run_instances.json").read_text(encoding="utf-8"))
    return {**launch, "eventName": name, **more}


def log(*records: object) -> bytes:
    """As CloudTrail writes it."""
    return json.dumps({"Records": records}, separators=(",", ":")).encode()


OTHER = record("DescribeInstances")
FORGED = {"eventVersion": "1.08", "eventName": "RunInstances", "eventID": "forged"}
LAUNCH = record()
LATE = dict(reversed(LAUNCH.items()))
SPOT = record(
    "RequestSpotInstances", responseElements={"spotInstanceRequestSet": {"items": [{"spotInstanceRequestId": "sir-1"}]}}
)
ENDED = record("TerminateInstances", requestParameters={"instancesSet": {"items": [{"instanceId": "i-1"}]}})
TAGGED = record(
    "CreateTags",
    requestParameters={
        "resourcesSet": {"items": [{"resourceId": "i-1"}]},
        "tagSet": {"items": [{"key": "Owner", "value": "jane"}]},
    },
)
STOPPED = {**ENDED, "eventName": "StopInstances"}
INTERRUPTED = record("BidEvictedEvent", requestParameters={}, serviceEventDetails={"instanceIdSet": ["i-1"]})
# What is only found where it is asked for.
_EVENT_OF = {
    "SpotRequest": "RequestSpotInstances",
    "Tagging": "CreateTags",
    "Termination": "TerminateInstances",
}


def whole(data: bytes, wanted: frozenset[str] = LAUNCH_EVENTS) -> Scanned:
    """What the whole parse says."""
    found, asked, faults, ignored = [], [], [], Counter[str]()
    for entry in read_log(data, limit_bytes=LIMIT):
        if isinstance(entry, Malformed):
            faults.append(entry)
        elif isinstance(entry, Ignored):
            ignored[entry.reason] += 1
        elif _EVENT_OF.get(type(entry).__name__, "RunInstances") not in wanted:
            ignored[NOT_A_LAUNCH] += 1
        elif isinstance(entry, SpotRequest):
            asked.append(entry)
        else:
            found.append(entry)
    return Scanned(tuple(found), tuple(faults), dict(ignored), spot_requests=tuple(asked))


def places(scanned: Scanned) -> list[str]:
    return [entry.where for entry in scanned.found if isinstance(entry, Launch)]


def check(data: bytes, wanted: frozenset[str] = LAUNCH_EVENTS) -> Scanned:
    """All engines agree, and what they say is what the whole parse says; answers it."""
    expected = whole(data, wanted)
    answers = {name: scan_log(data, wanted=wanted, limit_bytes=LIMIT, engine=each) for name, each in ENGINES.items()}
    scanned = answers["standard"]
    assert answers == dict.fromkeys(answers, scanned)
    assert {name: places(each) for name, each in answers.items()} == dict.fromkeys(answers, places(expected))
    assert (scanned.found, scanned.spot_requests) == (expected.found, expected.spot_requests)
    if scanned.is_passed_over:
        assert (scanned.found, scanned.faults) == ((), ())
    else:
        assert (scanned.faults, scanned.ignored) == (expected.faults, expected.ignored)
    for engine in ENGINES.values():
        check_deferred(data, wanted, scanned, engine)
    return scanned


def check_deferred(data: bytes, wanted: frozenset[str], exact: Scanned, engine: Engine) -> None:
    """Where changes are left for later, nothing else is, and every instance that they are about is named."""
    scanned = scan_log(data, wanted=wanted, deferred=CHANGE_EVENTS & wanted, limit_bytes=LIMIT, engine=engine)
    if scanned != exact:
        assert scanned.is_passed_over
        assert (scanned.found, scanned.faults, exact.spot_requests) == ((), (), ())
        changes = [each for each in exact.found if isinstance(each, Tagging | Untagging | Termination)]
        assert len(changes) == len(exact.found)
        assert {id_ for each in changes for id_ in each.instance_ids} <= scanned.unread_ids


# Values that a record may carry anywhere, odd ones among them.
_HUGE = "a number of more digits than Python turns into an int"
_NAMES = st.sampled_from(
    [*sorted(PAST_EVENTS | LAUNCH_EVENTS), "DescribeInstances", "RunInstance", "xRunInstances", ""]
)
_TEXTS = st.sampled_from(
    [
        "",
        "RunInstances",
        '"RunInstances"',
        "ec2:RunInstances",
        '{"eventVersion":"1"}',
        "}]}",
        "é",
        "\u2028",
        "\ud800",
        "\0",
    ]
) | st.text(max_size=6)
_LEAVES = (
    st.none() | st.booleans() | st.integers(-9, 10**20) | st.just(_HUGE) | _TEXTS
    | st.sampled_from([math.nan, math.inf, 1e300, -0.0, 0.1])
)  # fmt: skip
_HEADS = st.fixed_dictionaries(
    {}, optional={"eventVersion": st.just("1.08"), "eventName": _NAMES | _LEAVES, "eventID": _TEXTS}
)
_VALUES = st.recursive(
    _LEAVES | _HEADS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=2),
    max_leaves=5,
)


@st.composite
def records(draw: st.DrawFn) -> object:
    """A record: mostly one that CloudTrail would write, with something nested in it that looks like one."""
    kind = draw(st.integers(0, 12))
    if kind == 0:
        return draw(_VALUES)
    if kind <= 2:
        return {"CloudTrailEvent": json.dumps(record(draw(_NAMES)))} if kind == 1 else {"detail": record(draw(_NAMES))}
    more = draw(st.fixed_dictionaries({}, optional={"errorCode": _LEAVES, "extra": _VALUES, "resources": _VALUES}))
    if kind == 3:
        return dict(reversed({**draw(_HEADS), **more}.items()))
    if kind == 4:
        return draw(_odd_launches())
    if kind >= 9:
        return draw(_changes(more))
    return record(draw(_NAMES), **more)


_ODD: st.SearchStrategy[Any] = st.none() | st.just("x") | st.just([]) | st.just({})
_TAGS = st.lists(st.fixed_dictionaries({}, optional={"key": _LEAVES, "value": _LEAVES | _ODD}) | _ODD, max_size=3)


@st.composite
def _odd_launches(draw: st.DrawFn) -> object:
    """A launch, or a change of tags, with details that are missing or odd."""
    tags = draw(st.fixed_dictionaries({}, optional={"items": _TAGS | _ODD}) | _ODD)
    instance = st.fixed_dictionaries({"tagSet": st.just(tags)}, optional={"instanceId": st.just("i-1") | _LEAVES})
    request = {"tagSpecificationSet": draw(_ODD | st.just({"items": [{"resourceType": "instance", "tags": tags}]}))}
    items = draw(st.lists(instance | _ODD, max_size=3) | _ODD)
    addendum = {"reason": "UPDATED_DATA", "originalEventID": draw(_TEXTS)}
    changed = {"resourcesSet": {"items": [*draw(st.lists(_ODD, max_size=2)), {"resourceId": "i-1"}]}, "tagSet": tags}
    name = draw(st.sampled_from(["RunInstances", "RunInstances", "CreateTags", "DeleteTags"]))
    return {
        **record(name, requestParameters=request if name == "RunInstances" else changed),
        "responseElements": {"instancesSet": draw(st.just({"items": items}) | _ODD)},
        "addendum": draw(st.just(addendum) | _ODD),
    }


@st.composite
def _changes(draw: st.DrawFn, more: dict[str, Any]) -> object:
    """A change of instances, in whose request another one may be nested, whole or first of several."""
    change = draw(st.sampled_from([TAGGED, ENDED, {**TAGGED, "eventName": "DeleteTags"}, STOPPED, INTERRUPTED, LAUNCH]))
    nested = draw(
        st.sampled_from([None, change, TAGGED, [change], [{"a": 1}, ENDED, {"b": 1}], [OTHER, LAUNCH, OTHER]])
    )
    id_ = draw(st.sampled_from(["i-2", "vol-1", "i-3"]))
    request = {
        **change["requestParameters"],
        draw(st.sampled_from(["resourcesSet", "instancesSet", "other"])): {
            "items": [{"resourceId": id_, "instanceId": id_}]
        },
    }
    fields = {**change, **more, "requestParameters": request, draw(st.sampled_from(["nested", "eventID", "a"])): nested}
    return dict(draw(st.sampled_from([list, reversed]))(list(fields.items())))


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A document, compact as CloudTrail's or not, with letters escaped, keys doubled, and more beside the list."""
    listed = draw(st.lists(records(), max_size=4))
    root: object = draw(
        st.sampled_from([{"Records": listed}] * 5 + [listed, {"Events": listed}, {"Records": listed, "eventName": "x"}])
        | st.builds(lambda value: {"Records": listed, "more": value}, _VALUES)
        | st.builds(lambda value: {"Records": value}, _VALUES)
    )
    style: dict[str, Any] = draw(st.sampled_from([{"separators": (",", ":")}] * 5 + [{}, {"indent": 1}]))
    text = json.dumps(root, ensure_ascii=draw(st.booleans()), **style).replace(f'"{_HUGE}"', "7" * 4500)
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        text = draw(st.sampled_from(_TWISTS))(draw, text)
    return text


def _escape(draw: st.DrawFn, text: str) -> str:
    found = list(re.finditer(r"RunInstances|DeleteTags|event(Name|Version)|Records", text))
    if not found:
        return text
    match = draw(st.sampled_from(found))
    at = draw(st.integers(match.start(), match.end() - 1))
    return f"{text[:at]}\\u{ord(text[at]):04x}{text[at + 1 :]}"


def _double(draw: st.DrawFn, text: str) -> str:
    name = draw(_NAMES)
    return text.replace('"eventName"', f'"eventName":"{name}","eventName"', draw(st.sampled_from([1, -1])))


def _append(draw: st.DrawFn, text: str) -> str:
    return text + draw(st.sampled_from(["\n", " \n\n", "\n" + text, f'\n{{"Records":[{text}]}}', "}", ',"x":1}']))


def _second_list(draw: st.DrawFn, text: str) -> str:
    return text[:-1] + ',"Records":' + draw(st.sampled_from(["[]", "7", json.dumps([record()])])) + "}"


def _space(draw: st.DrawFn, text: str) -> str:
    mark = draw(st.sampled_from([":", ",", "{", "}", "]"]))
    return text.replace(mark, draw(st.sampled_from([" ", "\n", "\t"])) + mark, draw(st.sampled_from([1, 2, -1])))


_TWISTS = [_escape, _double, _append, _second_list, _space]


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """The bytes of a document, in some encoding, sound or damaged."""
    encoding = draw(st.sampled_from(["utf-8"] * 9 + ["utf-8-sig", "utf-16"]))
    data = bytearray(draw(texts()).encode(encoding, "surrogatepass"))
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 3]))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.sampled_from([0, 1, 1, 9]))
        data[at : at + length] = draw(
            st.sampled_from([b"", b'"', b"{", b"}", b",", b"\xff", b"\x01", b"\\", b"01", b"NaN"])
        )
    return bytes(data)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A file: packed, in members, padded, or not at all; sound or damaged."""
    data = draw(contents())
    if draw(st.integers(0, 5)) == 0:
        return data
    at = draw(st.integers(0, len(data)))
    packed = gzip.compress(data, mtime=0)
    return _repack(draw, data, packed, at)


def _repack(draw: st.DrawFn, data: bytes, packed: bytes, at: int) -> bytes:  # noqa: PLR0911 - a way a line
    match draw(st.integers(0, 12)):
        case 0:
            return gzip.compress(data[:at]) + gzip.compress(data[at:]) + b"\0" * draw(st.integers(0, 9))
        case 1:
            return packed + packed
        case 2:
            return packed + draw(st.sampled_from([b"\0" * 512, b"\0", b"junk", packed[:30], packed[-8:], packed[-4:]]))
        case 3:
            return packed[: draw(st.integers(0, len(packed)))]
        case 4:
            return packed[:-8] + struct.pack("<II", draw(st.sampled_from([0, zlib.crc32(data)])), len(data) + 1)
        case 5:
            return packed[:-4] + draw(st.sampled_from([b"\xff" * 4, b"\0" * 4, struct.pack("<I", 10)]))
        case 6:
            # A name in the header, and the header's own checksum.
            return packed[:3] + b"\x08" + packed[4:10] + b"name\0" + packed[10:]
        case 7:
            return packed[:3] + b"\x02" + packed[4:10] + draw(st.sampled_from([b"ab", b"\0\0"])) + packed[10:]
        case _:
            return packed


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(files(), st.sampled_from([LAUNCH_EVENTS, TAG_EVENTS, PAST_EVENTS]))
@example(gzip.compress(log(OTHER, OTHER)), LAUNCH_EVENTS)
@example(gzip.compress(log(OTHER, record())), LAUNCH_EVENTS)
def test_every_engine_says_what_the_whole_parse_says(data: bytes, wanted: frozenset[str]) -> None:
    check(data, wanted)


def test_every_engine_refuses_what_does_not_unpack() -> None:
    packed = gzip.compress(log(OTHER, LAUNCH), mtime=0)
    assert check(packed[:20] + b"\xff" * (len(packed) - 28) + packed[-8:]).faults


@each_engine
def test_a_file_without_a_wanted_name_is_passed_over_and_its_records_counted(engine: Engine) -> None:
    data = gzip.compress(log(OTHER, record("CreateTags"), record("ec2:RunInstances")))
    scanned = scan_log(data, engine=engine)
    assert scanned == Scanned(
        ignored={NOT_A_LAUNCH: 3}, records=3, unpacked_bytes=len(gzip.decompress(data)), is_passed_over=True
    )
    assert not scan_log(data, wanted=TAG_EVENTS, engine=engine).is_passed_over


def test_a_number_that_is_too_long_changes_no_other_one() -> None:
    data = log({**LAUNCH, "errorCode": "HUGE"}, {**LAUNCH, "errorCode": 1}).replace(b'"HUGE"', b"7" * 5000)
    assert check(data).ignored == {"the launch failed (inf)": 1, "the launch failed (1)": 1}


@each_engine
def test_changes_are_left_for_later_with_the_instances_that_they_are_about(engine: Engine) -> None:
    volume = record("CreateTags", requestParameters={"resourcesSet": {"items": [{"resourceId": "vol-1"}]}})
    failed = {**ENDED, "errorCode": "UnauthorizedOperation"}

    def scan(*listed: object) -> Scanned:
        data = gzip.compress(log(OTHER, *listed))
        return scan_log(data, wanted=PAST_EVENTS, deferred=CHANGE_EVENTS, engine=engine)

    # Nothing that was read piece by piece is left for later.
    if not engine.name.endswith("pieces"):
        later = scan(TAGGED, volume, failed, OTHER)
        assert (later.is_passed_over, later.records, later.found) == (True, 5, ())
        assert later.unread_ids == {"i-1"}
        assert scan(volume).unread_ids == frozenset()
    assert len(scan(TAGGED, LAUNCH, ENDED).found) == 3
    # A name in another place, one that is escaped, a record that begins otherwise, and one that is nested.
    for listed in (
        [{**TAGGED, "x": "TerminateInstances"}], [{**TAGGED, "x": "\u00e9"}], [dict(reversed(TAGGED.items()))],
        [{**OTHER, "x": ENDED}, TAGGED], [{**TAGGED, "x": {"eventVersion": "1"}}],
    ):  # fmt: skip
        assert len(scan(*listed).found) == 1
    # What looks like one is as good as one where nothing else is there.
    assert scan({**OTHER, "x": [TAGGED, OTHER]}).found == ()


@each_engine
def test_without_a_checksum_nothing_is_passed_over(engine: Engine) -> None:
    broken = log(OTHER, OTHER).replace(b'"DescribeInstances"', b"Describe", 1)
    assert scan_log(broken, engine=engine).faults
    sound = log(OTHER, OTHER)
    assert scan_log(sound, engine=engine) == Scanned(ignored={NOT_A_LAUNCH: 2}, records=2, unpacked_bytes=len(sound))


@pytest.mark.parametrize(
    ("text", "wheres"),
    [
        (log(OTHER, LAUNCH, OTHER), ["record 2"]),
        (log(LAUNCH) + b" \n", ["record 1"]),
        (log(record("X", requestParameters={"a": [{"b": 1}, FORGED, FORGED, {"c": 1}]}), LAUNCH), ["record 2"]),
        # As often a record seems to begin as there are records, and it is another one.
        (log(OTHER, record("X", a=[FORGED]), LATE), ["record 3"]),
        (log(record("X", a=[FORGED, FORGED]), OTHER, LATE, LATE), ["record 3", "record 4"]),
        (log(OTHER, LATE, dict(reversed(OTHER.items()))), ["record 2"]),
        (log(OTHER, LAUNCH).replace(b'"RunInst', b'"\\u0052unInst'), ["record 2"]),
        (log(OTHER, LAUNCH).replace(b'"eventName"', b'"\\u0065ventName"'), ["record 2"]),
        (log(OTHER, {**OTHER, "x": "\ud800", "y": math.nan}, LAUNCH), ["record 3"]),
        (log(OTHER, {**LAUNCH, "x": 10**40, "y": math.inf}), ["record 2"]),
        (log(OTHER, {**LAUNCH, "x": "HUGE"}).replace(b'"HUGE"', b"7" * 5000), ["record 2"]),
        (log(OTHER, {**LAUNCH, "x": "FAR"}).replace(b'"FAR"', b"1e999"), ["record 2"]),
        (log(OTHER, {**OTHER, "x": "BAD"}, LAUNCH).replace(b"BAD", b"\xff"), ["record 3"]),
        (log(OTHER, {**LAUNCH, "x": "BAD"}).replace(b"BAD", b"\xff"), ["record 2"]),
        (log({**OTHER, "eventName": "BAD"}, LAUNCH).replace(b"BAD", b"\xff"), ["record 2"]),
        (
            log(OTHER).replace(b'"eventName":', b'"eventName":"X","eventName":').replace(b"DescribeI", b"RunI"),
            ["record 1"],
        ),
        (log(OTHER, LAUNCH)[:-1] + b',"Records":[]}', []),
        (log(OTHER)[:-1] + b',"Records":[' + json.dumps(LAUNCH, separators=(",", ":")).encode() + b"]}", ["record 1"]),
        (log(OTHER, {"CloudTrailEvent": json.dumps(LAUNCH)}, OTHER), ["record 2"]),
        (log(OTHER, {"detail": LAUNCH}, OTHER), ["record 2"]),
        (log(OTHER, LAUNCH) + b"\n" + log(LAUNCH), ["line 1, record 2", "line 2, record 1"]),
        (json.dumps({"Records": [OTHER, LAUNCH]}, indent=2).encode(), ["record 2"]),
        (log(OTHER, LAUNCH).decode().encode("utf-8-sig"), ["record 2"]),
        (log(OTHER, LAUNCH).decode().encode("utf-16"), ["record 2"]),
        (log(OTHER, LAUNCH).replace(b"},{", b"} , {"), ["record 2"]),
        (log(LAUNCH, OTHER).replace(b"},{", b"} , {"), ["record 1"]),
    ],
)
def test_what_leads_fast_readers_astray(text: bytes, wheres: list[str]) -> None:
    assert places(check(text)) == wheres
    assert places(check(gzip.compress(text))) == wheres
    halves = gzip.compress(text[:50]) + gzip.compress(text[50:]) + b"\0" * 8
    assert places(check(halves)) == wheres


@pytest.mark.parametrize(
    "text",
    [
        log(OTHER, {"eventID": "no name"}, LAUNCH),
        log(OTHER, {**OTHER, "eventName": None}, LAUNCH),
        log(OTHER, 7, LAUNCH),
        log(OTHER, LAUNCH, {**LAUNCH, "eventTime": "noon"}),
        log(OTHER, LAUNCH)[:-1],
        log(OTHER, LAUNCH) + b"x",
        log(OTHER, LAUNCH).replace(b'"record', b'"'),
        log(OTHER, LAUNCH).replace(b'"awsRegion"', b"awsRegion", 1),
        log(OTHER, LAUNCH)[:-1] + b',"eventName":"x","y":[{"z":1}]}',
        b'{"Records":7}',
        b"\xff\xfehi\xd8",
        b"[" * 100_000,
        b"",
        gzip.compress(log(OTHER, LAUNCH))[:-1],
        gzip.compress(log(OTHER, LAUNCH)) + b"more",
        gzip.compress(b" " * (LIMIT + 1)),
        b" " * (LIMIT + 1),
        gzip.compress(log(OTHER)) * 2,
        b"\x1f\x8b",
        b"\x1f\x8b nonsense, and the length of it: \x10\0\0\0",
    ],
)
def test_bad_input_is_the_same_line_on_every_path(text: bytes) -> None:
    scanned = check(text)
    assert scanned.faults or scanned.ignored
    assert check(gzip.compress(text)).faults == whole(gzip.compress(text)).faults


def test_a_bomb_is_refused_before_it_is_held() -> None:
    bomb = gzip.compress(b" " * 300_000_000, compresslevel=9)
    for engine in ENGINES.values():
        (fault,) = scan_log(bomb, engine=engine, limit_bytes=20_000_000).faults
        assert fault == Malformed(
            "", "larger than 20000000 bytes when unpacked, which is the limit", is_whole_file=True
        )


def test_a_length_that_nothing_can_have_sets_no_memory_aside() -> None:
    liar = gzip.compress(b"{}")[:-4] + (60_000_000).to_bytes(4, "little")
    (fault,) = scan_log(liar, engine=ENGINES["fast"]).faults
    assert fault.reason.startswith("the gzip data is damaged")


def test_tags_put_on_later_are_found_where_they_are_asked_for() -> None:
    request = {"resourcesSet": {"items": [{"resourceId": "i-1"}, {"resourceId": "vol-1"}]}, "tagSet": {"items": [
        {"key": "Owner", "value": "jane"}]}}  # fmt: skip
    data = gzip.compress(
        log(OTHER, record("CreateTags", requestParameters=request), record("DeleteTags", requestParameters=request))
    )
    tagging, untagging = check(data, TAG_EVENTS).found
    assert isinstance(tagging, Tagging)
    assert (set(tagging.instance_ids), tagging.tags) == ({"i-1"}, {"Owner": "jane"})
    assert isinstance(untagging, Untagging)
    assert check(data).found == (untagging,)


@pytest.mark.parametrize(
    "change", [{"errorCode": "UnauthorizedOperation"}, {"requestParameters": None},
               {"requestParameters": {"resourcesSet": {"items": [{"resourceId": "vol-1"}]}}},
               {"requestParameters": {"resourcesSet": {"items": [{"resourceId": "i-1"}]}, "tagSet": {"items": [7]}}}],
)  # fmt: skip
def test_what_puts_no_tags_on_instances_is_no_tagging(change: dict[str, Any]) -> None:
    assert check(log(OTHER, record("CreateTags", **change)), TAG_EVENTS).ignored == {NOT_A_LAUNCH: 2}


def test_a_character_that_ends_lines_elsewhere_does_not_end_a_record() -> None:
    line = json.dumps({**LAUNCH, "x": "\u2028"}, ensure_ascii=False)
    assert places(check(f"{line}\n{line}\n".encode())) == ["line 1", "line 2"]


def test_simdjson_reads_what_it_can_vouch_for_and_leaves_the_rest() -> None:
    reader = pytest.importorskip("landkeeper.broom.cloudtrail.simd").SimdReader()
    named = reader.read_named(log(OTHER, LAUNCH), LAUNCH_EVENTS)
    assert (named.total, named.records) == (2, [(2, LAUNCH)])
    assert reader.read_named(bytearray(log(OTHER)), LAUNCH_EVENTS).records == []
    for text in (
        log(OTHER, {**LAUNCH, "x": "\u00e9"}), log(OTHER, {"a": 1}), log(OTHER, 7), log(record(7)), log(),
        log(OTHER)[:-1], log(record("X", a=FORGED)), log(OTHER).replace(b'"eventName"', b'"eventName":"X","eventName"'),
        log(OTHER)[:-1] + b',"Records":[]}', log(OTHER)[:-1] + b',"x":1}', log(record(x=10**30)), b"[1]", b"7",
        log(OTHER) + b" " * 17_000_000,
    ):  # fmt: skip
        assert reader.read_named(text, LAUNCH_EVENTS) is None


def test_without_the_extra_the_standard_library_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "deflate", None)
        patch.delitem(sys.modules, "landkeeper.broom.cloudtrail.fast_engine")
        patch.delattr("landkeeper.broom.cloudtrail.fast_engine")
        find_fast_engine.cache_clear()
        assert find_fast_engine() is None
        assert best_engine() is STANDARD
        patch.setitem(sys.modules, "simdjson", None)
        patch.delitem(sys.modules, "landkeeper.broom.cloudtrail.simd", raising=False)
        patch.delattr("landkeeper.broom.cloudtrail.simd", raising=False)
        assert find_reader() is None
    find_fast_engine.cache_clear()
    assert best_engine().name == "fast"


@given(st.binary(max_size=20_000), st.integers(1, 30_000), st.integers(0, 3))
def test_pieces_are_the_content(content: bytes, limit: int, zeros: int) -> None:
    packed = gzip.compress(content) + b"\0" * zeros
    # What is gzip again is unpacked again.
    if len(content) <= limit and not (is_packed(content) and len(content) >= 18):
        assert b"".join(unpack(packed, limit)) == content


@given(st.binary(max_size=300), st.sampled_from([b"ab", b"aba", b"\\u00", b"\xff\x01"]), st.lists(st.integers(0, 300)))
def test_the_library_s_search_finds_what_python_s_does(text: bytes, needle: bytes, places: list[int]) -> None:
    for place in places:
        text = text[:place] + needle + text[place:]
    for each in (text, text.replace(b"\0", b"a")):
        assert list(find_search(each)(each, needle)) == list(search(each, needle))
        assert list(search(each, needle)) == [at for at in range(len(each)) if each.startswith(needle, at)]


def test_every_place_is_found_where_they_overlap_too() -> None:
    _strstr.cache_clear()
    for found in (search, find_search(b"aaba")):
        assert list(found(b"aaba", b"a")) == [0, 1, 3]
        assert list(found(b"aaa", b"aa")) == [0, 1]


def test_other_systems_have_python_s_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    _strstr.cache_clear()
    assert find_search(b"x") is search
    monkeypatch.undo()
    _strstr.cache_clear()


@pytest.mark.parametrize("split", [1, 7, 64, 1_000_000])
def test_a_stream_gives_the_records_of_the_list(split: int) -> None:
    values = [OTHER, 7, "x\u00e9", [], {"a": [1.5, None]}, -12]
    text = json.dumps({"Records": values}, indent=1, ensure_ascii=False).encode()
    pieces = [text[at : at + split] for at in range(0, len(text), split)]
    assert list(stream_records(pieces)) == values
    assert list(stream_records([b'{"Records":[]} '])) == []


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b'{"Events":[]}', b'{"Records":7}', b'{"Records":[1,]}', b'{"Records":[1 2]}', b'{"Records":[],"x":1}',
     b'{"Records":[]}x', b'{"Records":[1', b'{"Records":[["}'],
)  # fmt: skip
def test_what_is_not_one_list_of_records_is_not_streamed(text: bytes) -> None:
    with pytest.raises(NotStreamableError):
        list(stream_records([text]))


def test_a_record_that_never_ends_is_given_up() -> None:
    given_out = []

    def pieces() -> Any:
        yield b'{"Records":["'
        for number in range(100):
            given_out.append(number)
            yield b"x" * 1_000_000

    with pytest.raises(NotStreamableError):
        list(stream_records(pieces()))
    assert len(given_out) <= MOST_RECORD_CHARACTERS // 1_000_000 + 2


@each_engine
def test_what_is_not_asked_for_is_not_found_inside_an_event_either(engine: Engine) -> None:
    data = log(OTHER, *({"detail": each} for each in (SPOT, ENDED, TAGGED)), LAUNCH)
    few = scan_log(data, wanted=frozenset({"RunInstances"}), engine=engine)
    assert (few.found, few.spot_requests) == (check(log(LAUNCH)).found, ())
    assert (few.ignored, few.records) == ({NOT_A_LAUNCH: 4}, 5)
    more = scan_log(data, wanted=TAG_EVENTS | PAST_EVENTS, engine=engine)
    assert [type(each).__name__ for each in more.found] == ["Termination", "Tagging", "Launch"]
    assert [each.request_ids for each in more.spot_requests] == [{"sir-1"}]
    assert more.ignored == {NOT_A_LAUNCH: 1}

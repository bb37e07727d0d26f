"""Log files as people have them: lines, joined documents, what collectors put around records, and what is no log."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.broom.cloudtrail.test_scan import ENDED, ENGINES, LAUNCH, OTHER, TAGGED, check, log, places, record
from tests.broom_world import event

from landkeeper.broom.cloudtrail.envelopes import CONTROL_MESSAGE, INSIGHT
from landkeeper.broom.cloudtrail.found import Harvest
from landkeeper.broom.cloudtrail.records import (
    LAUNCH_EVENTS,
    NOT_A_LAUNCH,
    PAST_EVENTS,
    TAG_EVENTS,
    Ignored,
    Malformed,
    read_log,
    read_record,
)
from landkeeper.broom.cloudtrail.scan import scan_log
from landkeeper.broom.launches import Launch

LINE = json.dumps(LAUNCH).encode()
PRETTY = json.dumps({"Records": [LAUNCH]}, indent=2).encode()
NEWLINE = b"\n"
HEIGHT = PRETTY.count(NEWLINE) + 1
RECEIVED = b"2026-01-01T10:00:03.123Z "
STREAM = "111122223333_CloudTrail_eu-west-1"
Wrap = Callable[[dict[str, Any]], object]


def subscription(*records: object, stream: str = STREAM) -> dict[str, Any]:
    """What CloudWatch Logs sends to the destination of a subscription."""
    return {
        "messageType": "DATA_MESSAGE",
        "owner": "111122223333",
        "logGroup": "trail",
        "logStream": stream,
        "subscriptionFilters": ["all"],
        "logEvents": [
            {"id": str(number), "timestamp": 1767261600000, "message": json.dumps(each)}
            for number, each in enumerate(records)
        ],
    }


def envelope(detail: object, **more: object) -> dict[str, Any]:
    """An EventBridge event."""
    return {**event("eventbridge_api_call.json"), "detail": detail, **more}


WRAPS: dict[str, Wrap] = {
    "a record": lambda value: value,
    "a log": lambda value: {"Records": [OTHER, value]},
    "a list": lambda value: [value],
    "an event": envelope,
    "a bare event": lambda value: {"detail": value},
    "a subscription": lambda value: subscription(OTHER, value),
    "a subscription with objects": lambda value: {"logEvents": [{"message": value}]},
    "Cribl": lambda value: {"_raw": json.dumps(value), "_time": 1767261600.123, "source": "s3"},
    "Cribl, unbroken": lambda value: {"_raw": json.dumps({"Records": [value]})},
    "Splunk": lambda value: {"preview": False, "offset": 0, "result": {"_raw": json.dumps(value)}},
    "Cribl on EventBridge": lambda value: {"_raw": json.dumps(envelope(value))},
    "a collector": lambda value: {"@timestamp": "2026-01-01T10:00:00Z", "message": json.dumps(value)},
    "aws logs": lambda value: {"events": [{"logStreamName": STREAM, "message": json.dumps(value)}]},
    "lookup-events": lambda value: {"Events": [{"CloudTrailEvent": json.dumps(value)}]},
    "lookup-events --query": lambda value: [json.dumps(OTHER), json.dumps(value)],
    "jq -s of logs": lambda value: [{"Records": [OTHER]}, {"Records": [value]}],
    "jq -s of lists": lambda value: [[OTHER], [value]],
    "jq -s of subscriptions": lambda value: [subscription(OTHER), subscription(value)],
    "Fluent Bit": lambda value: {"date": 1767261600.5, "log": json.dumps(value)},
    "OpenSearch": lambda value: {"_index": "cloudtrail", "_id": "1", "_source": value},
}


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS.keys())
def test_a_record_is_found_in_whatever_carries_it(wrap: Wrap) -> None:
    text = json.dumps(wrap(LAUNCH)).encode()
    lines = RECEIVED + text + NEWLINE
    for data, count in ((text, 1), (text + NEWLINE + text, 2), (text * 2, 2), (lines * 3, 3)):
        scanned = check(data)
        assert [launch.event_id for launch in scanned.found if isinstance(launch, Launch)] == [
            LAUNCH["eventID"]
        ] * count
        assert scanned.faults == ()


LOST = b'{"eventVersion": "1.08", "eventName": "RunInst'


@pytest.mark.parametrize(
    ("text", "wheres", "faults"),
    [
        (b"\n" + LINE + b"\n" + LINE, ["line 2", "line 3"], []),
        (b"\r\n\r\n" + LINE + b"\r\n" + LINE + b"\r\n", ["line 3", "line 4"], []),
        (LOST + b"\n" + LINE + b"\n" + LINE, ["line 2", "line 3"], ["line 1"]),
        (LINE + b"\n" + LOST + b"\n" + LINE, ["line 1", "line 3"], ["line 2"]),
        (b'{"a":\n' + LINE + b"\n" + LINE, ["line 2", "line 3"], ["line 1"]),
        (b"# exported by someone\n" + LINE, ["line 2"], ["line 1"]),
        (b"null\n" + LINE, ["line 2"], ["line 1"]),
        (b"7\n8\n" + LINE + b"\nend", ["line 3"], ["line 1 to line 2", "line 4"]),
        (LINE + b",\n" + LINE + b",\n", ["line 1", "line 2"], []),
        (
            b'{"Records":[\n' + LINE + b",\n" + LOST + b",\n" + LINE + b"\n]}",
            ["line 2", "line 4"],
            ["line 1", "line 3", "line 5"],
        ),
        (log(LAUNCH, OTHER) + log(OTHER, LAUNCH), ["line 1, record 1", "line 1, document 2, record 2"], []),
        (log(OTHER) + b"\n" + log(LAUNCH) + b"\n", ["line 2, record 1"], []),
        (PRETTY + PRETTY, ["line 1, record 1", f"line {HEIGHT}, record 1"], []),
        (PRETTY[:-6] + b"\n" + PRETTY, [f"line {HEIGHT - 1}, record 1"], ["line 1 to "]),
        (LINE + LOST + LINE, ["line 1"], ["line 1"]),
        (LINE + b"\n\xef\xbb\xbf" + LINE, ["line 1", "line 2"], []),
        (b"\x1e" + LINE + b"\n\x1e" + LINE + b"\n", ["line 1", "line 2"], []),
        (RECEIVED + LINE + b"\n" + RECEIVED + LOST + b"\n" + RECEIVED + LINE, ["line 1", "line 3"], ["line 2"]),
        (
            b"2026-01-01T10:00:03.123000+00:00 " + STREAM.encode() + b" " + LINE + b"\n" + RECEIVED + LINE,
            ["line 1", "line 2"],
            [],
        ),
        (b'"text"' + LINE, [], [""]),
        (b",\n" * 99, [], [""]),
        (LINE + b"\n" + b"[" * 9000 + b"\n" + LINE, ["line 1", "line 3"], ["line 2"]),
        (LINE.replace(b"{", b"{" + b" " * 300, 1) + b"\n" + LINE[:-9] + b"\n" + LINE, ["line 1", "line 3"], ["line 2"]),
    ],
)  # fmt: skip
def test_a_line_that_is_no_json_costs_that_line(text: bytes, wheres: list[str], faults: list[str]) -> None:
    for data in (text, gzip.compress(text), gzip.compress(gzip.compress(text))):
        scanned = check(data)
        assert places(scanned) == wheres
        assert len(scanned.faults) == len(faults)
        assert all(fault.where.startswith(where) for fault, where in zip(scanned.faults, faults, strict=True))


def test_what_is_nested_in_a_damaged_document_is_no_record_of_its_own() -> None:
    forged = {**OTHER, "requestParameters": {"a": [LAUNCH]}}
    text = json.dumps({"Records": [forged, OTHER]}, indent=1).encode()
    for data in (text[:-3], text.replace(b'"awsRegion"', b"awsRegion", 1), text[:-3] + b"\n" + LINE):
        assert places(check(data)) in ([], [f"line {text.count(NEWLINE) + 1}"])


def test_a_lost_line_says_where_it_goes_wrong() -> None:
    broken = b'{"a": [1,\n  2,\n  oops]}'
    faults = check(LINE + NEWLINE + b"INFO hello\nINFO again\n" + LINE + NEWLINE + broken).faults
    assert [str(fault) for fault in faults] == [
        "line 2 to line 3: not JSON: Expecting value: column 1",
        "line 5 to line 7: not JSON: Expecting value: line 7 column 3",
    ]


def test_the_same_fault_of_many_lines_is_said_once() -> None:
    flow = b"2 111122223333 eni-0abc 10.0.0.1 10.0.0.2 443 49152 6 10 840 1767261600 1767261660 ACCEPT OK\n"
    scanned = check(LINE + b"\n" + flow * 40 + LINE + b'\n{"webaclId": 1}\n{"webaclId": 2}\n')
    assert places(scanned) == ["line 1", "line 42"]
    assert [str(fault) for fault in scanned.faults] == [
        "line 2 to line 41: VPC flow logs, not a CloudTrail log",
        "line 43 to line 44: an AWS WAF log, not a CloudTrail log",
    ]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("79a5" * 16 + " logs [06/Feb/2026:00:00:38 +0000] 192.0.2.3 - 3E57427F3EX REST.GET", "an S3 access log"),
        ("2 111122223333 eni-0abc 10.0.0.1 10.0.0.2 443 49152 6 10 840 1 2 ACCEPT OK", "VPC flow logs"),
        ("version account-id interface-id srcaddr dstaddr\n2 111122223333 eni-0abc 1 2\n", "VPC flow logs"),
        ("https 2026-01-01T00:00:00.186Z app/web/50dc6c495c0c9188 192.0.2.1:1 ", "a load balancer's access log"),
        ("2026-01-01T00:00:00.186Z web 192.0.2.1:2817 10.0.0.1:80 0.000073", "a load balancer's access log"),
        ("#Version: 1.0\n#Fields: date time x-edge-location", "a CloudFront access log"),
        ("<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "XML, as S3 answers errors"),
        ("<!DOCTYPE html><html></html>", "a web page"),
        ('"example-trail","AWSLogs/a.json.gz","7"\n"example-trail","b","8"\n', "a CSV file, such as an S3 inventory"),
        ({"sourceBucket": "b", "fileFormat": "CSV", "fileSchema": "Bucket, Key", "files": []}, "an S3 inventory"),
        ({"fileVersion": "1.0", "configSnapshotId": "x", "configurationItems": []}, "an AWS Config snapshot"),
        ({"fileVersion": "1.0", "configurationItems": []}, "an AWS Config history file"),
        ({"awsAccountId": "1", "digestStartTime": "x", "logFiles": []}, "a CloudTrail digest"),
        (b"PK\x03\x04\x14\x00\x08\x00", "a ZIP archive"),
        (b"PAR1\x15\x04", "a Parquet file"),
        (b"BZh91AY&SY\x00", "a bzip2 file"),
        (b"logs/a.json" + b"\0" * 246 + b"ustar\x0000" + b"\0" * 300, "a tar archive"),
    ],
)  # fmt: skip
def test_what_is_no_log_is_named_for_what_it_is(content: Any, name: str) -> None:
    text = content if isinstance(content, bytes) else content.encode() if isinstance(content, str) else None
    data = text if text is not None else json.dumps(content).encode()
    assert [str(fault) for fault in check(data).faults] == [f"{name}, not a CloudTrail log"]
    packed = f"gzip of {name}" if isinstance(content, bytes) else name
    assert [str(fault) for fault in check(gzip.compress(data)).faults] == [f"{packed}, not a CloudTrail log"]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ({"eventVersion": "2.1", "eventSource": "aws:s3"}, "an S3 event notification"),
        ({"EventSource": "aws:sns", "EventVersion": "1.0"}, "an SNS event of Lambda"),
        ({"messageId": "m", "eventSource": "aws:sqs"}, "an SQS event of Lambda"),
        ({"eventName": "aws:kinesis:record", "eventSource": "aws:kinesis"}, "a Kinesis event of Lambda"),
        ({"eventName": "INSERT", "eventSource": "aws:dynamodb"}, "a DynamoDB event of Lambda"),
        ({"eventSource": "aws:kafka"}, "a Lambda event"),
    ],
)
def test_events_for_a_function_are_named_and_not_counted_as_calls(source: dict[str, str], name: str) -> None:
    # Spelled as S3 does, which begins like a log of CloudTrail.
    text = json.dumps({"Records": [{**source, "awsRegion": "eu-west-1"}] * 2}, separators=(",", ":")).encode()
    for data in (text, gzip.compress(text)):
        assert list(read_log(data)) == [Malformed("", f"{name}, not a CloudTrail log")]
        assert {scan_log(data, engine=engine).faults for engine in ENGINES.values()} == {tuple(read_log(data))}


def test_what_is_in_a_list_of_logs_is_placed_by_its_item() -> None:
    logs = [{"Records": [OTHER, "?"]}, "no JSON", [[[[LAUNCH]]]]]
    found = [str(entry) for entry in read_log(json.dumps(logs).encode()) if isinstance(entry, Malformed)]
    assert found == [
        "item 1, record 2: the record is text, not an object",
        "item 2: the record is text, not an object",
        "item 3, item 1, item 1, record 1: the record is a list, not an object",
    ]
    (lost,) = [entry for entry in read_log(b"[" + LINE + b"]\n[[7]]\n") if isinstance(entry, Malformed)]
    assert str(lost) == "line 2, item 1, record 1: the record is a number, not an object"


def test_gzip_in_gzip_is_unpacked_so_many_times_and_no_more() -> None:
    data = log(OTHER, LAUNCH)
    for _ in range(3):
        data = gzip.compress(data)
        assert places(check(data)) == ["record 2"]
    for _ in range(2):
        data = gzip.compress(data)
    assert [str(fault) for fault in check(data).faults] == ["gzip of gzip, more than 4 times"]


def test_a_bomb_in_gzip_is_refused_before_it_is_held() -> None:
    bomb = gzip.compress(gzip.compress(b" " * 3_000_000))
    for engine in ENGINES.values():
        (fault,) = scan_log(bomb, engine=engine, limit_bytes=1_000_000).faults
        assert fault.reason == "larger than 1000000 bytes when unpacked, which is the limit"


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (envelope(LAUNCH, account="999988887777"), "account 999988887777, the record 111122223333"),
        (envelope(LAUNCH, region="us-east-1"), "region us-east-1, the record eu-west-1"),
        (envelope(LAUNCH, source="aws.s3"), "not of one service"),
        (subscription(LAUNCH, stream="999988887777_CloudTrail_eu-west-1"), "the log stream names account 999988887777"),
        (subscription(LAUNCH, stream="o-example_111122223333_CloudTrail_us-east-1_2"), "names region us-east-1"),
        (subscription(LAUNCH, stream="999988887777_CloudTrail/logs_eu-west-1"), "names account 999988887777"),
    ],
)
def test_an_envelope_binds_its_record_to_where_it_came_from(value: object, fault: str) -> None:
    scanned = check(json.dumps(value).encode())
    assert scanned.found == ()
    assert fault in scanned.faults[0].reason


@pytest.mark.parametrize("stream", ["", "mine", "o-example_111122223333_CloudTrail_eu-west-1"])
def test_a_log_stream_of_another_name_tells_nothing(stream: str) -> None:
    assert len(check(json.dumps(subscription(LAUNCH, stream=stream)).encode()).found) == 1


@pytest.mark.parametrize(
    ("value", "entry"),
    [
        ({"message": "CWL CONTROL MESSAGE: Checking health of destination Firehose."}, Ignored("", CONTROL_MESSAGE)),
        ({"eventCategory": "Insight", "insightDetails": {"eventName": "RunInstances"}}, Ignored("", INSIGHT)),
        ({"message": "hello"}, Malformed("", "message is not JSON")),
        ({"_raw": "<?xml ?>"}, Malformed("", "_raw is XML, as S3 answers errors, not a CloudTrail record")),
        ({"_raw": 7}, Malformed("", "_raw is a number: it has to be a CloudTrail record as text")),
        (
            {"_raw": '{"webaclId": 1}'},
            Malformed("", "_raw is an AWS WAF log: it has to be a CloudTrail record as text"),
        ),
        ({"result": 7}, Malformed("", "result is a number, not an object")),
        ({"detail": 7}, Malformed("", "detail is a number, not an object")),
        ({"detail": {"detail": 1}}, Ignored("", "an event, not an API call")),
        (
            {"result": {"result": {"result": {"result": {"result": OTHER}}}}},
            Malformed("", "its record is wrapped too often"),
        ),
        ({"message": {"result": OTHER}}, Ignored("", NOT_A_LAUNCH)),
    ],
)  # fmt: skip
def test_an_envelope_without_a_record_says_what_it_holds(value: dict[str, Any], entry: object) -> None:
    assert read_record(value) == entry


def test_a_collected_text_is_a_list_only_where_it_lists_records() -> None:
    for text in ("7", "{", '{"Records": 7}', '{"a": 1}', "[" * 100_000):
        assert check(json.dumps({"_raw": text}).encode()).found == ()


def test_what_firehose_wrote_is_read_by_the_function() -> None:
    """The function reads objects by `Harvest`, whatever their keys are."""
    harvest = Harvest()
    control = {"messageType": "CONTROL_MESSAGE", "logEvents": [{"message": "CWL CONTROL MESSAGE: Checking health"}]}
    # CloudWatch Logs packs each of its messages, Firehose joins them, and packs the file again where it is told to.
    members = b"".join(gzip.compress(json.dumps(each).encode()) for each in (control, subscription(OTHER, LAUNCH)))
    for data in (members, gzip.compress(members)):
        harvest.add_file("s3://logs/firehose/2026/01/01/10/trail-1-2026-01-01-10-00-00-abc", data)
    assert [(found.launch.where, found.is_repeat) for found in harvest.launches] == [
        ("line 1, document 2, record 2", False),
        ("line 1, document 2, record 2", True),
    ]
    assert (harvest.faults, harvest.ignored) == ([], {NOT_A_LAUNCH: 2, CONTROL_MESSAGE: 2})


_RECORDS = st.sampled_from([LAUNCH, OTHER, TAGGED, ENDED, record("DeleteTags"), {**LAUNCH, "x": "\u2028}\n{"}])
_LINES = st.one_of(
    st.builds(lambda value, wrap: json.dumps(wrap(value)), _RECORDS, st.sampled_from(list(WRAPS.values()))),
    st.builds(lambda value, wrap: json.dumps(wrap(value), indent=1), _RECORDS, st.sampled_from(list(WRAPS.values()))),
    st.sampled_from(["", " ", "\r", "{", "}", "]", "{}", "[", "7", "null", '"x"', "x,y,z", "\x0b", "\ufeff", ","]),
    st.builds(lambda value, end: json.dumps(value)[:end], _RECORDS, st.integers(1, 200)),
)
_JOINS = st.sampled_from(["\n"] * 4 + ["", "\r\n", "\n\n", "\n\t", ",\n", " ", "\n" + RECEIVED.decode()])


@st.composite
def layouts(draw: st.DrawFn) -> bytes:
    """Lines and documents in a row, packed or not."""
    lines = draw(st.lists(_LINES, min_size=1, max_size=5))
    text = draw(st.sampled_from(["", "", "\n", "\ufeff", RECEIVED.decode()]))
    text += "".join(line + draw(_JOINS) for line in lines[:-1]) + lines[-1] + draw(st.sampled_from(["", "\n"]))
    data = text.encode(draw(st.sampled_from(["utf-8"] * 9 + ["utf-16"])))
    for _ in range(draw(st.sampled_from([0, 1, 2, 3]))):
        data = gzip.compress(data, mtime=0)
    return data


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(layouts(), st.sampled_from([LAUNCH_EVENTS, TAG_EVENTS, PAST_EVENTS]))
def test_every_engine_reads_every_layout_as_the_whole_parse_does(data: bytes, wanted: frozenset[str]) -> None:
    check(data, wanted)


@given(st.lists(_RECORDS, min_size=2, max_size=4), st.data())
def test_a_launch_on_a_line_of_its_own_is_never_lost(records: list[dict[str, Any]], data: st.DataObject) -> None:
    lines = [json.dumps(each) for each in records]
    at = data.draw(st.integers(0, len(lines)))
    cut = data.draw(st.sampled_from([json.dumps(LAUNCH)[: data.draw(st.integers(1, 900))], "", "not JSON", "{}"]))
    text = "\n".join([*lines[:at], cut, *lines[at:]])
    found = [entry for entry in read_log(text.encode()) if isinstance(entry, Launch)]
    assert len(found) == sum(each["eventName"] == "RunInstances" for each in records)


def test_what_is_too_long_for_a_block_is_left_to_the_whole_parse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("landkeeper.broom.cloudtrail.stream.MOST_RECORD_CHARACTERS", 3000)
    for text in (LINE + b"\n{\n" + b" \n" * 4000 + LINE, LINE + LOST + b" " * 4000, PRETTY * 3 + b"\n]" + LINE * 9):
        assert check(text).found


def test_a_large_text_is_read_piece_by_piece_also_where_it_is_held_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_PARSED_WHOLE_BYTES", "_SLICE_BYTES"):
        monkeypatch.setattr(f"landkeeper.broom.cloudtrail.scan.{name}", 99)
    for text in (
        LINE * 3,
        LINE + b"\n" + LOST + b"\n" + LINE,
        PRETTY,
        b"x" * 200,
        "\u00e9".encode("utf-16") * 99,
        b"\xef\xbb\xbf",
    ):
        check(text)
        check(gzip.compress(text))
    monkeypatch.setattr("landkeeper.broom.cloudtrail.stream.MOST_RECORD_CHARACTERS", 3000)
    assert check(LINE + NEWLINE + b"x" * 9000 + NEWLINE + LINE).faults

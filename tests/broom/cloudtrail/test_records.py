"""From log files to launches, and what is said about everything that is none."""

from __future__ import annotations

import copy
import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import past_logs as past
from tests.broom_world import event

from landkeeper.broom.cloudtrail.envelopes import NOT_AN_API_CALL
from landkeeper.broom.cloudtrail.launch_records import merge_updates
from landkeeper.broom.cloudtrail.principals.identity import UNKNOWN_PRINCIPAL
from landkeeper.broom.cloudtrail.records import (
    NOT_A_LAUNCH,
    Entry,
    Ignored,
    Malformed,
    read_log,
    read_record,
)
from landkeeper.broom.launches import End, InstanceId, Launch, Tagging, Termination, Untagging
from landkeeper.org import AccountId, Region


def read(value: object) -> list[Entry]:
    return list(read_log(json.dumps(value).encode()))


def only(data: bytes) -> Entry:
    (entry,) = read_log(data)
    return entry


def changed(path: str, value: object) -> dict[str, Any]:
    """The sample record with one field replaced; `...` takes the field away."""
    record: dict[str, Any] = copy.deepcopy(event("run_instances.json"))
    *parents, last = path.split(".")
    place: Any = record
    for name in parents:
        place = place[int(name)] if name.isdigit() else place[name]
    if value is ...:
        del place[last]
    else:
        place[int(last) if last.isdigit() else last] = value
    return record


def without_token(response: object) -> dict[str, Any]:
    """The sample record with this answer and nothing that could find its instances."""
    return {**changed("responseElements", response), "requestParameters": None}


def test_a_launch_carries_who_where_what_and_when() -> None:
    launch = read_record(event("run_instances.json"))
    assert isinstance(launch, Launch)
    assert (launch.account, launch.region, launch.principal.name) == ("111122223333", "eu-west-1", "jane")
    assert launch.event_time == datetime(2026, 1, 1, 10, 0, tzinfo=UTC)
    assert launch.client_token == "11111111-2222-3333-4444-555555555555"
    (instance,) = launch.instances
    assert (instance.id, instance.image_id, instance.type) == (
        "i-0aaaaaaaaaaaaaaa1",
        "ami-0abcdef1234567890",
        "t3.micro",
    )
    assert (instance.tags, launch.request_tags) == ({"Code": "LOL"}, {"Code": "LOL"})


def test_a_log_file_is_read_record_by_record() -> None:
    first, second, third, fourth, fifth = read(event("log_file.json"))
    assert isinstance(first, Launch)
    assert [instance.id for instance in first.instances] == ["i-0aaaaaaaaaaaaaaa2", "i-0aaaaaaaaaaaaaaa3"]
    assert second == Ignored("record 2", "the launch failed (Client.DryRunOperation)")
    assert third == Ignored("record 3", NOT_A_LAUNCH)
    assert isinstance(fourth, Launch)
    assert isinstance(fifth, Launch)


@pytest.mark.parametrize("wrap", [lambda r: {"Records": [r]}, lambda r: [r], lambda r: r, lambda r: {"detail": r}])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_every_shape_of_file_holds_the_same_launch(wrap: Any, pack: Any) -> None:
    record = event("run_instances.json")
    assert only(pack(json.dumps(wrap(record)).encode())) == read_record(record)


def test_json_lines_name_the_line() -> None:
    record = json.dumps(event("run_instances.json"))
    entries = list(read_log(f'{record}\n\n{{"Records": ["x"]}}\nno json\n'.encode()))
    assert isinstance(entries[0], Launch)
    assert entries[1] == Malformed("line 3, record 1", "the record is text, not an object")
    assert isinstance(entries[2], Malformed)
    assert entries[2].where == "line 4"


def test_the_members_of_a_gzip_file_are_read_as_one() -> None:
    text = json.dumps({"Records": [event("run_instances.json")]}).encode()
    assert isinstance(only(gzip.compress(text[:100]) + gzip.compress(text[100:]) + b"\0" * 512), Launch)


def test_utf_16_and_a_byte_order_mark_are_read() -> None:
    text = json.dumps(event("run_instances.json"))
    assert isinstance(only(text.encode("utf-16")), Launch)
    assert isinstance(only(text.encode("utf-8-sig")), Launch)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b" \n ", "the file is empty"),
        (b"hello", "not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b"hello\nworld", "not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b"\xff\xfehi\xd8", "not JSON: it is not text"),
        (b"[" * 100_000, "not a log: its JSON is nested too deeply"),
        (b"1" * 5_000, "the record is a number, not an object"),
        (b"{}", "no Records, and not a CloudTrail record itself"),
        (b'{"Records": null}', "Records is missing or null, not a list"),
        (b'{"Records": "x"}', "Records is text, not a list"),
        (b"7", "the record is a number, not an object"),
        (gzip.compress(b"{}" * 99, mtime=0)[:-9], "the gzip data ends early: the file is truncated"),
        (b"\x1f\x8b nonsense", "the gzip data is damaged"),
        (gzip.compress(b"{}", mtime=0) + b"more", "the gzip data is followed by something else"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    entry = only(data)
    assert isinstance(entry, Malformed)
    assert entry.where == ""
    assert str(entry).startswith(reason)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_above_the_limit_is_refused(pack: Any) -> None:
    (entry,) = read_log(pack(b" " * 2_000), limit_bytes=1_000)
    assert entry == Malformed("", "larger than 1000 bytes when unpacked, which is the limit", is_whole_file=True)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (None, "the record is missing or null, not an object"),
        ("x", "the record is text, not an object"),
        (7, "the record is a number, not an object"),
        (True, "the record is true or false, not an object"),
        ([], "the record is an empty list, not an object"),
        ([1], "the record is a list, not an object"),
        ({"eventName": 3}, "eventName is a number: this is not a CloudTrail record"),
        (without_token(None), "responseElements is null: the log does not say which instances"),
        (without_token("null"), "responseElements is null"),
        (without_token({"omitted": True, "originalSize": 1}), "responseElements is null: the log"),
        (changed("responseElements", "x"), "responseElements is text, not an object"),
        (without_token({}), "responseElements.instancesSet lists nothing: the log does not say which instances"),
        (without_token({"instancesSet": {"items": []}}), "responseElements.instancesSet lists nothing: the log"),
        (without_token({"instancesSet": {"items": None}}), "responseElements.instancesSet lists nothing: the log"),
        (changed("responseElements.instancesSet", 7), "responseElements.instancesSet is a number, not an object"),
        (changed("responseElements.instancesSet.items", {}), "responseElements.instancesSet.items is an object"),
        (changed("responseElements.instancesSet.items.0", "i-1"), "responseElements.instancesSet.items[0] is text"),
        (
            changed("responseElements.instancesSet.items.0.instanceId", ""),
            "responseElements.instancesSet.items[0].instanceId is empty",
        ),
        (changed("eventTime", "yesterday"), "eventTime 'yesterday' is not a time"),
        (changed("eventTime", "0001-01-01T00:00:00+23:00"), "eventTime '0001-01-01T00:00:00+23:00' is not a time"),
        (changed("eventID", ...), "eventID is missing or null"),
        (changed("awsRegion", 7), "awsRegion is a number"),
    ],
)
def test_a_bad_record_is_named_with_its_field(record: object, reason: str) -> None:
    entry = read_record(record, "record 9")
    assert isinstance(entry, Malformed)
    assert str(entry).startswith(f"record 9: {reason}")


@pytest.mark.parametrize(
    ("record", "doubt"),
    [
        (changed("userIdentity", None), "userIdentity is missing or null, not an object: nobody knows who it was"),
        (changed("userIdentity.type", ...), "userIdentity has no type: nobody knows who it was"),
        (changed("userIdentity.type", 3), "userIdentity has no type: nobody knows who it was"),
        (
            changed("responseElements.instancesSet.items.0.imageId", ...),
            "responseElements.instancesSet.items[0].imageId is missing or null: it has to be text",
        ),
        (
            changed("responseElements.instancesSet.items.0.instanceType", 7),
            "responseElements.instancesSet.items[0].instanceType is a number: it has to be text",
        ),
        (
            changed("responseElements.instancesSet.items.0.tagSet", "x"),
            "responseElements.instancesSet.items[0].tagSet is text, not an object",
        ),
        (
            changed("responseElements.instancesSet.items.0.tagSet.items", 1.5),
            "responseElements.instancesSet.items[0].tagSet.items is a number, not a list",
        ),
        (
            changed("responseElements.instancesSet.items.0.tagSet.items.0", "Code"),
            "responseElements.instancesSet.items[0].tagSet.items[0] is text, not an object",
        ),
        (
            changed("responseElements.instancesSet.items.0.tagSet.items.0.key", ...),
            "responseElements.instancesSet.items[0].tagSet.items[0].key is missing or null: it has to be text",
        ),
        (
            changed("requestParameters.tagSpecificationSet", "x"),
            "requestParameters.tagSpecificationSet is text, not an object",
        ),
        (
            changed("requestParameters.tagSpecificationSet.items.0", "x"),
            "requestParameters.tagSpecificationSet.items[0] is text, not an object",
        ),
        (
            changed("requestParameters.tagSpecificationSet.items.0.tags.0.value", ["x"]),
            "requestParameters.tagSpecificationSet.items[0].tags[0].value is a list: it has to be text",
        ),
    ],
)
def test_an_instance_is_not_lost_because_the_log_does_not_say_who_or_what(record: object, doubt: str) -> None:
    launch = read_record(record, "record 9")
    assert isinstance(launch, Launch)
    assert (launch.where, launch.warnings) == ("record 9", (doubt,))
    assert launch.principal.name
    assert launch.instances[0].id


def test_the_account_is_the_recipient_then_the_owner_then_the_caller() -> None:
    record = changed("recipientAccountId", "999999999999")
    assert read_record(record).account == "999999999999"  # type: ignore[union-attr]
    del record["recipientAccountId"]
    record["responseElements"]["ownerId"] = "888888888888"
    assert read_record(record).account == "888888888888"  # type: ignore[union-attr]
    del record["responseElements"]["ownerId"]
    assert read_record(record).account == "111122223333"  # type: ignore[union-attr]
    record["userIdentity"] = "nobody"
    assert str(read_record(record)).startswith("neither recipientAccountId")


@pytest.mark.parametrize("text", ["2026-01-01 10:00:00.000000000", "2026-01-01T12:00:00+02:00"])
def test_times_of_exports_are_understood(text: str) -> None:
    launch = read_record(changed("eventTime", text))
    assert isinstance(launch, Launch)
    assert launch.event_time == datetime(2026, 1, 1, 10, 0, tzinfo=UTC)


def test_what_does_not_matter_may_be_missing_or_odd() -> None:
    record = changed("requestParameters", None)
    del record["responseElements"]["instancesSet"]["items"][0]["tagSet"]
    launch = read_record(record)
    assert isinstance(launch, Launch)
    assert (launch.request_tags, launch.client_token, launch.instances[0].tags) == ({}, "", {})
    specifications = {"items": [{"resourceType": "instance", "tags": None}]}
    launch = read_record(changed("requestParameters.tagSpecificationSet", specifications))
    assert isinstance(launch, Launch)
    assert launch.request_tags == {}


def test_a_call_of_that_name_to_another_service_is_no_launch() -> None:
    assert read_record(changed("eventSource", "other.amazonaws.com")) == Ignored("", NOT_A_LAUNCH)


def test_an_event_that_is_no_api_call_is_ignored() -> None:
    assert read_record(event("eventbridge_state_change.json")) == Ignored("", NOT_AN_API_CALL)


def test_request_tags_and_tags_of_the_answer_are_both_in_the_log() -> None:
    launch = read_record(changed("responseElements.instancesSet.items.0.tagSet.items.0.value", "GGG"))
    assert isinstance(launch, Launch)
    assert launch.logged_tags(launch.instances[0]) == {"Code": "GGG"}


@given(st.binary())
def test_no_bytes_raise(data: bytes) -> None:
    for entry in (*read_log(data), *read_log(b"\x1f\x8b" + data), *read_log(gzip.compress(data)[: len(data)])):
        assert isinstance(entry, Launch | Ignored | Malformed)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_PATHS = (
    *("userIdentity", "userIdentity.type", "userIdentity.arn", "eventTime", "eventID", "eventName", "awsRegion"),
    *("responseElements", "responseElements.instancesSet", "responseElements.instancesSet.items"),
    *("responseElements.instancesSet.items.0", "responseElements.instancesSet.items.0.tagSet"),
    *("responseElements.instancesSet.items.0.tagSet.items", "responseElements.instancesSet.items.0.tagSet.items.0"),
    *("requestParameters", "requestParameters.tagSpecificationSet", "requestParameters.tagSpecificationSet.items"),
    *("requestParameters.tagSpecificationSet.items.0", "requestParameters.tagSpecificationSet.items.0.tags"),
    *("recipientAccountId", "errorCode", "eventSource", "requestParameters.clientToken"),
)


@given(st.sampled_from(_PATHS), _JSON)
def test_no_value_in_any_field_raises(path: str, value: object) -> None:
    assert isinstance(read_record(changed(path, value)), Launch | Ignored | Malformed)


@given(_JSON)
def test_no_json_raises(value: object) -> None:
    for entry in read(value):
        assert isinstance(entry, Launch | Ignored | Malformed)


@pytest.mark.parametrize(
    "response",
    [
        None, "null", {"omitted": True, "originalSize": 131072, "reason": "too large"}, {}, {"instancesSet": None},
        {"instancesSet": {}}, {"instancesSet": {"items": None}}, {"instancesSet": {"items": []}},
    ],
)  # fmt: skip
def test_an_answer_that_was_left_out_leaves_the_client_token(response: object) -> None:
    launch = read_record(changed("responseElements", response))
    assert isinstance(launch, Launch)
    assert (launch.instances, launch.client_token) == ((), "11111111-2222-3333-4444-555555555555")
    assert (launch.account, launch.region) == ("111122223333", "eu-west-1")


def test_a_spot_fulfilment_is_a_launch_by_spot() -> None:
    launch = read_record(event("bid_fulfilled.json"))
    assert isinstance(launch, Launch)
    assert [instance.id for instance in launch.instances] == ["i-0aaaaaaaaaaaaaaa8"]
    assert (launch.principal.name, launch.account, launch.region) == ("EC2 Spot", "111122223333", "us-east-2")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"serviceEventDetails": None}, "serviceEventDetails is missing or null"),
        ({"serviceEventDetails": {}}, "serviceEventDetails.instanceIdSet is missing or null"),
        ({"serviceEventDetails": {"instanceIdSet": [7]}}, "serviceEventDetails.instanceIdSet is a list"),
        ({"serviceEventDetails": {"instanceIdSet": "i-1"}}, "serviceEventDetails.instanceIdSet is text"),
        ({"userIdentity": "x", "recipientAccountId": None}, "neither recipientAccountId"),
    ],
)
def test_a_spot_fulfilment_without_instances_is_named(change: dict[str, Any], reason: str) -> None:
    entry = read_record({**event("bid_fulfilled.json"), **change})
    assert isinstance(entry, Malformed)
    assert entry.reason.startswith(reason)


def test_what_lookup_events_prints_holds_the_same_launch() -> None:
    record = event("run_instances.json")
    looked_up = {"EventId": record["eventID"], "EventName": "RunInstances", "CloudTrailEvent": json.dumps(record)}
    (first, second) = read({"Events": [looked_up, {**looked_up, "CloudTrailEvent": "{"}], "NextToken": "x"})
    assert first == read_record(record)
    assert second == Malformed("record 2", "CloudTrailEvent is not JSON")
    assert read(looked_up) == [first]
    assert read([looked_up]) == [first]
    (third,) = read({"Events": [{"CloudTrailEvent": "7"}]})
    assert isinstance(third, Malformed)
    assert third.reason == "CloudTrailEvent is a number: it has to be a CloudTrail record as text"
    assert only(b'{"Events": 7}') == Malformed("", "Events is a number, not a list")


def test_a_record_that_is_delivered_anew_is_the_same_event() -> None:
    again = read_record(
        {**changed("eventID", "new-id"), "addendum": {"reason": "UPDATED_DATA", "originalEventID": "old-id"}}
    )
    first = read_record(changed("eventID", "old-id"))
    assert isinstance(again, Launch)
    assert isinstance(first, Launch)
    assert (again.update_id, first.update_id) == ("new-id", "")
    assert replace(again, update_id="") == first
    same = read_record({**changed("eventID", "id"), "addendum": {"originalEventID": "id"}})
    nameless = read_record({**changed("eventID", ...), "addendum": {"originalEventID": "old-id"}})
    assert [launch.update_id for launch in (same, nameless) if isinstance(launch, Launch)] == ["", "again"]
    late = read_record({**changed("eventID", "new-id"), "addendum": {"reason": "DELIVERY_DELAY"}})
    assert isinstance(late, Launch)
    assert (late.event_id, late.update_id) == ("new-id", "")


def test_an_instance_without_an_id_is_named_and_the_others_count() -> None:
    record = event("run_instances.json")
    (item,) = record["responseElements"]["instancesSet"]["items"]
    record["responseElements"]["instancesSet"]["items"] = [{**item, "instanceId": None}, item, "i-2", {}]
    launch = read_record(record)
    assert isinstance(launch, Launch)
    assert [instance.id for instance in launch.instances] == ["i-0aaaaaaaaaaaaaaa1"]
    path = "responseElements.instancesSet.items"
    assert launch.losses == (
        f"{path}[0].instanceId is missing or null: it has to be text", f"{path}[2] is text, not an object",
        f"{path}[3].instanceId is missing or null: it has to be text",
    )  # fmt: skip
    record["responseElements"]["instancesSet"]["items"] = [item, *["x"] * 25]
    many = read_record(record)
    assert isinstance(many, Launch)
    assert (len(many.losses), many.losses[-1]) == (21, "and 5 more of the same record")


def test_a_fulfilment_counts_what_it_names() -> None:
    spot = event("bid_fulfilled.json")
    spot["serviceEventDetails"]["instanceIdSet"] += [7, "vol-1"]
    launch = read_record(spot)
    assert isinstance(launch, Launch)
    assert len(launch.instances) == 1
    assert launch.losses == ("serviceEventDetails.instanceIdSet has 2 that are not instance ids",)


@pytest.mark.parametrize(("value", "text"), [(None, ""), ("", ""), (7, "7"), ("None", "None")])
def test_a_tag_without_a_value_is_there_and_empty(value: object, text: str) -> None:
    launch = read_record(changed("responseElements.instancesSet.items.0.tagSet.items.0.value", value))
    missing = read_record(changed("responseElements.instancesSet.items.0.tagSet.items.0.value", ...))
    assert isinstance(launch, Launch)
    assert isinstance(missing, Launch)
    assert (launch.instances[0].tags, launch.warnings) == ({"Code": text}, ())
    assert missing.instances[0].tags == {"Code": ""}


def test_lists_that_are_null_are_empty() -> None:
    for path in ("responseElements.instancesSet.items.0.tagSet", "requestParameters.tagSpecificationSet"):
        launch = read_record(changed(f"{path}.items", None))
        assert isinstance(launch, Launch)
        assert (launch.warnings, len(launch.instances)) == ((), 1)


def test_more_tags_than_there_can_be_are_left_out() -> None:
    tags = [{"key": f"k{number}", "value": "x"} for number in range(201)]
    launch = read_record(changed("requestParameters.tagSpecificationSet.items.0.tags", tags))
    assert isinstance(launch, Launch)
    assert len(launch.request_tags) == 200
    (reason,) = launch.warnings
    assert reason.startswith("requestParameters.tagSpecificationSet.items[0].tags has more than 200 tags")


def test_a_shared_event_belongs_to_the_owner_of_the_instances() -> None:
    shared = {**changed("recipientAccountId", "444455556666"), "sharedEventID": "shared-1"}
    launch = read_record(shared)
    assert isinstance(launch, Launch)
    assert (launch.account, launch.call_id) == ("111122223333", "shared-1")


def untagging(**request: object) -> dict[str, Any]:
    """A record of tags that were taken off."""
    return {**event("run_instances.json"), "eventName": "DeleteTags", "requestParameters": request}


_ONE = {"items": [{"resourceId": "i-0aaaaaaaaaaaaaaa1"}, {"resourceId": "vpc-1"}]}


TAGS = {"Code": "LOL", "code": "LOL", "Name": "", "aws:ec2:fleet-id": "fleet-1"}


@pytest.mark.parametrize(
    ("tag_set", "left"),
    [
        ({"items": [{"key": "Code", "value": "LOL"}]}, {"code", "Name"}),
        ({"items": [{"key": "Code", "value": "OLD"}]}, {"Code", "code", "Name"}),
        ({"items": [{"key": "Code", "value": "lol"}]}, {"Code", "code", "Name"}),
        ({"items": [{"key": "Code", "value": ""}]}, {"Code", "code", "Name"}),
        ({"items": [{"key": "Name", "value": ""}]}, {"Code", "code"}),
        ({"items": [{"key": "Code"}]}, {"code", "Name"}),
        ({"items": [{"key": "Code", "value": None}]}, {"code", "Name"}),
        ({"items": [{"key": "CODE"}, {"value": "LOL"}, "x", {"key": "Name"}]}, {"Code", "code"}),
        ({"items": [{"key": "Code", "value": "OLD"}, {"key": "Code", "value": "LOL"}]}, {"code", "Name"}),
        ({"items": [{"key": "aws:ec2:fleet-id"}]}, {"Code", "code", "Name"}),
        ({"items": []}, set()),
        ({"items": None}, set()),
        ({}, set()),
        (None, set()),
    ],
)
def test_a_tag_is_taken_off_where_the_key_and_the_value_given_are_its_own(tag_set: object, left: set[str]) -> None:
    off = read_record(untagging(resourcesSet=_ONE, tagSet=tag_set))
    assert isinstance(off, Untagging)
    assert off.instance_ids == {"i-0aaaaaaaaaaaaaaa1"}
    assert off.without(TAGS).keys() == left | {"aws:ec2:fleet-id"}


@pytest.mark.parametrize(
    "record",
    [
        {**untagging(resourcesSet=_ONE), "errorCode": "Client.UnauthorizedOperation"},
        {**untagging(), "requestParameters": None},
        untagging(resourcesSet={"items": [{"resourceId": "vpc-1"}]}),
        untagging(resourcesSet={"items": [7]}),
        untagging(resourcesSet=7),
        untagging(resourcesSet=_ONE, tagSet="x"),
        untagging(resourcesSet=_ONE, tagSet={"items": ["x", {"value": "LOL"}, {"key": ""}]}),
        {**untagging(resourcesSet=_ONE), "eventTime": "yesterday"},
        {**untagging(resourcesSet=_ONE, tagSet={"items": ["x"]}), "eventName": "CreateTags"},
    ],
)
def test_what_takes_no_tags_off_instances_is_ignored(record: object) -> None:
    assert read_record(record) == Ignored("", NOT_A_LAUNCH)


def test_one_odd_detail_does_not_cost_a_call_that_tags_several_instances() -> None:
    resources = {"items": [{"resourceId": "i-1"}, {}, "x", {"resourceId": "vol-1"}, {"resourceId": "i-2"}]}
    tags = {"items": [{"key": "Code", "value": "LOL"}, {"value": "x"}, {"key": "Name", "value": None}]}
    put = read_record({**untagging(resourcesSet=resources, tagSet=tags), "eventName": "CreateTags"})
    assert isinstance(put, Tagging)
    assert (set(put.instance_ids), put.tags) == ({"i-1", "i-2"}, {"Code": "LOL", "Name": ""})


def ended(name: str, **fields: object) -> dict[str, Any]:
    """A record of instances that ended."""
    return {**event("run_instances.json"), "eventName": name, "requestParameters": None, **fields}


ROLE = {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/Developer/jane"}
SETS = {"instancesSet": {"items": [{"instanceId": "i-1"}, {}, {"instanceId": "x"}]}}


def test_a_call_that_ends_or_stops_instances_tells_whose_it_was() -> None:
    terminated = read_record(ended("TerminateInstances", requestParameters=SETS, userIdentity=ROLE))
    stopped = read_record(ended("StopInstances", requestParameters=SETS))
    unknown = read_record(ended("StopInstances", requestParameters=SETS, userIdentity=None))
    assert isinstance(terminated, Termination)
    assert isinstance(stopped, Termination)
    assert isinstance(unknown, Termination)
    assert (set(terminated.instance_ids), terminated.end) == ({"i-1"}, End.TERMINATED)
    assert (set(stopped.instance_ids), stopped.end) == ({"i-1"}, End.STOPPED)
    assert (terminated.session, stopped.session, unknown.session) == ("Developer/jane", "", "")


def test_spot_instances_that_ec2_took_back_are_known() -> None:
    back = read_record(ended("BidEvictedEvent", serviceEventDetails={"instanceIdSet": ["i-1", 7, "vol-1"]}))
    assert isinstance(back, Termination)
    assert (set(back.instance_ids), back.end, back.may_return) == ({"i-1"}, End.INTERRUPTED, False)
    assert (back.account, back.region) == ("111122223333", "eu-west-1")


@pytest.mark.parametrize(
    "fields",
    [
        {"serviceEventDetails": None}, {"serviceEventDetails": {"instanceIdSet": "i-1"}},
        {"serviceEventDetails": {"instanceIdSet": [7]}},
        {"serviceEventDetails": {"instanceIdSet": ["i-1"]}, "eventTime": None},
    ],
)  # fmt: skip
def test_an_interruption_that_names_nothing_is_ignored(fields: dict[str, object]) -> None:
    assert read_record(ended("BidEvictedEvent", **fields)) == Ignored("", NOT_A_LAUNCH)


def warning(action: str, kind: str = "EC2 Spot Instance Interruption Warning", **fields: object) -> dict[str, Any]:
    """An event of EventBridge that announces the end of an instance."""
    return {
        "detail-type": kind, "source": "aws.ec2", "account": "111122223333", "region": "eu-west-1",
        "time": "2026-01-01T10:00:00Z", "detail": {"instance-id": "i-1", "instance-action": action}, **fields,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("action", "minute", "may_return"), [("terminate", 2, False), ("stop", 2, True), ("hibernate", 0, True)]
)
@pytest.mark.parametrize("reservation", ["Spot", "Capacity Reservation"])
def test_a_warning_tells_when_and_how_an_instance_is_interrupted(
    action: str, minute: int, may_return: bool, reservation: str
) -> None:
    told = read_record(warning(action, f"EC2 {reservation} Instance Interruption Warning"))
    at = datetime(2026, 1, 1, 10, minute, tzinfo=UTC)
    assert told == Termination(at, frozenset([InstanceId("i-1")]), end=End.INTERRUPTED, may_return=may_return)
    assert isinstance(told, Termination)
    assert (told.account, told.region) == ("111122223333", "eu-west-1")


@pytest.mark.parametrize(
    "told",
    [
        warning("stop", "EC2 Instance Rebalance Recommendation"), warning("stop", "Instance Interruption Warning"),
        warning("stop", time="soon"), warning("stop", detail={}), {"detail": {}},
    ],
)  # fmt: skip
def test_a_warning_that_names_no_instance_or_time_is_ignored(told: dict[str, Any]) -> None:
    assert read_record(told) == Ignored("", NOT_AN_API_CALL)


@pytest.mark.parametrize(
    ("options", "behavior"),
    [
        ({"spotOptions": {"instanceInterruptionBehavior": "hibernate"}}, "hibernate"),
        ({"spotOptions": {}}, ""), ({"spotOptions": "x"}, ""), ({}, ""), (None, ""),
    ],
)  # fmt: skip
def test_a_launch_knows_how_its_spot_instances_are_interrupted(options: object, behavior: str) -> None:
    record = event("run_instances.json")
    record["requestParameters"]["instanceMarketOptions"] = options
    launch = read_record(record)
    assert isinstance(launch, Launch)
    assert launch.interruption == behavior


def test_updates_complete_the_launch_whose_event_they_name() -> None:
    def launch(at: str, ids: list[str], tags: dict[str, str], **fields: Any) -> Launch:
        found = read_record(past.launch(ids, at, tags=tags, event_id="first", **fields))
        assert isinstance(found, Launch)
        return found

    first = launch("10:00:00", ["i-1"], {"Owner": "jane", "Code": "old"}, userIdentity=None)
    again = launch("10:00:00", ["i-1", "i-2"], {"Code": "LOL"})
    update = replace(again, update_id="second", client_token="", launch_template="lt-1", losses=("x",))
    (merged,) = merge_updates([first, update])
    assert merge_updates([update, first]) == [merged]
    assert merge_updates([first, update, update, first]) == [merged]
    assert {instance.id: instance.tags for instance in merged.instances} == {
        "i-1": {"Owner": "jane", "Code": "LOL"}, "i-2": {"Code": "LOL"},
    }  # fmt: skip
    assert (merged.principal.name, merged.warnings, merged.losses) == ("jane", (), ("x",))
    assert (merged.client_token, merged.launch_template) == (first.client_token, "lt-1")
    # Without a correction, or one that another account or region claims, there are two.
    elsewhere = replace(update, account=AccountId("444455556666"))
    for other in (again, elsewhere, replace(update, region=Region("eu-west-2"))):
        assert merge_updates([first, other]) == [first, other]
    third = replace(first, update_id="third", principal=UNKNOWN_PRINCIPAL, instances=first.instances[:1])
    assert merge_updates([update, third])[0].principal.name == "jane"

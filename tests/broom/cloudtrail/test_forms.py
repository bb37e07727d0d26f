"""What a record may not bring along: wildcards, foreign ARNs, impossible times, more than a store takes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.broom.cloudtrail.test_records import changed
from tests.broom_world import LAUNCHED_AT, World, event, launch, policy

from landkeeper.broom.cloudtrail.fields import ACCOUNT, CLIENT_TOKEN, EVENT_ID, INSTANCE_ID, REGION
from landkeeper.broom.cloudtrail.records import NOT_A_LAUNCH, Ignored, Malformed, read_record
from landkeeper.broom.cloudtrail.scan import scan_log
from landkeeper.broom.launches import Launch, Tagging, Termination, Untagging

ITEM = "responseElements.instancesSet.items.0"
BLANK = {**event("run_instances.json"), "responseElements": None}


def change(name: str, **request: Any) -> dict[str, Any]:
    """A record of a call that changes instances."""
    return {**event("run_instances.json"), "eventName": name, "requestParameters": request, "responseElements": None}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (changed(f"{ITEM}.instanceId", "i-*"), f"{ITEM[:-2]}[0].instanceId 'i-*' is not an instance id"),
        (changed(f"{ITEM}.instanceId", "i-0aaaaaaaaaaaaaaa1\n"), f"{ITEM[:-2]}[0].instanceId 'i-0aaaaaaaaaaaaaaa1\\n'"),
        (
            changed("recipientAccountId", "111122223333:role/x"),
            "recipientAccountId '111122223333:role/x' is not an AWS",
        ),
        (changed("recipientAccountId", "١١١١٢٢٢٢٣٣٣٣"), "recipientAccountId '\\u0661"),
        (changed("awsRegion", "eu-west-1.example.com/"), "awsRegion 'eu-west-1.example.com/' is not a region code"),
        (changed("eventID", "a b"), "eventID 'a b' is not an event id"),
        (changed("addendum", {"originalEventID": "*" * 999}), f"addendum.originalEventID '{'*' * 60}...' is not an"),
        ({**BLANK, "requestParameters": {"clientToken": "x" * 65}}, "requestParameters.clientToken 'xxx"),
        (
            {**BLANK, "requestParameters": {"clientToken": "tök"}},
            "requestParameters.clientToken 't\\xf6k' is not a client",
        ),
        (changed("eventTime", "9999-12-31T23:59:59Z"), "eventTime '9999-12-31T23:59:59Z' is not a time at which"),
        (changed("eventTime", "9999-12-31T23:59:59-01:00"), "eventTime '9999-12-31T23:59:59-01:00' is not a time"),
        (changed("eventTime", "3000-01-01T00:00:00Z"), "eventTime '3000-01-01T00:00:00Z' is not a time at which"),
        (changed("eventTime", "0001-01-01T00:00:00Z"), "eventTime '0001-01-01T00:00:00Z' is not a time at which"),
    ],
)
def test_a_record_with_a_field_of_another_form_is_refused_by_name(record: object, reason: str) -> None:
    entry = read_record(record, "record 9")
    assert isinstance(entry, Malformed)
    assert str(entry).startswith(f"record 9: {reason}")


@pytest.mark.parametrize("arn", ["*", "arn:aws:iam::*:role/AWSServiceRoleForAutoScaling/*", "arn:aws:iam::x:user/jane"])
@pytest.mark.parametrize("path", ["userIdentity.arn", "userIdentity.sessionContext"])
def test_what_is_no_arn_of_a_principal_exempts_nobody(path: str, arn: str) -> None:
    value = arn if path.endswith("arn") else {"sessionIssuer": {"arn": arn}}
    record = event("run_instances.json")
    record["userIdentity"] = {**record["userIdentity"], path.rpartition(".")[2]: value}
    entry = read_record(record)
    assert isinstance(entry, Launch)
    assert (entry.principal.name, entry.principal.arn, entry.principal.issuer_arn) == ("jane", "", "")
    assert entry.warnings == ("userIdentity has an arn that is not the ARN of a principal: it exempts nothing",)


def test_a_name_that_is_longer_than_iam_allows_is_no_name() -> None:
    entry = read_record(changed("userIdentity.userName", "j" * 2049))
    assert isinstance(entry, Launch)
    assert entry.principal.name == "jane"


def test_what_only_a_report_shows_is_left_out_where_it_has_another_form() -> None:
    record = changed(f"{ITEM}.imageId", "ami-1\x1b[2J")
    record["responseElements"]["instancesSet"]["items"][0]["spotInstanceRequestId"] = "sir-*"
    record["sharedEventID"], record["requestParameters"]["launchTemplate"] = "*", {"launchTemplateId": "lt *"}
    entry = read_record(record)
    assert isinstance(entry, Launch)
    assert (entry.instances[0].image_id, entry.instances[0].spot_request) == ("", "")
    assert (entry.shared_event_id, entry.launch_template) == ("", "")
    assert entry.warnings == (f"{ITEM[:-2]}[0].imageId 'ami-1\\x1b[2J' is not an image id",)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("items", [{"key": "a"}] * 201, "tagSet.items has more than 200 tags"),
        ("items.0.key", "k" * 129, "tagSet.items[0] has a tag 'kkk"),
        ("items.0.value", "v" * 257, "tagSet.items[0] has a tag 'Code' with a longer"),
        ("items.0.value", ["LOL"], "tagSet.items[0].value is a list: it has to be text"),
    ],
)
def test_tags_of_another_form_are_left_out_by_name(path: str, value: object, reason: str) -> None:
    launch = read_record(changed(f"{ITEM}.tagSet.{path}", value))
    assert isinstance(launch, Launch)
    assert launch.instances[0].tags in ({}, {"a": ""})
    (warning,) = launch.warnings
    assert warning.startswith(f"{ITEM[:-2]}[0].{reason}")


def test_a_spot_fulfilment_names_instances_and_accounts_or_is_refused() -> None:
    record = event("bid_fulfilled.json")
    record["serviceEventDetails"]["instanceIdSet"] = ["i-*"]
    assert str(read_record(record)) == (
        "serviceEventDetails.instanceIdSet is a list: it has to list the instances' ids"
    )
    record = event("bid_fulfilled.json")
    record["userIdentity"] = {"accountId": "*"}
    entry = read_record(record)
    assert isinstance(entry, Launch)
    assert entry.principal.account_id == entry.account


def test_a_lone_surrogate_is_shown_escaped() -> None:
    record = changed(f"{ITEM}.tagSet.items.0.value", "\ud800LOL")
    record["userIdentity"] = {"type": "IAMUser", "userName": "j\udfffane"}
    entry = read_record(record)
    assert isinstance(entry, Launch)
    assert (entry.instances[0].tags, entry.principal.name) == ({"Code": "\\ud800LOL"}, "j\\udfffane")


def test_changes_of_what_is_no_instance_id_tell_nothing() -> None:
    instances = {"items": [{"instanceId": "i-*"}, {"instanceId": "i-0aaaaaaaaaaaaaaa1"}]}
    ended = read_record(change("TerminateInstances", instancesSet=instances))
    assert isinstance(ended, Termination)
    assert ended.instance_ids == {"i-0aaaaaaaaaaaaaaa1"}
    resources = {"items": [{"resourceId": "i-*"}, {"resourceId": "i-0aaaaaaaaaaaaaaa1"}]}
    for name in ("CreateTags", "DeleteTags"):
        changes = read_record(change(name, resourcesSet=resources))
        assert isinstance(changes, Tagging | Untagging)
        assert changes.instance_ids == {"i-0aaaaaaaaaaaaaaa1"}


@pytest.mark.parametrize("name", ["RunInstances", "DeleteTags", "CreateTags", "TerminateInstances"])
def test_a_call_of_another_service_is_about_no_instance(name: str) -> None:
    resources = {"items": [{"resourceId": "i-0aaaaaaaaaaaaaaa1", "instanceId": "i-0aaaaaaaaaaaaaaa1"}]}
    record = {**change(name, resourcesSet=resources, instancesSet=resources), "eventSource": "other.amazonaws.com"}
    assert read_record(record) == Ignored("", NOT_A_LAUNCH)


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "1" * 5000, "-0", "true", "null", "0.1"])
def test_odd_numbers_cost_no_more_than_their_record(number: str) -> None:
    good = event("run_instances.json")
    for path in (f"{ITEM}.tagSet.items.0.value", "errorCode", "requestParameters.clientToken", "eventTime"):
        odd = json.dumps(changed(path, "HERE")).replace('"HERE"', number)
        for text in (f'{{"Records":[{odd},{json.dumps(good)}]}}', f'{{"Records": [{odd}, {json.dumps(good)}]}}'):
            found = scan_log(text.encode()).found
            assert [each.event_id for each in found if isinstance(each, Launch)][-1:] == [good["eventID"]]


@pytest.mark.parametrize("depth", [50, 300, 900])
def test_deep_values_cost_no_more_than_their_record(depth: int) -> None:
    deep = "[" * depth + "]" * depth
    for path in (f"{ITEM}.tagSet.items.0.value", "errorCode", "userIdentity", "requestParameters"):
        odd = json.loads(json.dumps(changed(path, "HERE")).replace('"HERE"', deep))
        assert isinstance(read_record(odd), Launch | Ignored | Malformed)


@pytest.mark.parametrize("year", [2013, 2999])
@pytest.mark.parametrize("action", ["terminate", "stop", "notify"])
def test_the_longest_grace_fits_every_time_that_is_accepted(year: int, action: str) -> None:
    entry = read_record(changed("eventTime", f"{year}-12-31T23:59:59Z"))
    assert isinstance(entry, Launch)
    world = World()
    world.ec2.run("i-1")
    text = """
version: 1
rules: [{name: code, require: {tag: Code, values: [LOL]}, action: terminate, grace: 999999d}]
confirm_after: 999999d
"""
    for seconds in (-60, 60):
        world.clock.now = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC) + timedelta(seconds=seconds)
        world.sweep(launch("i-1", event_time=entry.event_time), under=policy(text, terminate=action))
    assert world.case().due_at is not None


_TEXTS = st.text() | st.sampled_from(["*", "i-*", "111122223333", "eu-west-1", "i-0aaaaaaaaaaaaaaa1", "\ud800"])


@given(
    st.sampled_from(
        ["recipientAccountId", "awsRegion", "eventID", f"{ITEM}.instanceId", "requestParameters.clientToken"]
    ),
    _TEXTS,
)
def test_what_a_launch_brings_has_the_form_that_aws_gives_it(path: str, text: str) -> None:
    entry = read_record(changed(path, text))
    if isinstance(entry, Launch):
        assert all(INSTANCE_ID.fits(instance.id) for instance in entry.instances)
        assert (ACCOUNT.fits(entry.account), REGION.fits(entry.region), EVENT_ID.fits(entry.event_id)) == (True,) * 3
        assert not entry.client_token or CLIENT_TOKEN.fits(entry.client_token)
        assert abs(entry.event_time - LAUNCHED_AT) < timedelta(days=1)

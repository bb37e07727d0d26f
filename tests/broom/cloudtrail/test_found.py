"""What is taken in of single records, as events bring them, and of logs that hold events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests import past_logs as past
from tests.broom_world import event

from landkeeper.broom.cloudtrail.found import COMPLETES_A_LAUNCH, Harvest, Loss, find_losses
from landkeeper.broom.cloudtrail.records import NOT_A_LAUNCH, read_record
from landkeeper.broom.cloudtrail.scan import scan_log

LAUNCH = event("run_instances.json")
TAGGED = event("instance_tagged.json")["detail"]
ENDED = {
    **LAUNCH,
    "eventName": "TerminateInstances",
    "requestParameters": {"instancesSet": {"items": [{"instanceId": "i-0aaaaaaaaaaaaaaa1"}]}},
}


@pytest.mark.parametrize(
    ("record", "ignored"),
    [
        (TAGGED, {NOT_A_LAUNCH: 1}),
        (ENDED, {NOT_A_LAUNCH: 1}),
        ({**LAUNCH, "errorCode": "Client.DryRunOperation"}, {"the launch failed (Client.DryRunOperation)": 1}),
    ],
    ids=["tags put on", "instances ended", "a launch that failed"],
)
def test_what_is_no_launch_is_counted(record: dict[str, Any], ignored: dict[str, int]) -> None:
    harvest = Harvest()
    harvest.add_entry("an event", read_record(record))
    assert (harvest.launches, harvest.faults, harvest.ignored) == ([], [], ignored)


@pytest.mark.parametrize("record", [TAGGED, ENDED], ids=["tags put on", "instances ended"])
def test_an_event_in_a_log_is_passed_by_unless_it_is_asked_for(record: dict[str, Any]) -> None:
    data = json.dumps({"Records": [{"detail": record}]}).encode()
    assert (scan_log(data).found, scan_log(data).ignored) == ((), {NOT_A_LAUNCH: 1})
    assert scan_log(data, wanted={record["eventName"]}).found == (read_record(record),)


def test_a_record_that_is_delivered_anew_completes_the_launch_in_its_place() -> None:
    first = past.launch("i-1", event_id="first")
    update = past.launch(["i-1", "i-2", ""], tags={"Code": "LOL"}, event_id="second")
    update["addendum"] = {"reason": "UPDATED_DATA", "originalEventID": "first"}
    for records in ((first, update), (update, first)):
        harvest = Harvest()
        for record in records:
            harvest.add_entry("a file", read_record(record))
        (found,) = harvest.launches
        assert {instance.id: instance.tags for instance in found.launch.instances} == {
            "i-1": {"Code": "LOL"}, "i-2": {"Code": "LOL"},
        }  # fmt: skip
        assert (found.is_repeat, harvest.ignored) == (False, {COMPLETES_A_LAUNCH: 1})
        (fault,) = harvest.faults
        assert (fault.loss, fault.reason.endswith("only an audit finds that instance")) == (Loss.RECORD, True)
    harvest.add_entry("a file", read_record(update))
    harvest.add_entry("a file", read_record(past.launch("i-9", event_id="first", awsRegion="us-east-1")))
    assert [(each.launch.region, each.is_repeat) for each in harvest.launches] == [
        ("eu-west-1", False), ("us-east-1", True),
    ]  # fmt: skip


def test_only_launches_lose_instances() -> None:
    found = scan_log(past.log(past.untagged("i-1", "10:00:00"), past.launch(["i-1", ""]))).found
    assert len(found) == 2
    assert [fault.where for fault in find_losses("a file", found)] == ["record 2"]

"""A record is believed only where it comes from."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from tests.broom_world import event

from landkeeper.broom.cloudtrail.found import FoundFault, Harvest, Loss, check_origin
from landkeeper.broom.cloudtrail.origin import ANYWHERE, Origin, find_origin, find_service, read_envelope
from landkeeper.broom.cloudtrail.records import read_record
from landkeeper.broom.cloudtrail.scan import scan_log
from landkeeper.broom.cloudtrail.scan_text import read_scanned, write_scanned
from landkeeper.broom.launches import Launch, SpotRequest, Tagging, Termination, Untagging

ACCOUNT, REGION, OTHER = "111122223333", "eu-west-1", "444455556666"
DAY, NAME = "2026/01/01", "_CloudTrail_eu-west-1_20260101T1005Z_AbCdEfGhIjKlMnOp.json.gz"
IDS = {"items": [{"resourceId": "i-0aaaaaaaaaaaaaaa1", "instanceId": "i-0aaaaaaaaaaaaaaa1"}]}


def key(account: str = ACCOUNT, region: str = REGION, *, prefix: str = "AWSLogs/", name: str = "") -> str:
    return f"{prefix}{account}/CloudTrail/{region}/{DAY}/{name or account + NAME.replace(REGION, region)}"


def record(name: str = "RunInstances", **changes: Any) -> dict[str, Any]:
    request = {"requestParameters": {"resourcesSet": IDS, "instancesSet": IDS}} if name != "RunInstances" else {}
    return {**event("run_instances.json"), "eventName": name, **request, **changes}


def log(*records: object) -> bytes:
    return gzip.compress(json.dumps({"Records": records}).encode(), mtime=0)


@pytest.mark.parametrize(
    "prefix",
    [
        "AWSLogs/",
        "AWSLogs/o-exampleorgid/",
        "o-exampleorgid/AWSLogs/o-exampleorgid/",
        "o-exampleorgid/AWSLogs/",
        "our/own/AWSLogs/prefix/AWSLogs/",
        "s3://trail/AWSLogs/",
        "/home/jane/logs/AWSLogs/",
    ],
)
def test_the_folders_of_every_layout_tell_account_and_region(prefix: str) -> None:
    assert find_origin(key(prefix=prefix)) == Origin("the key of its file", ACCOUNT, REGION)
    assert find_origin(key(prefix=prefix, name="x.json.gz")) == Origin("the key of its file", ACCOUNT, REGION)
    assert find_service(key(prefix=prefix)) == "CloudTrail"


def test_the_name_of_a_file_binds_nothing_without_folders_of_accounts() -> None:
    """Published logs are copied flat, with their accounts replaced inside and not in their names."""
    assert find_origin(f"copied/{OTHER}{NAME}") == ANYWHERE


@pytest.mark.parametrize("name", ["standard input", "x.json.gz", "AWSLogs/x.json.gz", "AWSLogs/mine/CloudTrail/x.gz"])
def test_a_key_without_an_account_refuses_nothing(name: str) -> None:
    harvest = Harvest()
    harvest.add_file(name, log(record(), record("DeleteTags")))
    assert (len(harvest.launches), len(harvest.untaggings), harvest.faults) == (1, 1, [])


def test_a_folder_that_is_no_region_refuses_nothing() -> None:
    assert find_origin(f"AWSLogs/{ACCOUNT}/CloudTrail/all/x.json.gz") == Origin("the key of its file", ACCOUNT, "")
    assert find_origin(f"AWSLogs/{ACCOUNT}/CloudTrail/x.json.gz").region == ""


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (key(OTHER), f"the key of its file names account {OTHER}, the record {ACCOUNT}"),
        (key(region="us-east-1"), "the key of its file names region us-east-1, the record eu-west-1"),
        (key(name=OTHER + NAME), f"its file is named after {OTHER} and lies in a folder of {ACCOUNT}"),
        (
            key(name=ACCOUNT + NAME.replace(REGION, "us-east-1")),
            "its file is named after us-east-1 and lies in a folder of eu-west-1",
        ),
    ],
)
def test_a_launch_that_disagrees_with_its_key_is_refused_and_the_rest_goes_on(name: str, reason: str) -> None:
    agreeing = [record(recipientAccountId=OTHER, eventID="b"), record(awsRegion="us-east-1", eventID="c")]
    harvest = Harvest()
    harvest.add_file(name, log(record(), *agreeing))
    assert harvest.faults[0] == FoundFault(name, "record 1", f"it is refused: {reason}")
    believed = {found.launch.event_id for found in harvest.launches}
    assert believed == ({"b"} if OTHER in reason and "names" in reason else {"c"} if "names" in reason else set())


@pytest.mark.parametrize("name", ["DeleteTags", "CreateTags", "TerminateInstances"])
def test_a_change_that_disagrees_with_its_key_is_refused(name: str) -> None:
    found = scan_log(log(record(name)), wanted={name}).found
    assert check_origin(key(), found) == ([*found], [])
    believed, (fault,) = check_origin(key(OTHER), found)
    assert (believed, fault.where) == ([], "")
    assert str(fault).endswith(f"the key of its file names account {OTHER}, the record {ACCOUNT}")


def test_what_a_backtest_keeps_still_knows_where_it_was_recorded() -> None:
    wanted = {"DeleteTags", "CreateTags", "TerminateInstances", "RunInstances"}
    scanned = scan_log(log(*map(record, wanted)), wanted=wanted)
    kept = read_scanned(write_scanned(scanned))
    assert kept is not None
    assert check_origin(key(OTHER), kept.found)[0] == []
    assert check_origin(key(), kept.found)[0] == [*scanned.found]


def test_a_change_that_does_not_say_its_account_is_refused_where_the_key_does() -> None:
    silent = read_record(record("DeleteTags", recipientAccountId=None, userIdentity=None))
    assert isinstance(silent, Untagging)
    assert find_origin(key()).find_fault(silent) == (
        f"it is refused: the key of its file names account {ACCOUNT}, the record none"
    )
    assert ANYWHERE.find_fault(silent) is None
    caller = read_record(record("DeleteTags", recipientAccountId=None))
    assert isinstance(caller, Untagging)
    assert find_origin(key()).find_fault(caller) is None


def test_a_spot_request_that_disagrees_with_its_key_attributes_nothing() -> None:
    asked = read_record(event("request_spot_instances.json"))
    assert isinstance(asked, SpotRequest)
    harvest = Harvest()
    harvest.add_entry("a file", asked, find_origin(key("999999999999")))
    assert "it is refused" in harvest.faults[0].reason
    assert not harvest.ignored


def test_a_shared_record_does_not_widen_its_account() -> None:
    shared = record(sharedEventID="shared", recipientAccountId=OTHER)
    harvest = Harvest()
    harvest.add_file(key(OTHER), log(shared))
    assert (harvest.launches, len(harvest.faults)) == ([], 1)
    harvest.add_file(key(), log({**shared, "recipientAccountId": ACCOUNT}))
    assert [found.launch.account for found in harvest.launches] == [ACCOUNT]


ENVELOPE = event("eventbridge_api_call.json")


def test_an_event_agrees_with_its_record() -> None:
    origin = read_envelope(ENVELOPE, ENVELOPE["detail"])
    entry = read_record(ENVELOPE["detail"])
    assert isinstance(entry, Launch)
    assert origin is not None
    assert origin.find_fault(entry) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"account": OTHER}, f"the event around it names account {OTHER}, the record {ACCOUNT}"),
        ({"region": "us-east-1"}, "the event around it names region us-east-1, the record eu-west-1"),
        ({"source": "our.own"}, "the source of the event and that of its record are not of one service"),
    ],
)
def test_an_event_that_disagrees_with_its_record_is_refused(change: dict[str, str], reason: str) -> None:
    origin = read_envelope({**ENVELOPE, **change}, ENVELOPE["detail"])
    assert origin is not None
    harvest = Harvest()
    harvest.add_entry("the event", read_record(ENVELOPE["detail"]), origin)
    assert [str(fault) for fault in harvest.faults] == [f"the event: it is refused: {reason}"]
    assert harvest.launches == []


def test_an_event_of_another_service_is_nobodys_fault() -> None:
    detail = {**ENVELOPE["detail"], "eventSource": "s3.amazonaws.com"}
    origin = read_envelope({**ENVELOPE, "source": "aws.s3"}, detail)
    assert origin == Origin("the event around it", ACCOUNT, REGION)


@pytest.mark.parametrize(
    ("data", "loss"),
    [
        (log(record())[:-9], Loss.FILE),
        (b"no json", Loss.FILE),
        (b"", Loss.FILE),
        (b"{}", Loss.RECORD),
        (log("x"), Loss.RECORD),
        (log(record(userIdentity=None)), Loss.NOTHING),
    ],
)
def test_a_fault_says_how_much_it_costs(data: bytes, loss: Loss) -> None:
    harvest = Harvest()
    harvest.add_file("x.json.gz", data)
    assert [fault.loss for fault in harvest.faults] == [loss]


def test_a_file_above_the_limit_costs_the_whole_file() -> None:
    harvest = Harvest()
    harvest.add_file("x.json.gz", gzip.compress(b" " * 2_000), limit_bytes=1_000)
    assert [fault.loss for fault in harvest.faults] == [Loss.FILE]


def test_changes_know_their_place() -> None:
    for name, kind in (("CreateTags", Tagging), ("TerminateInstances", Termination), ("DeleteTags", Untagging)):
        entry = read_record(record(name))
        assert isinstance(entry, kind)
        assert (entry.account, entry.region) == (ACCOUNT, REGION)

"""Launches by EC2 Spot are put down to whoever asked for them, as far as the logs tell."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest
from tests.broom_world import Clock, FakeEc2, FakeQueue, event, policy

from landkeeper.broom.case import Case
from landkeeper.broom.cloudtrail.found import Harvest
from landkeeper.broom.cloudtrail.principals.identity import SPOT
from landkeeper.broom.cloudtrail.records import NOT_A_LAUNCH, PAST_EVENTS, Ignored, read_record
from landkeeper.broom.cloudtrail.scan import scan_log
from landkeeper.broom.dry_run import CollectedReports, ScratchLedger
from landkeeper.broom.launches import InstanceId, Launch, SpotRequest
from landkeeper.broom.offline import judged_by_sweep
from landkeeper.broom.ports import SweepPorts
from landkeeper.broom.sweeping.sweep import Sweep
from landkeeper.org import AccountId, Failure, FailureReason, Region

SPOTTED = InstanceId("i-0aaaaaaaaaaaaaaa8")
FULFILLED = event("bid_fulfilled.json")
ASKED = event("request_spot_instances.json")
REQUEST = ASKED["responseElements"]["spotInstanceRequestSet"]["items"][0]["spotInstanceRequestId"]


class Ec2(FakeEc2):
    """EC2 in whatever region."""

    reads = 0

    def read_instances(self, account: AccountId, region: Region, ids: Any) -> Any:
        self.reads += 1
        return self.unreadable or {id_: self.instances[id_] for id_ in ids if id_ in self.instances}


def swept(
    *records: dict[str, Any], request: str = REQUEST, unreadable: Failure | None = None, files: int = 1
) -> tuple[Case, Ec2]:
    """The case of the instance after a sweep of these records, each in a file of its own or all in one."""
    ec2, ledger, clock, harvest = Ec2(unreadable=unreadable), ScratchLedger(), Clock(), Harvest()
    ec2.run(SPOTTED, Code="LOL")
    ec2.instances[SPOTTED] = replace(ec2.instances[SPOTTED], spot_request=request)
    parts = [records] if files == 1 else [[each] for each in records]
    for number, part in enumerate(parts):
        harvest.add_file(f"{number}.json", json.dumps({"Records": part}).encode())
    ports = SweepPorts(ec2, ec2, ledger, CollectedReports(), FakeQueue(), clock)
    Sweep(policy(), ports).handle_launches([found.launch for found in harvest.launches])
    return ledger.find_cases([SPOTTED])[SPOTTED], ec2


@pytest.mark.parametrize("files", [1, 2])
@pytest.mark.parametrize("records", [(ASKED, FULFILLED), (FULFILLED, ASKED)], ids=["asked first", "asked after"])
def test_who_asked_for_the_request_launched_the_instance(records: tuple[dict[str, Any], ...], files: int) -> None:
    case, _ = swept(*records, files=files)
    assert case.principal.name == "EC2 Spot for Developer/jane@example.com"
    assert case.principal.arn == ASKED["userIdentity"]["arn"]
    assert case.principal.invoked_by == SPOT


def test_exemptions_by_principal_are_those_of_who_asked() -> None:
    ec2, ledger, harvest = Ec2(), ScratchLedger(), Harvest()
    ec2.run(SPOTTED)
    ec2.instances[SPOTTED] = replace(ec2.instances[SPOTTED], spot_request=REQUEST)
    harvest.add_file("a.json", json.dumps([ASKED, FULFILLED]).encode())
    ports = SweepPorts(ec2, ec2, ledger, CollectedReports(), FakeQueue(), Clock())
    exempting = policy(
        "version: 1\nrules: [{name: a, require: {tag: A}, action: terminate}]\nexempt: [{principal: '*/Developer/*'}]"
    )
    swept = Sweep(exempting, ports).handle_launches([found.launch for found in harvest.launches])
    (judged,) = judged_by_sweep(harvest.launches, swept)
    assert judged.found.launch.principal.name == "EC2 Spot for Developer/jane@example.com"
    assert (ec2.ended, ledger.find_cases([SPOTTED])[SPOTTED].state) == ([], "exempt")


def test_a_request_that_run_instances_made_is_known_as_well() -> None:
    """The first instance comes in the answer; a persistent request launches others later."""
    launched = event("run_instances.json")
    launched["responseElements"]["instancesSet"]["items"][0]["spotInstanceRequestId"] = REQUEST
    case, _ = swept(launched, FULFILLED)
    assert case.principal.name == "EC2 Spot for jane"


def test_where_the_record_names_the_request_ec2_is_not_asked_for_it() -> None:
    details = {**FULFILLED["serviceEventDetails"], "spotInstanceRequestId": REQUEST}
    case, ec2 = swept(ASKED, {**FULFILLED, "serviceEventDetails": details})
    assert case.principal.name == "EC2 Spot for Developer/jane@example.com"
    assert ec2.reads == 1


@pytest.mark.parametrize(
    ("records", "given"),
    [
        ((FULFILLED,), {}),
        ((ASKED, FULFILLED), {"request": "sir-other"}),
        ((ASKED, FULFILLED), {"unreadable": Failure(FailureReason.THROTTLED)}),
    ],
    ids=["nobody in the logs", "another request", "EC2 does not answer"],
)
def test_where_it_is_not_known_ec2_spot_launched_it(records: tuple[dict[str, Any], ...], given: Any) -> None:
    case, _ = swept(*records, **given)
    assert case.principal.name == "EC2 Spot"


def test_without_anybody_who_asked_ec2_is_read_once() -> None:
    _, ec2 = swept(FULFILLED)
    assert ec2.reads == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"errorCode": "Client.UnauthorizedOperation"},
        {"responseElements": None},
        {"userIdentity": None},
        {"userIdentity": {}},
        {"responseElements": {"spotInstanceRequestSet": {"items": []}}},
        {"responseElements": {"spotInstanceRequestSet": "sir-1"}},
        {"responseElements": {"spotInstanceRequestSet": {"items": [{"spotInstanceRequestId": 7}]}}},
    ],
)
def test_a_request_that_failed_or_cannot_be_read_tells_of_nobody(changes: dict[str, Any]) -> None:
    assert read_record({**ASKED, **changes}) == Ignored("", NOT_A_LAUNCH)


def test_a_scan_finds_it_where_it_is_looked_for() -> None:
    data = gzip.compress(json.dumps({"Records": [ASKED]}, separators=(",", ":")).encode())
    asked = read_record(ASKED)
    assert isinstance(asked, SpotRequest)
    assert scan_log(data).spot_requests == (asked,)
    for each in (data, json.dumps({"detail": ASKED}).encode()):
        past = scan_log(each, wanted=PAST_EVENTS)
        assert (past.spot_requests, past.found, past.ignored) == ((), (), {NOT_A_LAUNCH: 1})


def test_what_is_read_later_is_known_to_launches_found_before() -> None:
    harvest = Harvest()
    for entry in (FULFILLED, ASKED):
        harvest.add_entry("an event", read_record(entry))
    (found,) = harvest.launches
    assert isinstance(found.launch, Launch)
    assert set(found.launch.requesters) == {REQUEST}
    assert harvest.ignored == {NOT_A_LAUNCH: 1}

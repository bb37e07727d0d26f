"""Broom's function, called as Lambda calls it, against the simulators."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from tests.broom_world import LAUNCHED_AT, STRICT, event
from tests.deployed_broom import MEMBER, Clock, Deployed, batch, notification, record, start_one
from tests.member_instances import state_of
from tests.recorded_calls import recorded_calls
from tests.waiting import wait_until

from landkeeper.broom.case import State, move, open_case
from landkeeper.broom.cloudtrail.records import read_record
from landkeeper.broom.feeds import write_audit_order, write_due_cases
from landkeeper.broom.launches import InstanceId, Launch
from landkeeper.lambdas.broom import UnfinishedError, handler, open_broom
from landkeeper.org import AccountId

pytestmark = pytest.mark.embedded


def test_bad_instances_end_good_ones_stay_and_the_launch_is_reported_once(deployed: Deployed) -> None:
    bad, good = start_one(MEMBER), start_one(MEMBER, Code="LOL")
    body = deployed.log(record(bad, good))
    assert handler(batch(body, body), None) == {"batchItemFailures": []}
    assert handler(batch(body), None) == {"batchItemFailures": []}
    assert (state_of(MEMBER, bad), state_of(MEMBER, good)) == ("terminated", "running")
    assert (deployed.case_state(bad), deployed.case_state(good)) == (State.REPORTED, State.COMPLIANT)
    (report,) = deployed.reports()
    assert report["Message"].startswith(
        "User jane created an instance on region eu-west-1 without proper tagging.\n"
        f"Instance id: {bad}\n"
        "Image Id: ami-0abcdef1234567890\n"
        "Instance type: t3.micro\n"
        "This instance has been destroyed.\n"
        f"Account: {MEMBER}\n"
    )
    attribute = json.loads(report["MessageAttributes"]["landkeeper"]["Value"])
    assert [each["InstanceId"] for each in attribute["Instances"]] == [bad]
    assert len(report["Subject"]) < 100


def test_one_bad_message_does_not_take_its_batch_with_it(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = start_one(MEMBER)
    missing = notification(deployed.bucket, "AWSLogs/nothing.json.gz")
    answer = handler(
        batch("garbage", missing, deployed.put(gzip.compress(b"{}" * 99)[:-9]), deployed.log("x", record(bad))),
        None,
    )
    assert answer == {"batchItemFailures": [{"itemIdentifier": f"m{number}"} for number in (1, 2, 3)]}
    assert state_of(MEMBER, bad) == "terminated"
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    reasons = " ".join(line.get("Reason", "") + line.get("Error", "") for line in lines)
    assert "the message is not JSON" in reasons
    assert "nothing.json.gz cannot be read: not found (NoSuchKey" in reasons
    assert "the gzip data ends early: the file is truncated" in reasons
    assert "record 1: the record is text, not an object" in reasons


@dataclass(frozen=True)
class Context:
    """Lambda's context, as far as the function looks at it."""

    aws_request_id: str


def test_what_came_of_instances_is_counted_once_and_lines_name_their_request(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, good = start_one(MEMBER), start_one(MEMBER, Code="LOL")
    body = deployed.log(record(bad, good))
    handler(batch(body, "garbage"), Context("first"))
    handler(batch(body), Context("second"))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["requestId"] for line in lines if line["message"] == "judged"} == {"first", "second"}
    (counted,) = (line for line in lines if line["message"] == "metrics")
    names = ("InstancesJudged", "InstancesDestroyed", "InstancesKept", "Failures", "requestId")
    assert [counted[name] for name in names] == [2, 1, 1, 1, "first"]


def test_a_launch_that_the_event_and_the_log_file_tell_of_is_dealt_with_once(deployed: Deployed) -> None:
    bad, good = start_one(MEMBER), start_one(MEMBER, Code="LOL")
    launched = record(bad, good)
    told = {**event("eventbridge_api_call.json"), "account": MEMBER, "detail": launched}
    for _ in range(2):
        assert handler(batch(json.dumps(told)), None) == {"batchItemFailures": []}
        assert handler(batch(deployed.log(launched)), None) == {"batchItemFailures": []}
    assert (state_of(MEMBER, bad), state_of(MEMBER, good)) == ("terminated", "running")
    assert (deployed.case_state(bad), deployed.case_state(good)) == (State.REPORTED, State.COMPLIANT)
    assert len(deployed.reports()) == 1


def test_a_case_that_waits_comes_back_through_the_queue(deployed: Deployed, clock: Clock) -> None:
    deployed.set_policy(STRICT.replace("confirm_after: 0s", "confirm_after: 1s"))
    bad = start_one(MEMBER)
    launched = record(bad)
    clock.set_to(launched)
    assert handler(batch(deployed.log(launched)), None) == {"batchItemFailures": []}
    assert deployed.case_state(bad) is State.WAITING
    bodies = deployed.due()
    assert bodies == [write_due_cases((bad,))]
    clock.now += timedelta(seconds=1)
    assert handler(batch(*bodies), None) == {"batchItemFailures": []}
    assert state_of(MEMBER, bad) == "terminated"
    assert deployed.case_state(bad) is State.REPORTED


def test_a_launch_may_come_as_an_event_by_itself(deployed: Deployed) -> None:
    bad = start_one(AccountId("123456789012"))
    detail = record(bad, account="123456789012")
    envelope = {**event("eventbridge_api_call.json"), "account": "123456789012", "detail": detail}
    assert handler(envelope, None) == {"done": True}
    assert state_of(AccountId("123456789012"), bad) == "terminated"
    s3_event = json.loads(deployed.log())
    assert handler(s3_event, None) == {"done": True}
    assert handler(event("s3_removed.json"), None) == {"done": True}


def test_an_event_that_nobody_knows_is_an_error(deployed: Deployed) -> None:
    with pytest.raises(UnfinishedError, match="the event was not dealt with"):
        handler({"what": "is this"}, None)


def test_an_account_that_cannot_be_entered_brings_the_message_back(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDKEEPER_ROLE_NAME", "NobodyMadeThisRole")
    body = deployed.log(record("i-0123456789abcdef0", account="320000000009"))
    answers = [handler(batch(body), None) for _ in range(4)]
    assert [len(answer["batchItemFailures"]) for answer in answers] == [1, 1, 0, 0]
    assert deployed.case_state(InstanceId("i-0123456789abcdef0")) is State.FAILED
    (report,) = deployed.reports()
    assert "This instance is still there: the instance could not be read: role not assumable" in report["Message"]


def test_the_kill_switch_stops_actions_and_not_reports(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDKEEPER_ACTIONS", "off")
    bad = start_one(MEMBER)
    handler(batch(deployed.log(record(bad))), None)
    assert (state_of(MEMBER, bad), deployed.case_state(bad)) == ("running", State.JUDGED)
    (report,) = deployed.reports()
    assert "This instance has not been touched: actions are turned off." in report["Message"]


@pytest.mark.parametrize("name", ["LEDGER_TABLE", "TOPIC_ARN", "POLICY"])
def test_a_missing_setting_brings_every_message_back(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    body = deployed.log(record("i-0123456789abcdef0"))
    monkeypatch.delenv(f"LANDKEEPER_{name}")
    assert handler(batch(body), None) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert f"LANDKEEPER_{name} is not set" in capsys.readouterr().out


def test_the_function_needs_neither_the_command_nor_the_embedded_rooms() -> None:
    code = "import sys, landkeeper.lambdas.broom; print(*sorted(sys.modules))"
    # What measures coverage of subprocesses would bring its own imports along.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=plain)
    loaded = done.stdout.split()
    unwanted = (
        # What only launches need is imported when there is one.
        "landkeeper.broom.sweeping.sweep",
        "landkeeper.broom.policy.file",
        "landkeeper.wiring.broom.launches",
        "boto3",
        "yaml",
        "rich",
        "click",
        "sqlite3",
        "landkeeper.cli",
        "landkeeper.embedded",
        "landkeeper.demo",
        "moto",
    )
    assert "landkeeper.lambdas.broom" in loaded
    assert not [name for name in loaded if name in unwanted]


def test_an_audit_is_handed_out_account_by_account(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDKEEPER_ACCOUNTS", f"{MEMBER},320000000002")
    monkeypatch.setenv("LANDKEEPER_REGIONS", "eu-west-1")
    open_broom.cache_clear()
    assert handler({"task": "audit"}, None) == {"done": True}
    bodies = deployed.due()
    assert sorted(bodies) == [write_audit_order(MEMBER), write_audit_order(AccountId("320000000002"))]
    assert handler(batch(*bodies), None) == {"batchItemFailures": []}


def test_an_audit_takes_up_what_did_not_come_back(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDKEEPER_ACCOUNTS", MEMBER)
    monkeypatch.setenv("LANDKEEPER_REGIONS", "eu-west-1")
    monkeypatch.delenv("LANDKEEPER_QUEUE_URL")
    open_broom.cache_clear()
    bad = start_one(MEMBER)
    late = record(bad)
    opened = read_record({**late, "eventTime": "2026-01-01T10:00:00Z"})
    assert isinstance(opened, Launch)
    case = open_case(opened, opened.instances[0], LAUNCHED_AT)
    assert deployed.ledger.write_case(move(case, State.WAITING, LAUNCHED_AT, "grace", due_at=LAUNCHED_AT))
    assert handler({"task": "audit"}, None) == {"done": True}
    assert (state_of(MEMBER, bad), deployed.case_state(bad)) == ("terminated", State.REPORTED)


def test_a_long_grace_comes_back_by_a_schedule_that_removes_itself(
    deployed: Deployed, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long is here what is longer than a second, and not than SQS's quarter of an hour."""
    monkeypatch.setattr("landkeeper.aws.broom.case_queue.LONGEST_DELAY_SECONDS", 1)
    monkeypatch.setenv("LANDKEEPER_SCHEDULE_ROLE_ARN", "arn:aws:iam::123456789012:role/scheduler")
    deployed.set_policy(STRICT.replace("action: terminate", "action: terminate\n    grace: 4s"))
    bad = start_one(MEMBER)
    launched = record(bad)
    clock.set_to(launched)
    arn = f"arn:aws:sqs:us-east-1:123456789012:{deployed.queue_url.rpartition('/')[2]}"
    with recorded_calls() as calls:
        assert handler(batch(deployed.log(launched)), None) == {"batchItemFailures": []}
    (made,) = [call for call in calls if call.operation == "CreateSchedule"]
    assert made.parameters["Target"]["Arn"] == arn
    bodies = deployed.due()
    assert bodies == [write_due_cases((bad,))]
    wait_until(lambda: deployed.schedules_to(arn) == 0)
    clock.now += timedelta(seconds=4)
    assert handler(batch(*bodies), None) == {"batchItemFailures": []}
    assert (deployed.case_state(bad), state_of(MEMBER, bad)) == (State.REPORTED, "terminated")


def untagging(id_: str) -> dict[str, Any]:
    """An event of tags taken off a resource just now."""
    call = record(InstanceId("i-0123456789abcdef0"))
    request = {"resourcesSet": {"items": [{"resourceId": id_}]}, "tagSet": {"items": [{"key": "Code"}]}}
    detail = {**call, "eventName": "DeleteTags", "requestParameters": request, "responseElements": {"_return": True}}
    return {**event("eventbridge_api_call.json"), "account": MEMBER, "detail": detail}


def test_tags_taken_off_in_a_later_delivery_end_the_wait_for_them(deployed: Deployed, clock: Clock) -> None:
    deployed.set_policy(STRICT.replace("confirm_after: 0s", "confirm_after: 60s"))
    bad = start_one(MEMBER)
    launched = record(bad)
    clock.set_to(launched)
    launched["requestParameters"]["tagSpecificationSet"] = event("run_instances.json")["requestParameters"][
        "tagSpecificationSet"
    ]
    assert handler(batch(deployed.log(launched)), None) == {"batchItemFailures": []}
    assert (deployed.case_state(bad), state_of(MEMBER, bad)) == (State.WAITING, "running")
    clock.now += timedelta(seconds=60)
    assert handler(untagging(bad), None) == {"done": True}
    assert (deployed.case_state(bad), state_of(MEMBER, bad)) == (State.REPORTED, "terminated")


def test_tags_taken_off_anything_else_cost_nothing(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a setting that everything needs: so nothing was read, not even the policy."""
    monkeypatch.delenv("LANDKEEPER_POLICY")
    assert handler(untagging("vol-0123456789abcdef0"), None) == {"done": True}
    with pytest.raises(UnfinishedError):
        handler(untagging("i-0123456789abcdef0"), None)


def test_a_topic_that_is_gone_keeps_every_instance_alive(deployed: Deployed) -> None:
    deployed.sessions.home("sns").delete_topic(TopicArn=os.environ["LANDKEEPER_TOPIC_ARN"])
    bad = start_one(MEMBER)
    body = deployed.log(record(bad))
    assert handler(batch(body), None) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert (state_of(MEMBER, bad), deployed.case_state(bad)) == ("running", State.JUDGED)


def test_where_reports_are_optional_a_topic_that_is_gone_keeps_nothing_alive(deployed: Deployed) -> None:
    """The report is owed all the same: the message comes back for it."""
    deployed.set_policy(STRICT + "report: optional\n")
    deployed.sessions.home("sns").delete_topic(TopicArn=os.environ["LANDKEEPER_TOPIC_ARN"])
    bad = start_one(MEMBER)
    assert handler(batch(deployed.log(record(bad))), None) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert (state_of(MEMBER, bad), deployed.case_state(bad)) == ("terminated", State.ACTED)


def test_a_region_that_does_not_exist_is_tried_again_and_then_reported_once(deployed: Deployed) -> None:
    body = deployed.log({**record("i-0123456789abcdef0"), "awsRegion": "xx-nowhere-1"})
    answers = [len(handler(batch(body), None)["batchItemFailures"]) for _ in range(4)]
    assert answers == [1, 1, 0, 0]
    (report,) = deployed.reports()
    assert "This instance is still there: the instance could not be read" in report["Message"]
    assert deployed.case_state(InstanceId("i-0123456789abcdef0")) is State.FAILED


def test_an_object_is_fetched_once_in_a_batch_and_fails_every_message_that_names_it(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = notification(deployed.bucket, "AWSLogs/nothing.json.gz")
    answer = handler(batch(missing, missing), None)
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["m1", "m2"]
    out = capsys.readouterr().out
    assert out.count("cannot be read: not found") == 1
    assert "nothing.json.gz was not dealt with in this batch already" in out


def test_a_log_that_unpacks_to_more_than_the_function_can_hold_ends_among_the_dead_letters(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
    open_broom.cache_clear()
    bomb = deployed.put(gzip.compress(b" " * (17 * 1024 * 1024)))
    assert handler(batch(bomb), None) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert "larger than 16777216 bytes when unpacked, which is the limit" in capsys.readouterr().out


def test_a_record_that_disagrees_with_the_event_around_it_ends_nothing(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, good = start_one(MEMBER), start_one(MEMBER)
    forged = {**event("eventbridge_api_call.json"), "account": "320000000009", "detail": record(bad)}
    honest = {**event("eventbridge_api_call.json"), "account": MEMBER, "detail": record(good)}
    assert handler(batch(json.dumps(forged), json.dumps(honest)), None) == {"batchItemFailures": []}
    assert (state_of(MEMBER, bad), state_of(MEMBER, good)) == ("running", "terminated")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["Reason"] for line in lines if line["message"] == "not readable"] == [
        f"the event: it is refused: the event around it names account 320000000009, the record {MEMBER}"
    ]
    assert [line["Failures"] for line in lines if line["message"] == "metrics"] == [1]


def test_a_record_that_disagrees_with_the_key_of_its_file_ends_nothing(deployed: Deployed) -> None:
    bad, good = start_one(MEMBER), start_one(MEMBER)
    folder = "AWSLogs/{}/CloudTrail/eu-west-1/2026/01/01/"
    forged = deployed.log(record(bad), key=f"{folder.format('320000000009')}x.json.gz")
    honest = deployed.log(record(good), key=f"{folder.format(MEMBER)}x.json.gz")
    assert handler(batch(forged, honest), None) == {"batchItemFailures": []}
    assert (state_of(MEMBER, bad), state_of(MEMBER, good)) == ("running", "terminated")


def test_a_log_file_of_another_bucket_is_refused(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = start_one(MEMBER)
    body = deployed.log(record(bad))
    for buckets, answer, state in (
        ("our-trail", [{"itemIdentifier": "m1"}], "running"),
        (f"our-trail,{deployed.bucket}", [], "terminated"),
    ):
        monkeypatch.setenv("LANDKEEPER_LOG_BUCKETS", buckets)
        open_broom.cache_clear()
        assert handler(batch(body), None) == {"batchItemFailures": answer}
        assert state_of(MEMBER, bad) == state
    assert "is refused: it is not in our-trail, where the log files are" in capsys.readouterr().out

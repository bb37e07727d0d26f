"""The pools' function: whatever happens, the stack is answered."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.answer_server import AnswerServer, answer_server
from tests.scripted_aws import wait_for_late_work
from tests.servers import Answer, answering, home_sessions
from tests.waiting import HANG_SECONDS

from landkeeper.aws.vpctracker.custom_resource import UnansweredError, put_answer
from landkeeper.aws.vpctracker.pool_table import PoolTable
from landkeeper.aws.vpctracker.vpc_table import VpcTable, create_tables
from landkeeper.embedded.simulators import Embedded
from landkeeper.lambdas import pool
from landkeeper.org import AccountId, UsageError
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.pools.operations import create_pool, read_named_state
from landkeeper.vpctracker.pools.pool import Pool
from landkeeper.wiring.vpctracker.pools import actor_named

EVENT: dict[str, Any] = json.loads((Path(__file__).parents[1] / "events/stack_create.json").read_text("utf-8"))


class Hurried:
    """A Lambda context whose time is over when a test says so."""

    aws_request_id = "1"

    def __init__(self) -> None:
        self.milliseconds = 150_000

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[AnswerServer]:
    """CloudFormation's end, on the host at which the SDK finds S3."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1")
    with answer_server() as server:
        yield server


def _asked(stack: AnswerServer, **changes: Any) -> dict[str, Any]:
    return {**EVENT, "ResponseURL": stack.url, **changes}


def test_what_is_set_up_wrong_is_answered(stack: AnswerServer, no_aws: None) -> None:
    assert pool.handler(_asked(stack), None)["Status"] == "FAILED"
    (answer,) = stack.answers
    assert "LANDKEEPER_VPC_TABLE is not set" in answer["Reason"]
    assert (answer["StackId"], answer["RequestId"]) == (EVENT["StackId"], EVENT["RequestId"])


def test_a_table_that_cannot_be_reached_is_answered(
    stack: AnswerServer, no_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDKEEPER_VPC_TABLE", "VPCTracker")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert pool.handler(_asked(stack, RequestType="Delete", PhysicalResourceId="res-1"), None)["Status"] == "FAILED"
    assert stack.answers[0]["PhysicalResourceId"] == "res-1"
    assert "VPCTracker" in stack.answers[0]["Reason"]


def test_what_nobody_expected_is_answered_and_logged(
    stack: AnswerServer, no_aws: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by chance")

    monkeypatch.setattr(pool, "prepare_for_stack", fail)
    assert pool.handler(_asked(stack), None)["Status"] == "FAILED"
    assert stack.answers[0]["Reason"] == "Landkeeper failed with ZeroDivisionError; its function's log has more"
    assert "ZeroDivisionError: by chance" in capsys.readouterr().out


def test_what_takes_too_long_is_answered_in_time(
    stack: AnswerServer, no_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, context = threading.Event(), Hurried()

    def hang(*_: object) -> None:
        context.milliseconds = 30_000
        done.wait(HANG_SECONDS)

    monkeypatch.setattr(pool, "prepare_for_stack", hang)
    try:
        assert pool.handler(_asked(stack), context)["Status"] == "FAILED"
        assert stack.answers[0]["Reason"] == "it took too long: not done within 120 seconds; try again"
    finally:
        done.set()


def test_what_took_too_long_reserves_nothing_after_the_answer(
    stack: AnswerServer, no_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, calls, context = threading.Event(), list[str](), Hurried()

    def answer(call: Mapping[str, str]) -> Answer:
        calls.append(call["Action"])
        context.milliseconds = 30_000
        gate.wait(HANG_SECONDS)
        return 200, "{}"

    with answering(answer) as url:
        for name, value in (("ENDPOINT_URL", url), ("ACCESS_KEY_ID", "AKIAEXAMPLE"), ("SECRET_ACCESS_KEY", "secret")):
            monkeypatch.setenv(f"AWS_{name}", value)
        monkeypatch.setenv("LANDKEEPER_VPC_TABLE", "VPCTracker")
        event = _asked(stack, RequestType="Delete", PhysicalResourceId="res-1")
        assert pool.handler(event, context)["Status"] == "FAILED"
        gate.set()
        wait_for_late_work()
    assert len(calls) == 1


def test_what_is_no_request_is_an_error() -> None:
    with pytest.raises(UsageError, match="no request of CloudFormation's"):
        pool.handler({"task": "notices"}, None)


def test_an_answer_that_is_not_taken_at_first_is_put_again(stack: AnswerServer, no_aws: None) -> None:
    stack.statuses = [503, 500]
    assert pool.handler(_asked(stack), None)["Status"] == "FAILED"
    assert len(stack.answers) == 3
    assert stack.answers[0] == stack.answers[2]
    assert stack.content_types == {""}, "the address is signed for none"


@pytest.mark.parametrize("statuses", [[403], [307], [500] * 5])
def test_an_answer_that_is_never_taken_is_an_error(stack: AnswerServer, no_aws: None, statuses: list[int]) -> None:
    stack.statuses = list(statuses)
    with pytest.raises(UnansweredError, match=f"{statuses[0]}"):
        pool.handler(_asked(stack), None)
    assert len(stack.answers) == len(statuses)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "https://example.com/x", "http://127.0.0.1:9/nobody"])
def test_nobody_but_cloudformation_is_answered(no_aws: None, url: str) -> None:
    """Nothing is done for a request whose answer would go elsewhere."""
    with pytest.raises(UsageError, match="not CloudFormation's: not answered"):
        pool.handler({**EVENT, "ResponseURL": url}, None)


def test_an_address_that_cannot_be_reached_is_an_error(no_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1")
    with pytest.raises(UnansweredError):
        pool.handler({**EVENT, "ResponseURL": "http://127.0.0.1:9/nobody"}, None)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_an_address_that_is_none_is_an_error(url: str) -> None:
    with pytest.raises(UnansweredError):
        put_answer(url, b"{}")


def test_an_address_of_another_stack_is_told_so(no_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its host is CloudFormation's, so the stack that it belongs to need not wait."""
    answers: list[str] = []
    monkeypatch.setattr(pool, "tell_stack", lambda _, outcome: answers.append(outcome))
    bucket = "cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com"
    assert pool.handler({**EVENT, "ResponseURL": f"https://{bucket}/other"}, None)["Status"] == "FAILED"
    assert answers == ["the address for the answer is not that of this stack, resource and request"]


@pytest.mark.embedded
def test_a_request_whose_answer_is_refused_changes_nothing(
    stack: AnswerServer, aws_environment: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As S3 refuses what CloudFormation did not sign: a forged deletion, and one that shortens the time to live."""
    create_tables(home_sessions().home("dynamodb"), "PoolFunctionForged")
    table = PoolTable(home_sessions().home("dynamodb"), "PoolFunctionForged")
    create_pool(table, Pool("prod", parse_block("10.0.0.0/16")), actor_named("test"))
    read = Coverage(AccountId("111122223333"), "shop", datetime.now(UTC))
    assert VpcTable(home_sessions().home("dynamodb"), "PoolFunctionForged").write_coverage(read)
    monkeypatch.setenv("LANDKEEPER_VPC_TABLE", "PoolFunctionForged")
    wishes = {**EVENT["ResourceProperties"], "AcceptUnread": "true"}
    made = pool.handler(_asked(stack, ResourceProperties=wishes), None)["ReservationId"]
    (held,) = read_named_state(table, "prod")[0].reservations
    assert (held.id, held.expires_at) == (made, None)
    known = {"PhysicalResourceId": made, "ResourceProperties": {**wishes, "Ttl": "1m"}}
    for kind in ("Delete", "Update"):
        stack.statuses = [403]
        with pytest.raises(UnansweredError, match="403"):
            pool.handler(_asked(stack, RequestType=kind, **known), None)
    assert read_named_state(table, "prod")[0].reservations == (held,)
    assert pool.handler(_asked(stack, RequestType="Delete", **known), None)["ReservationId"] == made
    assert read_named_state(table, "prod")[0].reservations[0].expires_at is not None


@pytest.mark.embedded
def test_a_configuration_that_cannot_be_read_keeps_no_stack_from_being_deleted(
    stack: AnswerServer, aws_environment: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_tables(home_sessions().home("dynamodb"), "PoolFunctionConfig")
    monkeypatch.setenv("LANDKEEPER_VPC_TABLE", "PoolFunctionConfig")
    monkeypatch.setenv("LANDKEEPER_CONFIG", "/nonexistent/landkeeper.yaml")
    assert pool.handler(_asked(stack), None)["Status"] == "FAILED"
    assert "/nonexistent/landkeeper.yaml" in stack.answers[0]["Reason"]
    assert pool.handler(_asked(stack, RequestType="Delete", PhysicalResourceId="not-reserved"), None) == {
        "Status": "SUCCESS", "ReservationId": "",
    }  # fmt: skip

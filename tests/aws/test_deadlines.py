"""Work that calls AWS has a deadline: no request begins after it, and nobody waits longer for an answer."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import botocore.session
import pytest
from tests.ec2_answers import CALLER_IDENTITY, EC2_XML, Enter, assumed_role, ec2_pages
from tests.scripted_aws import Hang, Trickle, answering_slowly, wait_for_late_work
from tests.servers import HOME_REGION, Answer, answering
from tests.waiting import HANG_SECONDS

from landkeeper.aws.broom.instances import Ec2Instances
from landkeeper.aws.deadlines import (
    Deadline,
    DeadlineExceededError,
    deadline_after,
    do_each_within,
    do_within,
    keep_deadlines,
    within,
)
from landkeeper.aws.sessions import HomeAccountError, open_sessions
from landkeeper.aws.vpctracker.vpcs import Ec2VpcReader, read_region
from landkeeper.broom.instance_state import Refused
from landkeeper.broom.launches import InstanceId
from landkeeper.org import Account, AccountId, Failure, FailureReason, Region
from landkeeper.vpctracker.differences import Complete, Unreadable

_HOME, _LAKE = AccountId("111122223333"), AccountId("444455556666")
_HERE, _THERE = Region("eu-west-1"), Region("us-west-2")


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_deadline_holds_for_what_is_begun_within_it(clock: Clock) -> None:
    assert deadline_after(60, clock=clock) == Deadline(1060, clock)
    with within(Deadline(1100, clock)):
        assert deadline_after(60).ends_at == 1060
        assert deadline_after(600).ends_at == 1100
        assert deadline_after(600, part=0.5).ends_at == 1050
        clock.now = 1200
        assert deadline_after(600) == Deadline(1200, clock)
        assert deadline_after(600).is_over()
    assert deadline_after(600, clock=clock).ends_at == 1800


def test_every_item_has_an_answer_and_late_ones_a_failure(clock: Clock) -> None:
    gate = threading.Event()

    def work(item: str) -> str:
        if item == "late":
            clock.now += 31
            gate.wait(HANG_SECONDS)
        return item.upper()

    answers = do_each_within(Deadline(1030, clock), work, ["a", "b", "late", "never begun"])
    gate.set()
    late = Failure(FailureReason.TIMED_OUT, "DeadlineExceeded", "not done within 30 seconds")
    assert answers == {"a": "A", "b": "B", "late": late, "never begun": late}
    assert do_each_within(Deadline(2000, clock), work, []) == {}
    assert do_each_within(Deadline(2000, clock), work, ["a", "b", "c"], at_once=2) == {"a": "A", "b": "B", "c": "C"}


def test_an_error_of_the_work_is_raised_and_nothing_else_is_begun(clock: Clock) -> None:
    begun: list[str] = []

    def work(item: str) -> None:
        begun.append(item)
        raise ZeroDivisionError(item)

    with pytest.raises(ZeroDivisionError, match="a"):
        do_each_within(Deadline(1030, clock), work, ["a", "b"])
    assert begun == ["a"]


def _ec2(url: str) -> Any:
    session = botocore.session.Session()
    keep_deadlines(session)
    keep_deadlines(session)
    return session.create_client(
        "ec2",
        region_name=HOME_REGION,
        endpoint_url=url,
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="secret",
    )


def test_a_request_waits_for_half_of_the_time_left_and_none_begins_when_it_is_over(no_aws: None, clock: Clock) -> None:
    timeouts: list[float | None] = []
    with answering(ec2_pages) as url:
        ec2 = _ec2(url)
        ec2.meta.events.register(
            "before-send", lambda request, **_: timeouts.append(request.context.get("read_timeout"))
        )
        ec2.describe_vpcs()
        with within(Deadline(1010, clock)):
            ec2.describe_vpcs()
            clock.now = 1009.9
            ec2.describe_vpcs()
            clock.now = 1010
            with pytest.raises(DeadlineExceededError):
                ec2.describe_vpcs()
        with within(Deadline(5000, clock)):
            ec2.describe_vpcs()
    assert timeouts == [None, 5, 0.5, 60]


def test_late_work_begins_no_other_request(no_aws: None, clock: Clock) -> None:
    gate, calls = threading.Event(), list[str]()

    def answer(call: Mapping[str, str]) -> Answer:
        calls.append(call["Action"])
        clock.now += 31
        gate.wait(HANG_SECONDS)
        return ec2_pages(call)

    with answering(answer) as url:
        ec2 = _ec2(url)

        def work() -> None:
            ec2.describe_vpcs()
            ec2.describe_subnets()

        failure = do_within(Deadline(1030, clock), work)
        gate.set()
        wait_for_late_work()
    assert isinstance(failure, Failure)
    assert failure.reason is FailureReason.TIMED_OUT
    assert calls == ["DescribeVpcs"]


def test_a_termination_is_not_sent_when_the_check_before_it_is_late(entered: Enter, clock: Clock) -> None:
    gate, calls = threading.Event(), list[str]()

    def answer(call: Mapping[str, str]) -> Answer:
        calls.append(call["Action"])
        if call["Action"] == "AssumeRole":
            return 200, assumed_role(call["RoleArn"])
        if "AssumeRole" in calls:
            clock.now += 700
            gate.wait(HANG_SECONDS)
            return 200, CALLER_IDENTITY.replace("<Arn>", f"<Account>{_LAKE}</Account><Arn>")
        return 200, CALLER_IDENTITY

    with answering(answer) as url:
        entered(url)
        sessions = open_sessions(HOME_REGION, role_name="terminator", clock=clock)
        id_ = InstanceId("i-0abcdef1234567890")
        result = Ec2Instances(sessions).terminate_instances(_LAKE, _HERE, [id_])[id_]
        gate.set()
        wait_for_late_work()
    assert isinstance(result, Refused)
    assert result.failure.reason is FailureReason.TIMED_OUT
    assert "TerminateInstances" not in calls


@pytest.mark.parametrize("slowly", [Trickle(), Hang()])
def test_a_region_that_never_ends_keeps_no_other_from_being_read(
    entered: Enter, clock: Clock, slowly: Trickle | Hang
) -> None:
    def answer(call: Mapping[str, str]) -> Answer | Trickle | Hang:
        if call["Action"] == "GetCallerIdentity":
            return 200, CALLER_IDENTITY
        if call["Region"] == _HERE:
            clock.now = 1400.0
            return slowly
        return ec2_pages(call)

    with answering_slowly(answer) as url:
        entered(url)
        sessions = open_sessions(HOME_REGION, clock=clock)
        reader = Ec2VpcReader(lambda _: sessions, regions=(_THERE, _HERE), calls_at_once=1)
        reads = reader.read_account(Account(_HOME))
    assert not isinstance(reads, Failure)
    assert reads[_HERE] == Unreadable(
        Failure(FailureReason.TIMED_OUT, "DeadlineExceeded", "not done within 300 seconds")
    )
    assert isinstance(reads[_THERE], Complete)


@pytest.mark.parametrize("action", ["AssumeRole", "DescribeRegions"])
def test_an_account_that_cannot_be_entered_in_time_is_a_failure(entered: Enter, clock: Clock, action: str) -> None:
    def answer(call: Mapping[str, str]) -> Answer | Trickle:
        if call["Action"] == "GetCallerIdentity":
            return 200, CALLER_IDENTITY
        if call["Action"] == action:
            clock.now += 700
            return Trickle()
        return 200, assumed_role(call["RoleArn"])

    with answering_slowly(answer) as url:
        entered(url)
        sessions = open_sessions(HOME_REGION, role_name="reader", clock=clock)
        read = Ec2VpcReader(lambda _: sessions).read_account(Account(_LAKE))
    assert read == Failure(FailureReason.TIMED_OUT, "DeadlineExceeded", "not done within 600 seconds")


def test_credentials_at_hand_that_nobody_tells_of_in_time_are_an_error(entered: Enter, clock: Clock) -> None:
    def answer(_: Mapping[str, str]) -> Trickle:
        clock.now += 700
        return Trickle()

    with answering_slowly(answer) as url:
        entered(url)
        sessions = open_sessions(HOME_REGION, clock=clock)
        with pytest.raises(HomeAccountError, match="not done within 120 seconds"):
            sessions.home_account()


def test_pages_that_go_in_a_circle_are_a_failure(entered: Enter) -> None:
    following = {None: "A", "A": "B", "B": "A"}

    def answer(call: Mapping[str, str]) -> Answer:
        token = following[call.get("NextToken")]
        return 200, EC2_XML.format(call["Action"], f"<vpcSet/><nextToken>{token}</nextToken>")

    with answering(answer) as url:
        read = read_region(*entered(url), _HERE)
    assert isinstance(read, Unreadable)
    assert (read.failure.code, read.failure.message) == (
        "PaginationError", "Error during pagination: an earlier token came again: A",
    )  # fmt: skip


def test_an_item_that_takes_more_than_its_part_makes_way_for_the_others(clock: Clock) -> None:
    gate, begun = threading.Event(), list[str]()

    def work(item: str) -> str:
        begun.append(item)
        if item == "late":
            clock.now += 51
            gate.wait(HANG_SECONDS)
            raise ZeroDivisionError("nobody waits for it any more")
        return item.upper()

    answers = do_each_within(Deadline(1100, clock), work, ["late", "a", "b"], part=0.5)
    gate.set()
    wait_for_late_work()
    assert answers == {
        "late": Failure(FailureReason.TIMED_OUT, "DeadlineExceeded", "not done within 50 seconds"), "a": "A", "b": "B",
    }  # fmt: skip
    assert begun == ["late", "a", "b"]

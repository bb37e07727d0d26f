"""Regions that EC2 does not let us read: each with its own reason, and none of them empty."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest
from botocore.config import Config
from tests.ec2_answers import CALLER_IDENTITY, EC2_XML, Enter, ec2_pages, vpc_xml
from tests.servers import Answer, answering, ec2_refusal
from tests.waiting import HANG_SECONDS

from landkeeper.aws.vpctracker.vpcs import Ec2VpcReader, read_region
from landkeeper.org import Account, Failure, FailureReason, Region
from landkeeper.vpctracker.differences import Complete, Unreadable

_HERE = Region("eu-west-1")
_REGION_XML = "<regionInfo><item><regionName>{}</regionName><optInStatus>not-opted-in</optInStatus></item></regionInfo>"


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("DescribeVpcs", "<html>sign in first</html>"),
        ("DescribeVpcs", "<vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet>"),
        ("DescribeVpcs", f"<vpcSet>{vpc_xml(1).replace('10.1.0.0/16', '10.1.0.1/16')}</vpcSet>"),
        ("DescribeVpcPeeringConnections", "<other/>"),
    ],
)
def test_an_answer_that_is_none_of_ec2s_is_not_an_empty_one(entered: Enter, action: str, body: str) -> None:
    def answer(call: Mapping[str, str]) -> Answer:
        return (200, EC2_XML.format(action, body)) if call["Action"] == action else ec2_pages(call)

    with answering(answer) as url:
        read = read_region(*entered(url), _HERE)
    failure = read.failure if isinstance(read, Unreadable) else getattr(read, "connections_failure", None)
    assert failure is not None
    assert failure.code == "StrangeAnswer"
    assert isinstance(read, Unreadable) is (action == "DescribeVpcs")


@pytest.mark.usefixtures("unhurried")
def test_an_answer_that_is_cut_off_is_a_failure(entered: Enter) -> None:
    with answering(lambda _: (200, "<DescribeVpcsResponse><vpcSet><item>")) as url:
        read = read_region(*entered(url), _HERE)
    assert isinstance(read, Unreadable)
    assert read.failure.code == "ResponseParserError"


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Retries happen at once; how long they would have waited is noted."""
    waits: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", waits.append)
    return waits


def test_a_throttled_call_is_tried_again_with_growing_waits_and_then_given_up(
    entered: Enter, unhurried: list[float]
) -> None:
    calls: list[str] = []

    def answer(call: Mapping[str, str]) -> Answer:
        calls.append(call["Action"])
        return ec2_refusal("RequestLimitExceeded", "slow down", 503)

    with answering(answer) as url:
        read = read_region(*entered(url), _HERE)
    assert read == Unreadable(Failure(FailureReason.THROTTLED, "RequestLimitExceeded", "slow down"))
    assert calls == ["DescribeVpcs"] * 6
    assert [0 <= wait <= 2**number for number, wait in enumerate(unhurried)] == [True] * 5


@pytest.mark.usefixtures("unhurried")
def test_a_call_that_is_throttled_once_gets_through(entered: Enter) -> None:
    refused: list[str] = []

    def answer(call: Mapping[str, str]) -> Answer:
        if call["Action"] not in refused:
            refused.append(call["Action"])
            return ec2_refusal("RequestLimitExceeded", "slow down", 503)
        return ec2_pages(call)

    with answering(answer) as url:
        read = read_region(*entered(url), _HERE)
    assert isinstance(read, Complete)
    assert len(read.vpcs) == 2
    assert read.connections_failure is None


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "AuthFailure", "OptInRequired", "Blocked"])
def test_a_refusal_is_not_tried_again(entered: Enter, code: str) -> None:
    calls: list[str] = []

    def answer(call: Mapping[str, str]) -> Answer:
        calls.append(call["Action"])
        return ec2_refusal(code, status=403)

    with answering(answer) as url:
        assert isinstance(read_region(*entered(url), _HERE), Unreadable)
    assert calls == ["DescribeVpcs"]


@pytest.mark.usefixtures("unhurried")
def test_a_server_that_does_not_answer_in_time_is_a_timeout(entered: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "landkeeper.aws.sessions.client_config",
        lambda: Config(read_timeout=0.1, retries={"mode": "standard", "max_attempts": 2}),
    )
    over = threading.Event()

    def answer(_: Mapping[str, str]) -> Answer:
        over.wait(HANG_SECONDS)
        return 200, ""

    with answering(answer) as url:
        read = read_region(*entered(url), _HERE)
        over.set()
    assert isinstance(read, Unreadable)
    assert read.failure.reason is FailureReason.TIMED_OUT


@pytest.mark.parametrize(
    ("action", "code", "message", "reason"),
    [
        ("DescribeVpcs", "UnauthorizedOperation", "not authorized", FailureReason.MISSING_PERMISSION),
        ("DescribeSubnets", "UnauthorizedOperation", "not authorized", FailureReason.MISSING_PERMISSION),
        (
            "DescribeVpcs",
            "UnauthorizedOperation",
            "with an explicit deny in a service control policy",
            FailureReason.SCP_DENY,
        ),
        ("DescribeVpcs", "OptInRequired", "not subscribed", FailureReason.REGION_DISABLED),
        ("DescribeVpcs", "AuthFailure", "not able to validate", FailureReason.REGION_DISABLED),
        ("DescribeVpcs", "Blocked", "blocked", FailureReason.ACCOUNT_SUSPENDED),
    ],
)
def test_a_region_that_refuses_is_unreadable_with_its_reason(
    entered: Enter, action: str, code: str, message: str, reason: FailureReason
) -> None:
    def answer(call: Mapping[str, str]) -> Answer:
        return ec2_refusal(code, message) if call["Action"] == action else ec2_pages(call)

    with answering(answer) as url:
        assert read_region(*entered(url), _HERE) == Unreadable(Failure(reason, code, message))


def test_a_refusal_in_the_middle_of_theec2_pages_is_no_shorter_list(entered: Enter) -> None:
    def answer(call: Mapping[str, str]) -> Answer:
        return ec2_refusal("ExpiredToken") if call.get("NextToken") == "b" else ec2_pages(call)

    with answering(answer) as url:
        read = read_region(*entered(url), _HERE)
    assert isinstance(read, Unreadable)
    assert read.failure.reason is FailureReason.CREDENTIALS


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (ec2_refusal("Blocked"), FailureReason.ACCOUNT_SUSPENDED),
        ((200, "<DescribeRegionsResponse/>"), FailureReason.OTHER),
        ((200, EC2_XML.format("DescribeRegions", "<regionInfo/>")), FailureReason.OTHER),
        ((200, EC2_XML.format("DescribeRegions", _REGION_XML.format("eu.example.com"))), FailureReason.OTHER),
        ((200, EC2_XML.format("DescribeRegions", _REGION_XML.format("me-south-1"))), FailureReason.OTHER),
    ],
)
def test_regions_that_are_not_listed_fail_the_account(entered: Enter, refusal: Answer, reason: FailureReason) -> None:
    with answering(lambda call: (200, CALLER_IDENTITY) if call["Action"] == "GetCallerIdentity" else refusal) as url:
        sessions, credentials = entered(url)
        read = Ec2VpcReader(lambda _: sessions).read_account(Account(credentials.account))
    assert isinstance(read, Failure)
    assert read.reason is reason

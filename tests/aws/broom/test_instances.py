"""Instances read, ended and stopped: on moto, and on a server that answers what moto never does."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping

import pytest
from botocore.config import Config
from tests.member_instances import HERE, ROLE, start_instances
from tests.servers import Answer, answering, ec2_refusal, home_sessions

from landkeeper.aws.broom.instances import Ec2Instances
from landkeeper.broom.instance_state import FRESH, BatchFailed, Done, Gone, LiveInstance, Refused, TooLate
from landkeeper.broom.launches import InstanceId
from landkeeper.org import AccountId, Failure, FailureReason, Region

HOME = AccountId("123456789012")
MISSING = InstanceId("i-0123456789abcdef0")
A, B, C = InstanceId("i-0aaaaaaaaaaaaaaaa"), InstanceId("i-0bbbbbbbbbbbbbbbb"), InstanceId("i-0cccccccccccccccc")

embedded = pytest.mark.embedded


@embedded
@pytest.mark.usefixtures("aws_environment")
def test_instances_are_read_where_they_are_and_missing_ones_are_left_out() -> None:
    account = AccountId("220000000001")
    (tagged,) = start_instances(account, {"Code": "LOL"})
    (bare,) = start_instances(account)
    read = Ec2Instances(home_sessions(ROLE)).read_instances(account, HERE, [tagged, bare, MISSING])
    assert not isinstance(read, Failure)
    assert {id_: (live.state, live.tags) for id_, live in read.items()} == {
        tagged: ("running", {"Code": "LOL"}),
        bare: ("running", {}),
    }
    assert (read[bare].image_id, read[bare].has_instance_store_root) == ("ami-12345678", False)
    assert read[bare].launched_at is not None


@embedded
@pytest.mark.usefixtures("aws_environment")
def test_one_unknown_id_fails_the_batch_and_itself_alone() -> None:
    account = AccountId("220000000002")
    ids = start_instances(account, count=2)
    instances = Ec2Instances(home_sessions(ROLE))
    results = instances.terminate_instances(account, HERE, [ids[0], MISSING, ids[1]])
    assert all(isinstance(result, BatchFailed) for result in results.values())
    assert instances.terminate_instances(account, HERE, [MISSING]) == {MISSING: Gone()}
    assert instances.terminate_instances(account, HERE, ids) == dict.fromkeys(ids, Done())
    read = instances.read_instances(account, HERE, ids)
    assert not isinstance(read, Failure)
    assert {id_: live.has_ended for id_, live in read.items()} == dict.fromkeys(ids, True)


@embedded
@pytest.mark.usefixtures("aws_environment")
def test_stopped_instances_are_there_and_stopped() -> None:
    account = AccountId("220000000003")
    ids = start_instances(account, count=2)
    instances = Ec2Instances(home_sessions(ROLE))
    assert instances.stop_instances(account, HERE, ids) == dict.fromkeys(ids, Done())
    read = instances.read_instances(account, HERE, ids)
    assert not isinstance(read, Failure)
    assert {live.state for live in read.values()} == {"stopped"}


@embedded
@pytest.mark.usefixtures("aws_environment")
def test_nothing_is_done_with_credentials_of_another_account() -> None:
    account, other = AccountId("220000000005"), AccountId("220000000006")
    ids = start_instances(account)
    sessions = home_sessions(ROLE)
    elsewhere = sessions.credentials_for(other)
    assert not isinstance(elsewhere, Failure)
    sessions._kept[account] = elsewhere
    refused = Ec2Instances(sessions).terminate_instances(account, HERE, ids)[ids[0]]
    assert isinstance(refused, Refused)
    assert "the credentials are for 220000000006, not 220000000005" in str(refused.failure)
    read = Ec2Instances(home_sessions(ROLE)).read_instances(account, HERE, ids)
    assert not isinstance(read, Failure)
    assert not read[ids[0]].has_ended


@embedded
@pytest.mark.usefixtures("aws_environment")
def test_an_account_that_cannot_be_entered_is_a_failure_for_every_instance() -> None:
    instances = Ec2Instances(home_sessions())
    account = AccountId("220000000004")
    read = instances.read_instances(account, HERE, [A])
    assert isinstance(read, Failure)
    assert read.reason is FailureReason.ROLE_NOT_ASSUMABLE
    assert instances.terminate_instances(account, HERE, [A, B]) == {A: Refused(read), B: Refused(read)}


@embedded
@pytest.mark.usefixtures("aws_environment")
def test_a_region_that_cannot_be_one_is_a_failure() -> None:
    read = Ec2Instances(home_sessions()).read_instances(HOME, Region("not a region"), [A])
    assert isinstance(read, Failure)
    assert read.code == "InvalidRegionError"


_XML = '<{0}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">{1}</{0}Response>'


def described(*instances: tuple[InstanceId, str, str]) -> Answer:
    items = "".join(
        f"<item><instanceId>{id_}</instanceId><instanceState><name>{state}</name></instanceState>{more}</item>"
        for id_, state, more in instances
    )
    return 200, _XML.format(
        "DescribeInstances", f"<reservationSet><item><instancesSet>{items}</instancesSet></item></reservationSet>"
    )


def ids_in(call: Mapping[str, str]) -> list[str]:
    return [value for name, value in call.items() if name.startswith("InstanceId")]


@embedded
def test_a_batch_that_fails_is_one_call_and_a_protected_instance_alone_says_so(
    aws_environment: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[str]] = []

    def answer(call: Mapping[str, str]) -> Answer:
        calls.append(ids_in(call))
        return ec2_refusal("OperationNotPermitted", "protected: modify its 'disableApiTermination' attribute")

    with answering(answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
        instances = Ec2Instances(home_sessions())
        batch = instances.terminate_instances(HOME, HERE, [A, B, C])
        refused = instances.terminate_instances(HOME, HERE, [A])[A]
    assert calls == [[A, B, C], [A]]
    assert all(isinstance(result, BatchFailed) for result in batch.values())
    assert isinstance(refused, Refused)
    assert refused.is_protected
    assert refused.failure.code == "OperationNotPermitted"


@embedded
def test_no_request_is_sent_after_its_time_however_often_it_is_repeated(
    aws_environment: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def answer(call: Mapping[str, str]) -> Answer:
        calls.append(call["Action"])
        # botocore repeats what is throttled; by then the time is over.
        monkeypatch.setattr(time, "monotonic", lambda: late)
        return ec2_refusal("RequestLimitExceeded", status=503)

    with answering(answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
        instances = Ec2Instances(home_sessions())
        assert instances.terminate_instances(HOME, HERE, [A], within=-FRESH) == {A: TooLate()}
        assert instances.stop_instances(HOME, HERE, [A, B], within=-FRESH) == {A: TooLate(), B: TooLate()}
        assert calls == []
        late = time.monotonic() + FRESH.total_seconds() + 1
        assert instances.terminate_instances(HOME, HERE, [A]) == {A: TooLate()}
    assert calls == ["TerminateInstances"]


@embedded
def test_an_error_of_ec2s_own_may_have_worked(aws_environment: object, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(lambda _: ec2_refusal("InternalError", status=500)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
        sessions = home_sessions()
        sessions._config = Config(retries={"total_max_attempts": 1})
        refused = Ec2Instances(sessions).stop_instances(HOME, HERE, [A])[A]
    assert isinstance(refused, Refused)
    assert (refused.is_unknown, refused.is_final) == (True, False)


@embedded
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("InvalidInstanceID.NotFound", Gone()),
        (
            "UnauthorizedOperation",
            Refused(Failure(FailureReason.MISSING_PERMISSION, "UnauthorizedOperation", "refused")),
        ),
    ],
)
def test_a_single_refusal_says_what_it_is(
    aws_environment: object, monkeypatch: pytest.MonkeyPatch, code: str, expected: object
) -> None:
    with answering(lambda _: ec2_refusal(code)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
        assert Ec2Instances(home_sessions()).terminate_instances(HOME, HERE, [A]) == {A: expected}


@embedded
def test_an_instance_that_a_service_operates_says_which(
    aws_environment: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    operated = "<operator><managed>true</managed><principal>eks.amazonaws.com</principal></operator>"
    own = "<operator><managed>false</managed></operator>"
    with answering(lambda _: described((A, "running", operated), (B, "running", own))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
        read = Ec2Instances(home_sessions()).read_instances(HOME, HERE, [A, B])
    assert not isinstance(read, Failure)
    assert (read[A].operator, read[B].operator) == ("eks.amazonaws.com", "")


@embedded
def test_a_batch_that_nobody_answers_is_refused_as_a_whole(
    aws_environment: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:9")
    sessions = home_sessions()
    sessions._config = Config(retries={"total_max_attempts": 1})
    results = Ec2Instances(sessions).stop_instances(HOME, HERE, [A, B])
    assert results.keys() == {A, B}
    for result in results.values():
        assert isinstance(result, Refused)
        assert result.failure.reason is FailureReason.TIMED_OUT
        assert result.is_unknown


@embedded
@pytest.mark.usefixtures("aws_environment")
def test_what_runs_is_listed() -> None:
    account = AccountId("220000000007")
    running, ended = start_instances(account, count=2)
    instances = Ec2Instances(home_sessions(ROLE))
    instances.terminate_instances(account, HERE, [ended])
    listed = instances.list_running(account, HERE)
    assert set(listed if not isinstance(listed, Failure) else ()) == {running}


def by_token(launched: Mapping[InstanceId, str]) -> Callable[[Mapping[str, str]], Answer]:
    """DescribeInstances as EC2 filters by client token: `*` and `?` are wildcards, a backslash makes them plain."""

    def answer(call: Mapping[str, str]) -> Answer:
        assert call["Filter.1.Name"] == "client-token"
        parts = re.findall(r"\\.|.", call["Filter.1.Value.1"], re.DOTALL)
        wildcards = {"*": ".*", "?": "."}
        pattern = "".join(wildcards.get(part) or re.escape(part.removeprefix("\\")) for part in parts)
        return described(
            *(
                (id_, "running", f"<clientToken>{token}</clientToken>")
                for id_, token in launched.items()
                if re.fullmatch(pattern, token)
            )
        )

    return answer


@embedded
@pytest.mark.parametrize("token", ["token-1", "*", "?oken-1", "t*", "\\*", "token\\-1"])
def test_a_client_token_finds_the_instances_of_exactly_that_token(
    aws_environment: object, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    with answering(by_token({A: token, B: "token-1", C: "token-2"})) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
        found = Ec2Instances(home_sessions()).find_launched(HOME, HERE, token)
    expected = {A, B} if token == "token-1" else {A}
    assert found == {id_: LiveInstance(id_, "running", {}) for id_ in expected}


@embedded
@pytest.mark.parametrize("token", ["*", "token-?"])
def test_a_filter_that_answers_more_than_the_token_is_not_believed(
    aws_environment: object, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    everything = described((A, "running", "<clientToken>token-1</clientToken>"), (B, "running", ""))
    with answering(lambda _: everything) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
        assert Ec2Instances(home_sessions()).find_launched(HOME, HERE, token) == {}


@embedded
def test_an_id_with_a_wildcard_asks_for_no_other_instance(
    aws_environment: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(call: Mapping[str, str]) -> Answer:
        asked.append(call["Filter.1.Value.1"])
        return described()

    with answering(answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
        assert Ec2Instances(home_sessions()).read_instances(HOME, HERE, [InstanceId("i-*")]) == {}
    assert asked == ["i-\\*"]


@embedded
@pytest.mark.usefixtures("aws_environment")
def test_a_group_says_which_tags_it_gives() -> None:
    account = AccountId("220000000008")
    sessions = home_sessions(ROLE)
    credentials = sessions.credentials_for(account)
    assert not isinstance(credentials, Failure)
    with sessions.signing_as(credentials):
        scaling = sessions.scaling(HERE)
        scaling.create_launch_configuration(
            LaunchConfigurationName="web", ImageId="ami-12345678", InstanceType="t3.micro"
        )
        scaling.create_auto_scaling_group(
            AutoScalingGroupName="web", LaunchConfigurationName="web", MinSize=0, MaxSize=0,
            AvailabilityZones=[f"{HERE}a"],
            Tags=[
                {"Key": "Code", "Value": "LOL", "PropagateAtLaunch": True},
                {"Key": "Own", "Value": "x", "PropagateAtLaunch": False},
            ],
        )  # fmt: skip
    assert Ec2Instances(sessions).read_group_tags(account, HERE, {"web", "none"}) == {"web": {"Code": "LOL"}}


@embedded
def test_a_persistent_spot_request_is_known(aws_environment: object, monkeypatch: pytest.MonkeyPatch) -> None:
    spot = "<spotInstanceRequestId>sir-{}</spotInstanceRequestId><rootDeviceType>instance-store</rootDeviceType>"

    def answer(call: Mapping[str, str]) -> Answer:
        if call["Action"] == "DescribeInstances":
            return described((A, "running", spot.format("1")), (B, "running", spot.format("2")), (C, "running", ""))
        if denied:
            return ec2_refusal("UnauthorizedOperation")
        one = "<item><spotInstanceRequestId>sir-2</spotInstanceRequestId><type>persistent</type></item>"
        return 200, _XML.format(
            "DescribeSpotInstanceRequests", f"<spotInstanceRequestSet>{one}</spotInstanceRequestSet>"
        )

    denied = False
    with answering(answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
        instances = Ec2Instances(home_sessions())
        read = instances.read_instances(HOME, HERE, [A, B, C])
        denied = True
        blind = instances.read_instances(HOME, HERE, [A, B, C])
    assert not isinstance(read, Failure)
    assert not isinstance(blind, Failure)
    assert [read[id_].is_persistent_spot for id_ in (A, B, C)] == [False, True, False]
    assert [read[id_].has_instance_store_root for id_ in (A, C)] == [True, False]
    assert not blind[B].is_persistent_spot


@embedded
def test_what_ec2_cannot_do_at_all_is_not_asked_again(aws_environment: object, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(lambda _: ec2_refusal("UnsupportedOperation", "one-time Spot")) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
        refused = Ec2Instances(home_sessions()).stop_instances(HOME, HERE, [A])[A]
    assert isinstance(refused, Refused)
    assert refused.is_final

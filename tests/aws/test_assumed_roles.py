"""What AssumeRole answers is believed only where it is for the role that was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import CredentialRetrievalError
from tests.ec2_answers import CALLER_IDENTITY, assumed_role
from tests.servers import HOME_REGION, Answer, answering

from landkeeper.aws.assumed_roles import session_arn
from landkeeper.aws.broom.instances import Ec2Instances
from landkeeper.aws.broom.log_reader import s3_in_role
from landkeeper.aws.sessions import AccountCredentials, AccountSessions, HomeAccountError, open_sessions
from landkeeper.broom.instance_state import Refused
from landkeeper.broom.launches import InstanceId
from landkeeper.org import AccountId, Failure, FailureReason

_LAKE, _OTHER = AccountId("444455556666"), AccountId("777788889999")


class Sts:
    """STS with one answer for AssumeRole; whatever else is called is noted, and refused."""

    def __init__(self) -> None:
        self.assumed = ""
        self.identity = CALLER_IDENTITY
        self.other_calls: list[str] = []

    def answer(self, call: Mapping[str, str]) -> Answer:
        action = call.get("Action", "GetObject")
        if action == "GetCallerIdentity":
            return 200, self.identity
        if action == "AssumeRole":
            return 200, self.assumed or assumed_role(call["RoleArn"])
        self.other_calls.append(action)
        return 403, "<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>"


@pytest.fixture
def sts(no_aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sts]:
    with _serving(monkeypatch) as made:
        yield made


@contextmanager
def _serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sts]:
    made = Sts()
    with answering(made.answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        yield made


def _sessions(role_name: str = "reader") -> AccountSessions:
    return open_sessions(HOME_REGION, role_name=role_name)


def _arn(role: str, account: str = _LAKE, partition: str = "aws") -> str:
    return f"arn:{partition}:iam::{account}:role/{role}"


@pytest.mark.parametrize("role", ["reader", "team/reader", "reader@lake+1"])
def test_an_answer_for_the_role_that_was_asked_for_is_believed(sts: Sts, role: str) -> None:
    credentials = _sessions(role).credentials_for(_LAKE)
    assert isinstance(credentials, AccountCredentials)
    assert (credentials.account, credentials.keys.access_key) == (_LAKE, "ASIAEXAMPLE")


@pytest.mark.parametrize(
    "assumed",
    [
        assumed_role(_arn("reader"), account=_OTHER),
        assumed_role(_arn("reader-of-others")),
        assumed_role(_arn("reader", partition="aws-cn")),
        assumed_role(_arn("Reader")),
        assumed_role(_arn("reader"), session="someone"),
    ],
    ids=["account", "role", "partition", "case", "session"],
)
def test_an_answer_for_something_else_is_a_failure_and_nothing_is_called_with_it(sts: Sts, assumed: str) -> None:
    sts.assumed = assumed
    failure = _sessions().credentials_for(_LAKE)
    assert isinstance(failure, Failure)
    assert (failure.reason, failure.code) == (FailureReason.ROLE_NOT_ASSUMABLE, "WrongAccount")
    assert f"not arn:aws:sts::{_LAKE}:assumed-role/reader/landkeeper" in failure.message
    instances, id_ = Ec2Instances(_sessions()), InstanceId("i-0abcdef1234567890")
    assert instances.read_instances(_LAKE, HOME_REGION, [id_]) == failure
    assert instances.terminate_instances(_LAKE, HOME_REGION, [id_]) == {id_: Refused(failure)}
    assert sts.other_calls == []


_GOOD = assumed_role(_arn("reader"))


@pytest.mark.parametrize(
    "assumed",
    [
        "",
        "<html>sign in first</html>",
        "<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>",
        _GOOD.replace("<SecretAccessKey>secret</SecretAccessKey>", ""),
        _GOOD.replace("<SessionToken>token</SessionToken>", "<SessionToken/>"),
        _GOOD.replace(">token<", ">to&#10;ken<"),
        _GOOD.replace("2099-01-01T00:00:00Z", "next year"),
        _GOOD.replace("<Expiration>2099-01-01T00:00:00Z</Expiration>", ""),
        _GOOD.replace("<AssumedRoleUser>", "<Nobody>").replace("</AssumedRoleUser>", "</Nobody>"),
        _GOOD.replace("<Credentials>", "<Credentials>text").replace("<AccessKeyId>", "<AccessKeyId><b/>"),
        _GOOD.replace("<AccessKeyId>", "<AccessKeyId>ASIA</AccessKeyId><AccessKeyId>"),
        _GOOD[:-30],
    ],
)
def test_a_garbled_answer_is_a_failure(sts: Sts, assumed: str) -> None:
    sts.assumed = assumed or " "
    failure = _sessions().credentials_for(_LAKE)
    assert isinstance(failure, Failure)
    assert failure.code in {"StrangeAnswer", "ResponseParserError"}


def test_keys_that_expire_at_the_beginning_of_time_are_not_kept(sts: Sts) -> None:
    sts.assumed = _GOOD.replace("2099-", "0001-")
    sessions = _sessions()
    first = sessions.credentials_for(_LAKE)
    assert isinstance(first, AccountCredentials)
    assert sessions.credentials_for(_LAKE) is not first


@pytest.mark.parametrize(
    "identity",
    [
        "<html/>",
        CALLER_IDENTITY[:-20],
        CALLER_IDENTITY.replace("<Arn>arn:aws:iam::111122223333:user/jane</Arn>", ""),
        CALLER_IDENTITY.replace("111122223333", "jane"),
        CALLER_IDENTITY.replace("arn:aws:iam::111122223333:user/jane", "jane"),
    ],
)
def test_a_garbled_answer_about_the_credentials_at_hand_is_one_clear_error(sts: Sts, identity: str) -> None:
    sts.identity = identity
    with pytest.raises(HomeAccountError, match=r"StrangeAnswer|ResponseParserError"):
        _sessions().home_account()


def test_the_role_that_reads_log_files_is_held_to_its_own_arn_too(sts: Sts) -> None:
    sts.assumed = assumed_role(_arn("logs"), account=_OTHER)
    s3: Any = s3_in_role(_sessions(), _arn("logs"))
    with pytest.raises(CredentialRetrievalError, match="WrongAccount"):
        s3.get_object(Bucket="logs", Key="one.json.gz")
    assert sts.other_calls == []


def test_what_is_no_roles_arn_has_no_session() -> None:
    assert session_arn(_arn("a/b/reader")) == f"arn:aws:sts::{_LAKE}:assumed-role/reader/landkeeper"
    with pytest.raises(ValueError, match="is not the ARN of a role"):
        session_arn("arn:aws:iam::444455556666:user/jane")

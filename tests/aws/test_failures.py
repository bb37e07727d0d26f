"""From botocore's exceptions to values."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from landkeeper.aws.failures import failure_of
from landkeeper.org import FailureReason


def _refusal(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeVpcs")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("UnauthorizedOperation", FailureReason.MISSING_PERMISSION),
        ("AccessDenied", FailureReason.MISSING_PERMISSION),
        ("AuthFailure", FailureReason.REGION_DISABLED),
        ("OptInRequired", FailureReason.REGION_DISABLED),
        ("RequestLimitExceeded", FailureReason.THROTTLED),
        ("ExpiredToken", FailureReason.CREDENTIALS),
        ("AccountProblem", FailureReason.ACCOUNT_SUSPENDED),
        ("InvalidInstanceID.NotFound", FailureReason.NOT_FOUND),
        ("NoSuchKey", FailureReason.NOT_FOUND),
        ("SomethingNew", FailureReason.OTHER),
    ],
)
def test_a_code_has_its_reason(code: str, reason: FailureReason) -> None:
    failure = failure_of(_refusal(code))
    assert (failure.reason, failure.code) == (reason, code)


def test_a_service_control_policy_is_told_from_a_missing_permission() -> None:
    message = "is not authorized to perform: ec2:DescribeVpcs with an explicit deny in a service control policy"
    assert failure_of(_refusal("UnauthorizedOperation", message)).reason is FailureReason.SCP_DENY
    assert failure_of(_refusal("UnauthorizedOperation", "no")).reason is FailureReason.MISSING_PERMISSION


def test_a_message_comes_on_one_line() -> None:
    assert failure_of(_refusal("X", "two\nlines\r\n  here")).message == "two lines here"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectTimeoutError(endpoint_url="http://x"), FailureReason.TIMED_OUT),
        (ReadTimeoutError(endpoint_url="http://x"), FailureReason.TIMED_OUT),
        (EndpointConnectionError(endpoint_url="http://x"), FailureReason.TIMED_OUT),
        (NoCredentialsError(), FailureReason.CREDENTIALS),
        (ParamValidationError(report="bad"), FailureReason.OTHER),
    ],
)
def test_errors_on_this_side_have_reasons_too(error: BotoCoreError, reason: FailureReason) -> None:
    failure = failure_of(error)
    assert (failure.reason, failure.code) == (reason, type(error).__name__)

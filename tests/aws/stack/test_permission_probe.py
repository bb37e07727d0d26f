"""What of EC2's answers to a dry run is a permission."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from landkeeper.aws.stack.permission_probe import find_refusal


@pytest.mark.parametrize(
    ("code", "is_allowed"),
    [
        ("DryRunOperation", True),
        ("UnauthorizedOperation", False),
        ("InvalidInstanceID.NotFound", False),
        ("InvalidInstanceID.Malformed", False),
        ("RequestLimitExceeded", False),
    ],
)
def test_nothing_but_a_dry_run_that_would_have_worked_is_a_permission(code: str, *, is_allowed: bool) -> None:
    def call(_client: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "as EC2 says"}}, "TerminateInstances")

    refusal = find_refusal(call, None)
    assert (refusal is None) is is_allowed
    assert refusal is None or refusal.code == code


def test_a_call_without_an_error_was_allowed() -> None:
    assert find_refusal(lambda _client: None, None) is None

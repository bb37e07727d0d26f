"""Failures told by their cause."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landkeeper.causes import describe_cause, group_failures, list_failures
from landkeeper.org import Account, AccountId, Failure, FailureReason, Region


@dataclass(frozen=True)
class _Place:
    account: Account
    region: Region | None
    failure: Failure


def _lacks(account: int, action: str = "ec2:DescribeInstances") -> Failure:
    # As EC2 says it (IAM User Guide, "Troubleshoot access denied error messages").
    return Failure(
        FailureReason.MISSING_PERMISSION,
        "UnauthorizedOperation",
        (
            "You are not authorized to perform this operation. User: arn:aws:sts::"
            f"{account:012}:assumed-role/landkeeper-read/landkeeper-{account} is not authorized to perform: {action} "
            f"because no identity-based policy allows the {action} action. "
            f"Encoded authorization failure message: {'Ab-_9' * 40}{account}"
        ),
    )


def _place(number: int, failure: Failure, region: str | None = None, name: str = "") -> _Place:
    return _Place(Account(AccountId(f"{number:012}"), name), None if region is None else Region(region), failure)


_WHY = "no such role, no trust, or no permission"
_ASSUME = (
    "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/path/landkeeper-read"
)


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        (_lacks(1), "role landkeeper-read lacks ec2:DescribeInstances"),
        (
            Failure(
                FailureReason.MISSING_PERMISSION,
                "AccessDenied",
                (
                    "User: arn:aws-us-gov:iam::111122223333:user/ops/jane is not authorized to perform: "
                    "s3:ListBucket on resource: arn:aws-cn:s3:::l with an explicit deny in a permissions boundary"
                ),
            ),
            "user jane is denied s3:ListBucket by the permissions boundary",
        ),
        (
            Failure(
                FailureReason.MISSING_PERMISSION, "AccessDenied", "is not authorized to perform: s3:GetObject on x"
            ),
            "the caller lacks s3:GetObject",
        ),
        (
            Failure(
                FailureReason.MISSING_PERMISSION,
                "AccessDenied",
                "User: arn:aws:iam::111122223333:root is not authorized to perform: s3:GetObject",
            ),
            "the root user lacks s3:GetObject",
        ),
        (
            Failure(
                FailureReason.MISSING_PERMISSION,
                "AccessDenied",
                "User: arn:aws:iam::111122223333:thing is not authorized to perform: s3:GetObject",
            ),
            "the caller lacks s3:GetObject",
        ),
        (
            Failure(
                FailureReason.SCP_DENY,
                "UnauthorizedOperation",
                (
                    "User: arn:aws:sts::111122223333:assumed-role/reader/x is not authorized to perform: "
                    "ec2:DescribeRegions with an explicit deny in a service control policy"
                ),
            ),
            "a service control policy denies ec2:DescribeRegions to role reader",
        ),
        (
            Failure(FailureReason.SCP_DENY, "AccessDenied", "not authorized to perform: ec2:DescribeRegions"),
            "a service control policy denies ec2:DescribeRegions",
        ),
        (
            Failure(
                FailureReason.ROLE_NOT_ASSUMABLE, "AccessDenied", f"User: arn:aws:iam::111122223333:user/ci {_ASSUME}"
            ),
            f"role path/landkeeper-read cannot be assumed by user ci: {_WHY}",
        ),
        (
            Failure(FailureReason.ROLE_NOT_ASSUMABLE, "AccessDenied", _ASSUME),
            f"role path/landkeeper-read cannot be assumed by the caller: {_WHY}",
        ),
        (
            Failure(FailureReason.ROLE_NOT_ASSUMABLE, message="no role name is set"),
            "role not assumable (no role name is set)",
        ),
        (
            Failure(FailureReason.THROTTLED, "SlowDown", "Reduce your request rate. (Request ID: 4A5B, Host ID: x/y=)"),
            "throttled out (SlowDown: Reduce your request rate.)",
        ),
        (Failure(FailureReason.MISSING_PERMISSION, "AccessDenied", "no"), "permission missing (AccessDenied: no)"),
    ],
)
def test_a_cause_is_caller_and_action_in_a_few_words(failure: Failure, cause: str) -> None:
    assert describe_cause(failure) == cause


def test_many_accounts_that_fail_alike_are_one_line() -> None:
    places = [_place(number, _lacks(number), region) for number in range(12) for region in ("eu-west-1", "us-east-1")]
    (cause,) = group_failures(places)
    assert str(cause) == "12 accounts in 2 regions: role landkeeper-read lacks ec2:DescribeInstances"
    assert cause.places == tuple(places)


@pytest.mark.parametrize(
    ("places", "line"),
    [
        ([_place(1, _lacks(1), name="lake")], "lake (000000000001)"),
        ([_place(1, _lacks(1), "eu-west-1"), _place(1, _lacks(1), "eu-west-2")], "000000000001 eu-west-1, eu-west-2"),
        (
            [_place(1, _lacks(1), f"xx-test-{number}") for number in range(7)],
            "000000000001 xx-test-0, xx-test-1, xx-test-2, xx-test-3, xx-test-4 and 2 more",
        ),
        ([_place(1, _lacks(1)), _place(2, _lacks(2))], "000000000001, 000000000002"),
        ([_place(number, _lacks(number), "eu-west-1") for number in range(4)], "4 accounts in eu-west-1"),
        ([_place(number, _lacks(number)) for number in range(1200)], "1,200 accounts"),
    ],
)
def test_few_accounts_are_named_and_many_are_counted(places: list[_Place], line: str) -> None:
    assert str(group_failures(places)[0]) == f"{line}: role landkeeper-read lacks ec2:DescribeInstances"


def test_other_actions_and_other_reasons_are_other_causes_and_the_commonest_comes_first() -> None:
    other = Failure(FailureReason.THROTTLED, "RequestLimitExceeded", "Request limit exceeded.")
    places = [_place(1, other), _place(2, _lacks(2)), _place(3, _lacks(3)), _place(4, _lacks(4, "ec2:DescribeVpcs"))]
    assert [cause.text for cause in group_failures(places)] == [
        "role landkeeper-read lacks ec2:DescribeInstances",
        "throttled out (RequestLimitExceeded: Request limit exceeded.)",
        "role landkeeper-read lacks ec2:DescribeVpcs",
    ]


def test_what_differs_from_place_to_place_makes_no_cause_of_its_own() -> None:
    def unreachable(region: str) -> Failure:
        message = f'Could not connect to the endpoint URL: "https://ec2.{region}.amazonaws.com/"'
        return Failure(FailureReason.TIMED_OUT, "EndpointConnectionError", message)

    places = [_place(1, unreachable(region), region) for region in ("eu-west-1", "eu-west-2")]
    (cause,) = group_failures(places)
    assert cause.text.endswith('Could not connect to the endpoint URL: "https://ec2.….amazonaws.com/")')
    (alone,) = group_failures(places[:1])
    assert "ec2.eu-west-1.amazonaws.com" in alone.text


def test_in_full_every_account_has_its_own_line_in_aws_s_words() -> None:
    places = [_place(1, _lacks(1), "eu-west-1"), _place(2, _lacks(2)), _place(1, _lacks(1), "us-east-1")]
    assert list_failures(places) == (
        f"000000000001 eu-west-1, us-east-1: {_lacks(1)}",
        f"000000000002: {_lacks(2)}",
    )


_FAILURES = st.builds(
    Failure, st.sampled_from(FailureReason), st.sampled_from(["", "AccessDenied"]), st.text(max_size=40)
) | st.builds(_lacks, st.integers(0, 5))


@given(st.lists(st.builds(_place, st.integers(0, 5), _FAILURES, st.sampled_from([None, "eu-west-1", "us-east-1"]))))
def test_no_place_is_lost_and_none_is_told_twice(places: list[_Place]) -> None:
    grouped = [place for cause in group_failures(places) for place in cause.places]
    assert sorted(map(repr, grouped)) == sorted(map(repr, places))

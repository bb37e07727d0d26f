"""What the functions answer when the doctor asks what they may do."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from tests.deployed_broom import Deployed
from tests.servers import home_session

from landkeeper import __version__
from landkeeper.lambdas import broom, tracker
from landkeeper.org import UsageError

pytestmark = pytest.mark.embedded

ACCOUNT, STRANGER, HOME = "550000000001", "550000000002", "123456789012"
ENDING = ["ec2:DescribeInstances", "ec2:DescribeRegions", "ec2:DescribeSpotInstanceRequests", "ec2:StopInstances"]


def _iam(account: str) -> Any:
    role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    given = home_session().client("sts").assume_role(RoleArn=role, RoleSessionName="setup")["Credentials"]
    make: Callable[..., Any] = boto3.client
    return make(
        "iam",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def _give(role: str, *actions: str) -> None:
    iam = _iam(ACCOUNT)
    iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=role, PolicyName="given", PolicyDocument=policy)


def test_the_tracker_names_what_its_role_lacks_and_where_there_is_no_way_in(
    aws_environment: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    _give("AlmostReader", "ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeRegions")
    monkeypatch.setenv("LANDKEEPER_ROLE_NAME", "AlmostReader")
    monkeypatch.setenv("LANDKEEPER_REGIONS", "eu-west-3")
    answer = tracker.handler({"task": "doctor", "accounts": [ACCOUNT, STRANGER]}, None)
    lacking, outside = answer["trials"]
    assert answer["version"] == __version__
    assert "organization" not in answer
    assert (lacking["account"], lacking["region"], lacking["way_in"]) == (ACCOUNT, "eu-west-3", None)
    assert sorted(lacking["refused"]) == [
        "ec2:DescribeTransitGatewayAttachments",
        "ec2:DescribeVpcPeeringConnections",
    ]
    assert {one["reason"] for one in lacking["refused"].values()} == {"MISSING_PERMISSION"}
    assert outside["way_in"]["reason"] == "ROLE_NOT_ASSUMABLE"


def test_broom_may_end_nothing_with_a_role_that_only_looks(
    aws_environment: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    _give("Looker", *ENDING)
    monkeypatch.setenv("LANDKEEPER_ROLE_NAME", "Looker")
    answer = broom.handler({"task": "doctor", "accounts": [ACCOUNT, HOME], "organization": True}, None)
    looker, own = answer["trials"]
    assert sorted(looker["refused"]) == ["autoscaling:DescribeAutoScalingGroups", "ec2:TerminateInstances"]
    # Its own account is entered with the function's own credentials, which moto lets do everything.
    assert (own["way_in"], own["refused"]) == (None, {})
    # moto lists no account where no test has made an organization.
    assert answer["organization"] is None or answer["organization"]["code"] == "EmptyAnswer"


@pytest.mark.parametrize("accounts", ["111122223333", ["111122223333"] * 6, ["shop"]])
def test_what_the_doctor_does_not_ask_is_refused(aws_environment: object, accounts: object) -> None:
    with pytest.raises(UsageError):
        tracker.handler({"task": "doctor", "accounts": accounts}, None)


def test_broom_says_whether_it_can_read_a_log_file(
    aws_environment: object, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.sessions.home("s3").put_object(Bucket=deployed.bucket, Key="AWSLogs/x.json.gz", Body=b"")
    for key, reason in (("AWSLogs/x.json.gz", None), ("AWSLogs/y.json.gz", "NOT_FOUND")):
        answer = broom.handler({"task": "doctor", "log_file": {"bucket": deployed.bucket, "key": key}}, None)
        assert (answer["log_file"] and answer["log_file"]["reason"]) == reason

"""Principals that are known by their ARN alone."""

from __future__ import annotations

import pytest

from landkeeper.broom.cloudtrail.principals.arns import identity_of_arn
from landkeeper.broom.cloudtrail.principals.identity import describe_principal
from landkeeper.org import Principal, UsageError

IAM, STS, ACCOUNT = "arn:aws:iam::111122223333:", "arn:aws:sts::111122223333:", "111122223333"
SERVICE_ROLE = f"{IAM}role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling_web"


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        (f"{IAM}user/jane", Principal("IAMUser", "jane", f"{IAM}user/jane", ACCOUNT)),
        (f"{IAM}user/dev/jane", Principal("IAMUser", "jane", f"{IAM}user/dev/jane", ACCOUNT)),
        (f"{IAM}root", Principal("Root", "root", f"{IAM}root", ACCOUNT)),
        (f"{STS}federated-user/bob", Principal("FederatedUser", "bob", f"{STS}federated-user/bob", ACCOUNT)),
        (f"{STS}assumed-role/Dev/jane",
         Principal("AssumedRole", "Dev/jane", f"{STS}assumed-role/Dev/jane", ACCOUNT, "", f"{IAM}role/Dev")),
        (f"{IAM}role/x/y/Dev",
         Principal("AssumedRole", "Dev/session", f"{STS}assumed-role/Dev/session", ACCOUNT, "", f"{IAM}role/x/y/Dev")),
        (SERVICE_ROLE,
         Principal("AssumedRole", "Auto Scaling for AWSServiceRoleForAutoScaling_web/session",
                   f"{STS}assumed-role/AWSServiceRoleForAutoScaling_web/session", ACCOUNT,
                   "autoscaling.amazonaws.com", SERVICE_ROLE)),
        ("arn:aws-us-gov:sts::111122223333:assumed-role/Dev/jane",
         Principal("AssumedRole", "Dev/jane", "arn:aws-us-gov:sts::111122223333:assumed-role/Dev/jane", ACCOUNT, "",
                   "arn:aws-us-gov:iam::111122223333:role/Dev")),
    ],
)  # fmt: skip
def test_an_arn_is_a_principal(arn: str, principal: Principal) -> None:
    assert describe_principal(identity_of_arn(arn)) == principal


@pytest.mark.parametrize(
    "arn",
    [
        "", "jane", f"{IAM}user", f"{IAM}user/", f"{IAM}root/x", f"{IAM}group/x", f"{STS}user/jane", f"{IAM}role",
        f"{IAM}assumed-role/Dev/jane", f"{STS}assumed-role/Dev", f"{STS}assumed-role/x/Dev/jane", f"{IAM}user/a b",
        "arn:aws:iam::1:user/jane", f"{IAM}user/jane\n",
    ],
)  # fmt: skip
def test_what_is_no_arn_of_a_principal_is_named(arn: str) -> None:
    with pytest.raises(UsageError):
        identity_of_arn(arn)

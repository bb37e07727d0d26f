"""The policies that come with Landkeeper: whom they exempt."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from tests.broom_world import ACCOUNT, LAUNCHED_AT, REGION

from landkeeper.broom.policy.file import parse_policy
from landkeeper.broom.policy.starter import starter_policy
from landkeeper.broom.policy.verdict import Exempt, Subject, Violation, evaluate
from landkeeper.org import Principal

TEXTS = {
    "example": (Path(__file__).parents[3] / "examples" / "broom.yaml").read_text(encoding="utf-8"),
    "demo": files("landkeeper.demo").joinpath("broom.yaml").read_text(encoding="utf-8"),
    "starter": starter_policy("Code"),
}


@pytest.mark.parametrize("suffix", ["", "_web"])
@pytest.mark.parametrize("name", TEXTS)
def test_auto_scaling_is_exempt_under_every_role_that_aws_created_for_it(name: str, suffix: str) -> None:
    role = f"AWSServiceRoleForAutoScaling{suffix}"
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/AutoScaling"
    own, other = "aws-service-role/autoscaling.amazonaws.com/", ""
    for path, expected in ((own, Exempt), (other, Violation)):
        principal = Principal("AssumedRole", role, arn, ACCOUNT, "", f"arn:aws:iam::{ACCOUNT}:role/{path}{role}")
        subject = Subject(ACCOUNT, REGION, "t3.micro", principal)
        assert isinstance(evaluate(parse_policy(TEXTS[name], name), subject, {}, LAUNCHED_AT), expected)

"""What is left to do once the stack stands."""

from __future__ import annotations

import pytest

from landkeeper.operate.environment import Environment, OrganizationSeen
from landkeeper.operate.next_steps import next_steps

HOME = "111122223333"
OUTPUTS = {
    "TrackerRoleArn": f"arn:aws:iam::{HOME}:role/landkeeper-tracker",
    "BroomRoleArn": f"arn:aws:iam::{HOME}:role/landkeeper-broom",
    "LogFilesTopicArn": f"arn:aws:sns:eu-west-1:{HOME}:landkeeper-log-files",
}
MANAGEMENT = Environment(HOME, "eu-west-1", organization=OrganizationSeen("o-example", HOME))
DELEGATE = Environment(HOME, "eu-west-1", organization=OrganizationSeen("o-example", "444455556666"))
NETWORK = f"arn:aws:iam::{HOME}:role/network"
STACK_SETS = {"OrganizationId": "o-example", "MemberUnits": "r-ab12"}
ARCHIVE = {"TrailBucketName": "logs", "TrailBucketAccount": "777788889999"}


def _steps(parameters: dict[str, str], environment: Environment = MANAGEMENT) -> list[str]:
    return next_steps("landkeeper", parameters, OUTPUTS, environment)


def test_the_doctor_comes_last_and_knows_the_stacks_name() -> None:
    assert _steps({})[-1].endswith(": landkeeper doctor")
    assert next_steps("keeper", {}, OUTPUTS, MANAGEMENT)[-1].endswith("landkeeper doctor --stack-name keeper")


@pytest.mark.parametrize(
    ("parameters", "environment", "words"),
    [
        ({"ReportEmail": "you@example.com"}, MANAGEMENT, ["confirm the subscription", "you@example.com"]),
        ({}, MANAGEMENT, ["member-roles.yaml", "--stack-name landkeeper-member-roles", OUTPUTS["TrackerRoleArn"]]),
        ({"ExternalId": "secret"}, MANAGEMENT, ["ExternalId=secret"]),
        ({"NetworkPrincipalArn": NETWORK}, MANAGEMENT, [f"NetworkPrincipalArn={NETWORK}"]),
        (STACK_SETS, MANAGEMENT, ["each of its other regions", f"ToolingAccountId={HOME}", "member-events.yaml"]),
        (STACK_SETS, DELEGATE, ["management account 444455556666", "member-roles.yaml"]),
        (STACK_SETS, DELEGATE, ["run there too, in every region", "member-events.yaml"]),
        ({"OrganizationId": "o-example"}, MANAGEMENT, ["deploy event forwarding", "member-events.yaml"]),
        ({"OrganizationId": "o-example", "LaunchEvents": "DISABLED"}, MANAGEMENT, ["LaunchEvents=DISABLED"]),
        (
            {"ReadRoleName": "ours", "TerminateRoleName": "ours"},
            MANAGEMENT,
            ["let the role ours", OUTPUTS["BroomRoleArn"]],
        ),
        (ARCHIVE, MANAGEMENT, ["in the account 777788889999", OUTPUTS["LogFilesTopicArn"]]),
        (
            {**ARCHIVE, "TrailBucketEvents": "true", "TrailPrefix": "o-example/"},
            MANAGEMENT,
            ["log-archive.yaml", "TrailPrefix=o-example/", "TrailBucketName=logs"],
        ),
        ({**ARCHIVE, "TrailBucketEvents": "true"}, MANAGEMENT, ["--parameter LogReaderRoleArn="]),
    ],
)
def test_a_step_says_what_to_do(parameters: dict[str, str], environment: Environment, words: list[str]) -> None:
    assert any(all(word in step for word in words) for step in _steps(parameters, environment))


def test_what_is_done_already_is_not_asked_for() -> None:
    assert not [step for step in _steps(STACK_SETS) if "member-roles.yaml" in step]
    assert not [step for step in _steps({**STACK_SETS, "EventForwarding": "false"}) if "member-events" in step]
    settled = {**ARCHIVE, "TrailBucketEvents": "true", "LogReaderRoleArn": "arn:aws:iam::777788889999:role/logs"}
    assert not [step for step in _steps(settled) if "--parameter LogReaderRoleArn" in step]
    own = {"TrailBucketName": "logs", "TrailBucketEvents": "true"}
    assert not [step for step in _steps(own) if "log-archive.yaml" in step]
    assert len(_steps({**ARCHIVE, "TrailTopicArn": "arn:aws:sns:eu-west-1:777788889999:logs"})) == 2


def test_while_actions_are_off_the_last_steps_are_to_try_the_policy_and_to_turn_them_on() -> None:
    outputs = {**OUTPUTS, "TrailBucket": "logs", "LedgerTable": "Cases"}
    steps = next_steps("landkeeper", {"TrailPrefix": "o-1/"}, outputs, MANAGEMENT, waits_for_consent=True)
    assert "landkeeper broom backtest s3://logs/o-1/AWSLogs/ --policy FILE" in steps[-2]
    assert steps[-1].endswith("AWS_REGION=eu-west-1 landkeeper broom actions on --ledger Cases")
    assert not any("actions" in step for step in _steps({}))

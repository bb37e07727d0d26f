"""A deployment beside what others have: their trail's bucket, their key, what a failed deployment left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.deployment import STACK, Deployment, first_words, give_roles, launch_and_lose, make_deployment
from tests.servers import EMBEDDED_REGIONS
from tests.waiting import wait_until

from landkeeper.cli import run
from landkeeper.embedded.simulators import Simulators

pytestmark = pytest.mark.embedded

BUCKET = "our-own-logs"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Simulators of their own, with an organization and nothing deployed."""
    with Simulators(regions=EMBEDDED_REGIONS) as embedded, pytest.MonkeyPatch.context() as patch:
        for name, value in embedded.environment().items():
            patch.setenv(name, value)
        yield make_deployment(embedded, tmp_path_factory.mktemp("policy") / "broom.yaml")


def _make_bucket(deployment: Deployment) -> dict[str, Any]:
    """A trail's bucket that tells a queue of inventories; its notifications."""
    s3, sqs = deployment.session.client("s3"), deployment.session.client("sqs")
    s3.create_bucket(Bucket=BUCKET)
    url = sqs.create_queue(QueueName="inventories")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rules: Any = [{"Name": "prefix", "Value": "inventory/"}]
    others: Any = {"QueueArn": queue, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": rules}}}
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [others]})
    return _told(deployment)


def _told(deployment: Deployment) -> dict[str, Any]:
    told: dict[str, Any] = dict(deployment.session.client("s3").get_bucket_notification_configuration(Bucket=BUCKET))
    told.pop("ResponseMetadata")
    return {kind: held for kind, held in told.items() if held}


def test_an_existing_bucket_and_key_serve_and_are_left_as_they_were(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _make_bucket(deployment)
    kms = deployment.session.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    words = first_words(deployment)
    words += ["--parameter", f"TrailBucketName={BUCKET}", "--parameter", f"KeyArn={key}", "--parameter", "Actions=on"]
    refused = ["deploy", "--stack-name", STACK, "--yes", "--as-installed", *words]
    assert run(refused) == 2
    line = capsys.readouterr().err
    statement = json.loads(line[line.index("{") : line.rindex("}") + 1])
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    policy["Statement"].append(statement)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    outputs = deployment.deploy(*words)
    assert outputs["TrailBucket"] == BUCKET
    queue = deployment.session.client("sqs").get_queue_attributes(
        QueueUrl=outputs["BroomQueueUrl"], AttributeNames=["KmsMasterKeyId"]
    )
    assert queue["Attributes"]["KmsMasterKeyId"] == key
    assert _told(deployment)["QueueConfigurations"] == before["QueueConfigurations"]
    give_roles(deployment, outputs)
    deployment.embedded.start_trail(BUCKET, f"AWSLogs/{deployment.organization}")
    launch_and_lose(deployment, outputs)
    deployment.destroy("--delete-data", outputs["LedgerTable"])
    assert _told(deployment) == before


def test_what_a_failed_first_deployment_left_is_cleared_away_by_the_next(deployment: Deployment) -> None:
    cloudformation = deployment.session.client("cloudformation")
    failing = {
        "Resources": {
            "Nobody": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
            "Odd": {
                "Type": "AWS::CloudFormation::WaitCondition",
                "Properties": {"Handle": {"Ref": "Nobody"}, "Timeout": "1"},
            },
        }
    }
    cloudformation.create_stack(StackName="again", TemplateBody=json.dumps(failing))

    def status() -> str:
        (stack,) = cloudformation.describe_stacks(StackName="again")["Stacks"]
        return stack["StackStatus"]

    wait_until(lambda: status() == "ROLLBACK_COMPLETE")
    words = ["deploy", "--stack-name", "again", "--as-installed", "--yes", *first_words(deployment)]
    words += ["--parameter", "VpcTable=AgainVpcs", "--parameter", "LedgerTable=AgainLedger"]
    assert run(words) == 0
    assert status() == "CREATE_COMPLETE"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["destroy", "--stack-name", "never-was", "--yes"], "there is no stack never-was"),
        (
            ["destroy", "--stack-name", "again", "--yes", "--delete-data", "AgainVcps"],
            "no such data; it has AgainLedger, AgainVpcs",
        ),
        (["destroy"], "pass --yes to delete"),
        (["deploy", "--as-installed", "--yes", "--stack-name", "new"], "pass --policy FILE"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(
    deployment: Deployment, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = deployment.tables()
    assert run(words) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert deployment.tables() == before


def test_a_caller_who_may_make_no_roles_is_told_before_anything_is_changed(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With IAM and STS of MiniStack, which evaluates policies."""
    for service in ("IAM", "STS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", deployment.embedded.ministack_url)
    iam = deployment.session.client("iam")
    statement = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    iam.create_user(UserName="developer")
    iam.put_user_policy(
        UserName="developer",
        PolicyName="power",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    key = iam.create_access_key(UserName="developer")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    assert run(["deploy", "--as-installed", "--yes", "--stack-name", "power", *first_words(deployment)]) == 2
    err = capsys.readouterr().err
    assert "lack iam:CreateRole, iam:PassRole, iam:PutRolePolicy" in err
    names = {stack["StackName"] for stack in deployment.session.client("cloudformation").describe_stacks()["Stacks"]}
    assert "power" not in names


def test_a_region_that_is_none_is_named(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-9")
    assert run(["deploy", "--as-installed", "--yes", *first_words(deployment)]) == 2
    assert "there is no region 'eu-west-9'" in capsys.readouterr().err

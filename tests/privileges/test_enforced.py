"""A deployment at work with the simulator's policies enforced: the roles of the real templates, and nothing else.

MiniStack holds the functions to the policies of their roles, moto the assumed member roles to theirs, by the action.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.deployment import Deployment, first_words, go_through, make_deployment
from tests.servers import EMBEDDED_REGIONS, HOME_REGION

from landkeeper.embedded.simulators import HOME_ACCOUNT, Simulators
from landkeeper.operate import templates
from landkeeper.operate.templates import STACK

pytestmark = pytest.mark.embedded


@dataclass(slots=True)
class Enforced(Deployment):
    """A deployment that is fitted, after each time, to how MiniStack differs from AWS (docs/embedded.md)."""

    def deploy(self, *words: str) -> Mapping[str, str]:
        outputs = Deployment.deploy(self, *words)
        _allow_batches(self)
        _allow_plain_http(self, outputs["TrailBucket"])
        _allow_plain_http(self, outputs["ReportBucket"])
        return outputs


def _allow_batches(deployment: Deployment) -> None:
    """MiniStack has a permission of its own for each batch call; on AWS the single call's covers it (Amazon SQS guide).

    So whatever may send a message may send several, and what may not still may not.
    """
    iam = boto3.client(
        "iam",
        endpoint_url=deployment.embedded.ministack_url,
        region_name=HOME_REGION,
        aws_access_key_id=HOME_ACCOUNT,
        aws_secret_access_key="embedded",
    )
    for role in (each["RoleName"] for each in iam.list_roles()["Roles"]):
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = _document(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
            for statement in document["Statement"]:
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                if "sqs:SendMessage" in actions:
                    statement["Action"] = [*actions, "sqs:SendMessageBatch"]
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def _allow_plain_http(deployment: Deployment, bucket: str) -> None:
    """The bucket's policy refuses what is not encrypted on its way, and the simulator is on plain HTTP."""
    s3 = deployment.session.client("s3")
    try:
        document = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    except s3.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchBucketPolicy"  # noqa: PT017 - taken away the last time
        return
    kept = [statement for statement in document["Statement"] if statement["Sid"] != "EncryptedOnly"]
    if kept:
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({**document, "Statement": kept}))
    else:
        s3.delete_bucket_policy(Bucket=bucket)


def _document(value: Any) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(value) if isinstance(value, str) else value
    return parsed


@pytest.fixture
def deployment(no_aws: None, tmp_path: Path) -> Iterator[Enforced]:
    """Simulators of their own that enforce policies."""
    with Simulators(enforce_policies=True, regions=EMBEDDED_REGIONS) as embedded, pytest.MonkeyPatch.context() as patch:
        for name, value in embedded.environment().items():
            patch.setenv(name, value)
        made = make_deployment(embedded, tmp_path / "broom.yaml")
        yield Enforced(made.embedded, made.session, made.organization, made.member, made.policy)


_PLANTED = (
    ("Action: sqs:SendMessage\n                Resource: !GetAtt WorkQueue.Arn", "sqs:SendMessage", "sqs:GetQueueUrl"),
    ("Action: [dynamodb:GetItem, dynamodb:PutItem, dynamodb:Query, dynamodb:UpdateItem]", "dynamodb:Query, ", ""),
)
"""A statement of the dispatcher's role and one of Broom's; the permission in it; what stands there instead."""


def _take_permissions_away(patch: pytest.MonkeyPatch) -> None:
    text = templates.template(STACK)
    for statement, permission, instead in _PLANTED:
        assert text.count(statement) == 1
        text = text.replace(statement, statement.replace(permission, instead))
    real = templates.template
    patch.setattr(templates, "template", lambda name: text if name == STACK else real(name))


def _answer(deployment: Deployment, function: str, event: object) -> str:
    """What the function answers, and the end of its log."""
    client = deployment.session.client("lambda")
    answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode(), LogType="Tail")
    return answer["Payload"].read().decode() + base64.b64decode(answer.get("LogResult", "")).decode()


def test_a_permission_that_a_template_lacks_is_missed(deployment: Enforced) -> None:
    with pytest.MonkeyPatch.context() as patch:
        _take_permissions_away(patch)
        outputs = deployment.deploy(*first_words(deployment))
    refused = _answer(deployment, outputs["DispatcherFunction"], {})
    assert "AccessDenied" in refused
    assert "sqs:SendMessage" in refused
    assert "dynamodb:Query" in _answer(deployment, outputs["BroomFunction"], {"task": "audit"})

    assert deployment.deploy() == outputs, "an update, with the permissions that were missing"
    assert "errorMessage" not in _answer(deployment, outputs["DispatcherFunction"], {})
    assert "errorMessage" not in _answer(deployment, outputs["BroomFunction"], {"task": "audit"})
    assert '"report": {"bytes": ' in _answer(deployment, outputs["NoticesFunction"], {"task": "notices"})


def test_a_deployments_whole_life_on_its_own_permissions(deployment: Enforced) -> None:
    before = deployment.tables()
    go_through(deployment)
    assert deployment.tables() == before

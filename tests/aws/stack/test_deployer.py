"""Change sets against a real CloudFormation: the embedded one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from landkeeper.aws.stack.artifacts import ArtifactBucket, bucket_policy
from landkeeper.aws.stack.deployer import StackDeployer
from landkeeper.embedded.simulators import HOME_ACCOUNT, Embedded, embedded_session
from landkeeper.operate.stacks import ChangeSet, StackError, StackEvent
from landkeeper.org import AccountId, Region

pytestmark = pytest.mark.embedded

BUCKET = "templates-of-stacks"
QUEUE = """
Resources: {Q: {Type: "AWS::SQS::Queue", Properties: {DelaySeconds: %s}}}
Outputs: {Url: {Value: !Ref Q}}
"""

FAILS = """
Resources:
  Q: {Type: "AWS::SQS::Queue", Properties: {DelaySeconds: %s}}
  Nobody: {Type: "AWS::CloudFormation::WaitConditionHandle"}
  Odd: {Type: "AWS::CloudFormation::WaitCondition", DependsOn: Q, Properties: {Handle: !Ref Nobody, Timeout: "1"}}
"""


@dataclass
class Desk:
    """Stacks, and a bucket for their templates."""

    deployer: StackDeployer
    s3: Any

    def plan(self, name: str, template: str, parameters: Mapping[str, str] | None = None) -> ChangeSet:
        self.s3.put_object(Bucket=BUCKET, Key=name, Body=template.encode())
        url = f"{self.s3.meta.endpoint_url}/{BUCKET}/{name}"
        return self.deployer.plan(name, url, parameters or {}, state=self.deployer.find(name))

    def execute(self, change_set: ChangeSet) -> tuple[dict[str, str], list[StackEvent]]:
        events: list[StackEvent] = []
        return self.deployer.execute(change_set, events.append), events


@pytest.fixture
def desk(aws_environment: Embedded) -> Desk:
    session = embedded_session(aws_environment)
    s3 = session.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    return Desk(StackDeployer(session.client("cloudformation"), session.client("lambda"), poll_seconds=0.1), s3)


def test_a_stack_is_made_changed_and_left_alone(desk: Desk) -> None:
    first = desk.plan("changes", QUEUE % 1)
    assert [(change.action, change.resource) for change in first.changes] == [("Add", "Q")]
    outputs, events = desk.execute(first)
    assert outputs["Url"].startswith("http")
    assert ("Q", "CREATE_COMPLETE") in {(event.resource, event.status) for event in events}
    second = desk.plan("changes", QUEUE % 2)
    assert [(change.action, change.resource) for change in second.changes] == [("Modify", "Q")]
    assert "DelaySeconds" in {each.path for each in second.changes[0].properties}
    assert not second.changes[0].is_consequence
    _, events = desk.execute(second)
    assert "CREATE_COMPLETE" not in {event.status for event in events}
    assert desk.deployer.outputs("changes") == outputs
    assert desk.plan("changes", QUEUE % 2).changes == ()
    assert [(each.logical_id, each.resource_type) for each in desk.deployer.resources("changes")] == [
        ("Q", "AWS::SQS::Queue")
    ]


def test_what_only_refers_to_what_changes_is_told_apart(desk: Desk) -> None:
    policy = """
  P:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Q]
      PolicyDocument: {Statement: [{Effect: Allow, Principal: "*", Action: "sqs:SendMessage", Resource: !GetAtt Q.Arn}]}
"""
    template = 'Resources:\n  Q: {Type: "AWS::SQS::Queue", Properties: {DelaySeconds: %s}}' + policy
    desk.execute(desk.plan("refers", template % 1))
    changes = {change.resource: change for change in desk.plan("refers", template % 2).changes}
    assert {name: change.is_consequence for name, change in changes.items()} == {"Q": False, "P": True}


def test_what_is_not_said_again_stays_and_what_the_template_has_no_more_is_left_out(desk: Desk) -> None:
    template = 'Parameters: {Delay: {Type: String, Default: "1"}, Old: {Type: String, Default: ""}}' + QUEUE
    desk.execute(desk.plan("stays", template % "!Ref Delay", {"Delay": "7", "Old": "x"}))
    state = desk.deployer.find("stays")
    assert state is not None
    assert (state.status, dict(state.parameters)) == ("CREATE_COMPLETE", {"Delay": "7", "Old": "x"})
    assert desk.plan("stays", template % "!Ref Delay").changes == ()
    newer = 'Parameters: {Delay: {Type: String, Default: "1"}, New: {Type: String, Default: ""}}' + QUEUE
    desk.execute(desk.plan("stays", newer % "!Ref Delay, MessageRetentionPeriod: 120"))
    after = desk.deployer.find("stays")
    assert after is not None
    assert dict(after.parameters) == {"Delay": "7", "New": ""}


def test_a_stack_is_deleted_and_then_is_no_more(desk: Desk) -> None:
    desk.execute(desk.plan("goes", QUEUE % 1))
    events: list[StackEvent] = []
    desk.deployer.delete("goes", events.append)
    assert ("Q", "DELETE_COMPLETE") in {(event.resource, event.status) for event in events}
    assert desk.deployer.find("goes") is None


def test_what_a_deleted_stack_has_kept_is_adopted_by_the_next_one(desk: Desk) -> None:
    table = """
Resources:
  T:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties:
      TableName: adopted
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: Id, AttributeType: S}]
      KeySchema: [{AttributeName: Id, KeyType: HASH}]
"""
    desk.execute(desk.plan("keeps", table))
    desk.deployer.delete("keeps", lambda _: None)
    again = desk.plan("keeps", table)
    assert [(change.action, change.resource) for change in again.changes] == [("Import", "T")]
    desk.execute(again)


def test_a_change_set_that_is_dropped_leaves_no_empty_stack(desk: Desk, aws_environment: Embedded) -> None:
    desk.deployer.discard(desk.plan("dropped", QUEUE % 1))
    listed = embedded_session(aws_environment).client("cloudformation").describe_stacks()["Stacks"]
    assert "dropped" not in {stack["StackName"] for stack in listed if stack["StackStatus"] != "DELETE_COMPLETE"}


def test_a_stack_that_waits_for_its_first_change_set_is_taken_over(desk: Desk) -> None:
    desk.plan("waits", QUEUE % 1)
    assert desk.deployer.find("waits") is None
    outputs, _ = desk.execute(desk.plan("waits", QUEUE % 1))
    assert outputs["Url"].startswith("http")


def test_a_template_that_is_none_is_refused_with_the_reason(desk: Desk) -> None:
    with pytest.raises(StackError, match="stack refused"):
        desk.plan("refused", "Resources: {Q: {Type")


def test_a_stack_that_fails_says_which_resource_and_why_and_its_remains_are_deleted(desk: Desk) -> None:
    with pytest.raises(StackError, match="stack fails is ROLLBACK_COMPLETE: Odd: "):
        desk.execute(desk.plan("fails", FAILS % 5))
    state = desk.deployer.find("fails")
    assert state is not None
    assert state.status == "ROLLBACK_COMPLETE"
    desk.deployer.delete("fails", lambda _: None)
    desk.execute(desk.plan("fails", QUEUE % 1))


def test_what_is_found_wrong_before_anything_is_made_is_told(desk: Desk) -> None:
    bucket = 'Resources: {B: {Type: "AWS::S3::Bucket", Properties: {BucketName: !Sub "%s"}}}'
    with pytest.raises(StackError, match=f"stack taken is ROLLBACK_COMPLETE: B: .*{BUCKET}"):
        desk.execute(desk.plan("taken", bucket % BUCKET))


def test_an_update_that_fails_is_rolled_back_and_says_why(desk: Desk) -> None:
    desk.execute(desk.plan("falls-back", QUEUE % 1))
    with pytest.raises(StackError, match="stack falls-back is UPDATE_ROLLBACK_COMPLETE: Odd: "):
        desk.execute(desk.plan("falls-back", FAILS % 3))
    assert [each.logical_id for each in desk.deployer.resources("falls-back")] == ["Q"]


def test_the_template_of_a_change_set_is_the_one_that_was_written(desk: Desk) -> None:
    change_set = desk.plan("reads", QUEUE % 1)
    assert desk.deployer.read_template(change_set) == QUEUE % 1
    desk.deployer.discard(change_set)
    change_set = desk.plan("reads", '{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}')
    assert json.loads(desk.deployer.read_template(change_set)) == {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}
    desk.deployer.discard(change_set)


def _bucket(s3: Any, region: str, deployer: str = f"arn:aws:iam::{HOME_ACCOUNT}:user/jane") -> ArtifactBucket:
    return ArtifactBucket(s3, AccountId(HOME_ACCOUNT), Region(region), deployer)


def test_artifacts_are_put_once_into_a_private_bucket(aws_environment: Embedded) -> None:
    s3 = embedded_session(aws_environment).client("s3")
    shelf = _bucket(s3, "eu-west-1")
    shelf.put("a/b", b"one")
    before = s3.head_object(Bucket=shelf.bucket, Key="a/b")["LastModified"]
    shelf.put("a/b", b"one")
    assert s3.head_object(Bucket=shelf.bucket, Key="a/b")["LastModified"] == before
    block = s3.get_public_access_block(Bucket=shelf.bucket)["PublicAccessBlockConfiguration"]
    assert all(block.values())


def test_what_lies_under_a_name_with_other_content_is_replaced(aws_environment: Embedded) -> None:
    """A zip that somebody planted under the digest's name is not kept, with whatever checksum."""
    s3 = embedded_session(aws_environment).client("s3")
    shelf = _bucket(s3, "eu-west-2")
    shelf.put("first", b"")
    planted: tuple[dict[str, Any], ...] = ({}, {"ChecksumAlgorithm": "SHA256"}, {"ChecksumAlgorithm": "CRC32"})
    for how in planted:
        s3.put_object(Bucket=shelf.bucket, Key="code", Body=b"planted", **how)
        assert not shelf.holds("code", b"ours")
        shelf.put("code", b"ours")
        assert shelf.holds("code", b"ours")
        assert s3.get_object(Bucket=shelf.bucket, Key="code")["Body"].read() == b"ours"
    assert not shelf.holds("nothing", b"ours")


def test_the_buckets_policy_lets_the_deployer_write_alone(aws_environment: Embedded) -> None:
    s3 = embedded_session(aws_environment).client("s3")
    for deployer in ("arn:aws:iam::123456789012:user/jane", "arn:aws:iam::123456789012:user/joe"):
        shelf = _bucket(s3, "eu-west-3", deployer)
        shelf.put("a", b"one")
        assert json.loads(s3.get_bucket_policy(Bucket=shelf.bucket)["Policy"]) == bucket_policy(
            shelf.bucket, deployer, encrypted=False
        )
    assert shelf.empty("") == 1


def test_a_roles_session_writes_by_the_role_whatever_its_path() -> None:
    policy = bucket_policy("b", "arn:aws-cn:sts::111122223333:assumed-role/Deployer/jane", encrypted=True)
    writing, encrypted = policy["Statement"]
    assert (writing["Effect"], writing["Principal"], writing["Resource"]) == ("Deny", "*", "arn:aws-cn:s3:::b/*")
    assert {"s3:PutObject", "s3:DeleteObject"} <= set(writing["Action"])
    assert writing["Condition"]["ArnNotLike"]["aws:PrincipalArn"] == [
        "arn:aws-cn:iam::111122223333:role/Deployer", "arn:aws-cn:iam::111122223333:role/*/Deployer",
    ]  # fmt: skip
    assert encrypted["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}

"""Change sets against a real CloudFormation: the embedded one."""

from __future__ import annotations

import pytest

from landkeeper.aws.artifacts import ArtifactBucket
from landkeeper.aws.stack import StackDeployer
from landkeeper.embedded.simulators import HOME_ACCOUNT, Embedded, embedded_session
from landkeeper.operate.stacks import ChangeSet, StackError, StackEvent
from landkeeper.org import AccountId, Region

pytestmark = pytest.mark.embedded

QUEUE = """
Resources: {Q: {Type: "AWS::SQS::Queue", Properties: {DelaySeconds: %s}}}
Outputs: {Url: {Value: !Ref Q}}
"""


@pytest.fixture
def stacks(aws_environment: Embedded) -> StackDeployer:
    return StackDeployer(embedded_session(aws_environment).client("cloudformation"), poll_seconds=0.1)


def _execute(stacks: StackDeployer, change_set: ChangeSet) -> tuple[dict[str, str], list[StackEvent]]:
    events: list[StackEvent] = []
    return stacks.execute(change_set, events.append), events


def test_a_stack_is_made_changed_and_left_alone(stacks: StackDeployer) -> None:
    first = stacks.plan("changes", QUEUE % 1, {})
    assert [(change.action, change.resource) for change in first.changes] == [("Add", "Q")]
    outputs, events = _execute(stacks, first)
    assert outputs["Url"].startswith("http")
    assert ("Q", "CREATE_COMPLETE") in {(event.resource, event.status) for event in events}
    second = stacks.plan("changes", QUEUE % 2, {})
    assert [(change.action, change.resource) for change in second.changes] == [("Modify", "Q")]
    _, events = _execute(stacks, second)
    assert "CREATE_COMPLETE" not in {event.status for event in events}
    assert stacks.outputs("changes") == outputs


def test_a_template_that_is_none_is_refused_with_the_reason(stacks: StackDeployer) -> None:
    with pytest.raises(StackError, match="stack refused"):
        stacks.plan("refused", "Resources: {Q: {Type", {})


def test_a_stack_that_fails_says_which_resource_and_why(stacks: StackDeployer) -> None:
    with pytest.raises(StackError) as failed:
        _execute(stacks, stacks.plan("fails", '{"Resources": {"Odd": {"Type": "AWS::CloudTrail::Trail"}}}', {}))
    assert "Odd" in str(failed.value) or "AWS::CloudTrail::Trail" in str(failed.value)


def test_artifacts_are_put_once_into_a_private_bucket(aws_environment: Embedded) -> None:
    s3 = embedded_session(aws_environment).client("s3")
    shelf = ArtifactBucket(s3, AccountId(HOME_ACCOUNT), Region("eu-west-1"))
    shelf.put("a/b", b"one")
    shelf.put("a/b", b"two")
    assert s3.get_object(Bucket=shelf.bucket, Key="a/b")["Body"].read() == b"one"
    block = s3.get_public_access_block(Bucket=shelf.bucket)["PublicAccessBlockConfiguration"]
    assert all(block.values())

"""What stands in the way of a deployment, and what it settles by itself."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from landkeeper.operate.environment import BucketSeen, BucketUnseen, Environment, Notification, OrganizationSeen
from landkeeper.operate.preflight import complete_parameters, find_obstacles, missing_key_grants, shadows, table_names
from landkeeper.operate.stacks import StackState

HOME = "111122223333"
HERE = Environment(HOME, "eu-west-1", enabled_regions=("eu-west-1", "us-east-1"))
BOSS = OrganizationSeen("o-example", HOME, "r-ab12", administers_trails=True, administers_stack_sets=True)
OTHERS_QUEUE = Notification("arn:aws:sqs:eu-west-1:111122223333:theirs", ("s3:ObjectCreated:*",))
OTHERS_TOPIC = Notification("arn:aws:sns:eu-west-1:111122223333:theirs", ("s3:ObjectCreated:Put",), "AWSLogs/")
OWN_TOPIC = Notification("arn:aws:sns:eu-west-1:111122223333:keeper-log-files", ("s3:ObjectCreated:*",), "AWSLogs/")


def _obstacles(environment: Environment, **parameters: str) -> list[str]:
    return [str(each) for each in find_obstacles(parameters, environment)]


def test_nothing_stands_in_the_way_of_a_plain_deployment() -> None:
    assert _obstacles(HERE) == []


@pytest.mark.parametrize(
    ("environment", "parameters", "words"),
    [
        (replace(HERE, missing_services=("scheduler",)), {}, ("no scheduler", "AWS_REGION")),
        (replace(HERE, denied_actions=("iam:CreateRole",)), {}, ("iam:CreateRole", "--template-only")),
        (replace(HERE, stack=StackState("UPDATE_IN_PROGRESS")), {}, ("UPDATE_IN_PROGRESS", "when it has finished")),
        (replace(HERE, stack=StackState("DELETE_FAILED")), {}, ("DELETE_FAILED", "landkeeper destroy")),
        (replace(HERE, stack=StackState("UPDATE_ROLLBACK_FAILED")), {}, ("continue-update-rollback",)),
        (HERE, {"TrailTopicArn": "arn:aws:sns:us-east-1:111122223333:logs"}, ("not in eu-west-1",)),
        (
            replace(HERE, bucket=BucketUnseen("logs", "not found")),
            {},
            ("logs cannot be read", "TrailBucketAccount"),
        ),
        (replace(HERE, bucket=BucketSeen("logs", "us-east-1")), {}, ("logs is in us-east-1", "deploy there")),
        (
            replace(HERE, bucket=BucketSeen("logs", "eu-west-1", (OTHERS_TOPIC,))),
            {},
            ("notifies arn:aws:sns:eu-west-1:111122223333:theirs", f"TrailTopicArn={OTHERS_TOPIC.target_arn}"),
        ),
        (
            replace(HERE, tables={"VPCTracker": ("VpcId",)}),
            {},
            ("table VPCTracker has the key VpcId,", "VpcId and OwnerId", "VpcTable="),
        ),
        (replace(HERE, tables={"Cases": ("Id",)}), {"LedgerTable": "Cases"}, ("table Cases", "LedgerTable=")),
    ],
)
def test_each_obstacle_is_one_line_with_its_way_out(
    environment: Environment, parameters: dict[str, str], words: tuple[str, ...]
) -> None:
    (line,) = _obstacles(environment, **parameters)
    assert all(word in line for word in words), line
    assert "\n" not in line


def test_a_bucket_that_tells_somebody_else_is_heard_through_event_bridge_or_that_topic() -> None:
    shadowed = replace(HERE, bucket=BucketSeen("logs", "eu-west-1", (OTHERS_QUEUE,)))
    (line,) = _obstacles(shadowed)
    assert "TrailBucketEvents=true" in line
    assert "TrailTopicArn" not in line, "a queue is nothing to listen to"
    assert _obstacles(shadowed, TrailBucketEvents="true") == []
    assert _obstacles(shadowed, TrailTopicArn="arn:aws:sns:eu-west-1:111122223333:other") == []


def test_what_an_earlier_deployment_put_there_is_no_obstacle() -> None:
    assert _obstacles(replace(HERE, bucket=BucketSeen("logs", "eu-west-1", (OWN_TOPIC,)))) == []


@pytest.mark.parametrize(
    ("found", "is_shadow"),
    [
        (Notification("a", ("s3:ObjectCreated:*",)), True),
        (Notification("a", ("s3:ObjectCreated:Put",), "AWSLogs/o-1/"), True),
        (Notification("a", ("s3:ObjectCreated:Put",), "AWS", ".gz"), True),
        (Notification("a", ("s3:ObjectCreated:Put",), "AWSLogs/", ".csv"), False),
        (Notification("a", ("s3:ObjectCreated:*",), "inventory/"), False),
        (Notification("a", ("s3:ObjectRemoved:*",)), False),
    ],
)
def test_notifications_overlap_by_event_prefix_and_suffix(found: Notification, is_shadow: bool) -> None:
    assert (shadows([found], "AWSLogs/", ".json.gz") == [found]) is is_shadow


def test_in_the_management_account_everything_is_settled() -> None:
    settled = complete_parameters({}, replace(HERE, organization=BOSS))
    assert settled == {
        "OrganizationId": "o-example", "MemberUnits": "r-ab12", "StackSetsAs": "SELF",
        "MemberRegions": "eu-west-1,us-east-1",
    }  # fmt: skip


def test_a_delegated_administrators_trail_belongs_to_the_management_account() -> None:
    seen = replace(BOSS, management_account="444455556666")
    settled = complete_parameters({"Regions": "eu-west-1"}, replace(HERE, organization=seen))
    assert (settled["ManagementAccountId"], settled["StackSetsAs"]) == ("444455556666", "DELEGATED_ADMIN")
    assert settled["MemberRegions"] == "eu-west-1"


def test_members_that_have_a_role_get_no_stack_sets() -> None:
    settled = complete_parameters({}, replace(HERE, organization=BOSS), has_role=True)
    assert settled == {"OrganizationId": "o-example"}


def test_what_was_said_and_what_an_earlier_deployment_settled_stays() -> None:
    known = replace(
        HERE, organization=BOSS, stack=StackState("CREATE_COMPLETE", {"MemberUnits": "", "StackSetsAs": ""})
    )
    settled = complete_parameters({"MemberRegions": "us-east-1"}, known)
    assert settled == {"OrganizationId": "o-example", "MemberRegions": "us-east-1"}
    assert complete_parameters({"OrganizationId": "o-other"}, known) == {"OrganizationId": "o-other"}


def test_an_account_that_may_not_make_the_organizations_trail_is_told_three_ways_out() -> None:
    seen = OrganizationSeen("o-example", "444455556666")
    member = replace(HERE, organization=seen)
    settled = complete_parameters({}, member)
    (line,) = _obstacles(member, **settled)
    for way in ("register-organization-delegated-admin", "TrailBucketName=", "OrganizationTrail=false"):
        assert way in line
    assert _obstacles(member, **settled, OrganizationTrail="false") == []
    assert _obstacles(member, **settled, CreateTrail="false") == []
    assert _obstacles(member, **settled, TrailBucketName="logs") == []


@pytest.mark.parametrize(("unreserved", "settled"), [(None, ""), (10, ""), (109, ""), (110, "10"), (1_000, "10")])
def test_calls_for_blocks_are_limited_where_the_account_can_reserve_concurrency(
    unreserved: int | None, settled: str
) -> None:
    """A new account often has a concurrency of ten, and a reservation there would roll the whole stack back."""
    environment = replace(HERE, unreserved_concurrency=unreserved)
    assert complete_parameters({}, environment).get("PoolConcurrency", "") == settled
    assert complete_parameters({"PoolConcurrency": "2"}, environment)["PoolConcurrency"] == "2"


@pytest.mark.parametrize(
    ("unreserved", "held", "wanted", "way_out"),
    [
        (10, "0", "5", "PoolConcurrency=0,"),
        (104, "0", "5", "PoolConcurrency=4,"),
        (105, "0", "5", ""),
        (100, "5", "5", ""),
        (100, "5", "6", "PoolConcurrency=5,"),
        (10, "0", "0", ""),
        (10, "0", "many", ""),
        (None, "0", "5", ""),
    ],
)
def test_a_reservation_that_lambda_would_refuse_is_refused_before(
    unreserved: int | None, held: str, wanted: str, way_out: str
) -> None:
    stack = StackState("CREATE_COMPLETE", {"PoolConcurrency": held})
    found = _obstacles(replace(HERE, stack=stack, unreserved_concurrency=unreserved), PoolConcurrency=wanted)
    assert [way_out in line for line in found] == ([True] if way_out else [])


def _key(*statements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_a_key_that_does_not_let_the_services_in_is_refused_with_the_statement_to_add() -> None:
    account = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{HOME}:root"}, "Action": "kms:*", "Resource": "*"}
    (line,) = _obstacles(replace(HERE, key_policy=_key(account)), KeyArn="arn:key")
    statement = json.loads(line[line.index("{") :])
    assert set(statement["Principal"]["Service"]) == {
        f"{name}.amazonaws.com" for name in ("cloudtrail", "cloudwatch", "events", "logs.eu-west-1", "s3", "sns")
    }
    assert _obstacles(replace(HERE, key_policy=_key(account, statement)), KeyArn="arn:key") == []


def test_what_a_key_lets_a_service_do_is_looked_at_action_by_action() -> None:
    half = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "kms:Decrypt"}
    rest = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["kms:GenerateDataKey*", "kms:De*", "kms:Encrypt", "kms:Re*"],
    }
    denied = {"Effect": "Deny", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "kms:GenerateDataKey*"}
    assert missing_key_grants(_key(half, denied), "eu-west-1")["sns.amazonaws.com"] == ("kms:GenerateDataKey*",)
    assert missing_key_grants(_key(rest), "eu-west-1") == {}


def test_the_tables_are_named_after_their_parameters() -> None:
    assert table_names({"VpcTable": "Ours"}) == ["Ours", "OursHistory", "OursCoverage", "OursPools", "BroomLedger"]


@pytest.mark.parametrize("owner", ["", "777788889999"])
def test_a_delegates_trail_has_to_belong_to_the_management_account(owner: str) -> None:
    delegate = replace(HERE, organization=replace(BOSS, management_account="444455556666"))
    (line,) = _obstacles(delegate, OrganizationId="o-example", ManagementAccountId=owner)
    assert "pass --parameter ManagementAccountId=444455556666" in line
    assert _obstacles(delegate, OrganizationId="o-example", ManagementAccountId="444455556666") == []
    assert _obstacles(delegate, OrganizationId="o-example", OrganizationTrail="false") == []

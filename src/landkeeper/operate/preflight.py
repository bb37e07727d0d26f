"""Before anything is changed: what stands in the way of a deployment, and what it may settle by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from landkeeper.operate.environment import BucketSeen, BucketUnseen, Environment, Notification

SERVICES = (
    "cloudformation", "cloudtrail", "cloudwatch", "dynamodb", "events", "lambda", "logs", "s3", "scheduler", "sns",
    "sqs",
)  # fmt: skip
"""What the stack needs of a region, by botocore's names."""

ACTIONS = (
    "cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet", "cloudwatch:PutMetricAlarm",
    "dynamodb:CreateTable", "events:PutRule", "iam:CreateRole", "iam:PassRole", "iam:PutRolePolicy",
    "lambda:CreateFunction", "logs:CreateLogGroup", "s3:CreateBucket", "s3:PutBucketPolicy",
    "sns:CreateTopic", "sqs:CreateQueue",
)  # fmt: skip
"""What deploying takes at the least; who may do these usually may do the rest."""

CREATED = "s3:ObjectCreated:*"
SUFFIX = ".json.gz"

POOL_CONCURRENCY = 10
"""How many requests for blocks a deployment lets run at once where the account's concurrency allows it."""
LEAST_UNRESERVED = 100
"""How much concurrency Lambda keeps for functions that reserve none (Lambda guide, "Configuring reserved concurrency").

New accounts may have less than that altogether; they can reserve nothing.
"""

TABLE_KEYS = {
    ("VpcTable", ""): ("VpcId", "OwnerId"),
    ("VpcTable", "History"): ("VpcId", "At"),
    ("VpcTable", "Coverage"): ("AccountId",),
    ("VpcTable", "Pools"): ("PoolId", "Item"),
    ("LedgerTable", ""): ("InstanceId",),
}
_WAYS_OUT = {
    "DELETE_FAILED": "run landkeeper destroy; it shows what could not be deleted",
    "ROLLBACK_FAILED": "run landkeeper destroy, then deploy again",
    "CREATE_FAILED": "run landkeeper destroy, then deploy again",
    "UPDATE_ROLLBACK_FAILED": "run aws cloudformation continue-update-rollback --stack-name NAME, then deploy again",
}
_OF_KEYS = {
    "cloudtrail": ("kms:DescribeKey", "kms:GenerateDataKey*"),
    "cloudwatch": ("kms:Decrypt", "kms:GenerateDataKey*"),
    "events": ("kms:Decrypt", "kms:GenerateDataKey*"),
    "logs.REGION": ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
    "s3": ("kms:Decrypt", "kms:GenerateDataKey*"),
    "sns": ("kms:Decrypt", "kms:GenerateDataKey*"),
}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that a deployment would fail on."""

    what: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.what}: {self.way_out}"


def table_names(parameters: Mapping[str, str]) -> list[str]:
    """The tables that the stack has, by the parameters that name them."""
    return [f"{_table(parameters, name)}{suffix}" for name, suffix in TABLE_KEYS]


def ledger_name(parameters: Mapping[str, str]) -> str:
    """The table of Broom's cases."""
    return _table(parameters, "LedgerTable")


def log_file_prefix(parameters: Mapping[str, str]) -> str:
    """Where log files begin in the trail's bucket."""
    return f"{parameters.get('TrailPrefix', '')}AWSLogs/"


def complete_parameters(
    given: Mapping[str, str], environment: Environment, *, has_role: bool = False
) -> dict[str, str]:
    """What was given, and what follows from the environment where nothing was given.

    In an organization: its id, who owns its trail, and which accounts and regions the StackSets reach (none where the
    members have a role already). For an existing bucket that tells EventBridge of its objects: that it does. Where the
    account has concurrency to reserve: a limit for the pools' function. What an earlier deployment settled stays.
    """
    settled = {
        **_of_organization(environment, given, has_role=has_role),
        **_of_bucket(environment, given),
        **_of_concurrency(environment),
    }
    known = environment.stack.parameters if environment.stack is not None else {}
    return {**{name: value for name, value in settled.items() if name not in known}, **given}


def _of_organization(environment: Environment, given: Mapping[str, str], *, has_role: bool) -> dict[str, str]:
    seen = environment.organization
    if seen is None or given.get("OrganizationId", seen.id) != seen.id:
        return {}
    settled = {"OrganizationId": seen.id}
    if seen.management_account != environment.account:
        settled["ManagementAccountId"] = seen.management_account if seen.administers_trails else ""
    if seen.administers_stack_sets and seen.root_id and not has_role:
        is_home = seen.management_account == environment.account
        settled["MemberUnits"] = seen.root_id
        settled["StackSetsAs"] = "SELF" if is_home else "DELEGATED_ADMIN"
        settled["MemberRegions"] = given.get("Regions") or ",".join(environment.enabled_regions)
    return settled


def _of_bucket(environment: Environment, given: Mapping[str, str]) -> dict[str, str]:
    bucket = environment.bucket
    if isinstance(bucket, BucketSeen) and bucket.tells_event_bridge and not given.get("TrailTopicArn"):
        return {"TrailBucketEvents": "true"}
    return {}


def _of_concurrency(environment: Environment) -> dict[str, str]:
    unreserved = environment.unreserved_concurrency
    if unreserved is None or unreserved - POOL_CONCURRENCY < LEAST_UNRESERVED:
        return {}
    return {"PoolConcurrency": str(POOL_CONCURRENCY)}


def find_obstacles(parameters: Mapping[str, str], environment: Environment) -> list[Obstacle]:
    """All that the deployment would fail on, with the way out of each. `parameters` are complete."""
    return [
        *_of_region(environment),
        *_of_permissions(environment),
        *_of_stack(environment),
        *_of_trail(parameters, environment),
        *_of_trail_bucket(parameters, environment),
        *_of_tables(parameters, environment),
        *_of_reservation(parameters, environment),
        *_of_key(parameters, environment),
    ]


def _of_region(environment: Environment) -> Iterator[Obstacle]:
    if environment.missing_services:
        missing = ", ".join(environment.missing_services)
        yield Obstacle(
            f"the region {environment.region} has no {missing}",
            "set AWS_REGION to another region; Landkeeper covers all regions from there",
        )


def _of_permissions(environment: Environment) -> Iterator[Obstacle]:
    if environment.denied_actions:
        denied = ", ".join(environment.denied_actions)
        yield Obstacle(
            f"the current credentials lack {denied}",
            "deploy as an administrator of the account, or use your pipeline with --template-only",
        )


def _of_stack(environment: Environment) -> Iterator[Obstacle]:
    stack = environment.stack
    if stack is None:
        return
    if stack.status in _WAYS_OUT:
        yield Obstacle(f"the stack is {stack.status}", _WAYS_OUT[stack.status])
    elif stack.status.endswith("_IN_PROGRESS"):
        yield Obstacle(
            f"the stack is {stack.status}", "another operation is in progress; deploy again when it has finished"
        )


def _of_trail(parameters: Mapping[str, str], environment: Environment) -> Iterator[Obstacle]:
    makes_trail = parameters.get("CreateTrail", "true") == "true" and not parameters.get("TrailBucketName")
    seen = environment.organization
    asks = parameters.get("OrganizationTrail", "true") == "true" and parameters.get("OrganizationId")
    if makes_trail and asks and seen is not None and not seen.administers_trails:
        yield Obstacle(
            f"the account {environment.account} may not create a trail for the organization {seen.id}",
            "register it in the management account (aws cloudtrail register-organization-delegated-admin "
            f"--member-account-id {environment.account}), use the bucket of an existing trail (--parameter "
            "TrailBucketName=...), or pass --parameter OrganizationTrail=false",
        )
    elif makes_trail and asks and seen is not None and seen.management_account != environment.account:
        owner = parameters.get("ManagementAccountId", "")
        if owner != seen.management_account:
            yield Obstacle(
                f"ManagementAccountId is '{owner}', but the trail of the organization {seen.id} belongs to "
                f"{seen.management_account}",
                f"pass --parameter ManagementAccountId={seen.management_account}",
            )


def _of_trail_bucket(parameters: Mapping[str, str], environment: Environment) -> Iterator[Obstacle]:
    bucket = environment.bucket
    topic = parameters.get("TrailTopicArn", "")
    if topic and topic.split(":")[3:4] != [environment.region]:
        yield Obstacle(f"the topic {topic} is not in {environment.region}", "deploy in the topic's region")
    if isinstance(bucket, BucketUnseen):
        yield Obstacle(
            f"the bucket {bucket.name} cannot be read ({bucket.because})",
            "use a bucket of this account, or pass its account with --parameter TrailBucketAccount=...",
        )
    elif isinstance(bucket, BucketSeen) and not topic and parameters.get("TrailBucketEvents", "false") == "false":
        if bucket.region != environment.region:
            yield Obstacle(
                f"the bucket {bucket.name} is in {bucket.region}",
                "deploy there: S3 only notifies topics in its own region",
            )
        yield from _of_notifications(bucket, log_file_prefix(parameters), environment)


def _of_notifications(bucket: BucketSeen, prefix: str, environment: Environment) -> Iterator[Obstacle]:
    for found in shadows(bucket.notifications, prefix, SUFFIX):
        if is_own_topic(found, environment):
            continue
        ways = ["pass --parameter TrailBucketEvents=true to notify EventBridge too; other consumers are not affected"]
        if ":sns:" in found.target_arn:
            ways.insert(0, f"pass --parameter TrailTopicArn={found.target_arn} to use that topic")
        yield Obstacle(
            f"the bucket {bucket.name} already notifies {found.target_arn} of new objects under '{found.prefix}', "
            "and S3 allows one notification per prefix",
            "; or ".join(ways),
        )


def is_own_topic(found: Notification, environment: Environment) -> bool:
    """Whether an earlier deployment put the notification there."""
    own = f":sns:{environment.region}:{environment.account}:"
    return own in found.target_arn and found.target_arn.endswith("-log-files")


def shadows(notifications: Sequence[Notification], prefix: str, suffix: str) -> list[Notification]:
    """Those of the notifications beside which S3 takes none for new objects with this prefix and suffix.

    Source: Amazon S3 User Guide, "Configuring event notifications with overlapping prefix and suffix".
    """
    return [
        notification
        for notification in notifications
        if any(event.startswith("s3:ObjectCreated:") for event in notification.events)
        and (notification.prefix.startswith(prefix) or prefix.startswith(notification.prefix))
        and (notification.suffix.endswith(suffix) or suffix.endswith(notification.suffix))
    ]


def _of_tables(parameters: Mapping[str, str], environment: Environment) -> Iterator[Obstacle]:
    for (name, suffix), keys in TABLE_KEYS.items():
        table = f"{_table(parameters, name)}{suffix}"
        found = environment.tables.get(table)
        if found is not None and found != keys:
            yield Obstacle(
                f"the existing table {table} has the key {' and '.join(found)}, but {' and '.join(keys)} is required",
                f"pass another name with --parameter {name}=...",
            )


def _of_reservation(parameters: Mapping[str, str], environment: Environment) -> Iterator[Obstacle]:
    wanted, unreserved = parameters.get("PoolConcurrency", "0"), environment.unreserved_concurrency
    known = environment.stack.parameters if environment.stack is not None else {}
    held = known.get("PoolConcurrency", "0")
    if unreserved is None or not (wanted.isdecimal() and held.isdecimal()) or int(wanted) <= int(held):
        return
    most = unreserved + int(held) - LEAST_UNRESERVED
    if int(wanted) > most:
        yield Obstacle(
            f"PoolConcurrency={wanted} leaves less than {LEAST_UNRESERVED} of Lambda's concurrency to other functions",
            f"pass --parameter PoolConcurrency={max(most, 0)}, or have the quota of the account raised",
        )


def _table(parameters: Mapping[str, str], name: str) -> str:
    return parameters.get(name) or {"VpcTable": "VPCTracker", "LedgerTable": "BroomLedger"}[name]


def _of_key(parameters: Mapping[str, str], environment: Environment) -> Iterator[Obstacle]:
    if not parameters.get("KeyArn") or not environment.key_policy:
        return
    missing = missing_key_grants(environment.key_policy, environment.region)
    if missing:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": sorted(missing)},
            "Action": sorted({action for actions in missing.values() for action in actions}),
            "Resource": "*",
        }
        yield Obstacle(
            f"the policy of the key {parameters['KeyArn']} does not let {', '.join(sorted(missing))} use it",
            f"add the statement {json.dumps(statement)}",
        )


def missing_key_grants(policy: str, region: str) -> dict[str, tuple[str, ...]]:
    """The services that the stack needs and the key's policy does not let in, with what they need.

    Conditions are not evaluated: a statement that allows under one counts as allowing.
    """
    statements = json.loads(policy).get("Statement", [])
    allowing = [statement for statement in _listed(statements) if statement.get("Effect") == "Allow"]
    missing = {}
    for name, actions in _OF_KEYS.items():
        service = f"{name.replace('REGION', region)}.amazonaws.com"
        granted = [
            action
            for statement in allowing
            if _names(statement, service)
            for action in _listed(statement.get("Action", []))
        ]
        lacking = tuple(action for action in actions if not any(_covers(allowed, action) for allowed in granted))
        if lacking:
            missing[service] = lacking
    return missing


def _names(statement: Mapping[str, Any], service: str) -> bool:
    principal = statement.get("Principal", {})
    return principal == "*" or (isinstance(principal, dict) and service in _listed(principal.get("Service", [])))


def _covers(granted: str, action: str) -> bool:
    return granted in {"*", "kms:*", action} or (granted.endswith("*") and action.startswith(granted[:-1]))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

"""Looks at where a deployment is to go. Nothing here changes anything; what may not be looked at is left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import botocore
import botocore.session

from landkeeper.aws.enabled_regions import find_regions
from landkeeper.aws.failures import CALL_ERRORS, failure_of
from landkeeper.aws.sessions import AccountSessions
from landkeeper.aws.stack.organization_trail import TrailsByArn
from landkeeper.operate.environment import (
    BucketSeen,
    BucketUnseen,
    Environment,
    Notification,
    OrganizationSeen,
    TrailSeen,
)
from landkeeper.operate.organization_trail import trail_arn
from landkeeper.operate.stacks import StackState
from landkeeper.org import Failure, Region, Standing, UsageError

_TRAILS = "cloudtrail.amazonaws.com"
_STACK_SETS = "member.org.stacksets.cloudformation.amazonaws.com"
_OLDEST_REGION = "us-east-1"


def inspect_environment(
    sessions: AccountSessions,
    stack: StackState | None,
    *,
    stack_name: str,
    parameters: Mapping[str, str],
    tables: Sequence[str],
    services: Sequence[str],
    actions: Sequence[str],
) -> Environment:
    """What a deployment with these parameters meets. Raises HomeAccountError without working credentials."""
    account, region, partition = sessions.home_account(), sessions.region, sessions.partition()
    organization = find_organization(sessions)
    owner = parameters.get("ManagementAccountId") or _trail_owner(organization)
    return Environment(
        account,
        region,
        partition,
        stack=stack,
        missing_services=find_missing_services(sessions, services),
        denied_actions=find_denied_actions(sessions, actions),
        organization=organization,
        bucket=find_trail_bucket(sessions, parameters),
        organization_trail=find_organization_trail(sessions, stack_name, owner),
        tables={name: keys for name in tables if (keys := find_table_keys(sessions, name))},
        key_policy=find_key_policy(sessions, parameters.get("KeyArn", "")),
        unreserved_concurrency=find_unreserved_concurrency(sessions),
        enabled_regions=find_enabled_regions(sessions),
    )


def check_region(region: Region) -> None:
    """Raise UsageError for a region that does not exist: without that, its endpoints could not be reached."""
    session = botocore.session.Session()
    partitions = session.get_available_partitions()
    if not any(region in session.get_available_regions("ec2", partition) for partition in partitions):
        raise UsageError(
            f"there is no region '{region}', as far as botocore {botocore.__version__} knows: set AWS_REGION to "
            "another one, or update botocore if it is a new one"
        )


def find_missing_services(sessions: AccountSessions, services: Iterable[str]) -> tuple[str, ...]:
    """The services that the session's region does not have; none where botocore is older than the region."""
    home, here = botocore.session.Session(), sessions.region
    if here not in home.get_available_regions("ec2", sessions.partition()):
        return ()
    return tuple(
        service for service in services if here not in home.get_available_regions(service, sessions.partition())
    )


def find_denied_actions(sessions: AccountSessions, actions: Sequence[str]) -> tuple[str, ...]:
    """What the caller may not do, as IAM's simulation has it; nothing where IAM does not say.

    Source: IAM API Reference, "SimulatePrincipalPolicy"; a role is named there by its own ARN, not by the session's.
    """
    iam = sessions.short_timeout_client("iam")
    try:
        source = _principal(iam, sessions.home_principal())
        if source is None:
            return ()
        pages = iam.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=source, ActionNames=list(actions)
        )
        results = [result for page in pages for result in page["EvaluationResults"]]
    except CALL_ERRORS:
        return ()
    return tuple(result["EvalActionName"] for result in results if result["EvalDecision"] != "allowed")


def _principal(iam: Any, caller: str) -> str | None:
    *_, kind = caller.split(":", 5)
    if kind.startswith("user/"):
        return caller
    if kind.startswith("assumed-role/"):
        arn: str = iam.get_role(RoleName=kind.split("/")[1])["Role"]["Arn"]
        return arn
    return None


def find_organization(sessions: AccountSessions) -> OrganizationSeen | None:
    """The organization of the account, as far as it may be looked at; None without one, or without permission."""
    client = sessions.home("organizations")
    try:
        seen = client.describe_organization()["Organization"]
    except CALL_ERRORS:
        return None
    account, management = sessions.home_account(), seen["MasterAccountId"]
    try:
        root = client.list_roots()["Roots"][0]["Id"]
        delegated: set[str] = set() if account == management else find_delegated_services(sessions, account)
    except CALL_ERRORS:
        return OrganizationSeen(seen["Id"], management)
    return OrganizationSeen(
        seen["Id"],
        management,
        root,
        administers_trails=account == management or _TRAILS in delegated,
        administers_stack_sets=account == management or _STACK_SETS in delegated,
    )


def _trail_owner(organization: OrganizationSeen | None) -> str:
    return organization.management_account if organization is not None and organization.administers_trails else ""


def find_organization_trail(sessions: AccountSessions, stack_name: str, owner: str) -> TrailSeen | Failure | None:
    """Return the stack's trail in the management account `owner`; None without one, or where that is this account."""
    if owner in {"", sessions.home_account()}:
        return None
    arn = trail_arn(stack_name, owner, region=sessions.region, partition=sessions.partition())
    return TrailsByArn(sessions.home("cloudtrail")).find(arn)


def find_delegated_services(sessions: AccountSessions, account: str) -> set[str]:
    """The services that an account administers for its organization. Raises what botocore raises."""
    pages = sessions.home("organizations").get_paginator("list_delegated_services_for_account")
    return {
        service["ServicePrincipal"]
        for page in pages.paginate(AccountId=account)
        for service in page["DelegatedServices"]
    }


def find_trail_bucket(sessions: AccountSessions, parameters: Mapping[str, str]) -> BucketSeen | BucketUnseen | None:
    """The existing trail's bucket that the parameters name; None without one, or where it is another account's."""
    name = parameters.get("TrailBucketName", "")
    if not name or parameters.get("TrailBucketAccount", "") not in {"", sessions.home_account()}:
        return None
    return read_bucket(sessions.home("s3"), name)


def read_bucket(s3: Any, name: str) -> BucketSeen | BucketUnseen:
    """A bucket, and whom it tells of new objects."""
    try:
        region = s3.get_bucket_location(Bucket=name).get("LocationConstraint") or _OLDEST_REGION
        configuration = s3.get_bucket_notification_configuration(Bucket=name)
    except CALL_ERRORS as error:
        return BucketUnseen(name, str(failure_of(error)))
    return BucketSeen(name, region, tuple(_notifications(configuration)), "EventBridgeConfiguration" in configuration)


def _notifications(configuration: Mapping[str, Any]) -> Iterator[Notification]:
    for kind, target in (
        ("TopicConfigurations", "TopicArn"),
        ("QueueConfigurations", "QueueArn"),
        ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
    ):
        for entry in configuration.get(kind, ()):
            rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])
            filters = {rule["Name"].lower(): rule["Value"] for rule in rules}
            yield Notification(
                entry[target], tuple(entry["Events"]), filters.get("prefix", ""), filters.get("suffix", "")
            )


def find_table_keys(sessions: AccountSessions, name: str) -> tuple[str, ...]:
    """The names of a table's keys; none where there is no such table, or it may not be looked at."""
    try:
        table = sessions.home("dynamodb").describe_table(TableName=name)["Table"]
    except CALL_ERRORS:
        return ()
    by_kind = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
    return tuple(by_kind[kind] for kind in ("HASH", "RANGE") if kind in by_kind)


def find_key_policy(sessions: AccountSessions, key_arn: str) -> str:
    """The policy of a key; empty where none is named, or it may not be read, as in another account."""
    if not key_arn:
        return ""
    try:
        policy: str = sessions.home("kms").get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"]
    except CALL_ERRORS:
        return ""
    return policy


def find_unreserved_concurrency(sessions: AccountSessions) -> int | None:
    """Return how much of Lambda's concurrency nobody has reserved; None where that may not be read."""
    try:
        limit = sessions.home("lambda").get_account_settings()["AccountLimit"]
    except CALL_ERRORS:
        return None
    unreserved: int | None = limit.get("UnreservedConcurrentExecutions")
    return unreserved


def find_enabled_regions(sessions: AccountSessions) -> tuple[Region, ...]:
    """The regions that the account has enabled; none where AWS does not say."""
    credentials = sessions.credentials_for(sessions.home_account())
    found = credentials if isinstance(credentials, Failure) else find_regions(sessions, credentials)
    if isinstance(found, Failure):
        return ()
    return tuple(region for region, standing in found.items() if standing is Standing.READ)

"""The organization's trail of a delegated administrator, which CloudFormation cannot make.

The trail belongs to the management account, so every call names it by its ARN. Source: CloudTrail User Guide,
"Organization delegated administrator"; aws-cloudformation/cloudformation-coverage-roadmap, issue 1932.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from landkeeper.operate.environment import Environment, TrailSeen
from landkeeper.operate.preflight import Obstacle
from landkeeper.operate.stacks import Change, PropertyChange, StackError, StackEvent
from landkeeper.org import Failure, FailureReason

RESOURCE = "OrganizationTrail"
"""What the trail is called among the resources of the stack."""

_TYPE = "AWS::CloudTrail::Trail"
_EXISTS = "TrailAlreadyExistsException"
_WAYS_OUT = {
    "CloudTrailAccessNotEnabledException": (
        "run in the management account: aws organizations enable-aws-service-access --service-principal "
        "cloudtrail.amazonaws.com"
    ),
    "NotOrganizationMasterAccountException": (
        "register this account in the management account: aws cloudtrail register-organization-delegated-admin "
        "--member-account-id ACCOUNT"
    ),
    "MaximumNumberOfTrailsExceededException": (
        "use the bucket of an existing trail (--parameter TrailBucketName=...), or delete a trail of the management "
        "account in this region"
    ),
    "InsufficientDependencyServiceAccessPermissionException": (
        "allow organizations:DescribeOrganization, organizations:ListAWSServiceAccessForOrganization, iam:GetRole and "
        "iam:CreateServiceLinkedRole"
    ),
}


@dataclass(frozen=True, slots=True)
class WantedTrail:
    """The trail as the stack's parameters describe it; it covers every region and account, and is validated."""

    arn: str
    bucket: str
    key_arn: str = ""
    events: str = "WriteOnly"
    """CloudTrail's `ReadWriteType`."""

    @property
    def name(self) -> str:
        """The trail's name, which only CreateTrail takes."""
        return self.arn.rpartition("/")[2]


class TrailStep(StrEnum):
    """A call that brings the trail nearer to what is wanted."""

    CREATE = "create"
    UPDATE = "update"
    SELECT = "select events"
    START = "start logging"


_STEPS = {"EventSelectors": TrailStep.SELECT, "IsLogging": TrailStep.START}
"""The steps of properties that UpdateTrail does not change."""


@dataclass(frozen=True, slots=True)
class TrailPlan:
    """The trail as it is wanted and as it is."""

    wanted: WantedTrail
    seen: TrailSeen | None = None
    """None where there is none yet."""

    @property
    def changes(self) -> tuple[Change, ...]:
        """What will happen to the trail, as a change beside those of the change set."""
        if self.seen is None:
            return (Change("Add", RESOURCE, _TYPE, replaces=False),)
        differences = compare_trail(self.wanted, self.seen)
        return (Change("Modify", RESOURCE, _TYPE, False, differences),) if differences else ()  # noqa: FBT003


class OrganizationTrails(Protocol):
    """Makes and changes trails by their ARN."""

    def find(self, arn: str) -> TrailSeen | Failure | None:
        """Return the trail; None where there is none, a Failure where AWS does not say."""

    def take(self, step: TrailStep, trail: WantedTrail) -> Failure | None:
        """Carry out one step; the failure where AWS refuses."""


def trail_arn(stack_name: str, owner: str, *, region: str, partition: str) -> str:
    """Return the ARN of the stack's trail in the account that owns it."""
    return f"arn:{partition}:cloudtrail:{region}:{owner}:trail/{stack_name}"


def leaves_trail(parameters: Mapping[str, str], account: str) -> bool:
    """Return whether the template leaves the trail to `deploy`, as its condition `HoldsTrail` has it.

    `parameters` may lack those at their defaults.
    """
    return (
        parameters.get("CreateTrail", "true") == "true"
        and not parameters.get("TrailBucketName")
        and parameters.get("OrganizationTrail", "true") == "true"
        and bool(parameters.get("OrganizationId"))
        and parameters.get("ManagementAccountId", "") not in {"", account}
    )


def plan_organization_trail(
    stack_name: str, parameters: Mapping[str, str], environment: Environment
) -> TrailPlan | Obstacle | None:
    """Return what to do about the trail that the template leaves to `deploy`, or what stands in its way.

    None where the template makes the trail, or nobody does.
    """
    account, region = environment.account, environment.region
    if not leaves_trail(parameters, account):
        return None
    owner = parameters["ManagementAccountId"]
    wanted = WantedTrail(
        arn=trail_arn(stack_name, owner, region=region, partition=environment.partition),
        bucket=f"{stack_name}-trail-{account}-{region}",
        key_arn=parameters.get("KeyArn", ""),
        events=parameters.get("TrailEvents", "WriteOnly"),
    )
    seen = environment.organization_trail
    if isinstance(seen, Failure):
        return Obstacle(
            f"the trail {wanted.arn} cannot be read ({seen})",
            "allow cloudtrail:GetTrail, GetTrailStatus and GetEventSelectors, and deploy again",
        )
    if seen is not None and seen.bucket != wanted.bucket:
        return Obstacle(
            f"the trail {wanted.arn} exists and writes to the bucket {seen.bucket}",
            f"use it with --parameter TrailBucketName={seen.bucket}, or pass another --stack-name",
        )
    return TrailPlan(wanted, seen)


def plan_trail(wanted: WantedTrail, seen: TrailSeen | None) -> tuple[TrailStep, ...]:
    """Return the steps from the trail that exists to the one that is wanted; none where nothing differs."""
    if seen is None:
        return (TrailStep.CREATE, TrailStep.SELECT, TrailStep.START)
    steps = {_STEPS.get(change.path, TrailStep.UPDATE) for change in compare_trail(wanted, seen)}
    return tuple(step for step in TrailStep if step in steps)


def compare_trail(wanted: WantedTrail, seen: TrailSeen) -> tuple[PropertyChange, ...]:
    """Return what of the trail differs, by the names that CloudFormation has for it.

    Events that somebody has chosen beyond one plain selector stay as they are.
    """
    key_arn = seen.key_arn if _is_alias_of(wanted.key_arn, seen) else wanted.key_arn
    flags = {
        "IsOrganizationTrail": seen.is_organization,
        "IsMultiRegionTrail": seen.is_multi_region,
        "IncludeGlobalServiceEvents": seen.has_global_events,
        "EnableLogFileValidation": seen.is_validated,
        "IsLogging": seen.is_logging,
    }
    values = {
        "KMSKeyId": (seen.key_arn, key_arn),
        "EventSelectors": (seen.events, wanted.events if seen.events else ""),
        **{path: ("false", "true") for path, is_set in flags.items() if not is_set},
    }
    return tuple(PropertyChange(path, before, after) for path, (before, after) in values.items() if before != after)


def _is_alias_of(key_arn: str, seen: TrailSeen) -> bool:
    """Return whether the key is named by an alias, of which CloudTrail shows the key."""
    return ":alias/" in key_arn and bool(seen.key_arn)


def bring_trail(stack_name: str, plan: TrailPlan, trails: OrganizationTrails) -> StackEvent | None:
    """Make the trail, or change what differs; None where nothing does.

    A trail that exists after all, as after a CreateTrail whose answer was lost, is adopted if it writes to the stack's
    bucket. Raises StackError where AWS refuses; the stack is deployed then, and deploying again completes the trail.
    """
    wanted, steps = plan.wanted, plan_trail(plan.wanted, plan.seen)
    failure = _take(steps, wanted, trails)
    if failure is not None and failure.code == _EXISTS:
        found = trails.find(wanted.arn)
        if isinstance(found, TrailSeen) and found.bucket == wanted.bucket:
            failure = _take(plan_trail(wanted, found), wanted, trails)
    if failure is not None:
        raise StackError(
            f"stack {stack_name} is deployed, but its trail {wanted.arn} is not complete: {failure}; "
            f"{_way_out(failure)}, then run landkeeper deploy again"
        )
    status = "CREATE_COMPLETE" if TrailStep.CREATE in steps else "UPDATE_COMPLETE"
    return StackEvent(RESOURCE, _TYPE, status, "") if steps else None


def _take(steps: Sequence[TrailStep], wanted: WantedTrail, trails: OrganizationTrails) -> Failure | None:
    for step in steps:
        failure = trails.take(step, wanted)
        if failure is not None:
            return failure
    return None


def _way_out(failure: Failure) -> str:
    if failure.reason is FailureReason.MISSING_PERMISSION:
        return "allow cloudtrail:CreateTrail, UpdateTrail, PutEventSelectors, StartLogging, GetTrail"
    return _WAYS_OUT.get(failure.code, "resolve what CloudTrail reports")

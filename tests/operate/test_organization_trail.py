"""The trail of a delegated administrator: what is planned, refused, made, adopted and tried again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from landkeeper.operate.environment import Environment, TrailSeen
from landkeeper.operate.organization_trail import (
    TrailPlan,
    TrailStep,
    WantedTrail,
    bring_trail,
    compare_trail,
    leaves_trail,
    plan_organization_trail,
    plan_trail,
)
from landkeeper.operate.preflight import Obstacle
from landkeeper.operate.stacks import StackError
from landkeeper.org import Failure, FailureReason

HOME, MANAGEMENT = "111122223333", "444455556666"
HERE = Environment(HOME, "eu-west-1")
DELEGATE = {"OrganizationId": "o-example", "ManagementAccountId": MANAGEMENT}
ARN = f"arn:aws:cloudtrail:eu-west-1:{MANAGEMENT}:trail/keeper"
BUCKET = f"keeper-trail-{HOME}-eu-west-1"
WANTED = WantedTrail(ARN, BUCKET)
WHOLE = TrailSeen(BUCKET, events="WriteOnly")
REFUSED = Failure(FailureReason.OTHER, "CloudTrailAccessNotEnabledException", "not enabled")
EXISTS = Failure(FailureReason.OTHER, "TrailAlreadyExistsException")


@dataclass
class Trails:
    """CloudTrail in memory: what it answers to CreateTrail, and the steps that were taken."""

    to_create: Failure | None = None
    found: TrailSeen | Failure | None = None
    taken: list[TrailStep] = field(default_factory=list)

    def find(self, arn: str) -> TrailSeen | Failure | None:
        assert arn == ARN
        return self.found

    def take(self, step: TrailStep, trail: WantedTrail) -> Failure | None:
        assert trail == WANTED
        self.taken.append(step)
        return self.to_create if step is TrailStep.CREATE else None


@pytest.mark.parametrize(
    ("parameters", "leaves"),
    [
        (DELEGATE, True),
        ({}, False),
        ({**DELEGATE, "ManagementAccountId": ""}, False),
        ({**DELEGATE, "ManagementAccountId": HOME}, False),
        ({**DELEGATE, "OrganizationId": ""}, False),
        ({**DELEGATE, "OrganizationTrail": "false"}, False),
        ({**DELEGATE, "CreateTrail": "false"}, False),
        ({**DELEGATE, "TrailBucketName": "logs"}, False),
    ],
)
def test_only_the_organizations_trail_of_a_delegate_is_left_to_the_command(
    parameters: dict[str, str], leaves: bool
) -> None:
    assert leaves_trail(parameters, HOME) is leaves
    assert (plan_organization_trail("keeper", parameters, HERE) is not None) is leaves


def test_the_trail_has_the_stacks_name_in_the_management_account_and_writes_to_the_stacks_bucket() -> None:
    given = {**DELEGATE, "KeyArn": "arn:key", "TrailEvents": "All"}
    plan = plan_organization_trail("keeper", given, HERE)
    assert plan == TrailPlan(WantedTrail(ARN, BUCKET, "arn:key", "All"), None)
    assert plan.wanted.name == "keeper"
    assert [(change.action, change.resource) for change in plan.changes] == [("Add", "OrganizationTrail")]


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (Failure(FailureReason.MISSING_PERMISSION, "AccessDenied"), ("cannot be read", "cloudtrail:GetTrail")),
        (TrailSeen("theirs"), ("writes to the bucket theirs", "TrailBucketName=theirs", "--stack-name")),
    ],
)
def test_a_trail_that_cannot_be_read_or_is_somebody_elses_stands_in_the_way(
    seen: TrailSeen | Failure, words: tuple[str, ...]
) -> None:
    obstacle = plan_organization_trail("keeper", DELEGATE, replace(HERE, organization_trail=seen))
    assert isinstance(obstacle, Obstacle)
    assert all(word in str(obstacle) for word in (ARN, *words))


@pytest.mark.parametrize(
    ("seen", "wanted", "steps", "paths"),
    [
        (WHOLE, WANTED, (), ()),
        (replace(WHOLE, is_logging=False), WANTED, (TrailStep.START,), ("IsLogging",)),
        (replace(WHOLE, events="All"), WANTED, (TrailStep.SELECT,), ("EventSelectors",)),
        (replace(WHOLE, events=""), WANTED, (), ()),
        (replace(WHOLE, is_validated=False), WANTED, (TrailStep.UPDATE,), ("EnableLogFileValidation",)),
        (replace(WHOLE, key_arn="arn:old"), WANTED, (TrailStep.UPDATE,), ("KMSKeyId",)),
        (replace(WHOLE, key_arn="arn:key/1"), replace(WANTED, key_arn="arn:x:alias/x"), (), ()),
        (WHOLE, replace(WANTED, key_arn="arn:x:alias/x"), (TrailStep.UPDATE,), ("KMSKeyId",)),
        (
            TrailSeen(BUCKET, "", False, False, False, False, False, "All"),
            WANTED,
            (TrailStep.UPDATE, TrailStep.SELECT, TrailStep.START),
            None,
        ),
    ],
)
def test_only_what_differs_is_changed(
    seen: TrailSeen, wanted: WantedTrail, steps: tuple[TrailStep, ...], paths: tuple[str, ...] | None
) -> None:
    assert plan_trail(wanted, seen) == steps
    if paths is not None:
        assert tuple(change.path for change in compare_trail(wanted, seen)) == paths
    assert [change.action for change in TrailPlan(wanted, seen).changes] == ["Modify"] * bool(steps)


def test_a_new_trail_is_created_told_its_events_and_started() -> None:
    trails = Trails()
    event = bring_trail("keeper", TrailPlan(WANTED), trails)
    assert event is not None
    assert (event.resource, event.status) == ("OrganizationTrail", "CREATE_COMPLETE")
    assert trails.taken == [TrailStep.CREATE, TrailStep.SELECT, TrailStep.START]


def test_a_whole_trail_is_left_alone() -> None:
    trails = Trails()
    assert bring_trail("keeper", TrailPlan(WANTED, WHOLE), trails) is None
    assert trails.taken == []


def test_a_trail_that_appeared_meanwhile_is_adopted_where_it_writes_to_the_stacks_bucket() -> None:
    trails = Trails(EXISTS, replace(WHOLE, is_logging=False))
    assert bring_trail("keeper", TrailPlan(WANTED), trails) is not None
    assert trails.taken == [TrailStep.CREATE, TrailStep.START]


@pytest.mark.parametrize("found", [replace(WHOLE, bucket="theirs"), None, REFUSED])
def test_a_trail_that_appeared_meanwhile_and_is_not_ours_is_left_alone(found: TrailSeen | Failure | None) -> None:
    trails = Trails(EXISTS, found)
    with pytest.raises(StackError, match="TrailAlreadyExistsException"):
        bring_trail("keeper", TrailPlan(WANTED), trails)
    assert trails.taken == [TrailStep.CREATE]


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (REFUSED, "aws organizations enable-aws-service-access --service-principal cloudtrail.amazonaws.com"),
        (Failure(FailureReason.OTHER, "NotOrganizationMasterAccountException"), "register-organization-delegated"),
        (Failure(FailureReason.OTHER, "MaximumNumberOfTrailsExceededException"), "TrailBucketName="),
        (Failure(FailureReason.OTHER, "InsufficientDependencyServiceAccessPermissionException"), "iam:GetRole"),
        (Failure(FailureReason.MISSING_PERMISSION, "AccessDeniedException"), "allow cloudtrail:CreateTrail"),
        (Failure(FailureReason.OTHER, "KmsException", "the key is disabled"), "resolve what CloudTrail reports"),
    ],
)
def test_a_refusal_names_the_trail_the_way_out_and_the_next_step(failure: Failure, words: str) -> None:
    with pytest.raises(StackError) as raised:
        bring_trail("keeper", TrailPlan(WANTED), Trails(failure))
    for word in ("stack keeper is deployed", ARN, failure.code, words, "then run landkeeper deploy again"):
        assert word in str(raised.value)

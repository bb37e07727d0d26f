"""Destroying as a use case: what goes, what stays, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from landkeeper.operate.destroy import DataKind, Datum, Destroyed, DestroyPlan, destroy
from landkeeper.operate.stacks import ChangeSet, StackError, StackEvent, StackResource, StackState
from landkeeper.org import Failure, FailureReason, UsageError

RESOURCES = (
    StackResource("VpcTracker", "VPCTracker", "AWS::DynamoDB::Table"),
    StackResource("Trail", "keeper", "AWS::CloudTrail::Trail"),
    StackResource("TrailBucket", "keeper-trail", "AWS::S3::Bucket"),
    StackResource("TrailBucketPolicy", "keeper-trail", "AWS::S3::BucketPolicy"),
    StackResource("BroomQueue", "https://queue", "AWS::SQS::Queue"),
)


@dataclass
class World:
    """A stack and its data in memory; what is done to them, in order."""

    state: StackState | None = field(default_factory=lambda: StackState("CREATE_COMPLETE"))
    held: tuple[StackResource, ...] = RESOURCES
    left: dict[str, Datum] = field(default_factory=dict)
    files: Datum | None = None
    trail: Datum | Failure | None = None
    refuses: str = ""
    fails: bool = False
    done: list[str] = field(default_factory=list)
    plans: list[DestroyPlan] = field(default_factory=list)

    def destroy(self, *names: str, answer: bool = True) -> Destroyed | None:
        def approve(plan: DestroyPlan) -> bool:
            self.plans.append(plan)
            return answer

        return destroy("keeper", names, _Stacks(self), _Stores(self), approve=approve, on_event=lambda _: None)


@dataclass
class _Stacks:
    world: World

    def find(self, stack_name: str) -> StackState | None:
        return self.world.state

    def resources(self, stack_name: str) -> list[StackResource]:
        return list(self.world.held)

    def delete(self, stack_name: str, on_event: Callable[[StackEvent], None]) -> None:
        if self.world.fails:
            raise StackError("stack keeper is DELETE_FAILED: BroomQueue: no")
        self.world.done.append(f"stack {stack_name}")

    def plan(
        self, stack_name: str, template_url: str, parameters: Mapping[str, str], *, state: StackState | None
    ) -> ChangeSet:
        raise AssertionError

    def read_template(self, change_set: ChangeSet) -> str:
        raise AssertionError

    def read_code_digests(self, stack_name: str) -> dict[str, str]:
        raise AssertionError

    def execute(self, change_set: ChangeSet, on_event: Callable[[StackEvent], None]) -> dict[str, str]:
        raise AssertionError

    def discard(self, change_set: ChangeSet) -> None:
        raise AssertionError

    def outputs(self, stack_name: str) -> dict[str, str]:
        raise AssertionError


@dataclass
class _Stores:
    world: World

    def find_left(self, stack_name: str, name: str) -> Datum | None:
        return self.world.left.get(name)

    def find_trail(self, stack_name: str) -> Datum | Failure | None:
        return self.world.trail

    def find_files(self, stack_name: str) -> Datum | None:
        return self.world.files

    def delete(self, datum: Datum, stack_name: str) -> Failure | None:
        if datum.name == self.world.refuses:
            return Failure(FailureReason.MISSING_PERMISSION, "AccessDenied")
        self.world.done.append(str(datum))
        return None

    def forget_topic(self, bucket: str) -> bool:
        self.world.done.append(f"notification of {bucket}")
        return True


def test_without_names_only_what_holds_no_data_goes() -> None:
    world = World()
    done = world.destroy()
    assert isinstance(done, Destroyed)
    (plan,) = world.plans
    assert [each.logical_id for each in plan.goes] == ["BroomQueue"]
    assert {each.name for each in plan.stays} == {"VPCTracker", "keeper", "keeper-trail"}
    assert (plan.deleted, world.done) == ((), ["stack keeper"])


def test_what_is_named_goes_after_the_stack_and_a_trail_before_its_bucket() -> None:
    world = World()
    world.destroy("keeper-trail", "VPCTracker", "keeper")
    assert world.done == ["stack keeper", "trail keeper", "table VPCTracker", "bucket keeper-trail"]


def test_a_bucket_cannot_go_while_its_trail_stays() -> None:
    world = World()
    with pytest.raises(UsageError, match="pass --delete-data keeper too"):
        world.destroy("keeper-trail")
    assert (world.done, world.plans) == ([], [])


def test_a_name_that_nothing_has_is_refused_with_the_names_there_are() -> None:
    world = World()
    with pytest.raises(UsageError, match=r"--delete-data VPCTraker: .* VPCTracker, keeper, keeper-trail"):
        world.destroy("VPCTraker")
    assert world.done == []


def test_nothing_is_done_when_the_answer_is_no() -> None:
    world = World()
    assert world.destroy("VPCTracker", answer=False) is None
    assert world.done == []


def test_data_is_untouched_when_the_stack_cannot_be_deleted() -> None:
    world = World(fails=True)
    with pytest.raises(StackError):
        world.destroy("VPCTracker")
    assert world.done == []


def test_what_could_not_be_deleted_is_told_and_the_rest_is_deleted() -> None:
    world = World(refuses="VPCTracker")
    done = world.destroy("VPCTracker", "keeper")
    assert done is not None
    assert [(datum.name, failure.code) for datum, failure in done.failures] == [("VPCTracker", "AccessDenied")]
    assert world.done == ["stack keeper", "trail keeper"]


def test_a_stack_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="there is no stack keeper"):
        World(state=None).destroy()


def test_what_a_stack_that_is_gone_has_left_can_still_be_named() -> None:
    table = Datum(DataKind.TABLE, "VPCTracker")
    world = World(state=None, left={"VPCTracker": table})
    world.destroy("VPCTracker")
    assert world.done == ["table VPCTracker"]
    with pytest.raises(UsageError, match="it has nothing"):
        World(state=None).destroy("SomebodyElses")


def test_the_files_that_deploying_uploaded_stay_unless_they_are_named() -> None:
    files = Datum(DataKind.FILES, "landkeeper-artifacts")
    world = World(files=files)
    world.destroy()
    assert files in world.plans[0].stays
    world.destroy("landkeeper-artifacts")
    assert world.done[-1] == "files in the bucket landkeeper-artifacts"


def test_an_existing_bucket_forgets_the_topic_first_and_another_accounts_is_left_alone() -> None:
    world = World(StackState("CREATE_COMPLETE", {"TrailBucketName": "logs"}))
    world.destroy()
    assert world.done == ["notification of logs", "stack keeper"]
    other = World(StackState("CREATE_COMPLETE", {"TrailBucketName": "logs", "TrailBucketAccount": "444455556666"}))
    other.destroy()
    assert other.done == ["stack keeper"]


def test_the_bucket_of_the_report_goes_while_the_trail_stays() -> None:
    report = StackResource("ReportBucket", "keeper-report", "AWS::S3::Bucket")
    world = World(held=(*RESOURCES, report))
    world.destroy("keeper-report")
    assert world.done == ["stack keeper", "bucket of the report keeper-report"]


DELEGATES = tuple(resource for resource in RESOURCES if resource.logical_id != "Trail")
ORGANIZATION_TRAIL = Datum(DataKind.ORGANIZATION_TRAIL, "keeper")


def test_the_organizations_trail_stays_unless_it_is_named() -> None:
    world = World(held=DELEGATES, trail=ORGANIZATION_TRAIL)
    world.destroy()
    assert ORGANIZATION_TRAIL in world.plans[0].stays
    assert world.done == ["stack keeper"]
    world.destroy("keeper-trail", "keeper")
    assert world.done[2:] == ["trail of the whole organization keeper", "bucket keeper-trail"]


@pytest.mark.parametrize(
    ("trail", "words"),
    [
        (ORGANIZATION_TRAIL, "pass --delete-data keeper too"),
        (Failure(FailureReason.MISSING_PERMISSION, "AccessDenied"), "allow cloudtrail:DescribeTrails"),
    ],
)
def test_a_bucket_cannot_go_while_the_organizations_trail_writes_or_may_write_to_it(
    trail: Datum | Failure, words: str
) -> None:
    world = World(held=DELEGATES, trail=trail)
    with pytest.raises(UsageError, match=words):
        world.destroy("keeper-trail")
    bucket = Datum(DataKind.BUCKET, "keeper-trail")
    gone = World(state=None, left={"keeper-trail": bucket}, trail=trail)
    with pytest.raises(UsageError, match=words):
        gone.destroy("keeper-trail")
    assert (world.done, gone.done) == ([], [])


def test_other_data_can_go_where_trails_cannot_be_read() -> None:
    world = World(held=DELEGATES, trail=Failure(FailureReason.MISSING_PERMISSION, "AccessDenied"))
    world.destroy("VPCTracker")
    assert world.done == ["stack keeper", "table VPCTracker"]

"""Taking the stack down: what holds data stays, unless it is named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, assert_never

from landkeeper.operate.stacks import StackEvent, StackResource, Stacks
from landkeeper.org import Failure, UsageError


class DataKind(StrEnum):
    """What holds data."""

    TABLE = "table"
    BUCKET = "bucket"
    """Of the trail."""
    REPORTS = "bucket of the report"
    TRAIL = "trail"
    ORGANIZATION_TRAIL = "trail of the whole organization"
    """One that `landkeeper deploy` has made as a delegated administrator; the management account owns it."""
    FILES = "files in the bucket"


_BUCKET = "AWS::S3::Bucket"
_TRAIL = "AWS::CloudTrail::Trail"
_KINDS = {
    "AWS::DynamoDB::Table": DataKind.TABLE,
    _BUCKET: DataKind.BUCKET,
    _TRAIL: DataKind.TRAIL,
}
_WITH_THE_BUCKET = "AWS::S3::BucketPolicy"
_REPORTS = "ReportBucket"
"""What the template calls the bucket that no trail writes into."""


@dataclass(frozen=True, slots=True)
class Datum:
    """Something that holds data, by the name that it goes by in AWS."""

    kind: DataKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class DestroyPlan:
    """What goes and what stays."""

    stack_name: str
    has_stack: bool
    goes: tuple[StackResource, ...]
    deleted: tuple[Datum, ...]
    stays: tuple[Datum, ...]


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What became of the plan."""

    plan: DestroyPlan
    failures: tuple[tuple[Datum, Failure], ...]
    """What was to be deleted and could not be; it is still there."""


class DataStores(Protocol):
    """Deletes what holds data, and nothing that it was not told to."""

    def find_left(self, stack_name: str, name: str) -> Datum | None:
        """What an earlier stack left behind under this name; None where it is not one of ours."""

    def find_trail(self, stack_name: str) -> Datum | Failure | None:
        """Return the trail that writes to the stack's bucket, whoever owns it; a Failure where AWS does not say."""

    def find_files(self, stack_name: str) -> Datum | None:
        """The packages and policies that deploying the stack has uploaded; None where there are none."""

    def delete(self, datum: Datum, stack_name: str) -> Failure | None:
        """Delete it, a table's deletion protection and a bucket's content first; the failure where AWS refuses."""

    def forget_topic(self, bucket: str) -> bool:
        """Take the notification that deploying added out of an existing bucket; whether there was one."""


def plan_destruction(
    stack_name: str, resources: Sequence[StackResource], left: Iterable[Datum], names: Sequence[str], *, has_stack: bool
) -> DestroyPlan:
    """What goes and what stays when the stack goes and the data of these names.

    `left` is other data than the stack's own resources. Raises UsageError for a name that nothing of the stack has,
    and for a bucket whose trail is to stay.
    """
    data = [Datum(_kind(resource), resource.physical_id) for resource in resources if resource.resource_type in _KINDS]
    data += left
    unknown = [name for name in names if name not in {datum.name for datum in data}]
    if unknown:
        known = ", ".join(sorted(datum.name for datum in data)) or "nothing"
        raise UsageError(f"--delete-data {unknown[0]}: the stack {stack_name} has no such data; it has {known}")
    deleted = tuple(datum for datum in data if datum.name in names)
    stays = tuple(datum for datum in data if datum.name not in names)
    _check_trail(deleted, stays)
    kept_types = {*_KINDS, _WITH_THE_BUCKET}
    goes = tuple(resource for resource in resources if resource.resource_type not in kept_types)
    return DestroyPlan(stack_name, has_stack, goes, deleted, stays)


def _kind(resource: StackResource) -> DataKind:
    return DataKind.REPORTS if resource.logical_id == _REPORTS else _KINDS[resource.resource_type]


def _check_trail(deleted: Sequence[Datum], stays: Sequence[Datum]) -> None:
    writing = [datum.name for datum in stays if datum.kind in {DataKind.TRAIL, DataKind.ORGANIZATION_TRAIL}]
    buckets = [datum.name for datum in deleted if datum.kind is DataKind.BUCKET]
    if writing and buckets:
        raise UsageError(
            f"--delete-data {buckets[0]}: the trail {writing[0]} writes to this bucket; pass --delete-data "
            f"{writing[0]} too"
        )


def destroy(
    stack_name: str,
    names: Sequence[str],
    stacks: Stacks,
    stores: DataStores,
    *,
    approve: Callable[[DestroyPlan], bool],
    on_event: Callable[[StackEvent], None],
) -> Destroyed | None:
    """Delete the stack, then the data that is named; None where `approve` says no, and nothing was changed.

    Tables, the trail and its bucket stay otherwise, and the next deployment adopts them. Of a stack that is gone
    already the data that is left can still be named. Raises UsageError where there is nothing to destroy, StackError
    where the stack could not be deleted; its data is then untouched.
    """
    state = stacks.find(stack_name)
    if state is None and not names:
        raise UsageError(f"there is no stack {stack_name}: check --stack-name and AWS_REGION")
    resources = stacks.resources(stack_name) if state is not None else []
    plan = plan_destruction(
        stack_name, resources, _left(stack_name, names, stores, resources), names, has_stack=state is not None
    )
    if not approve(plan):
        return None
    if state is not None:
        if state.parameters.get("TrailBucketName") and not state.parameters.get("TrailBucketAccount"):
            stores.forget_topic(state.parameters["TrailBucketName"])
        stacks.delete(stack_name, on_event)
    failures = []
    for datum in sorted(plan.deleted, key=_order):
        failure = stores.delete(datum, stack_name)
        if failure is not None:
            failures.append((datum, failure))
    return Destroyed(plan, tuple(failures))


def _left(stack_name: str, names: Sequence[str], stores: DataStores, resources: Sequence[StackResource]) -> list[Datum]:
    has_trail = any(resource.resource_type == _TRAIL for resource in resources)
    trail = None if has_trail else stores.find_trail(stack_name)
    seen = (stores.find_files(stack_name), None if isinstance(trail, Failure) else trail)
    found = [datum for datum in seen if datum is not None]
    own = {*(resource.physical_id for resource in resources), *(datum.name for datum in found)}
    others = (stores.find_left(stack_name, name) for name in names if name not in own)
    left = [*found, *(datum for datum in others if datum is not None)]
    if isinstance(trail, Failure):
        _check_unseen_trail(trail, names, resources, left)
    return left


def _check_unseen_trail(
    failure: Failure, names: Sequence[str], resources: Sequence[StackResource], left: Sequence[Datum]
) -> None:
    """Raise UsageError where a bucket is to be deleted and nobody can tell whether a trail writes to it."""
    own = (Datum(_kind(resource), resource.physical_id) for resource in resources if resource.resource_type in _KINDS)
    for datum in (*own, *left):
        if datum.kind is DataKind.BUCKET and datum.name in names:
            raise UsageError(
                f"--delete-data {datum.name}: whether a trail still writes to this bucket could not be read "
                f"({failure}); allow cloudtrail:DescribeTrails"
            )


def _order(datum: Datum) -> int:
    """A trail before the bucket that it writes to."""
    match datum.kind:
        case DataKind.TRAIL | DataKind.ORGANIZATION_TRAIL:
            return 0
        case DataKind.TABLE:
            return 1
        case DataKind.BUCKET | DataKind.REPORTS:
            return 2
        case DataKind.FILES:
            return 3
        case _:
            assert_never(datum.kind)

"""Deploying the stack: look around, refuse or package, upload, plan, ask, execute."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from landkeeper.operate.package import FunctionPackage
from landkeeper.operate.preflight import (
    Obstacle,
    complete_parameters,
    find_obstacles,
    log_file_prefix,
)
from landkeeper.operate.stacks import Artifacts, ChangeSet, StackError, StackEvent, Stacks, StackState
from landkeeper.operate.surroundings import BucketSeen, Surroundings
from landkeeper.operate.templates import MEMBER_EVENTS, MEMBER_ROLES, stack_template, template
from landkeeper.org import UsageError

__all__ = ["Declined", "DeployRequest", "Deployed", "RefusedError", "deploy", "template"]

_LEFT_BEHIND = "ROLLBACK_COMPLETE"


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """What a person asks for."""

    stack_name: str
    policy: str = ""
    """The text of Broom's policy, checked already; empty to keep the one that is deployed."""
    config: str = ""
    """The text of `landkeeper.yaml`, checked already; empty for none, or to keep the one that is deployed."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Parameters of the template, beside those that deploying itself sets."""
    has_member_roles: bool = False
    """Whether the member accounts have their role already, so that no StackSets are made."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """The stack is as the template says."""

    change_set: ChangeSet
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    """What the stack's parameters are; some of those at their defaults are left out."""
    surroundings: Surroundings


@dataclass(frozen=True, slots=True)
class Declined:
    """The change set was shown and not approved; nothing was changed."""

    change_set: ChangeSet


class RefusedError(UsageError):
    """The deployment would fail, so nothing was changed. Each obstacle names its way out."""

    def __init__(self, stack_name: str, obstacles: Sequence[Obstacle]) -> None:
        super().__init__(f"stack {stack_name}: {'; '.join(map(str, obstacles))}")
        self.obstacles = tuple(obstacles)


class TrailNotifications(Protocol):
    """Changes whom an existing bucket tells of new objects, and leaves what others have put there."""

    def tell_topic(self, bucket: str, topic_arn: str, prefix: str) -> bool:
        """Have the bucket tell the topic of new log files under the prefix; whether that changed anything."""

    def tell_event_bridge(self, bucket: str) -> bool:
        """Have the bucket tell EventBridge; whether that changed anything."""


def deploy(
    request: DeployRequest,
    make_package: Callable[[], FunctionPackage],
    artifacts: Artifacts,
    stacks: Stacks,
    *,
    inspect_environment: Callable[[StackState | None, Mapping[str, str]], Surroundings],
    notifications: TrailNotifications,
    approve: Callable[[ChangeSet], bool],
    on_event: Callable[[StackEvent], None],
    recover: Callable[[str], bool] = lambda _: True,
) -> Deployed | Declined:
    """Bring the stack to the template; `approve` sees the change set before anything is changed.

    Package, policy, configuration and templates are stored under names that tell their content, so doing it again
    uploads nothing. A first deployment that failed leaves a stack that can only be deleted; `recover` is asked first.
    Raises RefusedError for what it would fail on, StackError when CloudFormation refuses or rolls back.
    """
    state = stacks.find(request.stack_name)
    known = state.parameters if state is not None else {}
    surroundings = inspect_environment(state, {**known, **request.parameters})
    settled = complete_parameters(request.parameters, surroundings, has_role=request.has_member_roles)
    obstacles = find_obstacles({**known, **settled}, surroundings)
    if not request.policy and "PolicyKey" not in known:
        obstacles.append(Obstacle("the first deployment requires a policy for Broom", "pass --policy FILE"))
    if obstacles:
        raise RefusedError(request.stack_name, obstacles)
    if state is not None and state.status == _LEFT_BEHIND:
        _clear(request.stack_name, stacks, recover, on_event)
        state, known = None, {}
    uploaded = _upload(request, make_package(), artifacts, surroundings, {**known, **settled})
    parameters = {**settled, **uploaded.parameters}
    change_set = stacks.plan(request.stack_name, uploaded.template_url, parameters, state=state)
    now = {**known, **parameters}
    if not change_set.changes:
        _connect_bucket(now, surroundings, stacks.outputs(request.stack_name), notifications)
        return Deployed(change_set, stacks.outputs(request.stack_name), now, surroundings)
    if not approve(change_set):
        stacks.discard(change_set)
        return Declined(change_set)
    outputs = stacks.execute(change_set, on_event)
    _connect_bucket(now, surroundings, outputs, notifications)
    return Deployed(change_set, outputs, now, surroundings)


def _clear(
    stack_name: str, stacks: Stacks, recover: Callable[[str], bool], on_event: Callable[[StackEvent], None]
) -> None:
    if not recover(stack_name):
        raise StackError(
            f"stack {stack_name} is {_LEFT_BEHIND} after its first deployment failed, and must be deleted first: "
            f"confirm the deletion, or run landkeeper destroy --stack-name {stack_name}"
        )
    stacks.delete(stack_name, on_event)


@dataclass(frozen=True, slots=True)
class _Uploaded:
    template_url: str
    parameters: Mapping[str, str]


def _upload(
    request: DeployRequest,
    package: FunctionPackage,
    artifacts: Artifacts,
    surroundings: Surroundings,
    values: Mapping[str, str],
) -> _Uploaded:
    pseudo = {
        "AWS::StackName": request.stack_name,
        "AWS::AccountId": surroundings.account,
        "AWS::Region": surroundings.region,
    }
    files = stack_files(request, package, {**values, **pseudo})
    keys = {parameter: f"{request.stack_name}/{name}" for parameter, (name, _) in files.items()}
    for parameter, (_, body) in files.items():
        artifacts.put(keys[parameter], body)
    url = artifacts.url(keys.pop("template"))
    return _Uploaded(url, {**keys, **package_parameters(package), "CodeBucket": artifacts.bucket})


def stack_files(
    request: DeployRequest, package: FunctionPackage, values: Mapping[str, str]
) -> dict[str, tuple[str, bytes]]:
    """The files that a stack is made from, by the parameter that holds the key of each; `template` for its own."""
    files = {
        "CodeKey": (f"functions-{package.digest}.zip", package.body),
        "template": _named("landkeeper-stack", stack_template(values)),
        "MemberRolesKey": _named("member-roles", template(MEMBER_ROLES)),
        "MemberEventsKey": _named("member-events", template(MEMBER_EVENTS)),
    }
    if request.policy:
        files["PolicyKey"] = _named("policy", request.policy)
    if request.config:
        files["ConfigKey"] = _named("landkeeper", request.config)
    return files


def package_parameters(package: FunctionPackage) -> dict[str, str]:
    """The template's parameters that the package determines."""
    return {"Runtime": package.runtime, "Architecture": package.architecture}


def _connect_bucket(
    parameters: Mapping[str, str],
    surroundings: Surroundings,
    outputs: Mapping[str, str],
    notifications: TrailNotifications,
) -> None:
    """Have an existing bucket of this account tell of its log files, beside whatever it tells others."""
    if not isinstance(surroundings.bucket, BucketSeen):
        return
    if parameters.get("TrailBucketEvents") == "true":
        notifications.tell_event_bridge(surroundings.bucket.name)
    elif "LogFilesTopicArn" in outputs:
        notifications.tell_topic(surroundings.bucket.name, outputs["LogFilesTopicArn"], log_file_prefix(parameters))


def _named(kind: str, text: str) -> tuple[str, bytes]:
    body = text.encode()
    return f"{kind}-{hashlib.sha256(body).hexdigest()[:16]}.yaml", body

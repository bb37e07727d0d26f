"""Deploy the stack: run preflight checks, package, upload, plan, ask, execute, compare."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from landkeeper.operate.environment import BucketSeen, Environment
from landkeeper.operate.first_day import (
    LedgerSwitch,
    turn_off_kept_ledger,
    turn_off_new_ledger,
    waits_for_consent,
)
from landkeeper.operate.organization_trail import (
    OrganizationTrails,
    TrailPlan,
    bring_trail,
    plan_organization_trail,
)
from landkeeper.operate.package import FunctionPackage
from landkeeper.operate.preflight import (
    Obstacle,
    complete_parameters,
    find_obstacles,
    log_file_prefix,
)
from landkeeper.operate.stacks import Artifacts, ChangeSet, StackError, StackEvent, Stacks, StackState
from landkeeper.operate.templates import MEMBER_EVENTS, MEMBER_ROLES, stack_template, template
from landkeeper.org import Failure, UsageError

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
    environment: Environment
    waits_for_consent: bool = False
    """Whether nothing is stopped or terminated until somebody turns actions on; said after the first deployment."""
    switch_failure: Failure | None = None
    """Why the ledger's switch could not be turned off then; the function waits in any case."""


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
    """Changes the notifications of an existing bucket, and keeps those of others."""

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
    inspect_environment: Callable[[StackState | None, Mapping[str, str]], Environment],
    notifications: TrailNotifications,
    switch: LedgerSwitch,
    trails: OrganizationTrails,
    approve: Callable[[ChangeSet], bool],
    on_event: Callable[[StackEvent], None],
    recover: Callable[[str], bool] = lambda _: True,
    is_plan: bool = False,
) -> Deployed | Declined:
    """Bring the stack to the template; `approve` sees the change set, and the organization's trail, beforehand.

    A stack whose first deployment failed can only be deleted: `recover` is asked, and its parameters count for nothing.
    A plan (`is_plan`) only uploads files. Raises RefusedError for what would fail, StackError when AWS refuses or rolls
    back, or where the bucket or the functions then hold something else than what was uploaded.
    """
    name, found = request.stack_name, stacks.find(request.stack_name)
    state = None if found is not None and found.status == _LEFT_BEHIND else found
    known = state.parameters if state is not None else {}
    environment = inspect_environment(state, {**known, **request.parameters})
    settled = complete_parameters(request.parameters, environment, has_role=request.has_member_roles)
    trail = _check(request, known, settled, environment)
    if found is not state:
        _clear(name, stacks, recover, on_event)
    package = make_package()
    uploaded = _upload(request, package, artifacts, environment, {**known, **settled})
    parameters = {**settled, **uploaded.parameters}
    change_set = stacks.plan(name, uploaded.template_url, parameters, state=state)
    now = {**known, **parameters}
    shown = replace(change_set, changes=(*change_set.changes, *(trail.changes if trail is not None else ())))
    if shown.changes and not approve(shown):
        if change_set.changes:
            stacks.discard(change_set)
        return Declined(shown)
    waits = bool(change_set.changes) and waits_for_consent(now, is_first=state is None)
    failure = None
    if change_set.changes:
        _check_uploaded(change_set, uploaded, artifacts, stacks)
        failure = _execute(change_set, now, package, stacks, switch=switch if waits else None, on_event=on_event)
    outputs = stacks.outputs(name)
    if shown.changes or not is_plan:
        _connect_bucket(now, environment, outputs, notifications)
    if trail is not None:
        _make_trail(name, trail, trails, on_event, is_switched=failure is None)
    return Deployed(shown, outputs, now, environment, waits, failure)


def _make_trail(
    stack_name: str,
    plan: TrailPlan,
    trails: OrganizationTrails,
    on_event: Callable[[StackEvent], None],
    *,
    is_switched: bool,
) -> None:
    """Make or change the trail; a refusal is told together with a ledger's switch that could not be turned off."""
    try:
        event = bring_trail(stack_name, plan, trails)
    except StackError as error:
        if is_switched:
            raise
        raise StackError(
            f"{error}; actions could not be turned off either: run landkeeper broom actions off"
        ) from error
    if event is not None:
        on_event(event)


def _check(
    request: DeployRequest, known: Mapping[str, str], settled: Mapping[str, str], environment: Environment
) -> TrailPlan | None:
    """Return what is to be done about the organization's trail. Raise RefusedError for what the deployment would fail
    on."""
    parameters = {**known, **settled}
    obstacles = find_obstacles(parameters, environment)
    trail = plan_organization_trail(request.stack_name, parameters, environment)
    if not request.policy and "PolicyKey" not in known:
        obstacles.append(Obstacle("the first deployment requires a policy for Broom", "pass --policy FILE"))
    if isinstance(trail, Obstacle):
        raise RefusedError(request.stack_name, [*obstacles, trail])
    if obstacles:
        raise RefusedError(request.stack_name, obstacles)
    return trail


def _execute(
    change_set: ChangeSet,
    parameters: Mapping[str, str],
    package: FunctionPackage,
    stacks: Stacks,
    *,
    switch: LedgerSwitch | None,
    on_event: Callable[[StackEvent], None],
) -> Failure | None:
    """Execute the change set, with the ledger's switch off before and after if there is one.

    Return why the switch of a new ledger could not be turned off.
    """
    if switch is not None:
        _turn_off(change_set, parameters, switch, stacks)
    stacks.execute(change_set, on_event)
    _check_code(change_set.stack_name, package, stacks)
    return turn_off_new_ledger(parameters, switch) if switch is not None else None


def _turn_off(change_set: ChangeSet, parameters: Mapping[str, str], switch: LedgerSwitch, stacks: Stacks) -> None:
    try:
        turn_off_kept_ledger(change_set.stack_name, parameters, switch)
    except StackError:
        stacks.discard(change_set)
        raise


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
    template: str
    template_url: str
    parameters: Mapping[str, str]
    files: Mapping[str, bytes]
    """Everything that was uploaded, by its key."""


def _upload(
    request: DeployRequest,
    package: FunctionPackage,
    artifacts: Artifacts,
    environment: Environment,
    values: Mapping[str, str],
) -> _Uploaded:
    pseudo = {
        "AWS::StackName": request.stack_name,
        "AWS::AccountId": environment.account,
        "AWS::Region": environment.region,
    }
    files = stack_files(request, package, {**values, **pseudo})
    keys = {parameter: f"{request.stack_name}/{name}" for parameter, (name, _) in files.items()}
    bodies = {keys[parameter]: body for parameter, (_, body) in files.items()}
    for key, body in bodies.items():
        artifacts.put(key, body)
    parameters = {parameter: key for parameter, key in keys.items() if parameter != "template"}
    return _Uploaded(
        files["template"][1].decode(),
        artifacts.url(keys["template"]),
        {**parameters, **package_parameters(package), "CodeBucket": artifacts.bucket},
        bodies,
    )


def _check_uploaded(change_set: ChangeSet, uploaded: _Uploaded, artifacts: Artifacts, stacks: Stacks) -> None:
    """Raise StackError, and drop the change set, where something else lies in the bucket than what was uploaded."""
    changed = [key for key, body in uploaded.files.items() if not artifacts.holds(key, body)]
    if not changed and _lines(stacks.read_template(change_set)) != _lines(uploaded.template):
        changed = ["the template that CloudFormation has read"]
    if changed:
        stacks.discard(change_set)
        raise StackError(
            f"stack {change_set.stack_name}: somebody has replaced what was uploaded to the bucket {artifacts.bucket} "
            f"({', '.join(changed)}): nothing was changed; find out who may write into the bucket"
        )


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def _check_code(stack_name: str, package: FunctionPackage, stacks: Stacks) -> None:
    """Raise StackError where a function runs something else than the package."""
    others = [name for name, digest in stacks.read_code_digests(stack_name).items() if digest != package.digest]
    if others:
        raise StackError(
            f"stack {stack_name}: the code of {', '.join(sorted(others))} is not the package that was uploaded; "
            "disable these functions, and find out who may write into the bucket or change the functions"
        )


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
    environment: Environment,
    outputs: Mapping[str, str],
    notifications: TrailNotifications,
) -> None:
    """Have an existing bucket of this account tell of its log files, beside whatever it tells others."""
    if not isinstance(environment.bucket, BucketSeen):
        return
    if parameters.get("TrailBucketEvents") == "true":
        notifications.tell_event_bridge(environment.bucket.name)
    elif "LogFilesTopicArn" in outputs:
        notifications.tell_topic(environment.bucket.name, outputs["LogFilesTopicArn"], log_file_prefix(parameters))


def _named(kind: str, text: str) -> tuple[str, bytes]:
    body = text.encode()
    return f"{kind}-{hashlib.sha256(body).hexdigest()}.yaml", body

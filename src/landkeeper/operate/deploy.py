"""Deploying the stack: package, upload, plan, ask, execute."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from landkeeper.operate.package import FunctionPackage
from landkeeper.operate.stacks import Artifacts, ChangeSet, StackEvent, Stacks


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """What a person asks for."""

    stack_name: str
    policy: str
    """The text of Broom's policy, checked already."""
    config: str = ""
    """The text of `landkeeper.yaml`, checked already; empty for none."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Parameters of the template, beside those that deploying itself sets."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """The stack is as the template says."""

    change_set: ChangeSet
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Declined:
    """The change set was shown and not approved; nothing was changed."""

    change_set: ChangeSet


def template(name: str) -> str:
    """The text of one of the product's own templates, as in `landkeeper.yaml`."""
    return (files("landkeeper") / "infra" / name).read_text(encoding="utf-8")


def stack_parameters(
    request: DeployRequest, package: FunctionPackage, bucket: str, keys: Mapping[str, str]
) -> dict[str, str]:
    """The template's parameters: what was asked for, and the `keys` under which its files lie in the bucket."""
    return {
        **request.parameters,
        **keys,
        "CodeBucket": bucket,
        "Runtime": package.runtime,
        "Architecture": package.architecture,
    }


def deploy(
    request: DeployRequest,
    package: FunctionPackage,
    artifacts: Artifacts,
    stacks: Stacks,
    *,
    approve: Callable[[ChangeSet], bool],
    on_event: Callable[[StackEvent], None],
) -> Deployed | Declined:
    """Bring the stack to the template; `approve` sees the change set before anything is changed.

    Package, policy and configuration are stored under names that tell their content, so doing it again uploads nothing.
    Raises StackError when CloudFormation refuses or rolls back.
    """
    named = {
        "CodeKey": (f"functions-{package.digest}.zip", package.body),
        "PolicyKey": _named("policy", request.policy),
    }
    if request.config:
        named["ConfigKey"] = _named("landkeeper", request.config)
    for name, body in named.values():
        artifacts.put(f"{request.stack_name}/{name}", body)
    keys = {parameter: f"{request.stack_name}/{name}" for parameter, (name, _) in named.items()}
    parameters = stack_parameters(request, package, artifacts.bucket, keys)
    change_set = stacks.plan(request.stack_name, template("landkeeper.yaml"), parameters)
    if not change_set.changes:
        return Deployed(change_set, stacks.outputs(request.stack_name))
    if not approve(change_set):
        return Declined(change_set)
    return Deployed(change_set, stacks.execute(change_set, on_event))


def _named(kind: str, text: str) -> tuple[str, bytes]:
    body = text.encode()
    return f"{kind}-{hashlib.sha256(body).hexdigest()[:16]}.yaml", body

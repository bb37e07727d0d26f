"""What is left to do for a person once the stack stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files

from landkeeper.operate.environment import Environment
from landkeeper.operate.preflight import ledger_name, log_file_prefix
from landkeeper.operate.templates import LOG_ARCHIVE, MEMBER_EVENTS, MEMBER_ROLES


def next_steps(
    stack_name: str,
    parameters: Mapping[str, str],
    outputs: Mapping[str, str],
    environment: Environment,
    *,
    waits_for_consent: bool = False,
) -> list[str]:
    """Sentences, each a thing to do, with the command that does it. `parameters` are those not at their defaults.

    `waits_for_consent` says that actions are off until somebody turns them on.
    """
    return [
        *_of_email(parameters),
        *_of_members(stack_name, parameters, outputs, environment),
        *_of_log_archive(stack_name, parameters, outputs, environment),
        "verify the deployment: landkeeper doctor"
        + ("" if stack_name == "landkeeper" else f" --stack-name {stack_name}"),
        *(_of_actions(parameters, outputs, environment) if waits_for_consent else ()),
    ]


def _of_actions(parameters: Mapping[str, str], outputs: Mapping[str, str], environment: Environment) -> Iterator[str]:
    logs = f"s3://{outputs.get('TrailBucket') or parameters.get('TrailBucketName', '')}/{log_file_prefix(parameters)}"
    yield (
        "actions are off: Broom reports, and stops and terminates nothing. See what the policy would have done: "
        f"landkeeper broom backtest {logs} --policy FILE (a new trail has no logs yet: landkeeper broom audit "
        "--dry-run --policy FILE looks at what runs now)"
    )
    ledger = outputs.get("LedgerTable", ledger_name(parameters))
    yield f"then turn actions on: AWS_REGION={environment.region} landkeeper broom actions on --ledger {ledger}"


def _of_email(parameters: Mapping[str, str]) -> Iterator[str]:
    if parameters.get("ReportEmail"):
        yield f"confirm the subscription in the email to {parameters['ReportEmail']}; no reports are sent before"


def _of_members(
    stack_name: str, parameters: Mapping[str, str], outputs: Mapping[str, str], environment: Environment
) -> Iterator[str]:
    roles = _deploy_command(
        f"{stack_name}-member-roles", MEMBER_ROLES, "CAPABILITY_NAMED_IAM", _role_parameters(parameters, outputs)
    )
    events = _deploy_command(
        f"{stack_name}-member-events",
        MEMBER_EVENTS,
        "CAPABILITY_IAM",
        {
            "ToolingAccountId": environment.account,
            "ToolingRegion": environment.region,
            **{name: parameters[name] for name in ("LaunchEvents",) if parameters.get(name)},
        },
    )
    forwards = parameters.get("OrganizationId") and parameters.get("EventForwarding", "true") == "true"
    organization = environment.organization
    if parameters.get("MemberUnits"):
        if organization is not None and organization.management_account != environment.account:
            yield f"StackSets skip the management account {organization.management_account}; run there: {roles}"
            if forwards:
                yield f"run there too, in every region: {events}"
        elif forwards:
            yield f"StackSets skip this account; run in each of its other regions: {events}"
        return
    if parameters.get("ReadRoleName", "landkeeper-read") == parameters.get("TerminateRoleName", "landkeeper-terminate"):
        yield (
            f"let the role {parameters['ReadRoleName']} of every account trust {outputs['TrackerRoleArn']} and "
            f"{outputs['BroomRoleArn']}; member-roles.yaml lists the required permissions"
        )
    else:
        yield f"deploy the roles to every other account, preferably with a service-managed StackSet: {roles}"
    if forwards:
        yield f"deploy event forwarding to every region of every account in the same way: {events}"


def _of_log_archive(
    stack_name: str, parameters: Mapping[str, str], outputs: Mapping[str, str], environment: Environment
) -> Iterator[str]:
    owner = parameters.get("TrailBucketAccount", "")
    if not parameters.get("TrailBucketName") or owner in {"", environment.account}:
        return
    if parameters.get("TrailBucketEvents") != "true":
        if not parameters.get("TrailTopicArn"):
            yield (
                f"in the account {owner}, let the bucket {parameters['TrailBucketName']} notify the topic "
                f"{outputs.get('LogFilesTopicArn', '')} of new objects, and let {outputs['BroomRoleArn']} read them"
            )
        return
    given = {
        "ToolingAccountId": environment.account,
        "ToolingRegion": environment.region,
        "BroomRoleArn": outputs["BroomRoleArn"],
        **{
            name: parameters[name] for name in ("TrailBucketName", "TrailPrefix", "TrailKeyArn") if parameters.get(name)
        },
    }
    archive = _deploy_command(f"{stack_name}-log-archive", LOG_ARCHIVE, "CAPABILITY_NAMED_IAM", given)
    bucket = parameters["TrailBucketName"]
    yield f"in the account {owner}, where the bucket {bucket} sends events to EventBridge: {archive}"
    if not parameters.get("LogReaderRoleArn"):
        yield "then run landkeeper deploy --parameter LogReaderRoleArn=... with the role that this created"


def _role_parameters(parameters: Mapping[str, str], outputs: Mapping[str, str]) -> dict[str, str]:
    named = {
        name: parameters[name]
        for name in (
            "ReadRoleName", "TerminateRoleName", "NetworkPrincipalArn", "NetworkRoleName", "DeleteDefaultVpcs",
            "SpareTagged", "ExternalId",
        )
        if parameters.get(name)
    }  # fmt: skip
    return {"TrackerRoleArn": outputs["TrackerRoleArn"], "BroomRoleArn": outputs["BroomRoleArn"], **named}


def _deploy_command(stack_name: str, template: str, capability: str, parameters: Mapping[str, str]) -> str:
    given = " ".join(f"{name}={value}" for name, value in parameters.items())
    path = files("landkeeper") / "infra" / template
    return (
        f"aws cloudformation deploy --stack-name {stack_name} --template-file {path} "
        f"--capabilities {capability} --parameter-overrides {given}"
    )

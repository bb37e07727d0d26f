"""`landkeeper deploy`: the stack into the account of the credentials at hand."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from landkeeper.broom.policy.file import parse_policy
from landkeeper.broom.policy.rules import terminates_without_limits
from landkeeper.cli.confirmation import has_terminal
from landkeeper.cli.exit_codes import DONE, USAGE
from landkeeper.cli.output import stderr, stdout
from landkeeper.cli.stack.progress import print_change_set, print_event
from landkeeper.cli.terminal import aside
from landkeeper.operate.deploy import Declined, Deployed, DeployRequest, RefusedError
from landkeeper.operate.next_steps import next_steps
from landkeeper.operate.package import FunctionPackage, make_package, this_processor
from landkeeper.operate.plain_files import plain_files
from landkeeper.operate.stacks import ChangeSet
from landkeeper.operate.templates import parameter_names
from landkeeper.org import UsageError
from landkeeper.settings import read_settings
from landkeeper.vpctracker.config_file import parse_config
from landkeeper.wiring.texts import read_named_file, replace_file

_BY_DEPLOYING = frozenset(
    {"CodeBucket", "CodeKey", "PolicyKey", "ConfigKey", "MemberRolesKey", "MemberEventsKey", "Runtime", "Architecture"}
)


def run(
    policy_file: Path | None,
    no_limits: bool,
    stack_name: str,
    config_file: Path | None,
    role_name: str | None,
    email: str | None,
    parameters: Sequence[str],
    architecture: str | None,
    as_installed: bool,
    yes: bool,
    plan: bool,
    directory: Path | None,
) -> int:
    """Deploy or update both products in the current account."""
    given = _parse_parameters(parameters)
    if role_name:
        given |= {"ReadRoleName": role_name, "TerminateRoleName": role_name}
    if email:
        given["ReportEmail"] = email
    policy = _read_policy(policy_file, no_limits=no_limits)
    config = read_named_file(config_file, what="configuration") if config_file else ""
    if config_file:
        parse_config(config, str(config_file))
    processor = None if as_installed else architecture or this_processor()
    request = DeployRequest(stack_name, policy, config, given, has_member_roles=role_name is not None)
    if directory is not None:
        if not policy:
            raise UsageError("--template-only requires a policy for Broom: pass --policy FILE")
        return _write_files(directory, request, processor)
    # Refused before anything is uploaded for a plan that nobody asked for.
    if not yes and not plan and not has_terminal():
        raise UsageError("Not a terminal: pass --yes to apply, or --plan to see the change.")
    return _deploy(request, processor, unseen=yes, is_plan=plan)


def _read_policy(file: Path | None, *, no_limits: bool) -> str:
    if file is None:
        if no_limits:
            raise UsageError("--no-limits is for --policy FILE")
        return ""
    text = read_named_file(file, what="policy")
    if terminates_without_limits(parse_policy(text, str(file))) and not no_limits:
        raise UsageError(
            f"{file} terminates instances without limits, so a mistake in a rule costs every instance that it applies "
            "to: add for example `limits: {terminations_per_hour: 20, terminations_per_hour_per_account: 5}`, or pass "
            "--no-limits"
        )
    return text


def _deploy(request: DeployRequest, architecture: str | None, *, unseen: bool, is_plan: bool) -> int:
    # Here, so that a wrong flag does not wait for boto3.
    from landkeeper.wiring.stack import deploy_stack

    console = stderr()
    try:
        done = deploy_stack(
            read_settings(os.environ),
            request,
            architecture=architecture,
            approve=lambda change_set: _approve(console, change_set, unseen=unseen, is_plan=is_plan),
            on_event=lambda event: print_event(console, event),
            on_package=lambda package: _print_package(console, package),
            recover=lambda stack_name: not is_plan and (unseen or _ask_to_clear(stack_name)),
            is_plan=is_plan,
        )
    except RefusedError as error:
        for obstacle in error.obstacles:
            aside(f"landkeeper: {obstacle}")
        return USAGE
    return _conclude(done)


def _parse_parameters(texts: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--parameter '{text}' is not of the form NAME=VALUE")
        if name in _BY_DEPLOYING:
            raise UsageError(f"--parameter {name} is set by the deployment itself")
        given[name] = value
    for name in given.keys() - set(parameter_names()):
        close = difflib.get_close_matches(name, parameter_names(), 1)
        hint = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(parameter_names())}"
        raise UsageError(f"--parameter {name} is not in the template: {hint}")
    return given


def _approve(console: Console, change_set: ChangeSet, *, unseen: bool, is_plan: bool) -> bool:
    print_change_set(stdout() if is_plan else console, change_set)
    return not is_plan and (unseen or click.confirm("Apply these changes?", err=True))


def _ask_to_clear(stack_name: str) -> bool:
    question = f"The first deployment of {stack_name} failed and was rolled back. Delete the failed stack?"
    return click.confirm(question, err=True)


def _print_package(console: Console, package: FunctionPackage) -> None:
    size = len(package.body) / 1_000_000
    console.print(f"Function package: {size:.1f} MB for {package.runtime} on {package.architecture}", markup=False)


def _conclude(done: Deployed | Declined) -> int:
    console = stdout()
    name = done.change_set.stack_name
    if isinstance(done, Declined):
        console.print(f"Nothing was changed in {name}.", markup=False)
        return DONE
    if not done.change_set.changes:
        console.print(f"No changes: the stack {name} is up to date.", markup=False)
    width = max(map(len, done.outputs), default=0)
    for output, value in sorted(done.outputs.items()):
        console.print(Text(f"{output:<{width}}  {value}"), soft_wrap=True)
    if done.switch_failure is not None:
        aside(
            f"The ledger's switch for actions could not be turned off; the function waits all the same: "
            f"{done.switch_failure}",
            "yellow",
        )
    if done.change_set.changes:
        console.print("Next:", style="bold")
        steps = next_steps(
            name, done.parameters, done.outputs, done.environment, waits_for_consent=done.waits_for_consent
        )
        for number, step in enumerate(steps, 1):
            console.print(Text(f" {number}. {step}"), soft_wrap=True)
    return DONE


def _write_files(directory: Path, request: DeployRequest, architecture: str | None) -> int:
    package = make_package(architecture)
    written = plain_files(request, package)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{directory} cannot be created: {error.strerror}") from error
    for name, body in written.items():
        replace_file(directory / name, body)
    console = stdout()
    _print_package(console, package)
    for name, body in sorted(written.items()):
        console.print(Text(f"{len(body):>10} bytes  {directory / name}"), soft_wrap=True)
    console.print(Text(f"See {directory / 'README.md'} for instructions."), soft_wrap=True)
    return DONE

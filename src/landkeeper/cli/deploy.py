"""`landkeeper deploy`: the stack into the account of the credentials at hand."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from landkeeper.broom.policy_file import parse_policy
from landkeeper.cli.output import stderr, stdout
from landkeeper.operate.deploy import Declined, Deployed, DeployRequest
from landkeeper.operate.stacks import ChangeSet, StackEvent
from landkeeper.org import UsageError
from landkeeper.settings import read_named_file, read_settings
from landkeeper.vpctracker.config_file import parse_config

_BY_DEPLOYING = frozenset({"CodeBucket", "CodeKey", "PolicyKey", "ConfigKey", "Runtime", "Architecture"})


@click.command("deploy")
@click.option("--policy", "policy_file", type=click.Path(path_type=Path), required=True, help="Broom's tag policy.")
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), help="VPC Tracker's landkeeper.yaml, if there is one."
)
@click.option("--stack-name", default="landkeeper", show_default=True, help="The stack's name.")
@click.option("--role", "role_name", metavar="NAME", help="A role that member accounts have already.")
@click.option("--email", metavar="ADDRESS", help="Where reports go by mail.")
@click.option("--parameter", "parameters", multiple=True, metavar="K=V", help="A parameter of the template.")
@click.option("--yes", is_flag=True, help="Execute the change set without asking.")
def command(
    policy_file: Path,
    stack_name: str,
    config_file: Path | None,
    role_name: str | None,
    email: str | None,
    parameters: Sequence[str],
    yes: bool,
) -> int:
    """Deploy both products into the account of the credentials at hand.

    Packages the functions, makes a change set, shows it, asks, and executes it. Doing it again updates. Needs Linux
    with the Python and the processor that the functions are to run on.
    """
    given = _parse_parameters(parameters)
    if role_name:
        given |= {"ReadRoleName": role_name, "TerminateRoleName": role_name}
    if email:
        given["ReportEmail"] = email
    policy = read_named_file(policy_file, what="policy")
    parse_policy(policy, str(policy_file))
    config = read_named_file(config_file, what="configuration") if config_file else ""
    if config_file:
        parse_config(config, str(config_file))
    if not yes and not sys.stdin.isatty():
        raise UsageError("there is nobody to ask here: say --yes to execute the change set unseen")
    # Here, so that a wrong flag does not wait for boto3.
    from landkeeper.wiring.stack import deploy_stack  # noqa: PLC0415

    console = stderr()
    done = deploy_stack(
        read_settings(os.environ),
        DeployRequest(stack_name, policy, config, given),
        approve=lambda change_set: _approve(console, change_set, unseen=yes),
        on_event=lambda event: _print_event(console, event),
    )
    return _conclude(done, stack_name, role_name)


def _parse_parameters(texts: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--parameter '{text}' is not of the form NAME=VALUE")
        if name in _BY_DEPLOYING:
            raise UsageError(f"--parameter {name} is set by deploying itself")
        given[name] = value
    return given


def _approve(console: Console, change_set: ChangeSet, *, unseen: bool) -> bool:
    table = Table(title=f"What will change in {change_set.stack_name}", title_justify="left", header_style="bold")
    for title in ("", "resource", "type"):
        table.add_column(title)
    for change in change_set.changes:
        action = Text("Replace" if change.replaces else change.action, style=_style(change.action, change.replaces))
        table.add_row(action, Text(change.resource), Text(change.resource_type))
    console.print(table)
    return unseen or click.confirm("Execute it?", err=True)


def _style(action: str, replaces: bool) -> str:
    if replaces or action == "Remove":
        return "red"
    return "green" if action == "Add" else "yellow"


def _print_event(console: Console, event: StackEvent) -> None:
    failed = event.status.endswith("FAILED")
    line = Text(f"{event.status:<20} {event.resource} {event.reason}".rstrip(), style="red" if failed else "")
    console.print(line)


def _conclude(done: Deployed | Declined, stack_name: str, role_name: str | None) -> int:
    console = stdout()
    if isinstance(done, Declined):
        console.print("Nothing was changed.")
        return 0
    if not done.change_set.changes:
        console.print(f"The stack {stack_name} is as it should be; nothing to change.")
    table = Table(title=f"Stack {stack_name}", title_justify="left", show_header=False)
    for name, value in done.outputs.items():
        table.add_row(name, Text(value))
    console.print(table)
    if role_name is None:
        console.print(
            f"Next: give every member account its roles with the template {files('landkeeper') / 'infra'}/"
            f"member-roles.yaml (a service-managed StackSet reaches new accounts too), with TrackerRoleArn and "
            "BroomRoleArn as above. With --parameter EventForwarding=true, member-events.yaml beside it, in "
            "every region, brings changes of VPCs within minutes.",
            soft_wrap=True,
        )
    return 0

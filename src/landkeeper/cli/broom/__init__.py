"""`landkeeper broom`: check launches against a tag policy, and the policy itself."""

from __future__ import annotations

import rich_click as click

from landkeeper.cli.broom.audit import audit_command
from landkeeper.cli.broom.backtest import backtest_command
from landkeeper.cli.broom.cases import case_command, cases_command, release_command
from landkeeper.cli.broom.policy import policy_command
from landkeeper.cli.broom.sweep import sweep_command


@click.group(name="broom")
def command() -> None:
    """Check every launch against a tag policy, and deal with the ones that break it."""


for _command in (
    sweep_command,
    backtest_command,
    audit_command,
    cases_command,
    case_command,
    release_command,
    policy_command,
):
    command.add_command(_command)

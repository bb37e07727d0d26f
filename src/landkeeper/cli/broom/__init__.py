"""`landkeeper broom`: check launches against a tag policy, and the policy itself."""

from __future__ import annotations

import importlib

import rich_click as click

_COMMANDS = {
    "sweep": "landkeeper.cli.broom.sweep",
    "backtest": "landkeeper.cli.broom.backtest",
    "audit": "landkeeper.cli.broom.audit",
    "cases": "landkeeper.cli.broom.cases",
    "case": "landkeeper.cli.broom.cases",
    "release": "landkeeper.cli.broom.cases",
    "policy": "landkeeper.cli.broom.policy",
}


class _LazyGroup(click.RichGroup):
    """A group whose commands are loaded when they are asked for: reading logs does not wait for exports of policies."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(_COMMANDS[cmd_name]), f"{cmd_name}_command")
        return command


@click.group(name="broom", cls=_LazyGroup)
def command() -> None:
    """Check every launch against a tag policy, and deal with the ones that break it."""

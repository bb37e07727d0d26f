"""The command's top: its groups, each loaded only when asked for. `vpc list` does not wait for Broom's imports."""

from __future__ import annotations

import importlib

import rich_click as click

from landkeeper import __version__

_COMMANDS = {
    "demo": "landkeeper.cli.demo",
    "vpc": "landkeeper.cli.vpc",
    "broom": "landkeeper.cli.broom",
    "config": "landkeeper.cli.config",
    "deploy": "landkeeper.cli.deploy",
    "destroy": "landkeeper.cli.destroy",
    "doctor": "landkeeper.cli.doctor",
    "cost": "landkeeper.cli.cost",
}


class _LazyGroup(click.RichGroup):
    """A group whose commands are modules that each have a `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(_COMMANDS[cmd_name]).command
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, "-V", "--version", message="landkeeper %(version)s")
def root() -> None:
    """Looks after an AWS landing zone: every VPC known, every untagged launch dealt with."""

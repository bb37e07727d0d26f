"""The command's top: its groups and commands."""

from __future__ import annotations

import rich_click as click

from landkeeper import __version__
from landkeeper.cli.lazy_group import LazyGroup

_NAMES = ("demo", "vpc", "broom", "report", "serve", "config", "deploy", "destroy", "doctor", "cost")


@click.group(
    cls=LazyGroup,
    places={name: f"landkeeper.cli.{name}:command" for name in _NAMES},
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.version_option(__version__, "-V", "--version", message="landkeeper %(version)s")
def root() -> None:
    """Looks after an AWS landing zone: every VPC known, every untagged launch dealt with."""

"""A group of commands of which only the one that is asked for is loaded: listing VPCs does not wait for Broom."""

from __future__ import annotations

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Any

import rich_click as click


class LazyGroup(click.RichGroup):
    """Knows each command's name and where it is, as `package.module:attribute`."""

    def __init__(self, *given: Any, places: Mapping[str, str], **named: Any) -> None:
        """`places` are in the order in which help lists them."""
        super().__init__(*given, **named)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in their order."""
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, loaded now; None where there is none of that name."""
        place = self._places.get(cmd_name)
        command: click.Command | None = resolve_name(place) if place is not None else None
        return command

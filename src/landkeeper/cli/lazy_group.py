"""A group of commands of which only the one that is asked for is loaded: listing VPCs does not wait for Broom."""

from __future__ import annotations

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from landkeeper.cli.common.options import add_speech, complete_command
from landkeeper.cli.exit_codes import USAGE
from landkeeper.cli.help_page import PageContext
from landkeeper.cli.terminal import say_painted

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Place(NamedTuple):
    """Where a command is, and what the help of its group says about it."""

    where: str
    """As `package.module:attribute`."""
    short_help: str
    """The first paragraph of the command's own help, which is thus not loaded for it; a test compares them."""


class LazyGroup(click.Group):
    """Knows each command's name, where it is, and its short help."""

    context_class = PageContext

    def __init__(self, *given: Any, places: Mapping[str, Place], **named: Any) -> None:
        """`places` are in the order in which help lists them."""
        super().__init__(*given, **named)
        self.places = places
        add_speech(self)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Show the help of a group that is called without a command, which is wrong usage."""
        if not args and not ctx.resilient_parsing:
            say_painted(ctx.get_help())
            ctx.exit(USAGE)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in their order."""
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, loaded now; None where there is none of that name."""
        place = self.places.get(cmd_name)
        if place is None:
            return None
        command: click.Command = resolve_name(place.where)
        command.context_class = PageContext
        complete_command(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command's name and short help, without loading it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.short_help) for name, place in self.places.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The names that begin so, with their short help, and the options of the group."""
        from click.shell_completion import CompletionItem

        return [
            *(
                CompletionItem(name, help=place.short_help)
                for name, place in self.places.items()
                if name.startswith(incomplete)
            ),
            *click.Command.shell_complete(self, ctx, incomplete),
        ]

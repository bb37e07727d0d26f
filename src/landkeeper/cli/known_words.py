"""What the Tab key offers: ids and names that are in the file, profiles, files. Without them it offers nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from landkeeper.cli.terminal import one_line

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from landkeeper.embedded.stored_words import Kind, Word

Complete = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]


def known(*kinds: Kind) -> Complete:
    """Complete with the words of these kinds in the file. For a table, which takes a call, nothing is offered."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        def find() -> Iterable[Word]:
            import os

            from landkeeper.wiring.known_words import find_words

            # The report has both: `--table` says what the VPCs are in, and a file that they are in has the cases too.
            of_broom = all(option.name != "table" for option in ctx.command.params)
            return find_words(
                kinds, incomplete, os.environ,
                file=ctx.params.get("file"),
                table=ctx.params.get("ledger" if of_broom else "table"),
                table_variable="LANDKEEPER_LEDGER_TABLE" if of_broom else "LANDKEEPER_VPC_TABLE",
            )  # fmt: skip

        return _offered(find)

    return complete


def profiles(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete with the profiles of the AWS CLI's configuration."""

    def find() -> Iterable[Word]:
        import os

        from landkeeper.wiring.known_words import find_profiles

        return find_profiles(incomplete, os.environ)

    return _offered(find)


def files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete with files, as the shell does."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def _offered(find: Callable[[], Iterable[Word]]) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    try:
        # What is said about a word is somebody's tag: a line break in it would be a word of its own to the shell.
        return [CompletionItem(word, help=one_line(about) or None) for word, about in find() if word.isprintable()]
    except Exception:  # noqa: BLE001 - whatever is wrong with the file, a Tab says nothing about it
        return []

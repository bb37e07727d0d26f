"""Options that `vpc` commands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from landkeeper.cli.known_words import files, known
from landkeeper.cli.moments import FORMS, Moment

if TYPE_CHECKING:
    from datetime import datetime

Command = Callable[..., Any]

_ANY_ACCOUNT = "\0"
"""Stands for all accounts. Nobody can type it: neither a name nor an empty variable of a shell means all."""


def store_options(function: Command) -> Command:
    """The options `--table` and `--file`: which store."""
    table = click.option("--table", metavar="NAME", help="The DynamoDB table of VPCs, for example VPCTracker.")
    file = click.option(
        "--file", type=click.Path(path_type=Path, dir_okay=False), metavar="PATH",
        help="A local SQLite file instead of a table.  [default: landkeeper.db]",
    )  # fmt: skip
    return table(file(function))


config_option = click.option(
    "--config", metavar="FILE", shell_complete=files,
    help="The configuration: a path, s3://bucket/key or ssm:NAME.  [default: landkeeper.yaml, if it exists]",
)  # fmt: skip


def accept_unread_option(function: Command) -> Command:
    """The option `--accept-unread`, with or without an account.

    The command gets `accept_unread`, and `accepted_unread`: the ids and names of accounts.
    """

    @click.option(
        "--accept-unread", "accepted", multiple=True, is_flag=False, flag_value=_ANY_ACCOUNT,
        metavar="[ID|NAME]", shell_complete=known("account", "account name"),
        help="Allocate even if this account has never been read; may be repeated. Without an account: even if "
        "accounts of the space have never been read.",
    )  # fmt: skip
    @wraps(function)
    def accepting(*, accepted: tuple[str, ...], **given: Any) -> Any:
        named = tuple(text for text in accepted if text != _ANY_ACCOUNT)
        return function(accept_unread=_ANY_ACCOUNT in accepted, accepted_unread=named, **given)

    return accepting


def as_of_option(text: str) -> Callable[[Command], Command]:
    """Return the option `--as-of` with help that begins with this text; a command gets `as_of`."""
    return click.option("--as-of", type=Moment(is_past=True), metavar="TIME", help=f"{text}: {FORMS}.")


def answer_options(function: Command) -> Command:
    """The options `--table`, `--file` and `--as-of`; the command gets them as `query`."""

    @as_of_option("The state at this time")
    @store_options
    @wraps(function)
    def with_query(*, table: str | None, file: Path | None, as_of: datetime | None, **others: Any) -> Any:
        from landkeeper.cli.vpc.query import Query, settings_of

        return function(query=Query(settings_of(table, file), as_of), **others)

    return with_query

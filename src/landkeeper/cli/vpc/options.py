"""Options that `vpc` commands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from landkeeper.cli.known_words import files, known

Command = Callable[..., Any]

_ANY_ACCOUNT = "all"


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
    """The option `--accept-unread`, with or without an id; the command gets `accept_unread` and `accepted_unread`."""

    @click.option(
        "--accept-unread", "accepted", multiple=True, is_flag=False, flag_value=_ANY_ACCOUNT, metavar="[ID]",
        shell_complete=known("account"),
        help="Allocate even if this account has never been read; may be repeated. Without an id: even if accounts of "
        "the space have never been read.",
    )  # fmt: skip
    @wraps(function)
    def accepting(*, accepted: tuple[str, ...], **given: Any) -> Any:
        from landkeeper.org import parse_account_id

        named = frozenset(parse_account_id(text) for text in accepted if text != _ANY_ACCOUNT)
        return function(accept_unread=_ANY_ACCOUNT in accepted, accepted_unread=named, **given)

    return accepting


def answer_options(function: Command) -> Command:
    """The options `--table`, `--file` and `--as-of`; the command gets them as `query`."""

    @click.option(
        "--as-of",
        metavar="TIME",
        help="The state at this time: 2026-03-01, 2026-03-01T12:00:00Z, or 7d (that long ago).",
    )
    @store_options
    @wraps(function)
    def with_query(*, table: str | None, file: Path | None, as_of: str | None, **others: Any) -> Any:
        from datetime import UTC, datetime

        from landkeeper.cli.vpc.query import Query, parse_moment, settings_of

        moment = None if as_of is None else parse_moment(as_of, datetime.now(UTC))
        return function(query=Query(settings_of(table, file), moment), **others)

    return with_query

"""Options that commands of both products share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from landkeeper.cli.known_words import known, profiles

Command = Callable[..., Any]
Option = Callable[[Command], Command]

format_option = click.option(
    "--format", "format_", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True,
    help="A table to read, or JSON or CSV for other programs.",
)  # fmt: skip


def account_options(verb: str) -> Option:
    """Return the options `--org`, `--account` and `--profile`, with help that begins with the verb.

    They choose accounts in three ways, of which a command takes one: it raises UsageError for more.
    """

    def decorate(function: Command) -> Command:
        @click.option("--org", "organization", is_flag=True, help=f"{verb} every active account of the organization.")
        @accounts_option(f"{verb} this account; may be repeated.")
        @click.option(
            "--profile", "profiles", multiple=True, metavar="NAME", shell_complete=profiles,
            help=f"{verb} the account of this AWS profile; may be repeated.",
        )  # fmt: skip
        @wraps(function)
        def choosing(**given: Any) -> Any:
            if sum(bool(given[name]) for name in ("organization", "accounts", "profiles")) > 1:
                from landkeeper.org import UsageError

                raise UsageError("--org, --account and --profile are mutually exclusive")
            return function(**given)

        return choosing

    return decorate


def accounts_option(text: str) -> Option:
    """Return the option `--account` of commands that take several, with this help; they get `accounts`."""
    return click.option(
        "--account", "accounts", multiple=True, metavar="ID|NAME", help=text,
        shell_complete=known("account", "account name"),
    )  # fmt: skip


def account_option(text: str, *, required: bool = False) -> Option:
    """Return the option `--account` of commands that take one, with this help; they get `account`."""
    return click.option(
        "--account", required=required, metavar="ID|NAME", help=text, shell_complete=known("account", "account name")
    )


def regions_option(text: str) -> Option:
    """Return the option `--region` of commands that take several, with this help; they get `regions`."""
    return click.option("--region", "regions", multiple=True, metavar="R", shell_complete=known("region"), help=text)


def role_options(default: str = "") -> Option:
    """Return the options `--role` and `--external-id`; a command gets `role_name` and `external_id`.

    `default` is the role that a command takes without them, for the help.
    """
    role = click.option(
        "--role", "role_name", metavar="NAME",
        help="The role to assume in other accounts." + (f"  [default: {default}]" if default else ""),
    )  # fmt: skip
    external_id = click.option("--external-id", metavar="X", help="The external id for that role.")
    return lambda function: role(external_id(function))

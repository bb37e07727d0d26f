"""The options that every command gets when it is loaded, unless it has one of that name itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import click

from landkeeper.cli.common.answer_file import stdout_in
from landkeeper.cli.common.environment import mark_variables, remark_on_store, remark_on_variables
from landkeeper.cli.known_words import files, profiles
from landkeeper.cli.terminal import choices

_WITHOUT_AWS = frozenset({"completion", "cost", "demo", "init", "sample-log", "schema", "test", "try"})
_WITHOUT_OUT = frozenset({"deploy", "demo", "destroy", "serve"})
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_SPEECH = "--quiet"


def add_speech(command: click.Command) -> None:
    """Add the options on how a command or a group speaks. Once is enough."""
    if _has(command, _SPEECH):
        return
    command.params += [
        _choice("-q", "--quiet", name="is_quiet", help="Print no remarks and no progress; errors and warnings remain."),
        _choice("-v", "--verbose", name="is_verbose", help="Print every AWS call on stderr."),
        _choice("--debug", name="is_debug", help="Print every AWS call, and the traceback of an internal error."),
        _choice("--no-color", name="is_plain", help="Print without colors and styles."),
    ]


def complete_command(command: click.Command) -> None:
    """Add what every command has. Once is enough."""
    if _has(command, _SPEECH) or isinstance(command, click.Group):
        return
    out = next((param for param in command.params if "--out" in param.opts), None)
    if out is not None:
        out.opts += [] if "-o" in out.opts else ["-o"]
    elif command.name not in _WITHOUT_OUT:
        command.params.append(
            click.Option(["-o", "--out"], metavar="FILE", expose_value=False, callback=_send_out, shell_complete=files,
                         help="Write the answer to this file instead of stdout.")
        )  # fmt: skip
    if command.name not in _WITHOUT_AWS:
        _add_credentials(command)
    add_speech(command)
    mark_variables(command)
    callback = command.callback
    if callback is not None:

        @wraps(callback)
        def with_remarks(**given: Any) -> Any:
            code = callback(**given)
            # Behind the answer: an error stays one line.
            remark_on_variables(command, given)
            remark_on_store(command, given)
            return code

        command.callback = with_remarks


def _add_credentials(command: click.Command) -> None:
    if not _has(command, "--profile"):
        command.params.append(
            click.Option(["--profile"], metavar="NAME", expose_value=False, callback=_use_profile,
                         shell_complete=profiles, help="Use the credentials of this AWS profile.")
        )  # fmt: skip
    if not _has(command, "--region"):
        command.params.append(
            click.Option(["--region"], metavar="R", expose_value=False, callback=_use_region,
                         help="Use this region of AWS.")
        )  # fmt: skip


def _has(command: click.Command, name: str) -> bool:
    return any(name in param.opts for param in command.params)


def _choice(*names: str, name: str, help: str) -> click.Option:  # noqa: A002 - click's own name for it
    def choose(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            setattr(choices, name, True)
            if name in {"is_verbose", "is_debug"}:
                print_calls()

    return click.Option([*names], is_flag=True, expose_value=False, is_eager=True, callback=choose, help=help)


def print_calls() -> None:
    """Print the name of each AWS call on stderr from now on."""
    from landkeeper.cli.common.calls import print_aws_calls

    print_aws_calls()


def _use_profile(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None and not ctx.resilient_parsing:
        # As in the AWS CLI, a profile that is named beats keys in the environment.
        ctx.with_resource(_environment({"AWS_PROFILE": value}, without=_KEYS))


def _use_region(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None and not ctx.resilient_parsing:
        from landkeeper.org import parse_region

        ctx.with_resource(_environment({"AWS_REGION": parse_region(value)}))


def _send_out(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None and not ctx.resilient_parsing:
        ctx.with_resource(stdout_in(value))


@contextmanager
def _environment(variables: dict[str, str], without: tuple[str, ...] = ()) -> Iterator[None]:
    """These variables for this command; the environment is as before behind it."""
    before = {name: os.environ.get(name) for name in (*variables, *without)}
    os.environ.update(variables)
    for name in without:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

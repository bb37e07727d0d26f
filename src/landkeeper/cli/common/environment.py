"""Environment variables that commands honor: on their help pages, and in what they say on stderr."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import click

from landkeeper.cli.terminal import aside

_BY_OPTION = {
    "--table": "LANDKEEPER_VPC_TABLE",
    "--ledger": "LANDKEEPER_LEDGER_TABLE",
    "--file": "LANDKEEPER_FILE",
    "--policy": "LANDKEEPER_POLICY",
    "--config": "LANDKEEPER_CONFIG",
    "--external-id": "LANDKEEPER_EXTERNAL_ID",
    "--bucket": "LANDKEEPER_REPORT_BUCKET",
    "--debug": "LANDKEEPER_DEBUG",
    "--no-color": "NO_COLOR",
}
_READ = frozenset({"audit", "delete-default", "track"})
"""Commands that read accounts and regions which variables may name."""
_NARROWING = {"accounts": ("--account", "LANDKEEPER_ACCOUNTS"), "regions": ("--region", "LANDKEEPER_REGIONS")}
_NETWORK = frozenset({"delete-default", "vend"})
_OTHERS = {
    "audit": ("LANDKEEPER_ACTIONS", "LANDKEEPER_LEDGER_DAYS", "LANDKEEPER_TOPIC_ARN"),
    "backtest": ("LANDKEEPER_LOG_ROLE_ARN", "XDG_CACHE_HOME"),
    "check": ("LANDKEEPER_BUCKET_OWNER",),
    "release": ("LANDKEEPER_ACTIONS", "LANDKEEPER_LEDGER_DAYS", "LANDKEEPER_TOPIC_ARN"),
    "report": ("LANDKEEPER_BUCKET_OWNER",),
    "sweep": ("LANDKEEPER_ACTIONS", "LANDKEEPER_LEDGER_DAYS", "LANDKEEPER_LOG_ROLE_ARN", "LANDKEEPER_TOPIC_ARN"),
    "track": ("LANDKEEPER_ACCOUNT_SECONDS",),
}
"""Variables without an option, by command."""
_DEFAULT_FILE = "landkeeper.db"
"""As in the settings, which are not loaded for a help page; a test compares them."""
_WITH_LEDGER = frozenset({"audit", "case", "cases", "release", "sweep"})

_NAMES_ITS_STORE = frozenset({"delete-default", "import", "track", "vend"})
"""Commands that say themselves where they record what they do, or have a line for each thing."""


def mark_variables(command: click.Command) -> None:
    """Say in the help of each option which variable stands for it, and below them which variables have none."""
    names = {param.name for param in command.params}
    for param in command.params:
        if isinstance(param, click.Option):
            variable = _variable_of(command, param)
            if variable and f"[env: {variable}]" not in (param.help or ""):
                # What is a default only because a variable says so is no default.
                text = (param.help or "").replace(f"[default: {variable}]", "").rstrip()
                param.help = f"{text}  [env: {variable}]".strip()
    others = [] if command.name == "release" and "ledger" not in names else list(_OTHERS.get(command.name or "", ()))
    if command.name == "check" and (command.help or "").startswith("Validate a configuration"):
        others.append("LANDKEEPER_CONFIG")
    if any("--profile" in param.opts for param in command.params):
        others += ["AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL"]
    if others and not command.epilog:
        marks = " ".join(f"[env: {name}]" for name in sorted(others))
        command.epilog = f"Also honored: {marks}  docs/command.md explains them."


def _variable_of(command: click.Command, option: click.Option) -> str:
    if "--role" in option.opts:
        if command.name in {"deploy", "doctor"}:
            return ""
        return "LANDKEEPER_NETWORK_ROLE_NAME" if command.name in _NETWORK else "LANDKEEPER_ROLE_NAME"
    if command.name in {"deploy", "destroy", "doctor"} and option.opts[-1] in {"--config", "--policy"}:
        return ""
    if command.name in _READ and option.name in _NARROWING:
        return _NARROWING[option.name][1]
    return next((variable for name, variable in _BY_OPTION.items() if name in option.opts), "")


def remark_on_variables(command: click.Command, given: Mapping[str, Any]) -> None:
    """Say on stderr which variables narrow what the command reads."""
    if command.name not in _READ:
        return
    for name, (option, variable) in _NARROWING.items():
        value = os.environ.get(variable, "").strip()
        is_moot = name == "accounts" and (given.get("organization") or given.get("profiles"))
        if value and not given.get(name) and not is_moot:
            aside(f"{variable} limits this to {value}; {option} overrides it.", "yellow")


def remark_on_store(command: click.Command, given: Mapping[str, Any]) -> None:
    """Say on stderr which store or ledger was used, where nothing named one."""
    if command.name in _NAMES_ITS_STORE:
        return
    if given.get("file") is not None or os.environ.get("LANDKEEPER_FILE") or given.get("offline"):
        return
    is_ledger = command.name in _WITH_LEDGER and "ledger" in given
    option = "ledger" if is_ledger else "table"
    if option in given and given[option] is None and not os.environ.get(_BY_OPTION[f"--{option}"]):
        what = "Ledger" if is_ledger else "Store"
        aside(f"{what}: the file {_DEFAULT_FILE} (default); --file or --{option} names another one.", "dim")

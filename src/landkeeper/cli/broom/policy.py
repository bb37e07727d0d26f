"""`landkeeper broom policy`: look at a tag policy."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import rich_click as click

from landkeeper.broom.policy_file import PolicyError, parse_policy_file, read_schema
from landkeeper.broom.policy_warnings import find_warnings
from landkeeper.cli.broom.exchange import export_command, import_command
from landkeeper.cli.broom.explain import explain_command
from landkeeper.cli.broom.options import read_policy_text
from landkeeper.cli.broom.output import warn
from landkeeper.cli.exit_codes import DONE, FINDINGS, USAGE
from landkeeper.cli.output import counted, print_json, stdout
from landkeeper.settings import read_settings


@click.group(name="policy")
def policy_command() -> None:
    """Look at a tag policy."""


@policy_command.command()
@click.argument("file", metavar="FILE|s3://BUCKET/KEY|ssm:NAME")
@click.option("--check", "is_strict", is_flag=True, help="Exit with 4 when there are warnings.")
def check(file: str, is_strict: bool) -> int:
    """Say whether a policy can be used, and what is wrong or odd with it, line by line.

    What is odd, such as a rule that can never apply, is a warning: the policy can be used.
    """
    try:
        parsed = parse_policy_file(read_policy_text(file, read_settings(os.environ)), file)
    except PolicyError as error:
        for problem in error.problems:
            warn(str(problem))
        return USAGE
    # Loaded here, so that other commands do not wait for the SDK.
    from landkeeper.wiring.policy import list_known_regions  # noqa: PLC0415

    warnings = find_warnings(parsed, list_known_regions(), datetime.now(UTC).date())
    for warning in warnings:
        warn(f"{warning.file}:{warning.line}: warning: {warning.text}")
    rules, exemptions = counted(len(parsed.policy.rules), "rule"), counted(len(parsed.policy.exempt), "exemption")
    odd = f"; {counted(len(warnings), 'warning')}" if warnings else ""
    stdout().print(f"{file}: well, with {rules} and {exemptions}{odd}", markup=False, soft_wrap=True)
    return FINDINGS if is_strict and warnings else DONE


@policy_command.command()
def schema() -> None:
    """Print the JSON Schema of a policy, for editors and other checkers."""
    print_json(read_schema())


for _command in (explain_command, import_command, export_command):
    policy_command.add_command(_command)

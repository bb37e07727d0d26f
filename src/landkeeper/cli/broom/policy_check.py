"""`landkeeper broom policy check` and `schema`: what is wrong with a tag policy, and what may be in it."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click

from landkeeper.broom.policy_file import PolicyError, parse_policy_file, read_schema
from landkeeper.broom.policy_warnings import find_warnings
from landkeeper.cli.broom.options import read_policy_text
from landkeeper.cli.broom.output import warn
from landkeeper.cli.exit_codes import DONE, FINDINGS, USAGE
from landkeeper.cli.output import counted, print_json
from landkeeper.cli.terminal import say
from landkeeper.settings import read_settings


@click.command(name="check")
@click.argument("file", metavar="FILE|s3://BUCKET/KEY|ssm:NAME")
@click.option("--check", "is_strict", is_flag=True, help="Exit with 4 when there are warnings.")
def check_command(file: str, is_strict: bool) -> int:
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
    from landkeeper.wiring.policy import list_known_regions

    warnings = find_warnings(parsed, list_known_regions(), datetime.now(UTC).date())
    for warning in warnings:
        warn(f"{warning.file}:{warning.line}: warning: {warning.text}")
    rules, exemptions = counted(len(parsed.policy.rules), "rule"), counted(len(parsed.policy.exempt), "exemption")
    odd = f"; {counted(len(warnings), 'warning')}" if warnings else ""
    say(f"{file}: well, with {rules} and {exemptions}{odd}")
    return FINDINGS if is_strict and warnings else DONE


@click.command(name="schema")
def schema_command() -> None:
    """Print the JSON Schema of a policy, for editors and other checkers."""
    print_json(read_schema())

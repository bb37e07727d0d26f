"""`landkeeper broom policy`: look at a tag policy."""

from __future__ import annotations

import rich_click as click

from landkeeper.broom.policy_file import PolicyError, parse_policy, read_schema
from landkeeper.cli.broom.options import DONE, USAGE, read_policy_file
from landkeeper.cli.broom.output import warn
from landkeeper.cli.output import counted, print_json


@click.group(name="policy")
def policy_command() -> None:
    """Look at a tag policy."""


@policy_command.command()
@click.argument("file")
def check(file: str) -> int:
    """Say whether a policy can be used, and what is wrong with it, line by line."""
    try:
        checked = parse_policy(read_policy_file(file), file)
    except PolicyError as error:
        for problem in error.problems:
            warn(str(problem))
        return USAGE
    rules, exemptions = counted(len(checked.rules), "rule"), counted(len(checked.exempt), "exemption")
    click.echo(f"{file}: well, with {rules} and {exemptions}")
    return DONE


@policy_command.command()
def schema() -> None:
    """Print the JSON Schema of a policy, for editors and other checkers."""
    print_json(read_schema())

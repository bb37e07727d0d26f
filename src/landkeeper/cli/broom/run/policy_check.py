"""`landkeeper broom policy check` and `schema`: what is wrong with a tag policy, and what may be in it."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from landkeeper.broom.policy.file import PolicyError, parse_policy_file, read_schema
from landkeeper.broom.policy.warnings import find_warnings
from landkeeper.cli.broom.output import warn
from landkeeper.cli.exit_codes import DONE, FINDINGS, USAGE
from landkeeper.cli.output import counted, print_json
from landkeeper.cli.terminal import say
from landkeeper.wiring.broom.policy import list_known_regions
from landkeeper.wiring.texts import is_in_aws, read_named_file


def run_check(file: str, is_strict: bool) -> int:
    """Validate a policy, and print errors and warnings by line."""
    try:
        parsed = parse_policy_file(_read(file), file)
    except PolicyError as error:
        for problem in error.problems:
            warn(str(problem))
        return USAGE
    warnings = find_warnings(parsed, list_known_regions(), datetime.now(UTC).date())
    for warning in warnings:
        warn(f"{warning.file}:{warning.line}: warning: {warning.text}")
    rules, exemptions = counted(len(parsed.policy.rules), "rule"), counted(len(parsed.policy.exempt), "exemption")
    odd = f", {counted(len(warnings), 'warning')}" if warnings else ""
    say(f"{file}: OK ({rules}, {exemptions}{odd})")
    return FINDINGS if is_strict and warnings else DONE


def _read(file: str) -> str:
    if not is_in_aws(file):
        return read_named_file(file, what="policy")
    from landkeeper.settings import read_settings
    from landkeeper.wiring.broom.policy import read_policy_text

    return read_policy_text(file, read_settings(os.environ))


def run_schema() -> int:
    """Print the JSON Schema of a policy, for editors."""
    print_json(read_schema())
    return DONE

"""`landkeeper broom policy check` and `schema`: what is wrong with a tag policy, and what may be in it."""

from __future__ import annotations

from datetime import UTC, datetime

from landkeeper.broom.policy.file import PolicyError, parse_policy_file, read_schema
from landkeeper.broom.policy.warnings import find_warnings
from landkeeper.cli.broom.given_policy import read_policy, shown_name
from landkeeper.cli.broom.output import warn
from landkeeper.cli.exit_codes import DONE, FINDINGS, USAGE
from landkeeper.cli.output import print_json
from landkeeper.cli.terminal import say
from landkeeper.org import UsageError, counted
from landkeeper.wiring.broom.policy import list_known_regions


def run_check(files: tuple[str, ...], is_strict: bool) -> int:
    """Validate policies, and print errors and warnings by line."""
    codes = [_check(file, is_strict=is_strict) for file in files]
    return USAGE if USAGE in codes else max(codes)


def _check(file: str, *, is_strict: bool) -> int:
    try:
        parsed = parse_policy_file(read_policy(file), shown_name(file))
    except PolicyError as error:
        for problem in error.problems:
            warn(str(problem))
        return USAGE
    except UsageError as error:
        warn(str(error))
        return USAGE
    warnings = find_warnings(parsed, list_known_regions(), datetime.now(UTC).date())
    for warning in warnings:
        warn(f"{warning.file}:{warning.line}: warning: {warning.text}")
    numbers = [counted(len(parsed.policy.rules), "rule"), counted(len(parsed.policy.exempt), "exemption")]
    numbers += [counted(len(parsed.tests), "test")] if parsed.tests else []
    numbers += [counted(len(warnings), "warning")] if warnings else []
    say(f"{parsed.file}: OK ({', '.join(numbers)})")
    return FINDINGS if is_strict and warnings else DONE


def run_schema() -> int:
    """Print the JSON Schema of a policy, for editors."""
    print_json(read_schema())
    return DONE

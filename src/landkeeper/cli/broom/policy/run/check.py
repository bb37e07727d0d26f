"""`landkeeper broom policy check` and `schema`: what is wrong with a tag policy, and what may be in it."""

from __future__ import annotations

from datetime import UTC, datetime

from landkeeper.broom.policy.file import PolicyError, parse_policy_file, read_schema
from landkeeper.broom.policy.warnings import find_warnings
from landkeeper.cli.broom.given_policy import read_policy, shown_name
from landkeeper.cli.exit_codes import DONE, FINDINGS, USAGE
from landkeeper.cli.findings import CheckedFile, Finding, broken_file, print_checked
from landkeeper.cli.output import Format, print_json
from landkeeper.org import UsageError, counted
from landkeeper.wiring.broom.policy import list_known_regions


def run_check(files: tuple[str, ...], is_strict: bool, format_: Format) -> int:
    """Validate policies, and print errors and warnings by line."""
    checked = [_check(file) for file in files]
    print_checked(checked, format_)
    if not all(file.is_valid for file in checked):
        return USAGE
    return FINDINGS if is_strict and any(file.findings for file in checked) else DONE


def _check(file: str) -> CheckedFile:
    try:
        parsed = parse_policy_file(read_policy(file), shown_name(file))
    except PolicyError as error:
        return broken_file(shown_name(file), error.problems)
    except UsageError as error:
        return CheckedFile(shown_name(file), "", {}, (Finding(shown_name(file), None, "error", str(error)),))
    found = find_warnings(parsed, list_known_regions(), datetime.now(UTC).date())
    warnings = tuple(Finding(file, line, "warning", text) for file, line, text in found)
    rules, exemptions, tests = len(parsed.policy.rules), len(parsed.policy.exempt), len(parsed.tests)
    numbers = [counted(rules, "rule"), counted(exemptions, "exemption")]
    numbers += [counted(tests, "test")] if tests else []
    numbers += [counted(len(warnings), "warning")] if warnings else []
    contents = {"Rules": rules, "Exemptions": exemptions, "Tests": tests}
    return CheckedFile(parsed.file, ", ".join(numbers), contents, warnings)


def run_schema() -> int:
    """Print the JSON Schema of a policy, for editors."""
    print_json(read_schema())
    return DONE

"""`landkeeper broom policy test`: the tests that a policy contains."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from landkeeper.broom.policy.answers import Answer, ExpectationResult, run_tests
from landkeeper.broom.policy.expectations import Expectation
from landkeeper.broom.policy.file import PolicyError, PolicyFile, parse_policy_file
from landkeeper.cli.broom.given_policy import read_policy, shown_name
from landkeeper.cli.broom.output import warn
from landkeeper.cli.exit_codes import DONE, FINDINGS, USAGE
from landkeeper.cli.output import Column, Format, print_json, print_rows
from landkeeper.cli.terminal import say
from landkeeper.org import counted

_COLUMNS = ("File", "Line", "Test", "Result", "Expected", "Verdict", "Action", "Rule", "Because")


def run_policy_tests(files: tuple[str, ...], format_: Format) -> int:
    """Run the tests that policies contain, and exit with code 4 if one fails."""
    parsed = [_parsed(file) for file in files]
    if None in parsed:
        return USAGE
    now = datetime.now(UTC)
    results = [(policy, run_tests(policy, now)) for policy in parsed if policy is not None]
    for policy, of_file in results:
        if not of_file:
            warn(f"{policy.file}: no tests: add a list of `tests` with launches and expected verdicts")
    rows = [_row(policy.file, result) for policy, of_file in results for result in of_file]
    if format_ == "json":
        print_json(rows)
    elif format_ == "csv":
        print_rows(rows, [Column(name, name) for name in _COLUMNS], "csv")
    else:
        _print_results(results)
    if any(not result.has_passed for _, of_file in results for result in of_file):
        return FINDINGS
    return DONE if rows else USAGE


def _parsed(file: str) -> PolicyFile | None:
    try:
        return parse_policy_file(read_policy(file), shown_name(file))
    except PolicyError as error:
        for problem in error.problems:
            warn(str(problem))
        return None


def _print_results(results: Sequence[tuple[PolicyFile, Sequence[ExpectationResult]]]) -> None:
    for policy, of_file in results:
        failed = [result for result in of_file if not result.has_passed]
        for result in failed:
            say(f"{policy.file}:{result.expectation.line}: {result.expectation.name}", "bold")
            say(f"  expected: {_words(result.expectation)}")
            say(f"  actual:   {_words(result.answer)}: {result.answer.because}")
        if of_file:
            passed = "all passed" if not failed else f"{len(failed)} failed"
            say(f"{policy.file}: {counted(len(of_file), 'test')}, {passed}")


def _row(file: str, result: ExpectationResult) -> dict[str, Any]:
    answer = result.answer
    return {
        "File": file,
        "Line": result.expectation.line,
        "Test": result.expectation.name,
        "Result": "passed" if result.has_passed else "failed",
        "Expected": _attributes(result.expectation),
        **_attributes(answer),
        "Because": answer.because,
    }


def _attributes(stated: Expectation | Answer) -> dict[str, str | None]:
    return {"Verdict": stated.verdict, "Action": stated.action or None, "Rule": stated.rule or None}


def _words(stated: Expectation | Answer) -> str:
    rule = f"rule {stated.rule}" if stated.rule else ""
    return ", ".join(filter(None, (stated.verdict, stated.action, rule)))

"""Verdicts on described launches in words, and whether they are those that the tests of a policy file expect."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, assert_never

from landkeeper.broom.policy.expectations import Expectation
from landkeeper.broom.policy.file import PolicyFile
from landkeeper.broom.policy.trial import Trial, Undecided, try_launch
from landkeeper.broom.policy.verdict import Compliant, Exempt, Violation


class Answer(NamedTuple):
    """A verdict in the words in which people and programs get it."""

    verdict: str
    action: str
    """Empty if the verdict is unknown."""
    rule: str
    """Empty if no rule decides."""
    because: str


class ExpectationResult(NamedTuple):
    """A test, and what the policy says about its launch."""

    expectation: Expectation
    answer: Answer
    has_passed: bool


def run_tests(parsed: PolicyFile, now: datetime) -> tuple[ExpectationResult, ...]:
    """Return the result of each test of the policy, in their order."""
    return tuple(_run(parsed, expectation, now) for expectation in parsed.tests)


def answer_of(trial: Trial) -> Answer:
    """Return the words for what a policy says about a described launch."""
    because = trial.verdict.because
    match trial.verdict:
        case Undecided() as undecided:
            return Answer("unknown", "", "", f"{because}: {_what_to_add(undecided)}")
        case Compliant():
            return Answer("compliant", "keep", "", because)
        case Exempt():
            return Answer("exempt", "keep", "", because)
        case Violation(rule=rule, action=action):
            return Answer("violation", str(action), rule, because)
        case _:
            assert_never(trial.verdict)


def _what_to_add(undecided: Undecided) -> str:
    words = {"principal": "the ARN of the role itself, with its path, as principal", "ou": "the account's ous"}
    return f"add {' and '.join(words.get(name, name) for name in undecided.missing)}"


def _run(parsed: PolicyFile, expectation: Expectation, now: datetime) -> ExpectationResult:
    answer = answer_of(try_launch(parsed.policy, expectation.launch, now))
    pairs = (
        (expectation.verdict, answer.verdict),
        (expectation.action, answer.action),
        (expectation.rule, answer.rule),
    )
    return ExpectationResult(expectation, answer, all(wanted in {"", actual} for wanted, actual in pairs))

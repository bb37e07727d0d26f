"""The stack, its tables, functions and rules, and the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from landkeeper.operate.doctor.facts import Caller, Function, Mapped, Resource, Rule, StackParts, Table
from landkeeper.operate.doctor.lines import Verdict
from landkeeper.operate.doctor.stack import (
    FUNCTIONS,
    QUEUES,
    Keys,
    judge_caller,
    judge_clock,
    judge_functions,
    judge_mappings,
    judge_parts,
    judge_rules,
    judge_stack,
    judge_tables,
)
from landkeeper.org import AccountId, Failure, FailureReason, Region

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DENIED = Failure(FailureReason.MISSING_PERMISSION, "AccessDenied", "no")
GONE = Failure(FailureReason.NOT_FOUND, "ResourceNotFoundException", "gone")
CALLER = Caller("arn:aws:iam::111122223333:user/jane", AccountId("111122223333"), NOW, NOW)
PARTS = StackParts("landkeeper", Region("eu-west-1"), "CREATE_COMPLETE")
FUNCTION = Function("f", "arn", "Active", "", "Successful", "", "python3.13", "sha", {})
QUEUE = "arn:aws:sqs:eu-west-1:111122223333:broom"


def test_credentials_say_whose_they_are_and_refused_ones_are_wrong() -> None:
    assert judge_caller(CALLER).found == f"{CALLER.arn}, in the account 111122223333"
    refused = judge_caller(Failure(FailureReason.CREDENTIALS, "ExpiredToken", "old"))
    assert (refused.verdict, "aws sso login" in refused.mend) == (Verdict.WRONG, True)


@pytest.mark.parametrize(
    ("off", "verdict", "words"),
    [
        (timedelta(seconds=60), Verdict.OK, "within a minute"),
        (timedelta(seconds=-60), Verdict.OK, "within a minute"),
        (timedelta(minutes=4), Verdict.WRONG, "4 minutes ahead of"),
        (timedelta(hours=-3), Verdict.WRONG, "3 hours behind"),
    ],
)
def test_the_clock_is_held_against_awss(off: timedelta, verdict: Verdict, words: str) -> None:
    line = judge_clock(replace(CALLER, asked_at=NOW + off))
    assert line.verdict is verdict
    assert words in line.found


def test_without_a_date_the_clock_is_not_known() -> None:
    assert judge_clock(replace(CALLER, told_at=None)).verdict is Verdict.UNCHECKED
    assert judge_clock(DENIED).verdict is Verdict.UNCHECKED


@pytest.mark.parametrize(
    ("parts", "verdict", "words"),
    [
        (PARTS, Verdict.OK, "is CREATE_COMPLETE"),
        (replace(PARTS, status="UPDATE_ROLLBACK_COMPLETE"), Verdict.OK, "its last update was rolled back"),
        (replace(PARTS, status="ROLLBACK_COMPLETE", status_reason="no"), Verdict.WRONG, "is ROLLBACK_COMPLETE: no"),
        (replace(PARTS, status="UPDATE_IN_PROGRESS"), Verdict.WRONG, "UPDATE_IN_PROGRESS"),
        (GONE, Verdict.WRONG, "there is no stack 'landkeeper' in eu-west-1"),
        (DENIED, Verdict.UNCHECKED, "permission missing"),
    ],
)
def test_a_stack_is_well_where_it_is_complete(parts: StackParts | Failure, verdict: Verdict, words: str) -> None:
    line = judge_stack(parts, "landkeeper", "eu-west-1")
    assert line.verdict is verdict
    assert words in line.found


def test_what_a_stack_lacks_is_named_wherever_the_rest_is_found() -> None:
    outputs = {name: name for name in (*FUNCTIONS, "VpcTable", "LedgerTable", "ReportsTopicArn")}
    queues = {name: Resource(name, "AWS::SQS::Queue") for name in QUEUES}
    whole = replace(PARTS, outputs=outputs, resources=queues, parameters={"TrailBucketName": "theirs"})
    assert judge_parts(whole) == []
    assert whole.of_type("AWS::SQS::Queue") == {name: name for name in QUEUES}
    (line,) = judge_parts(replace(whole, parameters={}, outputs={**outputs, "BroomFunction": ""}))
    assert line.subjects == ("BroomFunction", "TrailBucket")


def _table(**changes: Any) -> list[tuple[Verdict, str]]:
    table = replace(Table("T", "ACTIVE", (("A", "HASH"), ("B", "RANGE")), frozenset({"I"})), **changes)
    wanted = {"T": Keys((("A", "HASH"), ("B", "RANGE")), frozenset({"I"}))}
    return [(line.verdict, line.found) for line in judge_tables({"T": table}, wanted)]


def test_tables_are_well_with_their_keys_and_indexes() -> None:
    assert _table() == [(Verdict.OK, "T: keys and indexes are correct")]
    assert _table(status="UPDATING", indexes=frozenset({"I", "J"}))[0][0] is Verdict.OK
    wrong = "the table T has the wrong key: A instead of A and B"
    assert _table(keys=(("A", "HASH"),)) == [(Verdict.WRONG, wrong)]
    assert _table(indexes=frozenset()) == [(Verdict.WRONG, "the table T has no index I")]
    assert _table(status="DELETING") == [(Verdict.WRONG, "the table T is DELETING")]


def test_tables_that_are_gone_or_not_shown_are_told_apart() -> None:
    wanted = {name: Keys(()) for name in ("gone", "hidden")}
    gone, hidden = judge_tables({"gone": GONE, "hidden": DENIED}, wanted)
    assert (gone.verdict, gone.found) == (Verdict.WRONG, "there is no table gone")
    assert (hidden.verdict, "hidden" in hidden.found) == (Verdict.UNCHECKED, True)


@pytest.mark.parametrize(
    ("one", "verdict", "words"),
    [
        (replace(FUNCTION, state="Failed", state_reason="no role"), Verdict.WRONG, "B is Failed: no role"),
        (replace(FUNCTION, last_update="Failed", last_update_reason="bad zip"), Verdict.WRONG, "failed: bad zip"),
        (replace(FUNCTION, code_sha256="other"), Verdict.WRONG, "run different packages"),
        (GONE, Verdict.WRONG, "B does not exist"),
        (DENIED, Verdict.UNCHECKED, "B: permission missing"),
    ],
)
def test_a_function_that_is_not_ready_is_named(one: Function | Failure, verdict: Verdict, words: str) -> None:
    (line,) = judge_functions({"A": FUNCTION, "B": one}, {}, "0.1.0")
    assert line.verdict is verdict
    assert words in line.found


def test_functions_say_which_landkeeper_they_run() -> None:
    (well,) = judge_functions({"A": replace(FUNCTION, state="Inactive")}, {"A": "0.1.0"}, "0.1.0")
    assert (well.verdict, well.found) == (Verdict.OK, "1 function ready, Landkeeper 0.1.0 on python3.13")
    (older,) = judge_functions({"A": FUNCTION}, {"A": "0.0.9"}, "0.1.0")
    assert "another version than this one, 0.1.0: A 0.0.9" in older.found
    assert judge_functions({}, {}, "0.1.0") == []


def test_queues_have_to_feed_their_functions() -> None:
    feeds = {"BroomQueue": (QUEUE, "BroomFunction")}

    def judge(mapped: Any) -> tuple[Verdict, str]:
        (line,) = judge_mappings(feeds, {"BroomFunction": mapped}, "eu-west-1")
        return line.verdict, f"{line.found} | {line.mend}"

    assert judge([Mapped("other", "Disabled", "u1"), Mapped(QUEUE, "Enabled", "u2")])[0] is Verdict.OK
    verdict, words = judge([Mapped(QUEUE, "Disabled", "u2")])
    assert verdict is Verdict.WRONG
    assert "the mapping is Disabled" in words
    assert "--uuid u2 --enabled" in words
    assert "no event source mapping" in judge([Mapped("other", "Enabled", "u1")])[1]
    assert judge(DENIED)[0] is Verdict.UNCHECKED


def test_rules_have_to_be_on_unless_they_are_meant_to_be_off() -> None:
    on, off = Rule("arn", "on", True, ()), Rule("arn", "r-off", False, ())
    (line,) = judge_rules({"On": on, "Off": off}, frozenset({"Off"}), "eu-west-1")
    assert (line.verdict, line.found) == (Verdict.OK, "1 on: On")
    (line,) = judge_rules({"On": on, "Off": off}, frozenset(), "eu-west-1")
    assert (line.found, "enable-rule --name r-off" in line.mend) == ("the rule Off is off", True)
    assert judge_rules({"X": DENIED}, frozenset(), "eu-west-1")[0].verdict is Verdict.UNCHECKED
    assert judge_rules({}, frozenset(), "eu-west-1") == []

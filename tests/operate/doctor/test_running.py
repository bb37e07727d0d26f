"""Whether it is at work: runs, dead letters, cases, reports, policies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from landkeeper.operate.doctor.facts import (
    AccountRun,
    ActionSetting,
    FailedRead,
    OverdueCase,
    Queue,
    Subscription,
    Topic,
)
from landkeeper.operate.doctor.lines import Line, Verdict
from landkeeper.operate.doctor.running import (
    judge_actions,
    judge_dead_letters,
    judge_ledger,
    judge_reports,
    judge_text,
    judge_tracker,
    longest_pause,
    longest_rest,
)
from landkeeper.org import Account, AccountId, Failure, FailureReason

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DENIED = Failure(FailureReason.MISSING_PERMISSION, "AccessDenied", "no")
REGION = "eu-west-1"


@pytest.mark.parametrize(
    ("schedule", "pause", "rest"),
    [
        ("rate(1 hour)", timedelta(days=1), timedelta(hours=12)),
        ("rate(6 hours)", timedelta(days=1), timedelta(hours=12)),
        ("rate(2 days)", timedelta(days=4), timedelta(days=4)),
        ("rate(30 minutes)", timedelta(days=1), timedelta(hours=12)),
        ("cron(0 3 * * ? *)", timedelta(days=1), timedelta(days=2)),
    ],
)
def test_how_long_a_pause_may_be_comes_from_the_schedule(schedule: str, pause: timedelta, rest: timedelta) -> None:
    assert longest_pause(schedule) == pause
    assert longest_rest(schedule) == rest


def _run(number: int, hours: float | None, failure: Failure | None = None) -> AccountRun:
    at = None if hours is None else NOW - timedelta(hours=hours)
    account = Account(AccountId(f"{number:012}"), f"a{number}")
    return AccountRun(account, at, () if failure is None else (FailedRead(account, None, failure),))


_CLOSED = Failure(FailureReason.ROLE_NOT_ASSUMABLE)


def _tracker(*runs: AccountRun, schedule: str = "rate(1 hour)") -> list[Line]:
    return judge_tracker(runs, NOW, table="T", schedule=schedule, dispatcher="send", region=REGION)


def test_a_run_of_today_that_read_everything_is_well() -> None:
    (line,) = _tracker(_run(1, 0.5), _run(2, 1))
    assert (line.verdict, line.found) == (Verdict.OK, "30 minutes ago, 2 accounts read")


def test_a_tracker_that_rests_is_named_with_how_to_run_it() -> None:
    (line,) = _tracker(_run(1, 50), _run(2, 60, DENIED))
    assert "it has not run for 2 days; its schedule is rate(1 hour)" in line.found
    assert "aws lambda invoke --function-name send --region eu-west-1" in line.mend
    assert _tracker(_run(1, 50), schedule="rate(2 days)")[0].verdict is Verdict.OK
    assert [one.found for one in (*_tracker(), *_tracker(_run(1, None)))] == ["it has never run", "it has never run"]


def test_accounts_that_were_left_out_or_not_read_are_lines_of_their_own() -> None:
    late, unread = _tracker(_run(1, 1), _run(2, 30), _run(3, None), _run(4, 1, _CLOSED))
    assert late.subjects == ("a2 (000000000002)", "a3 (000000000003)")
    assert "1 account of 4 not read completely: a4 (000000000004): role not assumable" in unread.found
    assert unread.subjects == ("a4 (000000000004): role not assumable",)
    line = judge_tracker(DENIED, NOW, table="T", schedule="rate(1 hour)", dispatcher="send", region=REGION)[0]
    assert line.verdict is Verdict.UNCHECKED


def test_accounts_that_fail_alike_are_one_cause() -> None:
    _, line = _tracker(_run(1, 30), *(_run(number, 1, _CLOSED) for number in range(2, 14)), _run(20, 1, DENIED))
    assert line.found.startswith("1 hour ago; 13 accounts of 14 not read completely: 12 accounts: role not assumable; ")
    assert "a20 (000000000020): permission missing" in line.found
    assert len(line.subjects) == 13


def test_dead_letters_are_counted_queue_by_queue() -> None:
    full, empty = Queue("arn:full", "https://full", {}, 3), Queue("arn:empty", "https://empty", {}, 0)
    (line,) = judge_dead_letters({"Full": full, "Empty": empty}, REGION)
    assert line.found == "3 messages in Full"
    assert "start-message-move-task --source-arn arn:full" in line.mend
    assert [one.found for one in judge_dead_letters({"Empty": empty}, REGION)] == ["none in Empty"]
    assert judge_dead_letters({"X": DENIED}, REGION)[0].verdict is Verdict.UNCHECKED
    assert judge_dead_letters({}, REGION) == []


def test_the_oldest_case_that_stands_still_is_named() -> None:
    cases = [OverdueCase(f"i-{days}", "waiting", NOW - timedelta(days=days)) for days in (2, 5, 3)]
    line = judge_ledger(cases, "broom", NOW)
    assert (line.verdict, line.found) == (
        Verdict.WRONG,
        "3 cases overdue; i-5 is waiting and was due 5 days ago",
    )
    assert line.subjects == ("i-2", "i-5", "i-3")
    assert judge_ledger([], "broom", NOW).verdict is Verdict.OK
    assert judge_ledger(DENIED, "broom", NOW).verdict is Verdict.UNCHECKED


@pytest.mark.parametrize(
    ("setting", "parameter", "found"),
    [
        (ActionSetting(is_on=True, last=""), "on", "on"),
        (ActionSetting(is_on=True, last="turned on by joe"), "on", "on (turned on by joe)"),
        (ActionSetting(is_on=False, last="turned off by jane"), "on",
         "turned off by jane; to turn them on: landkeeper broom actions on --ledger BroomLedger"),
        (ActionSetting(is_on=False, last="not turned on yet"), "opt-in",
         "not turned on yet; to turn them on: landkeeper broom actions on --ledger BroomLedger"),
        (ActionSetting(is_on=True, last="turned on by joe"), "opt-in", "on (turned on by joe)"),
        (ActionSetting(is_on=True, last=""), "off",
         "off for the function; to turn them on: landkeeper deploy --parameter Actions=on"),
    ],
)  # fmt: skip
def test_it_says_who_turned_actions_off_and_that_is_no_fault(
    setting: ActionSetting, parameter: str, found: str
) -> None:
    line = judge_actions(setting, "BroomLedger", parameter=parameter)
    assert (line.verdict, line.found) == (Verdict.OK, found)


def test_a_switch_that_cannot_be_read_is_named() -> None:
    line = judge_actions(DENIED, "BroomLedger", parameter="on")
    assert line.verdict is Verdict.UNCHECKED
    assert "nothing is stopped or terminated until it can be read" in line.mend


def test_reports_have_to_reach_somebody() -> None:
    mail, hook = Subscription("email", "a@example.com", False), Subscription("https", "https://x", True)
    assert "no subscriptions" in judge_reports(Topic("arn", {}, ()), REGION)[0].found
    (line,) = judge_reports(Topic("arn", {}, (mail, hook)), REGION)
    assert "a@example.com (email) is not confirmed" in line.found
    assert line.mend.endswith("--protocol email --region eu-west-1 --notification-endpoint a@example.com")
    assert judge_reports(Topic("arn", {}, (hook,)), REGION)[0].found == "1 subscription confirmed: https"
    assert judge_reports(DENIED, REGION)[0].verdict is Verdict.UNCHECKED


def test_a_policy_is_well_or_its_first_problem_is_told() -> None:
    assert judge_text("policy", "s3://b/k", (), well="2 rules", mend="m").found == "s3://b/k: 2 rules"
    line = judge_text("policy", "s3://b/k", ("k:3: no such action", "k:9: x", "k:10: y"), well="", mend="mend it")
    assert (line.found, line.mend) == (
        "invalid: k:3: no such action, and 2 problems more",
        "mend it",
    )
    assert judge_text("policy", "s3://b/k", DENIED, well="", mend="m").verdict is Verdict.UNCHECKED

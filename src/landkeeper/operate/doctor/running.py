"""Whether it is at work: runs of the tracker, dead letters, cases that move, reports that reach somebody, policies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from landkeeper.causes import group_failures, list_failures
from landkeeper.operate.doctor.facts import AccountRun, ActionSetting, OverdueCase, Queue, Topic
from landkeeper.operate.doctor.lines import Line, lasting, named, ok, unchecked, wrong
from landkeeper.org import Failure, counted, join_some

_DAY = timedelta(days=1)
_MOST_CAUSES = 3
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": _DAY}


def longest_pause(schedule: str) -> timedelta:
    """How long after a run the next one must have been: two of a `rate(…)`, and a day at least."""
    rate = _RATE.fullmatch(schedule.strip())
    return max(_DAY, 2 * int(rate[1]) * _UNITS[rate[2]]) if rate else _DAY


def judge_tracker(
    runs: Sequence[AccountRun] | Failure, now: datetime, *, table: str, schedule: str, dispatcher: str, region: str
) -> list[Line]:
    """Whether VPC Tracker ran lately, and read what it tried.

    `runs` are those of accounts that it is still to read; `table` is where they come from.
    """
    check = "last tracker run"
    if isinstance(runs, Failure):
        return [unchecked(check, runs)]
    now_please = f"aws lambda invoke --function-name {dispatcher} --region {region} /dev/null"
    mend = f"run it now ({now_please}), and check the log of the dispatcher function"
    tried = [run.tried_at for run in runs if run.tried_at is not None]
    if not tried:
        return [wrong(check, "it has never run", mend)]
    age, most = now - max(tried), longest_pause(schedule)
    if age > most:
        return [wrong(check, f"it has not run for {lasting(age)}; its schedule is {schedule}", mend)]
    late = [run.account.label for run in runs if run.tried_at is None or now - run.tried_at > most]
    lines = []
    if late:
        found = f"{counted(len(late), 'account')} not read for more than {lasting(most)}: {named(late)}"
        lines.append(wrong(check, found, "see the log of the tracker function, and its dead letters", late))
    failed = [read for run in runs for read in run.failed]
    if failed:
        some = counted(sum(bool(run.failed) for run in runs), "account")
        causes = join_some([str(cause) for cause in group_failures(failed)], _MOST_CAUSES, separator="; ")
        found = f"{lasting(age)} ago; {some} of {len(runs):,} not read completely: {causes}"
        mend = (
            f"landkeeper vpc coverage --table {table} lists them with reasons; see also the check of the tracker's role"
        )
        lines.append(wrong(check, found, mend, list_failures(failed)))
    return lines or [ok(check, f"{lasting(age)} ago, {counted(len(runs), 'account')} read")]


def judge_dead_letters(queues: Mapping[str, Queue | Failure], region: str) -> list[Line]:
    """Whether messages lie where nobody takes them from. By logical id."""
    check = "dead letters"
    lines = [unchecked(check, f"{name}: {queue}") for name, queue in queues.items() if isinstance(queue, Failure)]
    for name, queue in queues.items():
        if isinstance(queue, Queue) and queue.messages:
            mend = (
                f"aws sqs receive-message --queue-url {queue.url} --region {region} shows a message, the function's "
                f"log shows the error; then: aws sqs start-message-move-task --source-arn {queue.arn} "
                f"--region {region}"
            )
            lines.append(wrong(check, f"{counted(queue.messages, 'message')} in {name}", mend, [name]))
    empty = [name for name, queue in queues.items() if isinstance(queue, Queue) and not queue.messages]
    return lines or ([ok(check, f"none in {', '.join(empty)}")] if empty else [])


def longest_rest(audit_schedule: str) -> timedelta:
    """How long after it was due a case may lie: two audits, which take up what was lost, and twelve hours at least."""
    rate = _RATE.fullmatch(audit_schedule.strip())
    return max(timedelta(hours=12), 2 * int(rate[1]) * _UNITS[rate[2]]) if rate else 2 * _DAY


def judge_ledger(overdue: Sequence[OverdueCase] | Failure, function: str, now: datetime) -> Line:
    """Whether Broom's cases move. `overdue` are those that were due longer ago than `longest_rest`."""
    if isinstance(overdue, Failure):
        return unchecked("ledger", overdue)
    if not overdue:
        return ok("ledger", "no case is overdue")
    oldest = min(overdue, key=lambda case: case.due_at)
    found = (
        f"{counted(len(overdue), 'case')} overdue; {oldest.instance_id} is {oldest.state} and was due "
        f"{lasting(now - oldest.due_at)} ago"
    )
    mend = f"see the log of the function {function}, and landkeeper broom case {oldest.instance_id}"
    return wrong("ledger", found, mend, [case.instance_id for case in overdue])


def judge_actions(setting: ActionSetting | Failure, ledger: str, *, parameter: str) -> Line:
    """Whether instances may be stopped and terminated, and who said otherwise. To turn that off is no fault.

    `parameter` is the function's own kill switch: `on`, `off` or `opt-in`.
    """
    check = "actions"
    if isinstance(setting, Failure):
        return unchecked(check, setting, mend="nothing is stopped or terminated until it can be read")
    turned_on = f"landkeeper broom actions on --ledger {ledger}"
    found = [] if setting.is_on else [f"{setting.last}; to turn them on: {turned_on}"]
    if parameter == "off":
        found.append("off for the function; to turn them on: landkeeper deploy --parameter Actions=on")
    last = f"on ({setting.last})" if setting.last else "on"
    return ok(check, "; ".join(found) or last)


def judge_reports(topic: Topic | Failure, region: str) -> list[Line]:
    """Whether reports reach somebody: every subscription confirmed, and at least one there."""
    check = "reports"
    if isinstance(topic, Failure):
        return [unchecked(check, topic)]
    subscribe = f"aws sns subscribe --topic-arn {topic.arn} --protocol email --region {region} --notification-endpoint"
    if not topic.subscriptions:
        return [wrong(check, "the report topic has no subscriptions", f"{subscribe} ADDRESS")]
    waiting = [subscription for subscription in topic.subscriptions if not subscription.is_confirmed]
    if not waiting:
        kinds = ", ".join(sorted({subscription.protocol for subscription in topic.subscriptions}))
        return [ok(check, f"{counted(len(topic.subscriptions), 'subscription')} confirmed: {kinds}")]
    return [
        wrong(
            check,
            f"the subscription of {subscription.endpoint} ({subscription.protocol}) is not confirmed and receives "
            "nothing",
            "open the confirmation link from AWS; if it is lost or older than three days: "
            f"{subscribe.replace('email', subscription.protocol)} {subscription.endpoint}",
            [subscription.endpoint],
        )
        for subscription in waiting
    ]


def judge_text(check: str, where: str, problems: Sequence[str] | Failure, *, well: str, mend: str) -> Line:
    """Whether a policy or a configuration that functions read passes its check. `well` is told where it does."""
    if isinstance(problems, Failure):
        return unchecked(check, f"{where}: {problems}")
    if not problems:
        return ok(check, f"{where}: {well}")
    more = f", and {counted(len(problems) - 1, 'problem')} more" if len(problems) > 1 else ""
    return wrong(check, f"invalid: {problems[0]}{more}", mend, problems)

"""The tracker's functions, one entry point: what an invocation does is said by what it is given.

- A batch of SQS messages: a worker. Each message names an account, or tells of a change that calls for reading one
  region of an account again. The answer names the messages that have to come again.
- `{"task": "notices"}`: tell the topic what is new, and with a bucket keep a report of the tables there.
- `{"task": "doctor", "accounts": […]}`: answer `landkeeper doctor` what may be done in these accounts.
- Anything else, such as a schedule: every account is sent to the workers' queue; without a queue it is read right here.

The log is JSON lines.
"""

from __future__ import annotations

import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, assert_never

from landkeeper.aws.deadlines import Deadline, do_each_within, do_within
from landkeeper.lambdas.log_lines import begin_request, log, put_metrics
from landkeeper.lambdas.time_left import deadline_of
from landkeeper.org import Failure, LandkeeperError, UsageError, is_batch
from landkeeper.settings import Settings, read_settings
from landkeeper.vpctracker.dispatch import (
    AccountJob,
    Job,
    Message,
    RereadJob,
    TrackAccount,
    Unsent,
    plan_jobs,
    read_messages,
)
from landkeeper.vpctracker.events import DETAIL_TYPE, Ignored, Malformed, Reread, parse_event
from landkeeper.vpctracker.ports import VpcStore
from landkeeper.vpctracker.reread import RereadOutcome
from landkeeper.vpctracker.track import AccountOutcome, TrackOutcome, UnreadablePlace
from landkeeper.wiring.vpctracker.commands import function_source, function_store, track_vpcs
from landkeeper.wiring.vpctracker.function import Worker, dispatch_accounts, open_table_once, open_worker, tell_notices

Summary = dict[str, Any]

MOST_AT_ONCE = 10
"""Accounts that one worker reads at the same time."""
_SPARE_SECONDS = 15.0
"""How long before its time is over a function stops, and a worker gives back what it has not done."""


class UnfinishedError(LandkeeperError):
    """Part of an invocation was not done, and may be the next time."""


def handler(event: object, context: object) -> Summary:
    """Do what the event asks for; see the module.

    A batch is answered with `batchItemFailures`, a run with what it came to. An account that cannot be read is in the
    answer or the log, and no error; a store that cannot be written is one.
    """
    begin_request(context)
    settings, deadline = read_settings(os.environ), deadline_of(context, spare_seconds=_SPARE_SECONDS)
    match event:
        case {"Records": _} if is_batch(event):
            return work(read_messages(event), deadline)
        case {"detail-type": str(kind)} if kind == DETAIL_TYPE:
            return _work_on_event(event, deadline)
        case {"task": str(task), **question}:
            return _do_in_time(deadline, lambda: _do_task(task, question, settings))
        case _ if settings.queue_url is not None:
            return _do_in_time(deadline, lambda: send_out(settings, _run_name(context)))
        case _:
            return _do_in_time(deadline, lambda: scan(settings))


def _do_in_time(deadline: Deadline, do: Callable[[], Summary]) -> Summary:
    answer = do_within(deadline, do)
    if isinstance(answer, Failure):
        raise UnfinishedError(f"the function's time was over: {answer}")
    return answer


def _do_task(task: str, question: Mapping[Any, Any], settings: Settings) -> Summary:
    match task:
        case "notices":
            return tell(settings)
        case "doctor":
            # Here and not above: other invocations start without it.
            from landkeeper.wiring.access import answer_reader  # noqa: PLC0415

            return answer_reader(settings, question)
        case _:
            raise UsageError(f"there is no task '{task}'")


@lru_cache(maxsize=1)
def warm_worker() -> Worker:
    """What a worker works with, made once for as long as the function stays warm."""
    return open_worker(read_settings(os.environ))


def scan(settings: Settings) -> Summary:
    """Track every account in this invocation."""
    store = function_store(settings)
    summary = summarize(track_vpcs(function_source(settings), store))
    unreadable = len({place["AccountId"] for place in summary["unreadable"]})
    put_metrics({"VpcsRead": summary["vpcs"], "AccountsUnreadable": unreadable})
    for place in summary["unreadable"]:
        log("WARNING", "could not be read", place)
    log("INFO", "tracked", {name: value for name, value in summary.items() if name != "unreadable"})
    return summary


def send_out(settings: Settings, run: str) -> Summary:
    """Send every account to the workers' queue. Raises UnfinishedError when the queue did not take all of them."""
    done = dispatch_accounts(settings, run)
    summary = {"run": done.run, "accounts": done.accounts, "sent": done.accounts - len(done.unsent)}
    log("INFO", "sent out", summary)
    _log_unsent(done.unsent)
    if done.unsent:
        raise UnfinishedError(f"{len(done.unsent)} of {done.accounts} accounts were not sent: {done.unsent[0].reason}")
    return summary


def tell(settings: Settings) -> Summary:
    """Tell the topic what is new, and keep the report. Raises UnfinishedError when the topic did not take all of it.

    The report is made and kept whether or not the topic took everything.
    """
    store = open_table_once(settings)
    outcome = tell_notices(settings, store)
    log("INFO", "told", {"notices": outcome.sent})
    kept = {} if settings.report_bucket is None else _keep_report(settings, store)
    if outcome.failure is not None:
        raise UnfinishedError(f"a notice was not taken, and will be told the next time: {outcome.failure}")
    return {"notices": outcome.sent, **kept}


def _keep_report(settings: Settings, store: VpcStore) -> Summary:
    # Here and not above: other invocations start without it.
    from landkeeper.wiring.report_function import keep_report  # noqa: PLC0415

    kept = keep_report(settings, store)
    summary = {"bytes": kept.size, "vpcs": kept.vpcs}
    log("INFO", "report kept", summary)
    return {"report": summary}


def work(messages: Sequence[Message], deadline: Deadline) -> Summary:
    """Do what the messages ask for by the deadline; names those that have to come again.

    What nobody can read comes again as well, until the queue puts it aside as a dead letter, where a person sees it.
    """
    failed = list(_unreadable_messages(messages))
    jobs = plan_jobs(messages)
    if jobs:
        failed += _do_all(jobs, deadline)
    return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in failed]}


def _work_on_event(event: Any, deadline: Deadline) -> Summary:
    answer = work([Message("the event", parse_event(event))], deadline)
    if answer["batchItemFailures"]:
        raise UnfinishedError("the event was not dealt with; the log says why")
    return {"done": True}


def _unreadable_messages(messages: Iterable[Message]) -> Iterator[str]:
    for message in messages:
        match message.work:
            case Ignored(reason):
                log("INFO", "ignored", {"MessageId": message.id, "Reason": reason})
            case Malformed(reason):
                log("ERROR", "not readable", {"MessageId": message.id, "Reason": reason})
                yield message.id
            case TrackAccount() | Reread():
                pass
            case _:
                assert_never(message.work)


def _do_all(jobs: Sequence[Job], deadline: Deadline) -> Iterator[str]:
    """Do the jobs, several at a time; the messages of those that failed, took too long, or were not begun."""
    worker = do_within(deadline, warm_worker)
    if isinstance(worker, Failure):
        yield from _give_back(jobs, worker)
        return
    outcomes = do_each_within(deadline, lambda job: _try(worker, job), jobs, at_once=MOST_AT_ONCE)
    counts = Counter({"VpcsRead": 0, "AccountsUnreadable": 0})
    for job, outcome in outcomes.items():
        match outcome:
            case AccountOutcome() | RereadOutcome():
                _count(outcome, counts)
                _log_outcome(outcome, job)
            case Exception():
                log("ERROR", "failed", {"MessageIds": job.message_ids, "Error": f"{type(outcome).__name__}: {outcome}"})
                yield from job.message_ids
            case Failure():
                yield from _give_back([job], outcome)
            case _:
                assert_never(outcome)
    put_metrics(counts)


def _give_back(jobs: Sequence[Job], late: Failure) -> Iterator[str]:
    for job in jobs:
        log("ERROR", "took too long", {"MessageIds": job.message_ids, "Reason": str(late)})
        yield from job.message_ids


def _try(worker: Worker, job: Job) -> AccountOutcome | RereadOutcome | Exception:
    try:
        match job:
            case AccountJob():
                return worker.track(job)
            case RereadJob():
                return worker.reread(job)
            case _:
                assert_never(job)
    except Exception as error:  # noqa: BLE001 - one message must not take its batch with it
        return error


def _count(outcome: AccountOutcome | RereadOutcome, counts: Counter[str]) -> None:
    if isinstance(outcome, AccountOutcome):
        counts.update(VpcsRead=len(outcome.seen), AccountsUnreadable=bool(outcome.unreadable))


def _log_outcome(outcome: AccountOutcome | RereadOutcome, job: Job) -> None:
    match outcome:
        case AccountOutcome():
            _log_account(outcome, {"Run": job.run} if isinstance(job, AccountJob) else {})
        case RereadOutcome(account, regions, read, unsent):
            if read is None:
                log("INFO", "read already, or not to be read", {"AccountId": account})
            else:
                _log_account(read, {"Regions": sorted(regions), "SecondLooks": sorted(read.missed)})
            _log_unsent(unsent)
        case _:
            assert_never(outcome)


def _log_account(outcome: AccountOutcome, fields: Mapping[str, Any]) -> None:
    for place in outcome.unreadable:
        log("WARNING", "could not be read", _place(place))
    counts = {"vpcs": len(outcome.seen), "changes": dict(outcome.changes)}
    log("INFO", "tracked", {"AccountId": outcome.account.id, **fields, **counts})


def _log_unsent(unsent: Sequence[Unsent]) -> None:
    for message in unsent:
        log("ERROR", "not sent", {"Message": message.body, "Reason": message.reason})


def summarize(outcome: TrackOutcome) -> Summary:
    """The outcome of a run as JSON."""
    return {
        "accounts": outcome.accounts,
        "accounts_read": outcome.accounts_read,
        "vpcs": outcome.vpcs,
        "changes": dict(outcome.changes),
        "unreadable": [_place(place) for place in outcome.unreadable],
    }


def _place(place: UnreadablePlace) -> Summary:
    return {
        "AccountId": place.account.id,
        "AccountName": place.account.name,
        "Region": place.region,
        "Reason": str(place.failure.reason),
        "Code": place.failure.code,
        "Message": place.failure.message,
    }


def _run_name(context: object) -> str:
    # An invocation that Lambda repeats keeps its id, and so does its run.
    return str(getattr(context, "aws_request_id", "") or uuid.uuid4())

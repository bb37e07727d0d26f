"""Broom's function: reads what events point to, and deals with the launches in it.

An SQS batch is answered message by message: what failed, took too long or was not begun in time comes again, the rest
is done. The log is JSON lines.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, assert_never

from landkeeper.aws.deadlines import Deadline, deadline_after, do_within, within
from landkeeper.broom.cloudtrail.found import Harvest, Loss
from landkeeper.broom.cloudtrail.keys import LogObject
from landkeeper.broom.cloudtrail.records import read_record
from landkeeper.broom.feeds import (
    AuditOrder,
    DueCases,
    InlineRecord,
    Message,
    Skipped,
    Unknown,
    read_messages,
)
from landkeeper.broom.launches import InstanceId
from landkeeper.lambdas.log_lines import begin_request, log, put_metrics
from landkeeper.lambdas.time_left import deadline_of
from landkeeper.org import AccountId, Failure, LandkeeperError, counted, is_batch
from landkeeper.settings import read_settings
from landkeeper.wiring.broom.function import FunctionBroom

if TYPE_CHECKING:
    from landkeeper.broom.sweeping.result import InstanceResult, SweepResult
    from landkeeper.wiring.broom.launches import LaunchProcessorRun


_SPARE_SECONDS = 15.0
"""How long before its time is over the function stops, and gives back what it has not done."""
_LEAST_SECONDS = 5.0
"""With less time left no other message is begun."""
_PART_OF_WHAT_IS_LEFT = 1 / 2
"""How much of the time left a message may take at most, so that one that hangs takes no others with it; the last of a
batch, and an event that comes alone, may take all of it."""


_PART_TO_BEGIN_IN = 1 / 2
"""In which part of a message's time another case is begun; the rest is for what has begun, and its reports."""


class UnfinishedError(LandkeeperError):
    """Part of a message was not dealt with, and may be the next time."""


class HandedBackError(LandkeeperError):
    """There was no time to begin all of a message; the rest is for the next time, and that is no failure."""


class LateError(LandkeeperError):
    """A message took longer than it may, and comes again."""


def handler(event: object, context: object) -> dict[str, Any]:
    """Deal with an event; an SQS batch is answered with `batchItemFailures`, empty where all went well.

    Raises UnfinishedError for any other event that has to come again. `{"task": "doctor", "accounts": […]}` is answered
    with what may be done in these accounts, and nothing is done.
    """
    deadline = deadline_of(context, spare_seconds=_SPARE_SECONDS)
    if isinstance(event, dict) and event.get("task") == "doctor":
        return _answer_doctor(event, deadline)
    begin_request(context)
    run = _Run()
    failed = list(_take_all(run, event, deadline))
    # A copy: what is late may still be counting.
    put_metrics(dict(run.counts))
    if is_batch(event):
        return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in failed]}
    if failed:
        raise UnfinishedError("the event was not dealt with; the log says why")
    return {"done": True}


def _answer_doctor(event: dict[Any, Any], deadline: Deadline) -> dict[str, Any]:
    # Here and not above: other invocations start without it.
    from landkeeper.wiring.access import answer_terminator  # noqa: PLC0415

    answer = do_within(deadline, lambda: answer_terminator(read_settings(os.environ), event))
    if isinstance(answer, Failure):
        raise UnfinishedError(f"the function's time was over: {answer}")
    return answer


def _take_all(run: _Run, event: object, deadline: Deadline) -> Iterator[str]:
    """Deal with the messages, one after another; the ids of those that have to come again."""
    messages = read_messages(event)
    for number, message in enumerate(messages):
        if deadline.seconds_left() < _LEAST_SECONDS:
            log("WARNING", "not begun", {"MessageIds": [waiting.id for waiting in messages[number:]]})
            yield from _hand_back(event, messages[number:], deadline)
            return
        with within(deadline):
            share = deadline_after(math.inf, part=1.0 if message is messages[-1] else _PART_OF_WHAT_IS_LEFT)
        error = _take_in_time(run, message, share)
        if isinstance(error, HandedBackError):
            log("INFO", "handed back", {"MessageId": message.id, "Reason": str(error)})
            yield from _hand_back(event, [message], deadline)
        elif error is not None:
            log("ERROR", "message failed", {"MessageId": message.id, "Error": f"{type(error).__name__}: {error}"})
            # What is unfinished has been counted, failure by failure.
            run.counts["Failures"] += not isinstance(error, UnfinishedError)
            yield message.id


def _hand_back(event: object, messages: Sequence[Message], deadline: Deadline) -> list[str]:
    """Send the messages again; the ids of those for which that failed, which SQS brings again by itself."""
    from landkeeper.lambdas.handing_back import hand_back  # noqa: PLC0415 - other invocations start without it

    ids = [message.id for message in messages]
    try:
        left = do_within(deadline, lambda: list(hand_back(event, ids, open_broom())))
    except LandkeeperError:
        return ids
    return ids if isinstance(left, Failure) else left


def _take_in_time(run: _Run, message: Message, share: Deadline) -> Exception | None:
    try:
        late = do_within(share, lambda: run.take(message))
    except Exception as error:  # noqa: BLE001 - one message must not take its batch with it
        return error
    return None if late is None else LateError(late.message)


@lru_cache(maxsize=1)
def open_broom() -> FunctionBroom:
    """What the function works with, made once for as long as it stays warm."""
    return FunctionBroom(read_settings(os.environ))


class _Run:
    """One invocation: the policy is read at most once, and so is each log file."""

    def __init__(self) -> None:
        self.counts = Counter[str]()
        """What came of instances, by the name of the metric."""
        self._dealings: LaunchProcessorRun | None = None
        self._ended: dict[LogObject, bool] = {}
        self._begin_until: Deadline | None = None

    def take(self, message: Message) -> None:
        """Deal with one message. Raises UnfinishedError where it has to come again."""
        self._begin_until = deadline_after(math.inf, part=_PART_TO_BEGIN_IN)
        harvest, ids, unread = Harvest(), list[InstanceId](), list[str]()
        audits: list[AccountId | None] = []
        named = {feed for feed in message.feeds if isinstance(feed, LogObject)}
        again = sorted(str(feed) for feed in named if not self._ended.get(feed, True))
        objects = named - self._ended.keys()
        self._ended |= dict.fromkeys(objects, False)
        for feed in message.feeds:
            match feed:
                case LogObject():
                    unread += self._read(feed, harvest) if feed in objects else ()
                case InlineRecord(record, origin):
                    harvest.add_entry("the event", read_record(record), origin)
                case DueCases(instance_ids):
                    ids += instance_ids
                case AuditOrder(account):
                    audits.append(account)
                case Skipped(reason):
                    log("INFO", "skipped", {"MessageId": message.id, "Reason": reason})
                case Unknown(reason):
                    unread.append(reason)
                case _:
                    assert_never(feed)
        unread += self._note_faults(message, harvest)
        results = [*self._sweep(harvest, ids, are_new=not named), *chain.from_iterable(map(self._audit, audits))]
        self._finish(
            message, results, [*unread, *(f"{name} was not dealt with in this batch already" for name in again)]
        )
        self._ended |= dict.fromkeys(objects, True)

    def _note_faults(self, message: Message, harvest: Harvest) -> list[str]:
        """Log what could not be read or is not believed, and answer the files of which nothing was read.

        A record is as wrong the next time: it is counted, and the rest goes on. What was in a whole file nobody knows:
        its message comes again, and ends among the dead letters, of which an alarm tells.
        """
        for fault in harvest.faults:
            log("WARNING", "not readable", {"MessageId": message.id, "Reason": str(fault)})
        self.counts["Failures"] += sum(fault.loss is Loss.RECORD for fault in harvest.faults)
        return [str(fault) for fault in harvest.faults if fault.loss is Loss.FILE]

    def _read(self, found: LogObject, harvest: Harvest) -> Iterator[str]:
        buckets = open_broom().settings.log_buckets
        if buckets and found.bucket not in buckets:
            yield f"{found} is refused: it is not in {' or '.join(buckets)}, where the log files are"
            return
        data = open_broom().objects.read_object(found)
        if isinstance(data, Failure):
            yield f"{found} cannot be read: {data}"
        else:
            harvest.add_file(str(found), data, limit_bytes=open_broom().settings.log_limit_bytes)

    def _sweep(self, harvest: Harvest, ids: list[InstanceId], *, are_new: bool) -> Iterator[SweepResult]:
        if not harvest.launches and not harvest.untaggings and not ids:
            return
        launches = [entry.launch for entry in harvest.launches]
        yield from self._begin().process(launches, harvest.untaggings, ids, are_new=are_new)

    def _audit(self, account: AccountId | None) -> Iterator[SweepResult]:
        return self._begin().audit(account)

    def _begin(self) -> LaunchProcessorRun:
        if self._dealings is None:
            self._dealings = open_broom().dealings.begin_run(self._has_time)
        return self._dealings

    def _has_time(self) -> bool:
        return self._begin_until is None or not self._begin_until.is_over()

    def _finish(self, message: Message, results: list[SweepResult], unread: list[str]) -> None:
        for result in results:
            for id_, note in result.notes.items():
                log(
                    "INFO", "judged", {"InstanceId": id_, "Verdict": note.verdict, "Action": note.action,
                    "Outcome": note.outcome or "", "Because": note.because},
                )  # fmt: skip
                self.counts.update(_metrics_of(note))
            if result.left_out:
                log("INFO", "left out by the audit", {"MessageId": message.id, **result.left_out})
            for failure in result.failures:
                log("WARNING", "not done", {"MessageId": message.id, "Reason": failure})
        self.counts["Failures"] += len(unread) + sum(len(sweep_result.failures) for sweep_result in results)
        again = [failure for sweep_result in results if sweep_result.try_again for failure in sweep_result.failures]
        if unread or again:
            raise UnfinishedError("; ".join([*unread, *again]))
        not_begun = sum(result.not_begun for result in results)
        if not_begun:
            reason = f"{counted(not_begun, 'instance was', 'instances were')} not begun in time"
            has_done_some = any(not note.is_stored for result in results for note in result.notes.values())
            raise HandedBackError(reason) if has_done_some else UnfinishedError(reason)


def _metrics_of(note: InstanceResult) -> Iterator[str]:
    """The metrics that an instance counts in: not those of a case that the ledger had done with."""
    if note.is_stored or note.action == "wait":
        return
    yield "InstancesJudged"
    if note.outcome == "destroyed":
        yield "InstancesDestroyed"
    elif note.outcome == "held":
        yield "InstancesHeld"
    elif note.verdict in {"compliant", "exempt"}:
        yield "InstancesKept"

"""Broom's function: reads what events point to, and deals with the launches in it.

An SQS batch is answered message by message: what failed comes again, the rest is done. The log is JSON lines.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import Any, assert_never

from landkeeper.aws.case_queue import SqsCaseQueue
from landkeeper.broom.audit import audit_overdue
from landkeeper.broom.feeds import (
    AuditOrder,
    DueCases,
    InlineRecord,
    LogObject,
    Message,
    Skipped,
    Unknown,
    is_batch,
    read_messages,
)
from landkeeper.broom.harvest import Harvest
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.limits import RunLimit
from landkeeper.broom.policy import Policy
from landkeeper.broom.swept import Swept
from landkeeper.broom.trail import read_record
from landkeeper.org import AccountId, Failure, LandkeeperError
from landkeeper.settings import read_settings
from landkeeper.wiring.broom import FunctionBroom, open_function
from landkeeper.wiring.broom_audit import audit_account, find_accounts


class UnfinishedError(LandkeeperError):
    """Part of a message was not dealt with, and may be the next time."""


def handler(event: object, _context: object) -> dict[str, Any]:
    """Deal with an event; an SQS batch is answered with `batchItemFailures`, empty where all went well.

    Raises UnfinishedError for any other event that has to come again. `{"task": "doctor", "accounts": […]}` is answered
    with what may be done in these accounts, and nothing is done.
    """
    if isinstance(event, dict) and event.get("task") == "doctor":
        # Here and not above: other invocations start without it.
        from landkeeper.wiring.access import answer_terminator  # noqa: PLC0415

        return answer_terminator(read_settings(os.environ), event)
    run = _Run()
    failed = []
    for message in read_messages(event):
        try:
            run.take(message)
        except Exception as error:  # noqa: BLE001 - one message must not take its batch with it
            log("ERROR", "message failed", MessageId=message.id, Error=f"{type(error).__name__}: {error}")
            failed.append(message.id)
    if is_batch(event):
        return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in failed]}
    if failed:
        raise UnfinishedError("the event was not dealt with; the log says why")
    return {"done": True}


@lru_cache(maxsize=1)
def open_broom() -> FunctionBroom:
    """What the function works with, made once for as long as it stays warm."""
    return open_function(read_settings(os.environ))


class _Run:
    """One invocation: the policy is read at most once, and so is each log file."""

    def __init__(self) -> None:
        self._policy: Policy | None = None
        self._run_limit = RunLimit()
        self._ended: dict[LogObject, bool] = {}

    def take(self, message: Message) -> None:
        """Deal with one message. Raises UnfinishedError where it has to come again."""
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
                case InlineRecord(record):
                    harvest.add_entry("the event", read_record(record))
                case DueCases(instance_ids):
                    ids += instance_ids
                case AuditOrder(account):
                    audits.append(account)
                case Skipped(reason):
                    log("INFO", "skipped", MessageId=message.id, Reason=reason)
                case Unknown(reason):
                    unread.append(reason)
                case _:
                    assert_never(feed)
        for fault in harvest.faults:
            log("WARNING", "not readable", MessageId=message.id, Reason=str(fault))
        swept = [*self._sweep(harvest, ids), *chain.from_iterable(map(self._audit, audits))]
        _finish(message, swept, [*unread, *(f"{name} was not dealt with in this batch already" for name in again)])
        self._ended |= dict.fromkeys(objects, True)

    def _read(self, found: LogObject, harvest: Harvest) -> Iterator[str]:
        data = open_broom().objects.read_object(found)
        if isinstance(data, Failure):
            yield f"{found} cannot be read: {data}"
        else:
            harvest.add_file(str(found), data, limit_bytes=open_broom().log_limit_bytes)

    def _sweep(self, harvest: Harvest, ids: list[InstanceId]) -> Iterator[Swept]:
        if not harvest.launches and not harvest.untaggings and not ids:
            return
        broom, policy = open_broom(), self._load_policy()
        launches = [each.launch for each in harvest.launches]
        if launches:
            yield broom.sweep_launches(policy, launches, harvest.untaggings, self._run_limit)
        if harvest.untaggings:
            yield broom.sweep_untagged(policy, harvest.untaggings, self._run_limit)
        if ids:
            yield broom.sweep_due_cases(policy, ids, self._run_limit)

    def _audit(self, account: AccountId | None) -> Iterator[Swept]:
        """Audit one account; or take up what is overdue, and have every account audited by a message of its own."""
        broom, policy = open_broom(), self._load_policy()
        outside, opened = broom.opened.outside, broom.opened
        accounts = (account,) if account is not None else find_accounts(opened.settings, opened.sessions)
        if account is None:
            yield audit_overdue(policy, outside, actions_on=broom.actions_on, run_limit=self._run_limit)
            if isinstance(outside.queue, SqsCaseQueue):
                failure = outside.queue.order_audits(accounts)
                if failure is not None:
                    raise UnfinishedError(f"the audits of the accounts could not be ordered: {failure}")
                return
        for one in accounts:
            audited = audit_account(policy, one, opened, self._run_limit)
            yield from (each.swept for each in audited)

    def _load_policy(self) -> Policy:
        if self._policy is None:
            self._policy = open_broom().load_policy()
            self._run_limit.left = self._policy.limits.terminations_per_run
        return self._policy


def _finish(message: Message, swept: list[Swept], unread: list[str]) -> None:
    for each in swept:
        for id_, note in each.notes.items():
            log(
                "INFO", "judged", InstanceId=id_, Verdict=note.verdict, Action=note.action, Outcome=note.outcome,
                Because=note.because,
            )  # fmt: skip
        for failure in each.failures:
            log("WARNING", "not done", MessageId=message.id, Reason=failure)
    again = [failure for each in swept if each.try_again for failure in each.failures]
    if unread or again:
        raise UnfinishedError("; ".join([*unread, *again]))


def log(level: str, text: str, **fields: str) -> None:
    """One line of JSON, as Lambda's log wants it."""
    sys.stdout.write(json.dumps({"level": level, "message": text, **fields}) + "\n")

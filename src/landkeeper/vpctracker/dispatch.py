"""The tracker's work as messages of a queue: one for each account, one for each confirming read.

Messages are JSON with the key `landkeeper`, and stand beside EventBridge's events in what a worker is given.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, assert_never

from landkeeper.org import Account, AccountId, Region, UsageError, parse_account_id, parse_region, well_formed
from landkeeper.vpctracker.events import Ignored, Malformed, Reread, parse_event

ACCOUNT_MESSAGE = "track-account"
SECOND_LOOK_MESSAGE = "second-look"


@dataclass(frozen=True, slots=True)
class TrackAccount:
    """One account is to be tracked, all its regions."""

    account: Account
    run: str
    """Names the run that asked for it."""


Work = TrackAccount | Reread | Ignored | Malformed


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a batch, and what it asks for."""

    id: str
    work: Work


@dataclass(frozen=True, slots=True)
class Unsent:
    """A message that the queue did not take."""

    body: str
    reason: str


class WorkQueue(Protocol):
    """Takes messages for workers."""

    def send(self, bodies: Iterable[str]) -> Sequence[Unsent]:
        """Send every message; answers those that the queue did not take, however often they were tried."""


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What became of a run's messages."""

    run: str
    accounts: int
    unsent: Sequence[Unsent]


def dispatch(accounts: Sequence[Account], queue: WorkQueue, run: str) -> Dispatched:
    """Send one message for each account; what the queue refused is in the answer."""
    return Dispatched(run, len(accounts), queue.send(write_account(account, run) for account in accounts))


def write_account(account: Account, run: str) -> str:
    """The message that asks to track an account; `parse_work` understands it."""
    return json.dumps(
        {
            "landkeeper": ACCOUNT_MESSAGE,
            "account": account.id,
            "name": account.name,
            "organization": account.organization,
            "run": run,
        }
    )


def write_second_look(account: AccountId, region: Region, first_look: datetime) -> str:
    """The message that asks to read a region again, to confirm what the first look did not show any more."""
    return json.dumps(
        {"landkeeper": SECOND_LOOK_MESSAGE, "account": account, "region": region, "at": first_look.isoformat()}
    )


def read_messages(batch: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[Message, ...]:
    """The messages of a batch. Never raises."""
    return tuple(
        Message(str(record.get("messageId", "")), parse_work(record.get("body"))) for record in batch["Records"]
    )


@dataclass(frozen=True, slots=True)
class AccountJob:
    """An account to track, and the messages that are settled by it."""

    account: Account
    run: str
    message_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RereadJob:
    """Regions of one account to read again, and the messages that are settled by it."""

    rereads: tuple[Reread, ...]
    """At least one; all of the same account."""
    message_ids: tuple[str, ...]

    @property
    def account_id(self) -> AccountId:
        """The account of all of them."""
        return self.rereads[0].account


Job = AccountJob | RereadJob


def plan_jobs(messages: Iterable[Message]) -> tuple[Job, ...]:
    """What the messages come to, a job for each account: however many ask for it, it is entered once."""
    accounts: dict[AccountId, AccountJob] = {}
    rereads: dict[AccountId, RereadJob] = {}
    for message in messages:
        match message.work:
            case TrackAccount(account, run):
                others = accounts[account.id].message_ids if account.id in accounts else ()
                accounts[account.id] = AccountJob(account, run, (*others, message.id))
            case Reread(account=account_id) as reread:
                known = rereads.get(account_id, RereadJob((), ()))
                rereads[account_id] = RereadJob((*known.rereads, reread), (*known.message_ids, message.id))
            case Ignored() | Malformed():
                pass
            case _:
                assert_never(message.work)
    return (*accounts.values(), *rereads.values())


def parse_work(body: object) -> Work:
    """What the body of a message asks for. Never raises."""
    try:
        value = json.loads(body) if isinstance(body, str) else None
    except (ValueError, RecursionError):
        return Malformed("the message is not JSON")
    try:
        return _parse(value)
    except (UsageError, ValueError) as error:
        return Malformed(f"a message of Landkeeper's that is not right: {error}")


def _parse(value: object) -> Work:
    match value:
        case {
            "landkeeper": "track-account",
            "account": str(id_),
            "name": str(name),
            "organization": str(organization),
            "run": str(run),
        }:
            return TrackAccount(Account(parse_account_id(id_), well_formed(name), organization=organization), run)
        case {"landkeeper": "second-look", "account": str(id_), "region": str(region), "at": str(at)}:
            moment = datetime.fromisoformat(at)
            if moment.tzinfo is None:
                raise ValueError(f"{at} names no time zone")
            return Reread(parse_account_id(id_), parse_region(region), moment, is_second_look=True)
        case {"landkeeper": kind}:
            return Malformed(f"a message of Landkeeper's of the kind '{kind}', or with parts missing")
        case dict():
            return parse_event(value)
        case _:
            return Malformed("the message is not a JSON object")

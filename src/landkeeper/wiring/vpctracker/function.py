"""The wiring of the tracker's functions: the one that sends the accounts out, and those that work through them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from landkeeper.aws.vpctracker.pool_table import PoolTable
from landkeeper.aws.vpctracker.topic import TrackerTopic
from landkeeper.aws.vpctracker.vpc_table import VpcTableReadOnce
from landkeeper.aws.vpctracker.work_queue import SqsWorkQueue
from landkeeper.org import UsageError
from landkeeper.settings import Settings
from landkeeper.vpctracker.discovery import note_membership
from landkeeper.vpctracker.dispatch import (
    AccountJob,
    Dispatched,
    RereadJob,
    Unsent,
    WorkQueue,
    dispatch,
)
from landkeeper.vpctracker.events import Scope
from landkeeper.vpctracker.notices.notify import NotifyOutcome, notify
from landkeeper.vpctracker.notices.ports import NoticeStore
from landkeeper.vpctracker.ports import VpcReader, VpcStore
from landkeeper.vpctracker.reread import RereadOutcome, reread_account
from landkeeper.vpctracker.track import AccountOutcome, track_account
from landkeeper.wiring.config import read_config
from landkeeper.wiring.sessions import home_sessions
from landkeeper.wiring.vpctracker.commands import function_source, function_store, home_source


class NoQueue:
    """A `WorkQueue` for a function without one: what would be looked at again is left to the next run."""

    def send(self, bodies: Iterable[str]) -> Sequence[Unsent]:
        """Takes nothing."""
        return [Unsent(body, "LANDKEEPER_QUEUE_URL is not set") for body in bodies]


@dataclass(frozen=True, slots=True)
class Worker:
    """What a worker works with; made once for as long as the function stays warm."""

    reader: VpcReader
    store: VpcStore
    queue: WorkQueue
    scope: Scope

    def track(self, job: AccountJob) -> AccountOutcome:
        """Track an account, all its regions."""
        return track_account(job.account, self.reader, self.store, clock=_now)

    def reread(self, job: RereadJob) -> RereadOutcome:
        """Read regions of an account again."""
        return reread_account(job.rereads, self.reader, self.store, self.queue, scope=self.scope, clock=_now)


def open_worker(settings: Settings) -> Worker:
    """What a worker works with. Raises UsageError naming the setting that is missing, or HomeAccountError."""
    store = function_store(settings)
    # The reader enters any account; which ones there are is not a worker's business.
    source = home_source(settings)
    sessions = home_sessions(settings)
    queue = SqsWorkQueue(sessions.home("sqs"), settings.queue_url) if settings.queue_url else NoQueue()
    own = () if settings.role_name else (account.id for account in source.accounts)
    discovery = read_config(settings).discovery
    scope = Scope(
        accounts=frozenset(settings.accounts or own),
        regions=frozenset(settings.regions),
        skipped=frozenset(discovery.skip_accounts),
        known_only=bool(discovery.include_ous or discovery.skip_ous),
    )
    return Worker(source.reader, store, queue, scope)


def dispatch_accounts(settings: Settings, run: str) -> Dispatched:
    """Send every account that the settings name, or the organization lists, to the workers' queue.

    What the organization says of accounts that are not to be read is written down first. Raises UsageError or
    HomeAccountError when the accounts are not to be had.
    """
    if settings.queue_url is None:
        raise UsageError("LANDKEEPER_QUEUE_URL is not set: the dispatcher requires a queue")
    queue = SqsWorkQueue(home_sessions(settings).home("sqs"), settings.queue_url)
    source = function_source(settings)
    note_membership(source.listing, function_store(settings))
    return dispatch(source.accounts, queue, run)


def open_table_once(settings: Settings) -> VpcTableReadOnce:
    """The function's table for all that is made of one look at it. Raises UsageError where none is set."""
    if settings.vpc_table is None:
        raise UsageError("LANDKEEPER_VPC_TABLE is not set: the function requires a table")
    return VpcTableReadOnce(home_sessions(settings).home("dynamodb"), settings.vpc_table)


def tell_notices(settings: Settings, store: NoticeStore) -> NotifyOutcome:
    """Tell the topic what is new in the tables. Raises UsageError naming the setting that is missing."""
    if settings.topic_arn is None:
        raise UsageError("LANDKEEPER_TOPIC_ARN is not set: the function requires a topic")
    if settings.vpc_table is None:
        raise UsageError("LANDKEEPER_VPC_TABLE is not set: the function requires a table")
    sessions = home_sessions(settings)
    topic = TrackerTopic(sessions.home("sns"), settings.topic_arn)
    return notify(store, topic, read_config(settings), PoolTable(sessions.home("dynamodb"), settings.vpc_table))


def _now() -> datetime:
    return datetime.now(UTC)

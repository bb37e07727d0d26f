"""The wiring of the pools' function, which stacks ask for blocks."""

from __future__ import annotations

from datetime import UTC, datetime

from landkeeper.aws.sessions import AccountSessions
from landkeeper.aws.vpctracker.custom_resource import put_answer
from landkeeper.aws.vpctracker.pool_table import PoolTable
from landkeeper.aws.vpctracker.vpc_table import VpcTable
from landkeeper.aws.vpctracker.work_queue import SqsWorkQueue
from landkeeper.org import UsageError
from landkeeper.settings import Settings
from landkeeper.vpctracker.dispatch import Unsent, write_second_look
from landkeeper.vpctracker.pools.access import Pools, check_account
from landkeeper.vpctracker.pools.custom_resource import (
    Prepared,
    parse_wishes,
    prepare_block,
    prepare_return,
    settle,
    word_answer,
)
from landkeeper.vpctracker.pools.operations import Actor
from landkeeper.vpctracker.pools.pool import Reservation
from landkeeper.vpctracker.pools.stack_request import StackCall
from landkeeper.wiring.config import read_config
from landkeeper.wiring.sessions import home_sessions
from landkeeper.wiring.vpctracker.pools import actor_named, member_state_by


def prepare_for_stack(settings: Settings, call: StackCall) -> Prepared:
    """Prepare what the stack requests; nothing that it has already is changed before it was answered.

    Raise UsageError where the request is wrong or nothing is to be had, StoreError where the table does not answer.
    """
    sessions, table, actor = _open(settings, call)
    if call.kind == "Delete":
        return prepare_return(table, call, actor)
    wished = parse_wishes(call)
    vpcs = VpcTable(sessions.home("dynamodb"), str(settings.vpc_table))
    pools = Pools(table, vpcs, read_config(settings), actor, member_state_by(lambda: sessions))
    check_account(pools, wished.account, wished.pool)
    return prepare_block(table, call, pools.tracked_of, actor, settings.stack_blocks_per_hour)


def settle_for_stack(settings: Settings, call: StackCall, prepared: Prepared) -> tuple[Unsent, ...]:
    """Write what is left to write once the stack was answered; return the reads that could not be requested."""
    if prepared.reservation is None:
        return ()
    sessions, table, actor = _open(settings, call)
    settled = settle(table, prepared, actor)
    return _ask_for_a_look(settings, sessions, settled) if call.kind == "Delete" else ()


def _open(settings: Settings, call: StackCall) -> tuple[AccountSessions, PoolTable, Actor]:
    if settings.vpc_table is None:
        raise UsageError("LANDKEEPER_VPC_TABLE is not set: the function requires a table")
    sessions = home_sessions(settings)
    return sessions, PoolTable(sessions.home("dynamodb"), settings.vpc_table), actor_named(call.stack)


def _ask_for_a_look(settings: Settings, sessions: AccountSessions, given: Reservation | None) -> tuple[Unsent, ...]:
    """A complete read of its region from now on shows whether a block that was given back is free."""
    if given is None or given.account is None or given.region is None or settings.queue_url is None:
        return ()
    look = write_second_look(given.account, given.region, datetime.now(UTC))
    return tuple(SqsWorkQueue(sessions.home("sqs"), settings.queue_url).send([look]))


def tell_stack(call: StackCall, outcome: Prepared | str) -> None:
    """Answer the stack: the reservation, or why there is none. Raise UnansweredError where that does not work."""
    put_answer(call.response_url, word_answer(call, outcome.answer if isinstance(outcome, Prepared) else outcome))

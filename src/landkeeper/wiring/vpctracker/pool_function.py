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
from landkeeper.vpctracker.pools.custom_resource import StackCall, give_back, parse_wishes, provide_block, word_answer
from landkeeper.vpctracker.pools.pool import Reservation
from landkeeper.wiring.config import read_config
from landkeeper.wiring.sessions import home_sessions
from landkeeper.wiring.vpctracker.pools import actor_named, member_state_by


def do_for_stack(settings: Settings, call: StackCall) -> tuple[Reservation | None, tuple[Unsent, ...]]:
    """Do what the stack asks; the reservation it is about, and the looks at its region that could not be asked for.

    Raises UsageError where the request is wrong or nothing is to be had, StoreError where the table does not answer.
    """
    if settings.vpc_table is None:
        raise UsageError("LANDKEEPER_VPC_TABLE is not set: the function requires a table")
    sessions = home_sessions(settings)
    client = sessions.home("dynamodb")
    table, actor = PoolTable(client, settings.vpc_table), actor_named(call.stack)
    if call.kind == "Delete":
        given = give_back(table, call, actor)
        return given, _ask_for_a_look(settings, sessions, given)
    wished = parse_wishes(call)
    pools = Pools(
        table, VpcTable(client, settings.vpc_table), read_config(settings), actor, member_state_by(lambda: sessions)
    )
    check_account(pools, wished.account, wished.pool)
    return provide_block(table, call, pools.tracked_of, actor), ()


def _ask_for_a_look(settings: Settings, sessions: AccountSessions, given: Reservation | None) -> tuple[Unsent, ...]:
    """A complete read of its region from now on shows whether a block that was given back is free."""
    if given is None or given.account is None or given.region is None or settings.queue_url is None:
        return ()
    look = write_second_look(given.account, given.region, datetime.now(UTC))
    return tuple(SqsWorkQueue(sessions.home("sqs"), settings.queue_url).send([look]))


def tell_stack(call: StackCall, outcome: Reservation | str | None) -> None:
    """Answer the stack: the reservation, or why there is none. Raises UnansweredError where that does not work."""
    put_answer(call.response_url, word_answer(call, outcome))

"""Pools' wiring: which store, who acts, and what AWS is asked besides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from landkeeper.org import AccountId, Failure, UsageError
from landkeeper.vpctracker.pools.access import MemberState, Pools
from landkeeper.vpctracker.pools.operations import Actor
from landkeeper.wiring.config import read_config
from landkeeper.wiring.sessions import home_sessions

if TYPE_CHECKING:
    from landkeeper.aws.sessions import AccountSessions
    from landkeeper.settings import Settings

_PATIENCE_SECONDS = 60.0


@contextmanager
def open_pools(settings: Settings, *, to_write: bool, with_new_file: bool = False) -> Iterator[Pools]:
    """The store that the settings name, which has to be there; a file is made only `with_new_file`.

    Raises UsageError or StoreError where it is not there, or is not one of ours.
    """
    config = read_config(settings)
    if settings.vpc_table is not None:
        from landkeeper.aws.vpctracker.pool_table import PoolTable
        from landkeeper.aws.vpctracker.vpc_table import VpcTable

        sessions = home_sessions(settings)
        client = sessions.home("dynamodb")
        table = PoolTable(client, settings.vpc_table)
        table.check()
        by = sessions.home_principal() if to_write else ""
        yield Pools(
            table, VpcTable(client, settings.vpc_table), config, actor_named(by), member_state_by(lambda: sessions)
        )
        return
    if not with_new_file and not settings.file.exists():
        raise UsageError(
            f"the file '{settings.file}' does not exist: `landkeeper vpc track` creates it; pass --file or "
            "--table for another store"
        )
    # Here and not above: the function package comes without the embedded rooms.
    from landkeeper.embedded.pool_file import PoolFile

    with closing(PoolFile(settings.file, to_write=to_write)) as file:
        member_state = member_state_by(lambda: home_sessions(settings))
        yield Pools(file, file, config, actor_named(_user() if to_write else ""), member_state)


def actor_named(by: str) -> Actor:
    """Somebody who acts now, and waits up to a minute for their turn."""
    return Actor(by, lambda: datetime.now(UTC), _new_id, _pauses)


def _new_id() -> str:
    import uuid

    return f"res-{uuid.uuid4().hex[:17]}"


def _pauses() -> Iterator[bool]:
    from landkeeper.aws.backoff import Backoff

    return Backoff(0.02, 2.0, patience_seconds=_PATIENCE_SECONDS).pauses()


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a user id that has no name.
        return ""


def member_state_by(sessions: Callable[[], AccountSessions]) -> MemberState:
    """Ask AWS Organizations through these sessions, which are opened only then."""

    def find(account: AccountId) -> str | Failure:
        from landkeeper.aws.vpctracker.member import find_member_state

        return find_member_state(sessions().home("organizations"), account)

    return find
